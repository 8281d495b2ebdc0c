"""How a committee judges events: which, by how many, from what, and when two votes agree.

All of it is the study's data. An item of the event's form is named by its key, a cell of a
grid as `GRID.column` where a whole column is meant.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from ecrf.study.parts import Expression, Frozen, Id, Words

Formula = Annotated[str, Field(min_length=1, description="An expression.")]
Days = Annotated[int, Field(ge=0)]


class Dossier(Frozen):
    """What the committee reads. `forms` besides the event's own, each at `visits`.

    A visit is an id of the schedule, `previous` (the last one before the event that has the
    form) or `same` (the visit of the event); `at` names others for a form. `drop` are items and
    columns that are never in it, `opinion` those that carry the site's judgement and stay out
    while the charter hides it.
    `words` are looked for in free text, besides the names of arms and the product.
    """

    forms: tuple[str, ...] = ()
    visits: tuple[str, ...] = ("same",)
    at: Mapping[str, tuple[str, ...]] = {}
    drop: tuple[str, ...] = ()
    opinion: tuple[str, ...] = ()
    hide_site_opinion: bool = True
    words: tuple[str, ...] = ()


class Agreement(Frozen):
    """The items of the vote that are compared, and when two votes agree.

    `yes` says that the event is one, `no` that it is none, `unclear` that the dossier does not
    tell. Two votes `yes` agree when at least `overlap` organs are named by all and the dates
    lie at most `within_days` apart; the earliest of them is kept.
    """

    verdict: str
    yes: str = "Y"
    no: str = "N"
    unclear: str = "U"
    question: str
    organs: str
    overlap: Annotated[int, Field(ge=0)] = 1
    date_agreed: str | None = None
    date: str
    within_days: Days = 14


class Timers(Frozen):
    """Days allowed: for the dossier after the event was assessed, for each vote."""

    package: Days = 14
    review: Days = 7


class _Plain(Frozen):
    """What is written the same way as it is kept."""

    form: Id
    vote: Id
    reviewers: Annotated[int, Field(ge=1, le=9)] = 2
    assign: Literal["by hand", "in turn"] = "by hand"
    assessed: str
    site_date: str
    site_organs: str | None = None
    dossier: Dossier = Dossier()
    agreement: Agreement
    timers: Timers = Timers()
    signed: Words
    visit: str
    assessments: tuple[str, ...] = ()
    endpoint: Id | None = None
    time: Id | None = None


class Written(_Plain):
    """`adjudication:` of `study.yaml`."""

    when: Formula
    site_says: Formula


class Adjudication(_Plain):
    """How events of `form` are judged, while `when` holds on the form.

    `vote` is the form the committee fills in, `signed` what signing it means. `assessed` is the
    item from whose date the clock runs. `site_says` is true when the site calls the event one,
    `site_date` and `site_organs` are its date and organs. The endpoint asks whether an event
    fell before the window of `visit` ended; `assessments` are the forms after which a
    participant without one counts as seen. `endpoint` and `time` are the endpoints of the study
    that come of it: whether there was one, and how many days after the randomization.
    """

    when: Expression
    site_says: Expression
