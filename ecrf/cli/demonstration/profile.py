"""What a study's invented participants are like: `demo.yaml` beside its definition.

Without the file every form is filled from its definition alone: the middle of the soft limits,
the first code, the day of the visit.
"""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

from ecrf.study import yamlfile
from ecrf.study.model import Frozen, Words

FILE = "demo.yaml"


class Source(Frozen):
    """Where an invented answer comes from; one of these is given.

    `day` counts from the visit, a pair is a range; `time` is the time of that day. `born` is a
    range of ages. `unit` and `places` go with `between`. `by` names an item filled before, or
    `visit`; its answer chooses from `of`.
    """

    value: str | None = None
    one_of: Mapping[str, int] | None = None
    between: tuple[Decimal, Decimal] | None = None
    places: int = 0
    unit: str = ""
    day: int | tuple[int, int] | None = None
    time: str = ""
    born: tuple[int, int] | None = None
    missing: str | None = None
    blank: bool = False
    by: str | None = None
    of: Mapping[str, "Source"] = {}


class LogForm(Frozen):
    """A log form entered, on average, `percent` times in a hundred visits."""

    percent: int


class Happening(Frozen):
    """An unplanned visit some participants have, with the log form it brings."""

    visit: str
    log: str
    percent: int


class Mishaps(Frozen):
    """Per hundred: what goes wrong while a form or a visit is entered."""

    left_blank: int = 6
    typing_error: int = 4
    out_of_window: int = 6
    missed: int = 3
    not_entered: int = 5


class Result(Frozen):
    """A laboratory result that arrives at the end: in a file, else as a correction by hand.

    `answers` go with a correction; `event` is entered before it, and named where the form asks
    for its number in the row of the analyte.
    """

    site: str
    analyte: str
    value: str
    file: str = ""
    answers: Mapping[str, str] = {}
    event: "Incident | None" = None


class Incident(Frozen):
    """A log form entered `ago` days before the end, of the `who`-th newest participant.

    `variant` says how it is answered; a draft has only what that names.
    """

    site: str
    form: str
    variant: str
    who: int = 0
    ago: int = 1
    draft: bool = False


class Account(Frozen):
    """A person of the training copy. `site` null means every site."""

    username: str
    name: str
    role: str
    site: str | None = None
    task: Words


class Profile(Frozen):
    """`forms` maps form → item key (or `*.column`) → source; `variants` overlay it by name."""

    accounts: tuple[Account, ...] = ()
    months: int = 18
    screen_failed: int = 8
    still_screening: int = 6
    ended_early: int = 5
    ends_at: str | None = None
    forms: Mapping[str, Mapping[str, Source]] = {}
    variants: Mapping[str, Mapping[str, Mapping[str, Source]]] = {}
    logs: Mapping[str, LogForm] = {}
    happening: Happening | None = None
    laboratory: tuple[Result, ...] = ()
    incidents: tuple[Incident, ...] = ()
    mishaps: Mishaps = Mishaps()
    kits_per_site: int = 200
    blocks: tuple[int, ...] = (4, 6)


def read(folder: Path) -> Profile:
    """Read the profile of the study in `folder`; the plain one when it has none."""
    path = folder / FILE
    if not path.is_file():
        return Profile()
    return Profile.model_validate(yamlfile.document(path))
