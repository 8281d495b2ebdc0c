"""What a form knows of its laboratory results: the range used, the flag, the grade. Pure.

A result typed anew, or moved to another laboratory or day, asks for its range (`ASKED`); one
that stays as it was keeps the range it has, whatever ranges were loaded since.
"""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol

from ecrf.study.expr import Value
from ecrf.study.laboratory import Analyte, Laboratory
from ecrf.study.model import Form, Study
from ecrf.study.values import Days, number
from forms.answers import Answer
from forms.laboratory import ranges
from forms.laboratory.ranges import Ranges, Reference, Sample
from forms.laboratory.toxicity import Baseline, grade

ASKED = "?"


class Around(Protocol):
    """What is asked of the form's scope."""

    study: Study
    form: Form
    answers: Mapping[str, Answer]

    def value(self, path: str) -> Value: ...

    def known_ranges(self) -> Ranges: ...

    def site(self) -> str: ...

    def before(self, visits: tuple[str, ...]) -> Mapping[str, Answer] | None: ...


def ask(
    study: Study, form: Form, stored: Mapping[str, Answer], laid: dict[str, Answer]
) -> None:
    """Mark the results whose range has to be found: new ones, and all of a moved sample."""
    laboratory = study.laboratory
    if laboratory is None or form.id not in laboratory.by_form:
        return
    moved = any(_value(stored, key) != _value(laid, key) for key in laboratory.sample(form.id))
    for key in laboratory.by_form[form.id]:
        answer = laid.get(key)
        if answer is not None and answer.value and (moved or answer != stored.get(key)):
            laid[key] = answer._replace(reference=ASKED)


def settle(answer: Answer | None, key: str, around: Around) -> Answer | None:
    """Return the answer with the range it asked for; without one when none applies."""
    if answer is None or answer.reference != ASKED:
        return answer
    found = _find(key, around)
    return answer._replace(reference=found.text() if found else "")


def value(rest: str, around: Around) -> Value:
    """Return what `range.ALT.flag` or `range.alt.high` means; `rest` is after `range.`."""
    name, _, part = rest.partition(".")
    analyte = _analyte(name, around)
    if analyte is None:
        return None
    answer = settle(around.answers.get(analyte.key), analyte.key, around)
    used = ranges.read(answer.reference) if answer else None
    if part in ("low", "high"):
        return None if used is None else used.low if part == "low" else used.high
    figure = number(answer.value) if answer and answer.value else None
    if figure is None:
        return None
    if part == "flag":
        return None if used is None else used.flag(figure)
    found = grade(analyte, figure, used, _baseline(analyte, around))
    return None if found is None else Decimal(found)


def _analyte(name: str, around: Around) -> Analyte | None:
    laboratory = around.study.laboratory
    if laboratory is None:
        return None
    found = laboratory.by_form.get(around.form.id, {}).get(name) or laboratory.by_id.get(name)
    return found if found is not None and found.form == around.form.id else None


def _find(key: str, around: Around) -> Reference | None:
    laboratory = around.study.laboratory
    known = around.known_ranges()
    if laboratory is None or not known:
        return None
    sample = _sample(laboratory, around)
    analyte = laboratory.by_form[around.form.id][key]
    return ranges.reference(known, analyte.id, sample) if sample else None


def _sample(laboratory: Laboratory, around: Around) -> Sample | None:
    day, where = laboratory.sample(around.form.id)
    on, sex = _day(around.value(day)), around.value(laboratory.sex)
    birth, place = around.value(laboratory.birth), around.value(where)
    if on is None:
        return None
    return Sample(
        around.site(), place if isinstance(place, str) else "",
        sex if isinstance(sex, str) else "", birth if isinstance(birth, Days) else None, on,
    )  # fmt: skip


def _day(found: Value) -> date | None:
    if isinstance(found, datetime):
        return found.date()
    return found.first if isinstance(found, Days) and found.first == found.last else None


def _baseline(analyte: Analyte, around: Around) -> Baseline | None:
    laboratory = around.study.laboratory
    before = around.before(laboratory.baseline) if laboratory else None
    answer = before.get(analyte.key) if before else None
    figure = number(answer.value) if answer and answer.value else None
    if answer is None or figure is None:
        return None
    return Baseline(figure, ranges.read(answer.reference))


def _value(answers: Mapping[str, Answer], key: str) -> str:
    answer = answers.get(key)
    return answer.value if answer else ""
