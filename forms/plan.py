"""Decide what saving a form would do. Pure: no clock, no database, no request.

`forms.entries.save` asks for a plan and then carries it out; `ecrf form try` and the tests ask
for the same plan. A doubtful answer becomes a finding and is kept; only what cannot be taken is
refused. Planning the answers of a plan again changes nothing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from ecrf.kernel.errors import Problem
from ecrf.kernel.text import T, Text
from ecrf.study.model import Cell, Check, Form, ItemType, Study
from ecrf.study.values import plain
from forms.answers import Answer, Given, called, read, value
from forms.context import Context, Sheet, scope
from forms.finding import Finding
from forms.fitting import unfit
from forms.laying import lay
from forms.numbers import with_unit


class Edit(NamedTuple):
    """One answer that would change; None is no answer."""

    key: str
    old: Answer | None
    new: Answer | None

    @property
    def retyped(self) -> bool:
        """Say whether what a person gave before changes, not only the range it is judged by."""
        if self.old is None:
            return False
        return self.new is None or self.old.given != self.new.given


@dataclass(frozen=True, slots=True)
class Plan:
    """What saving would do. With `refusals` nothing may be saved.

    `answers` is the whole new document. `overwrites` is true when an answer a person gave
    before would change, so that a reason is due. `broken` are the hard checks among the
    refusals: where a change elsewhere broke them, nobody is there to be refused.
    """

    answers: Mapping[str, Answer]
    edits: tuple[Edit, ...] = ()
    findings: tuple[Finding, ...] = ()
    refusals: tuple[Problem, ...] = ()
    overwrites: bool = False
    broken: tuple[Finding, ...] = ()


def plan(
    study: Study,
    form: Form,
    stored: Mapping[str, Answer],
    given: Mapping[str, Given],
    context: Context,
) -> Plan:
    """Return what laying `given` over `stored` would do; other keys stay as they are."""
    laid = lay(study, form, stored, given)
    sheet = scope(study, form, laid.answers, context)
    settled = _settled(sheet)
    answers = {**_strangers(form, stored), **settled}
    checked = list(_checks(sheet))
    edits = tuple(_edits(form, stored, answers))
    return Plan(
        answers,
        edits,
        (
            *laid.findings,
            *_findings(sheet, settled),
            *(f for f in checked if f.severity == "soft"),
        ),
        (
            *laid.refusals,
            *_typed_derived(sheet, given),
            *(Problem(f.item, f.message) for f in checked if f.severity == "hard"),
        ),
        any(edit.retyped and not _is_derived(form, edit.key) for edit in edits),
        tuple(f for f in checked if f.severity == "hard"),
    )


def _strangers(form: Form, stored: Mapping[str, Answer]) -> dict[str, Answer]:
    """Return stored answers of items this version of the form does not have: they are kept."""
    return {key: answer for key, answer in stored.items() if key not in form.cells}


def _settled(sheet: Sheet) -> dict[str, Answer]:
    """Return every answer in page order, computed ones worked out."""
    answers = {}
    for cell in sheet.form.cells.values():
        derived = cell.question.derive is not None
        answer = sheet.answer(cell) if not derived or sheet.applies(cell) else None
        if answer is not None:
            answers[cell.key] = answer
    return answers


def _edits(
    form: Form, stored: Mapping[str, Answer], answers: Mapping[str, Answer]
) -> Iterator[Edit]:
    for key in form.cells:
        old, new = stored.get(key), answers.get(key)
        if old != new:
            yield Edit(key, old, new)


def _is_derived(form: Form, key: str) -> bool:
    return form.cells[key].question.derive is not None


def _typed_derived(sheet: Sheet, given: Mapping[str, Given]) -> Iterator[Problem]:
    for key, new in given.items():
        cell = sheet.form.cells.get(key)
        if cell is None or cell.question.derive is None or new.blank:
            continue
        answer = sheet.answer(cell) if sheet.applies(cell) else None
        typed = read(cell, new, sheet.study)
        if answer is None or not isinstance(typed, Answer) or not _same(cell, typed, answer):
            yield Problem(key, _not_typed(cell, answer))


def _same(cell: Cell, one: Answer, other: Answer) -> bool:
    return value(cell, one) == value(cell, other)


def _not_typed(cell: Cell, answer: Answer | None) -> Text:
    if answer is None:
        return T(
            "{label}: is computed and cannot be typed. It has no value yet.", label=called(cell)
        )
    return T(
        "{label}: is computed and cannot be typed. Its value is {value}.",
        label=called(cell),
        value=answer.value,
    )


def _findings(sheet: Sheet, answers: Mapping[str, Answer]) -> Iterator[Finding]:
    for cell in sheet.form.cells.values():
        if cell.question.type is ItemType.NOTE:
            continue
        answer = answers.get(cell.key)
        if not sheet.applies(cell):
            if answer is not None:
                yield _inapplicable(cell)
        elif answer is None:
            if sheet.requires(cell):
                message = T("{label}: an answer is required.", label=called(cell))
                yield Finding("required", cell.key, message)
        else:
            yield from _limits(cell, answer)
            wrong = unfit(cell, answer, sheet.study)
            if wrong is not None:
                yield Finding("unfit", cell.key, wrong)


def _inapplicable(cell: Cell) -> Finding:
    message = T("{label}: kept, though it no longer applies.", label=called(cell))
    return Finding("inapplicable", cell.key, message)


def _limits(cell: Cell, answer: Answer) -> Iterator[Finding]:
    limits = cell.question.limits
    # A computed value is nobody's typing error: even beyond the hard limits it is only asked.
    beyond = limits.soft or (limits.hard if cell.question.derive is not None else None)
    figure = None if beyond is None else value(cell, answer)
    if beyond is None or not isinstance(figure, Decimal) or beyond[0] <= figure <= beyond[1]:
        return
    message = T(
        "{label}: {figure} is unusual. Expected is {low} to {high}.",
        label=called(cell),
        figure=with_unit(figure, cell.question.unit),
        low=plain(beyond[0]),
        high=with_unit(beyond[1], cell.question.unit),
    )
    yield Finding("soft_limit", cell.key, message)


def _checks(sheet: Sheet) -> Iterator[Finding]:
    for check in sheet.form.checks:
        for key, cell in _places(sheet.form, check):
            if sheet.holds(check.when, cell):
                yield Finding(check.id, key, check.message, check.severity)


def _places(form: Form, check: Check) -> Iterator[tuple[str, Cell | None]]:
    """Return where a check is asked: once, or for every row when its item is `GRID.column`."""
    grid_id, _, column = check.item.partition(".")
    grid = form.grids.get(grid_id)
    if grid is None or not column:
        yield check.item, form.cells.get(check.item)
        return
    for row in grid.rows:
        key = f"{row.id}.{column}"
        if key in form.cells:
            yield key, form.cells[key]
