"""One form as paper: its questions and grids with room for the answers, no row ever split."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from reportlab.pdfbase import pdfmetrics
from reportlab.platypus import Flowable, Table, TableStyle

from ecrf.kernel.text import T, Text
from ecrf.study.model import Form, Grid, Item, ItemType, Question, Study
from forms import choices
from reports.blank import asking, wording
from reports.blank.labels import HINT, NOTED, PLAIN, STRONG, Label, Style
from reports.blank.pieces import SMALL, Answer, Piece
from reports.blank.wording import Tongue
from reports.paper import BODY, INK, LINE, REGULAR, SHADE, Lines, heading, space

SHORT = 34.0
"""Labels of codes in a grid are spelled out while none is wider than this."""

BASE: list[tuple[Any, ...]] = [
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ("LINEBELOW", (0, 0), (-1, -1), 0.4, LINE),
    ("LEFTPADDING", (0, 0), (-1, -1), 3),
    ("RIGHTPADDING", (0, 0), (-1, -1), 3),
    ("TOPPADDING", (0, 0), (-1, -1), 3),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A form about to be drawn; `prefix` names the fields of a fillable paper, "" for none."""

    study: Study
    form: Form
    tongue: Tongue
    annotated: bool = False
    prefix: str = ""

    def story(self) -> Iterator[Flowable]:
        """Yield the form from its title to its signatures."""
        yield from heading(self.tongue.short(self.form.title), 13)
        if self.annotated:
            more = " · repeating" if self.form.repeating else ""
            more += " · entered twice" if self.form.double else ""
            yield Label([(f"form {self.form.id}{more}", NOTED)])
        if self.form.intro:
            yield Lines(self.tongue.say(self.form.intro))
        for section in self.form.sections:
            yield space(6)
            if section.title:
                yield from heading(self.tongue.short(section.title), 10.5)
            if section.intro:
                yield Lines(self.tongue.say(section.intro))
            for kind, members in groupby(section.members, key=type):
                if kind is Item:
                    yield self._items([m for m in members if isinstance(m, Item)])
                else:
                    for grid in members:
                        yield from self._grid(grid) if isinstance(grid, Grid) else ()
        yield from self._signed()

    def _items(self, items: Sequence[Item]) -> Flowable:
        rows = [[self._label(item), self._answer(item, item.id)] for item in items]
        style = [*BASE]
        for number, item in enumerate(items):
            if item.type is ItemType.NOTE:
                style.append(("SPAN", (0, number), (-1, number)))
            elif item.derive is not None:
                style.append(("BACKGROUND", (1, number), (1, number), SHADE))
        widths = [BODY * 0.4, BODY * 0.6]
        return Table(rows, widths, style=TableStyle(style), hAlign="LEFT")

    def _label(self, question: Question, style: Style = PLAIN) -> Label:
        label = self.tongue.say(question.label)
        if question.require is True and question.derive is None:
            label = f"{label} *"
        hint = self.tongue.say(question.hint)
        if question.show is not None:
            only = self.tongue.short(T("only if it applies"))
            hint = f"{hint}\n({only})" if hint else f"({only})"
        return Label([(label, style), (hint, HINT), *self._behind(question)])

    def _behind(
        self, question: Question, grid: Grid | None = None
    ) -> Iterator[tuple[str, Style]]:
        if not self.annotated or question.type is ItemType.NOTE:
            return
        name = f"{grid.id}.{question.id}" if grid else question.id
        yield f"▸ {name}", NOTED
        for line in wording.behind(question):
            yield line, NOTED
        checks = (
            wording.checks_at(self.form, grid, question)
            if grid
            else wording.checks_at(self.form, question)
        )
        yield checks, NOTED

    def _answer(self, question: Question, key: str, *, terse: bool = False) -> Answer:
        pieces = asking.pieces(
            question, self.study, self.tongue, coded=self.annotated and not terse, terse=terse
        )
        prefix = f"{self.prefix}{key}" if self.prefix else ""
        return Answer(pieces, prefix, single=question.type is not ItemType.CHOICES)

    def _grid(self, grid: Grid) -> Iterator[Flowable]:
        yield space(4)
        yield from heading(self.tongue.short(grid.label), 9.5)
        if self.annotated:
            yield Label([(f"grid {grid.id}", NOTED)])
            for column in grid.columns:
                yield Label(list(self._behind(column, grid)))
        terse = [self._terse(column) for column in grid.columns]
        for column, short in zip(grid.columns, terse, strict=True):
            if short and column.derive is None:
                yield Label([(self._legend(column), HINT)])
        header: list[Flowable | str] = [
            "",
            *(
                Label([
                    (self.tongue.say(c.label), STRONG),
                    (self.tongue.say(c.hint), HINT),
                    (f"▸ {c.id}" if self.annotated else "", NOTED),
                ])
                for c in grid.columns
            ),
        ]  # fmt: skip
        style = [*BASE, ("LINEBELOW", (0, 0), (-1, 0), 1, INK)]
        rows = [header]
        for at, row in enumerate(grid.rows, start=1):
            named = [(self.tongue.say(row.label), PLAIN), (self.tongue.say(row.hint), HINT)]
            if self.annotated:
                named.append((f"▸ {row.id}", NOTED))
            cells: list[Flowable | str] = [Label(named)]
            for number, (column, short) in enumerate(zip(grid.columns, terse, strict=True), 1):
                if column.id in row.closed:
                    cells.append("")
                    style.append(("BACKGROUND", (number, at), (number, at), LINE))
                else:
                    cells.append(self._answer(column, f"{row.id}.{column.id}", terse=short))
            rows.append(cells)
        yield Table(
            rows, self._widths(grid), repeatRows=1, style=TableStyle(style), hAlign="LEFT"
        )

    def _widths(self, grid: Grid) -> list[float]:
        """Return the columns' widths: those for text get more."""
        shares = [
            3.0 if column.type is ItemType.TEXT else 2.0 if column.units else 1.7
            for column in grid.columns
        ]
        first = max(2.4, 0.3 * sum(shares))
        total = first + sum(shares)
        return [BODY * share / total for share in (first, *shares)]

    def _terse(self, column: Question) -> bool:
        """Say whether a column prints its codes by value, with their labels above the grid."""
        labels = [self.tongue.short(c.label) for c in choices.options(column, self.study)]
        return any(pdfmetrics.stringWidth(label, REGULAR, SMALL) > SHORT for label in labels)

    def _legend(self, column: Question) -> str:
        codes = choices.options(column, self.study)
        said = "; ".join(f"{code.value} = {self.tongue.short(code.label)}" for code in codes)
        return f"{self.tongue.short(column.label)}: {said}"

    def _signed(self) -> Iterator[Flowable]:
        """Yield the lines for who filled the paper in and, if asked for, who signs it."""
        yield space(12)
        lines: list[tuple[Text, str]] = [(T("Filled in by (name, signature, date)"), "by")]
        if self.form.signed:
            lines.append((self.form.signed, "signed"))
        rows = [
            [
                Label([(self.tongue.say(text), PLAIN)]),
                Answer(
                    [Piece("line", asking.LONG)], f"{self.prefix}{name}" if self.prefix else ""
                ),
            ]
            for text, name in lines
        ]
        yield Table(rows, [BODY * 0.4, BODY * 0.6], style=TableStyle(BASE), hAlign="LEFT")
