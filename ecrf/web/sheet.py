"""What the page of an entry shows of every item, ready for the macros that draw it.

The texts are worked out here once; the macros only place them. An item is drawn as typed when
there is something typed, else as stored.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from ecrf.kernel.errors import Problem
from ecrf.kernel.text import T, Text
from ecrf.study.model import Cell, Code, Form, Grid, ItemType, Question, Study, Words
from ecrf.web import judged
from forms import choices
from forms.answers import Answer
from forms.context import Context, Sheet, scope
from forms.files import naming
from forms.finding import Finding
from forms.html import EntryForm
from forms.plan import Plan
from forms.tables import Query

MOST_RADIOS = 6
SHORT_TEXT = 200
HINTS: Mapping[ItemType, Text] = {
    ItemType.DATE: T("For example 2026-03-05 or 05 MAR 2026"),
    ItemType.PARTIAL_DATE: T("For example 2026-03-05; UN for an unknown day, UNK for a month"),
    ItemType.TIME: T("Hours and minutes, for example 08:30"),
    ItemType.DATETIME: T("For example 2026-03-05 08:30"),
    ItemType.VAS: T("From 0 to 100"),
}
KINDS: Mapping[ItemType, str] = {
    ItemType.INTEGER: "number",
    ItemType.DECIMAL: "number",
    ItemType.TEXT: "text",
    ItemType.DATE: "date",
    ItemType.PARTIAL_DATE: "date",
    ItemType.TIME: "time",
    ItemType.DATETIME: "moment",
    ItemType.CHOICE: "radios",
    ItemType.CHOICES: "checkboxes",
    ItemType.YES_NO: "radios",
    ItemType.VAS: "vas",
    ItemType.NOTE: "note",
    ItemType.FILE: "file",
}


@dataclass(frozen=True, slots=True)
class Field:
    """One item as drawn. `kind` chooses the macro; `said` is the answer as people read it."""

    key: str
    kind: str
    label: Text
    hint: Text | None
    format: Text | None
    text: str
    chosen: tuple[str, ...]
    options: tuple[Code, ...]
    unit: str
    units: tuple[str, ...]
    missing: str
    reasons: tuple[Code, ...]
    canonical: str
    judged: Text | None
    required: bool
    refers: str
    applies: bool
    errors: tuple[Text, ...]
    findings: tuple[Text, ...]
    queries: tuple[Query, ...]

    @property
    def file(self) -> naming.Named | None:
        """The file the answer names."""
        return naming.named(self.text)

    @property
    def blank(self) -> bool:
        return not (self.text or self.chosen or self.missing)

    def said(self) -> tuple[Text, ...]:
        """Return the answer in words: the labels of its codes, or why it is missing."""
        if self.missing:
            return tuple(c.label for c in self.reasons if c.value == self.missing)
        return tuple(self.named(code) for code in self.options if code.value in self.chosen)

    @staticmethod
    def named(code: Code) -> Text:
        """Return a code as it is chosen: a number stands first, unless the label has it."""
        if not code.value.isdecimal() or code.value in code.label.en:
            return code.label
        return Words(en=f"{code.value} · {code.label.en}", zh=f"{code.value} · {code.label.zh}")


class Drawn(Protocol):
    """What of an entry its drawing depends on; a vote is drawn the same way."""

    @property
    def study(self) -> Study: ...
    @property
    def form(self) -> Form: ...
    @property
    def context(self) -> Context: ...


class Line(NamedTuple):
    """One row of a grid; a place it does not have is None."""

    id: str
    label: Text
    hint: Text | None
    fields: tuple[Field | None, ...]

    @property
    def first(self) -> str:
        return next((drawn.key for drawn in self.fields if drawn), self.id)


@dataclass(frozen=True, slots=True)
class Table:
    """A grid as drawn."""

    id: str
    label: Text
    columns: tuple[Question, ...]
    lines: tuple[Line, ...]
    fill_label: Text | None
    fill: Mapping[str, str]
    kind: str = "grid"


class Part(NamedTuple):
    """A section as drawn."""

    title: Text | None
    intro: Text | None
    members: tuple[Field | Table, ...]


def draw(
    found: Drawn,
    form: EntryForm,
    plan: Plan,
    *,
    problems: Iterable[Problem] = (),
    queries: Iterable[Query] = (),
    findings: Iterable[Finding] = (),
) -> tuple[Part, ...]:
    """Return the sections of the form as the page draws them."""
    pen = _Pen(found, form, plan, problems, queries, findings)
    cells = found.form.cells
    return tuple(
        Part(
            section.title,
            section.intro,
            tuple(
                pen.table(member) if isinstance(member, Grid) else pen.field(cells[member.id])
                for member in section.members
            ),
        )
        for section in found.form.sections
    )


def fields(parts: Iterable[Part]) -> list[Field]:
    """Return every item drawn, in the order of the page."""
    drawn: list[Field] = []
    for part in parts:
        for member in part.members:
            if isinstance(member, Field):
                drawn.append(member)
            else:
                drawn += [cell for line in member.lines for cell in line.fields if cell]
    return drawn


def progress(parts: Iterable[Part]) -> tuple[int, int]:
    """Return how many of the items that are asked have an answer, and how many are asked."""
    asked = [f for f in fields(parts) if f.applies and f.kind not in ("note", "derived")]
    return sum(not drawn.blank for drawn in asked), len(asked)


class _Pen:
    """Draws items with everything known about them at hand."""

    def __init__(
        self,
        found: Drawn,
        form: EntryForm,
        plan: Plan,
        problems: Iterable[Problem],
        queries: Iterable[Query],
        findings: Iterable[Finding],
    ) -> None:
        self.study: Study = found.study
        self.form = form
        self.answers = plan.answers
        self.sheet: Sheet = scope(found.study, found.form, plan.answers, found.context)
        self.errors: dict[str, list[Text]] = defaultdict(list)
        self.queries: dict[str, list[Query]] = defaultdict(list)
        self.findings: dict[str, list[Text]] = defaultdict(list)
        for problem in problems:
            self.errors[problem.item].append(problem.message)
        for query in queries:
            self.queries[query.item].append(query)
        for finding in findings:
            self.findings[finding.item].append(finding.message)

    def table(self, grid: Grid) -> Table:
        cells = self.sheet.form.cells
        lines = tuple(
            Line(
                row.id,
                row.label,
                row.hint,
                tuple(
                    self.field(cells[f"{row.id}.{column.id}"])
                    if f"{row.id}.{column.id}" in cells
                    else None
                    for column in grid.columns
                ),
            )
            for row in grid.rows
        )
        return Table(grid.id, grid.label, grid.columns, lines, grid.fill_label, grid.fill)

    def field(self, cell: Cell) -> Field:
        key, question = cell.key, cell.question
        answer = self.answers.get(key, Answer())
        options = choices.options(question, self.study)
        given = self.form.given_for(key) if key in self.form.cells else None
        text = given.text if given else answer.value
        missing = given.missing if given else answer.missing
        return Field(
            key=key,
            kind=self._kind(cell, options),
            label=question.label,
            hint=question.hint,
            format=_format(question),
            text=text,
            chosen=tuple(text.split(",")) if options and text else (),
            options=options,
            unit=(given.unit if given else "") or answer.unit or question.unit or "",
            units=tuple(unit.name for unit in question.units),
            missing=missing,
            reasons=self._reasons(question),
            canonical=_canonical(question, answer),
            judged=judged.said(self.sheet, cell, answer),
            required=question.require is True,
            refers=question.refers or "",
            applies=self.sheet.applies(cell),
            errors=tuple(self.errors[key]),
            findings=tuple(self.findings[key]),
            queries=tuple(self.queries[key]),
        )

    def _kind(self, cell: Cell, options: tuple[Code, ...]) -> str:
        question = cell.question
        if question.derive is not None:
            return "derived"
        kind = KINDS[question.type]
        if kind == "radios" and (cell.grid is not None or len(options) > MOST_RADIOS):
            return "select"
        if kind == "text" and question.max_length > SHORT_TEXT:
            return "area"
        return kind

    def _reasons(self, question: Question) -> tuple[Code, ...]:
        known = self.study.codelists.get(self.study.missing_reasons)
        labels = {code.value: code for code in known.codes} if known else {}
        return tuple(labels[value] for value in question.missing if value in labels)


def _format(question: Question) -> Text | None:
    """Return how the answer is written, or which files are taken."""
    if question.type is ItemType.FILE:
        rule = naming.rule(question)
        kinds = ", ".join(rule.kinds).upper()
        return T("{kinds}, at most {most} MB", kinds=kinds, most=rule.megabytes)
    return HINTS.get(question.type) if question.derive is None else None


def _canonical(question: Question, answer: Answer) -> str:
    """Return the value as compared and exported, when it is not what was typed."""
    coded = (ItemType.CHOICE, ItemType.CHOICES, ItemType.YES_NO, ItemType.FILE)
    typed = question.type not in coded
    if question.derive is not None or not typed or answer.value in ("", answer.text):
        return ""
    return f"{answer.value} {question.unit or ''}".strip()
