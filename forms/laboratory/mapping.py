"""How a laboratory's file is read: which column means what, which test is which analyte. Pure.

Written as lines `theirs = ours`, kept per laboratory. What is called as we call it needs no
line.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

COLUMNS = ("participant", "visit", "date", "test", "result", "unit")
NEEDED = ("participant", "visit", "test", "result")


@dataclass(frozen=True, slots=True)
class Reading:
    """Their words by ours for columns; ours by theirs for tests, units and visits."""

    columns: Mapping[str, str] = field(default_factory=dict)
    tests: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    visits: Mapping[str, str] = field(default_factory=dict)

    def document(self) -> dict[str, object]:
        return {
            "columns": dict(self.columns), "tests": dict(self.tests),
            "units": dict(self.units), "visits": dict(self.visits),
        }  # fmt: skip

    def positions(self, header: Iterable[str]) -> dict[str, str]:
        """Return the file's column for each of ours that it has."""
        there = {_plain(name): name for name in header}
        wanted = {ours: self.columns.get(ours, ours) for ours in COLUMNS}
        return {
            ours: there[_plain(theirs)]
            for ours, theirs in wanted.items()
            if _plain(theirs) in there
        }

    def test(self, theirs: str) -> str:
        return _ours(self.tests, theirs) or theirs.upper()

    def unit(self, theirs: str) -> str:
        return _ours(self.units, theirs) or theirs

    def visit(self, theirs: str) -> str:
        return _ours(self.visits, theirs) or theirs


def reading(document: Mapping[str, object]) -> Reading:
    """Return the reading a stored document, or a file of settings, describes."""
    parts = {name: document.get(name) for name in ("columns", "tests", "units", "visits")}
    return Reading(**{
        name: {str(key): str(value) for key, value in part.items()}
        for name, part in parts.items()
        if isinstance(part, Mapping)
    })  # fmt: skip


def lines(pairs: Mapping[str, str]) -> str:
    """Return pairs as lines for a person to change."""
    return "\n".join(f"{key} = {value}" for key, value in pairs.items())


def pairs(text: str) -> dict[str, str]:
    """Read such lines back; a line without `=` says nothing."""
    found = (line.partition("=") for line in text.splitlines() if "=" in line)
    return {key.strip(): value.strip() for key, _, value in found if key.strip()}


def _ours(known: Mapping[str, str], theirs: str) -> str | None:
    wanted = _plain(theirs)
    return next((ours for name, ours in known.items() if _plain(name) == wanted), None)


def _plain(name: str) -> str:
    return " ".join(name.split()).casefold()
