"""One form as paper: its questions and grids with room for the answers, no row ever split."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from reportlab.platypus import Flowable, Table, TableStyle

from ecrf.kernel.text import T, Text
from ecrf.study.model import Form, Grid, Item, ItemType, Question, Study
from reports.blank import asking, grids, wording
from reports.blank.labels import HINT, NOTED, PLAIN, Label, Style
from reports.blank.pieces import Answer, Piece
from reports.blank.wording import Tongue
from reports.paper import BODY, LINE, SHADE, Lines, heading, space

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
                        yield from grids.story(self, grid) if isinstance(grid, Grid) else ()
        yield from self._signed()

    def _items(self, items: Sequence[Item]) -> Flowable:
        rows = [
            [self._label(item), self.answer(item, item.id, self.pieces(item))] for item in items
        ]
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
        return Label([(label, style), (hint, HINT), *self.behind(question)])

    def behind(
        self, question: Question, grid: Grid | None = None
    ) -> Iterator[tuple[str, Style]]:
        """Yield the annotation of an item or of a grid's column."""
        if not self.annotated or question.type is ItemType.NOTE:
            return
        name = f"{grid.id}.{question.id}" if grid else question.id
        yield f"{name}", NOTED
        for line in wording.behind(question):
            yield line, NOTED
        checks = (
            wording.checks_at(self.form, grid, question)
            if grid
            else wording.checks_at(self.form, question)
        )
        yield checks, NOTED

    def pieces(
        self, question: Question, *, terse: bool = False, narrow: bool = False
    ) -> list[Piece]:
        """Return what a question is answered with."""
        return asking.pieces(
            question, self.study, self.tongue, coded=self.annotated and not narrow,
            terse=terse, narrow=narrow,
        )  # fmt: skip

    def answer(self, question: Question, key: str, pieces: Sequence[Piece]) -> Answer:
        """Return the room for an answer; its fields are named by the item's key."""
        prefix = f"{self.prefix}{key}" if self.prefix else ""
        return Answer(pieces, prefix, single=question.type is not ItemType.CHOICES)

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
