"""A closed report as data that can be kept, hashed, and read in both languages. Pure.

A report is plain JSON: texts stand in both languages, cells are text. Whoever draws it as page,
PDF or CSV needs nothing else, and no arm beyond the names it holds.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ecrf.kernel.text import LOCALES, Text, say

FORMAT = "ecrf closed report 1"
Json = dict[str, Any]


class Line(NamedTuple):
    """A row: its label, how deep it stands, a cell for each arm, then one for all."""

    label: Text | str
    cells: Sequence[str]
    level: int = 0


class Board(NamedTuple):
    """A table of the report."""

    key: str
    title: Text
    lines: Sequence[Line]
    note: Text | None = None


def both(text: Text | str) -> Mapping[str, str]:
    """Return a text in every language."""
    return {locale: say(text, locale) for locale in LOCALES}


def plain(board: Board) -> Json:
    """Return a table as JSON."""
    return {
        "key": board.key, "title": both(board.title),
        "note": None if board.note is None else both(board.note),
        "lines": [
            {"label": both(line.label), "level": line.level, "cells": list(line.cells)}
            for line in board.lines
        ],
    }  # fmt: skip
