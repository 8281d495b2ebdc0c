"""What one line of a file of results would do. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from ecrf.kernel.errors import Problem
from ecrf.kernel.text import T, Text
from ecrf.study.laboratory import Analyte, Laboratory
from ecrf.study.model import Form, Study
from forms.answers import Answer, Given, read
from forms.dates import whole


class Line(NamedTuple):
    """One line of a file in our words."""

    number: int
    participant: str
    visit: str
    on: str
    test: str
    result: str
    unit: str


class Verdict(NamedTuple):
    """What the line would do: new, change, same or wrong; `old` is what stands there now."""

    status: str
    form: str = ""
    item: str = ""
    given: Given = Given("")
    on: str = ""
    old: str = ""
    problem: Text | None = None


@dataclass(frozen=True, slots=True)
class Spot:
    """A visit of a participant as the file finds it; `entries` by form are (state, answers)."""

    plan: str
    held: bool
    open: bool
    entries: Mapping[str, tuple[str, Mapping[str, Answer]]] = field(default_factory=dict)


class _Wrong(Exception):
    def __init__(self, message: Text) -> None:
        super().__init__(str(message))
        self.message = message


def judge(study: Study, line: Line, visits: Mapping[str, Spot] | None) -> Verdict:
    """Judge a line; `visits` are those of its participant, None when there is none of ours."""
    try:
        return _judge(study, line, visits)
    except _Wrong as wrong:
        return Verdict("wrong", problem=wrong.message)


def _judge(study: Study, line: Line, visits: Mapping[str, Spot] | None) -> Verdict:
    if visits is None:
        raise _Wrong(T("There is no participant {code} at your sites.", code=line.participant))
    laboratory, analyte = _analyte(study, line)
    spot = _spot(study, line, visits, analyte)
    state, stored = spot.entries.get(analyte.form, ("open", {}))
    if not spot.open or state != "open":
        raise _Wrong(T("{form} of {visit} is frozen or locked.", form=_title(study, analyte),
                       visit=line.visit))  # fmt: skip
    on = _on(study.forms[analyte.form], laboratory, line, stored)
    if not line.result:
        return Verdict("same", analyte.form, analyte.key, on=on)
    given = Given(line.result, line.unit)
    cell = study.forms[analyte.form].cells[analyte.key]
    answer = read(cell, given, study)
    if isinstance(answer, Problem):
        raise _Wrong(answer.message)
    old = stored.get(analyte.key)
    status = "new" if old is None else "same" if _same(old, answer) else "change"
    return Verdict(status, analyte.form, analyte.key, given, on, shown(old))


def _analyte(study: Study, line: Line) -> tuple[Laboratory, Analyte]:
    laboratory = study.laboratory
    found = laboratory.by_id.get(line.test) if laboratory else None
    if laboratory is None or found is None:
        raise _Wrong(T("There is no analyte {name} in this study.", name=line.test[:40] or "–"))
    return laboratory, found


def _spot(study: Study, line: Line, visits: Mapping[str, Spot], analyte: Analyte) -> Spot:
    spot = visits.get(line.visit)
    if spot is None:
        raise _Wrong(
            T("{code} has no visit {visit}.", code=line.participant, visit=line.visit[:40])
        )
    if not any(a.form == analyte.form for a in study.forms_at(spot.plan)):
        raise _Wrong(
            T("{form} is not due at {visit}.", form=_title(study, analyte), visit=line.visit)
        )
    if not spot.held:
        raise _Wrong(T("{visit} has no date yet.", visit=line.visit))
    return spot


def _on(form: Form, laboratory: Laboratory, line: Line, stored: Mapping[str, Answer]) -> str:
    """Return the day of the sample; two different days on one form cannot be."""
    key, _ = laboratory.sample(form.id)
    there = stored.get(key)
    known = there.value if there else ""
    if not line.on:
        return known
    said = whole(form.cells[key].question.label, line.on)
    if isinstance(said, Text):
        raise _Wrong(said)
    if known and said != known:
        raise _Wrong(
            T("The sample is of {file} here, of {form} on the form.", file=said, form=known)
        )
    return said


def _same(old: Answer, new: Answer) -> bool:
    return bool(old.value) and old.value == new.value


def _title(study: Study, analyte: Analyte) -> Text:
    return study.forms[analyte.form].title


def shown(answer: Answer | None) -> str:
    """Return an answer as it was given: with its unit, or why it is missing."""
    return "" if answer is None else answer.missing or f"{answer.text} {answer.unit}".strip()
