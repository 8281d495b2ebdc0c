"""The built-in rules of data quality: what looks wrong in one entry. Pure.

They find what got past the door as well: what a change of the definition, an import or a
tampered table left behind. Outliers need the whole study and are found by `outliers`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from statistics import mean, stdev
from typing import NamedTuple

from ecrf.kernel.text import Message, T, Text
from ecrf.study.model import Cell, ItemType
from forms.answers import Answer, Given, computed, read, value
from forms.context import Sheet
from forms.plan import Plan

CODED = frozenset({ItemType.CHOICE, ItemType.CHOICES, ItemType.YES_NO})
NUMBERS = frozenset({ItemType.INTEGER, ItemType.DECIMAL, ItemType.VAS})
FAR = 3
ENOUGH = 8
RULES: Mapping[str, Message] = {
    "A": T("Blank answers"),
    "B": T("Blank answers that are required"),
    "C": T("Answers of the wrong type"),
    "D": T("Answers out of range"),
    "E": T("Outliers"),
    "F": T("Answers that do not apply"),
    "G": T("Choices that are not in their list"),
    "H": T("Computed values that are wrong"),
    "I": T("Missing reasons"),
}


class Seen(NamedTuple):
    """One thing a rule noticed: the item, and what is to be seen there."""

    rule: str
    item: str
    what: Text | str


def look(sheet: Sheet, stored: Mapping[str, Answer], decided: Plan) -> Iterator[Seen]:
    """Yield what the rules that need one entry only notice in it."""
    required = {f.item for f in decided.findings if f.rule == "required"}
    for cell in sheet.form.cells.values():
        if cell.question.type is ItemType.NOTE or cell.question.blinding == "masked":
            continue
        answer = stored.get(cell.key)
        if answer is None:
            yield from _blank(sheet, cell, required)
        else:
            yield from _given(sheet, cell, answer)
        if cell.question.derive is not None:
            yield from _computed(sheet, cell, answer)


def _blank(sheet: Sheet, cell: Cell, required: set[str]) -> Iterator[Seen]:
    if cell.question.derive is not None or not sheet.applies(cell):
        return
    yield Seen("A", cell.key, T("no answer"))
    if cell.key in required:
        yield Seen("B", cell.key, T("no answer, though one is required"))


def _given(sheet: Sheet, cell: Cell, answer: Answer) -> Iterator[Seen]:
    question = cell.question
    if answer.missing:
        yield Seen("I", cell.key, answer.missing)
        return
    listed = sheet.study.codelists.get(question.codes or "")
    if question.type in CODED and listed is not None:
        for code in answer.value.split(","):
            if listed.label(code) is None:
                yield Seen("G", cell.key, T("“{code}” is no choice", code=code))
    elif question.derive is None and not isinstance(
        read(cell, Given(answer.text, answer.unit), sheet.study), Answer
    ):
        yield Seen("C", cell.key, T("“{text}” cannot be read", text=answer.text))
    if question.derive is None and not sheet.applies(cell):
        yield Seen("F", cell.key, T("{value}, though it does not apply", value=answer.text))
    yield from _range(cell, answer)


def _range(cell: Cell, answer: Answer) -> Iterator[Seen]:
    limits = cell.question.limits
    bounds = limits.soft or limits.hard
    figure = value(cell, answer) if cell.question.type in NUMBERS else None
    if bounds and isinstance(figure, Decimal) and not bounds[0] <= figure <= bounds[1]:
        said = T("{value}, not {low} to {high}", value=figure, low=bounds[0], high=bounds[1])
        yield Seen("D", cell.key, said)


def _computed(sheet: Sheet, cell: Cell, stored: Answer | None) -> Iterator[Seen]:
    derive = cell.question.derive
    fresh = None
    if derive is not None and sheet.applies(cell):
        fresh = computed(cell.question, sheet.evaluate(derive, cell))
    was, now = stored.value if stored else "–", fresh.value if fresh else "–"
    if was != now:
        yield Seen("H", cell.key, T("{old} stands, {new} is computed", old=was, new=now))


Figure = tuple[str, str, Decimal]
"""A form, an item, and one canonical value of it."""
Far = Callable[[str, str, Decimal], bool]
"""Whether a value of an item of a form lies far from the others."""


def outliers(figures: Iterable[Figure]) -> Far:
    """Return the question whether a value lies far from the others of its item.

    Far is more than three standard deviations from the mean, among at least eight values.
    """
    found: dict[tuple[str, str], list[float]] = {}
    for form, item, figure in figures:
        found.setdefault((form, item), []).append(float(figure))
    spread = {
        place: (mean(values), FAR * stdev(values))
        for place, values in found.items()
        if len(values) >= ENOUGH
    }

    def far(form: str, item: str, figure: Decimal) -> bool:
        middle, reach = spread.get((form, item), (0.0, 0.0))
        return reach > 0 and abs(float(figure) - middle) > reach

    return far
