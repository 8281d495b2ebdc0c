"""What a closed report knows of one randomized participant, up to the cut-off. Pure."""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from reports.closed.survival import Time


class End(NamedTuple):
    """When and why something ended; `on` None when the day is not known."""

    on: date | None
    reason: str


class Adverse(NamedTuple):
    """One adverse event that began under treatment; `grade` 0 is not known."""

    term: str
    grade: int
    serious: bool
    related: bool


class Shift(NamedTuple):
    """The first grade of an analyte and the worst after it; None is not known."""

    first: int | None
    worst: int | None


class Record(NamedTuple):
    """A participant. `baseline` has an answer ("" unknown) for each path of the rule.

    `relapses` are events of the endpoint that count, `waiting` those the committee has still to
    judge, `undated` those without a whole date.
    """

    code: str
    site: str
    randomized_on: date
    baseline: tuple[str, ...] = ()
    first_dose: date | None = None
    kits: int = 0
    visits: int = 0
    treatment: End | None = None
    study: End | None = None
    died: bool = False
    adverse: tuple[Adverse, ...] = ()
    shifts: Mapping[str, Shift] = {}
    time: Time | None = None
    relapses: int = 0
    waiting: int = 0
    undated: int = 0
    broken: bool = False

    @property
    def treated(self) -> bool:
        return self.first_dose is not None or self.kits > 0
