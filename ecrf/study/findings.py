"""What is wrong with a definition, and where in its files."""

from collections.abc import Iterable
from typing import Literal, NamedTuple, Protocol

from ecrf.kernel.text import Message

Severity = Literal["error", "warning"]
Spot = tuple[str | int, ...]
"""A place in the model, such as ("forms", "vs", "sections", 0, "members", 2, "show")."""


class Place(NamedTuple):
    """A place in a file; lines and columns count from 1."""

    file: str
    line: int
    column: int


class Finding(NamedTuple):
    """One thing wrong with a definition. With an error the definition cannot be used."""

    severity: Severity
    file: str
    line: int
    column: int
    message: Message

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.severity}: {self.message}"


class Problem(NamedTuple):
    """One thing wrong with a model, before its place in the files is looked up."""

    spot: Spot
    message: Message
    severity: Severity = "error"


class Places(Protocol):
    """Where the parts of a model are written down."""

    def place(self, spot: Spot) -> Place: ...


class Nowhere:
    """The places of a model that was not read from files: the model's own spots."""

    def place(self, spot: Spot) -> Place:
        return Place("/".join(map(str, spot)), 0, 0)


def at(place: Place, message: Message, severity: Severity = "error") -> Finding:
    return Finding(severity, *place, message)


def located(problems: Iterable[Problem], places: Places) -> tuple[Finding, ...]:
    """Return the problems as findings, in the order of files and lines."""
    found = (at(places.place(p.spot), p.message, p.severity) for p in problems)
    return in_order(found)


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return each different finding once, ordered by file, line and column."""
    unique = {(f[:4], str(f.message)): f for f in findings}
    return tuple(unique[key] for key in sorted(unique, key=lambda key: (key[0][1:], key[1])))


def errors(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(finding for finding in findings if finding.severity == "error")
