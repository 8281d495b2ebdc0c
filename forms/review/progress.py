"""How far verification, review and signing are: per site, participant and visit."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from forms.review.listing import Line


@dataclass(slots=True)
class Sum:
    """Numbers of items and entries of one line of the report."""

    name: tuple[str, ...]
    entries: int = 0
    due: int = 0
    done: int = 0
    changed: int = 0
    verified: int = 0
    unsigned: int = 0

    def add(self, line: Line) -> None:
        self.entries += 1
        self.due += len(line.tally.due)
        self.done += len(line.tally.done)
        self.changed += len(line.tally.changed)
        self.verified += not line.tally.remaining
        self.unsigned += line.signature in ("to sign", "broken")

    @property
    def percent(self) -> int:
        """Return how much of what is due is done, rounded down: 100 means all of it."""
        return 100 * self.done // self.due if self.due else 100


class Report(NamedTuple):
    """The same lines summed in three ways, each in the order of the list."""

    sites: Sequence[Sum]
    participants: Sequence[Sum]
    visits: Sequence[Sum]


class Remaining(NamedTuple):
    """One item that still is to be verified; `changed` when it had been so before."""

    line: Line
    item: str
    changed: bool


def report(lines: Iterable[Line]) -> Report:
    """Sum the lines; every line is looked at once."""
    ways: tuple[Callable[[Line], tuple[str, ...]], ...] = (
        lambda line: (line.site,),
        lambda line: (line.site, line.code),
        lambda line: (line.site, line.code, line.visit),
    )
    found: tuple[dict[tuple[str, ...], Sum], ...] = ({}, {}, {})
    for line in lines:
        for way, sums in zip(ways, found, strict=True):
            name = way(line)
            sums.setdefault(name, Sum(name)).add(line)
    return Report(*(list(sums.values()) for sums in found))


def remaining(lines: Iterable[Line]) -> Iterator[Remaining]:
    """Yield what is still to be verified, in the order of the list and of the form."""
    for line in lines:
        left = line.tally.remaining
        for item in line.form.cells:
            if item in left:
                yield Remaining(line, item, item in line.tally.changed)
