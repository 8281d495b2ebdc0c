"""CSV that a spreadsheet cannot run and a program can read back exactly. Pure.

UTF-8 without a mark at the start, lines end with LF, fields are quoted where needed. A cell
that begins with one of = + - @ ' TAB CR, or the full-width forms of the first four, gets one
apostrophe in front, because spreadsheets take such cells for formulas. Plain numbers such as
-1.5 are left alone. To undo: a cell that begins with an apostrophe loses it.
"""

import re
from collections.abc import Iterable, Sequence

RISKY = frozenset("=+-@'\t\r＝＋－＠")
TO_QUOTE = re.compile(r'[",\r\n]')
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII)


def safe(cell: str) -> str:
    """Return the cell as it stands in the file."""
    if cell[:1] in RISKY and cell and not NUMBER.fullmatch(cell):
        return f"'{cell}"
    return cell


def plain(cell: str) -> str:
    """Return what a cell of the file means; the inverse of `safe`."""
    return cell.removeprefix("'")


def line(cells: Sequence[str]) -> str:
    """Return one line with its LF."""
    return ",".join(_quoted(safe(cell)) for cell in cells) + "\n"


def _quoted(cell: str) -> str:
    if not TO_QUOTE.search(cell):
        return cell
    return '"' + cell.replace('"', '""') + '"'


def lines(rows: Iterable[Sequence[str]]) -> Iterable[str]:
    for row in rows:
        yield line(row)
