"""What a closed report is made of: which items say it. All of it is the study's data.

Whoever may know arms reads such a report; the definition names no arm for it. A path is
`VISIT.form.item`; elsewhere an item is named by its key.
"""

from typing import Annotated

from pydantic import Field

from ecrf.study.parts import Frozen, Id

Count = Annotated[int, Field(ge=1, strict=True)]
READS_PER_DAY = 40
"""Arms one person may look at in a day before somebody is told, where a study says nothing."""


class Dated(Frozen):
    """A form with the item that says when it was."""

    form: Id
    date: Id


class Ending(Frozen):
    """The form that says when something ended, why, and which reasons mean it was completed."""

    form: Id
    date: Id
    reason: Id
    completed: tuple[str, ...]


class Events(Frozen):
    """The form of adverse events: what it was, since when, how grave, and what caused it.

    `severe` is the lowest grade that is counted apart; `relatedness` are the answers of
    `related` that count as related to the treatment.
    """

    form: Id
    term: Id
    date: Id
    grade: Id
    severe: Count = 3
    serious: Id
    related: Id
    relatedness: tuple[str, ...]


class Closed(Frozen):
    """`closed:` of `study.yaml`.

    `baseline` are paths of what describes participants before treatment, `first_dose` says that
    treatment began, `treatment` and `study` how it and the participation ended. `laboratory`
    are analytes whose worst grade is compared with the first one. Relapses or other events of
    the endpoint come from `adjudication`.
    """

    baseline: tuple[str, ...] = ()
    first_dose: Dated | None = None
    treatment: Ending | None = None
    study: Ending | None = None
    events: Events | None = None
    death: Dated | None = None
    laboratory: tuple[str, ...] = ()
    reads_per_day: Count = READS_PER_DAY
