"""A grid as paper: a table with its header on every page, or a card for each row when the
columns would be too narrow to write in.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from reportlab.pdfbase import pdfmetrics
from reportlab.platypus import Flowable, KeepTogether, Table, TableStyle

from ecrf.study.model import Grid, ItemType, Question, Row
from forms import choices
from reports.blank.labels import HEADED, HINT, NOTED, PLAIN, STRONG, Label
from reports.blank.pieces import SMALL, Piece, least
from reports.paper import BODY, INK, LINE, REGULAR, SHADE, heading, space

if TYPE_CHECKING:
    from reports.blank.sheet import Sheet

SHORT = 34.0
"""Labels of codes in a grid are spelled out while none is wider than this."""

FIRST = 90.0
"""So wide at least is the column of the rows' labels."""

BASE: list[tuple[Any, ...]] = [
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ("LINEBELOW", (0, 0), (-1, -1), 0.4, LINE),
    ("LEFTPADDING", (0, 0), (-1, -1), 3),
    ("RIGHTPADDING", (0, 0), (-1, -1), 3),
    ("TOPPADDING", (0, 0), (-1, -1), 3),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
]


class Column(NamedTuple):
    """A column of a grid, what its cells are answered with, and how narrow it may be."""

    question: Question
    terse: bool
    pieces: Sequence[Piece]
    least: float


def story(sheet: "Sheet", grid: Grid) -> Iterator[Flowable]:
    """Yield the grid with its title and the meaning of its codes."""
    yield space(4)
    yield from heading(sheet.tongue.short(grid.label), 9.5)
    if sheet.annotated:
        yield Label([(f"grid {grid.id}", NOTED)])
        for question in grid.columns:
            yield Label(list(sheet.behind(question, grid)))
    columns = [_column(sheet, question) for question in grid.columns]
    for column in columns:
        if column.terse and column.question.derive is None:
            yield Label([(_legend(sheet, column.question), HINT)])
    spare = BODY - FIRST - sum(column.least for column in columns)
    if spare >= 0:
        yield _table(sheet, grid, columns, spare)
    else:
        for row in grid.rows:
            yield KeepTogether([_card(sheet, row, columns)])


def _column(sheet: "Sheet", question: Question) -> Column:
    labels = [sheet.tongue.short(c.label) for c in choices.options(question, sheet.study)]
    terse = any(pdfmetrics.stringWidth(label, REGULAR, SMALL) > SHORT for label in labels)
    pieces = sheet.pieces(question, terse=terse, narrow=True)
    words = sheet.tongue.say(question.label).split()
    head = max(pdfmetrics.stringWidth(w, HEADED.font, HEADED.size) for w in (*words, ""))
    # Chinese is broken between any two signs, so that its length asks for no width.
    narrow = min(head, 70.0) if sheet.tongue.language != "zh" else 24.0
    return Column(question, terse, pieces, max(least(pieces), narrow) + 8)


def _table(sheet: "Sheet", grid: Grid, columns: Sequence[Column], spare: float) -> Flowable:
    header: list[Flowable | str] = ["", *(_head(sheet, c.question) for c in columns)]
    style = [*BASE, ("LINEBELOW", (0, 0), (-1, 0), 1, INK)]
    rows = [header]
    for at, row in enumerate(grid.rows, start=1):
        cells: list[Flowable | str] = [_named(sheet, row)]
        for number, column in enumerate(columns, start=1):
            if column.question.id in row.closed:
                cells.append("")
                style.append(("BACKGROUND", (number, at), (number, at), LINE))
            else:
                key = f"{row.id}.{column.question.id}"
                cells.append(sheet.answer(column.question, key, column.pieces))
        rows.append(cells)
    widths = _widths(columns, spare)
    return Table(rows, widths, repeatRows=1, style=TableStyle(style), hAlign="LEFT")


def _head(sheet: "Sheet", question: Question) -> Label:
    return Label([
        (sheet.tongue.say(question.label), HEADED),
        (sheet.tongue.say(question.hint), HINT),
        (question.id if sheet.annotated else "", NOTED),
    ])  # fmt: skip


def _named(sheet: "Sheet", row: Row) -> Label:
    return Label([
        (sheet.tongue.say(row.label), PLAIN),
        (sheet.tongue.say(row.hint), HINT),
        (row.id if sheet.annotated else "", NOTED),
    ])  # fmt: skip


def _widths(columns: Sequence[Column], spare: float) -> list[float]:
    """Return the widths: what is to spare goes to the rows' labels and to what is written."""
    shares = [3.0 if c.question.type is ItemType.TEXT else 1.0 for c in columns]
    first = 2.0
    unit = spare / (first + sum(shares))
    return [
        FIRST + first * unit,
        *(c.least + share * unit for c, share in zip(columns, shares, strict=True)),
    ]


def _card(sheet: "Sheet", row: Row, columns: Sequence[Column]) -> Flowable:
    """Return one row of the grid: its label above, its columns as pairs, two on a line."""
    asked = [column.question for column in columns if column.question.id not in row.closed]
    terse = {column.question.id: column.terse for column in columns}
    pairs: list[Flowable | str] = []
    for question in asked:
        pieces = sheet.pieces(question, terse=terse[question.id], narrow=True)
        pairs += [
            Label([(sheet.tongue.say(question.label), PLAIN)]),
            sheet.answer(question, f"{row.id}.{question.id}", pieces),
        ]
    pairs += [""] * (-len(pairs) % 4)
    title = Label([(sheet.tongue.short(row.label), STRONG), (sheet.tongue.say(row.hint), HINT)])
    rows = [[title, "", "", ""], *(pairs[n : n + 4] for n in range(0, len(pairs), 4))]
    style = [*BASE, ("SPAN", (0, 0), (-1, 0)), ("BACKGROUND", (0, 0), (-1, 0), SHADE)]
    widths = [BODY * share for share in (0.17, 0.33, 0.17, 0.33)]
    return Table(rows, widths, style=TableStyle(style), hAlign="LEFT")


def _legend(sheet: "Sheet", question: Question) -> str:
    """Return what the values of a column's codes mean."""
    codes = choices.options(question, sheet.study)
    said = "; ".join(f"{code.value} = {sheet.tongue.short(code.label)}" for code in codes)
    return f"{sheet.tongue.short(question.label)}: {said}"
