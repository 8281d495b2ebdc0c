"""What the committee reads of an event: chosen, laid out and said in both languages. Pure.

The content is plain data, so that it can be frozen with its hash, shown and printed alike. It
names neither participant nor site; what the study leaves out, what is masked and, while the
charter hides it, the site's opinion are not in it.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from ecrf.kernel.chain import canonical
from ecrf.kernel.text import LOCALES, T, Text, say
from ecrf.study.adjudication import Adjudication
from ecrf.study.model import Cell, Form, Grid, Item, ItemType, Question, Study, VisitKind, Words
from forms.answers import Answer

CODED = frozenset({ItemType.CHOICE, ItemType.CHOICES, ItemType.YES_NO})
Said = dict[str, str]
Part = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Source:
    """A filled form a dossier may draw on, with the definition it was filled in under."""

    id: int
    version: int
    study: Study
    form: str
    plan: str
    key: str
    number: int
    on: date | None
    answers: Mapping[str, Answer]


def day_of(rule: Adjudication, event: Source) -> date | None:
    """Return the day the event was assessed on, else that of its visit."""
    return whole_day(event.answers.get(rule.assessed)) or event.on


def whole_day(answer: Answer | None) -> date | None:
    """Return an answer's date when it is known to the day."""
    text = answer.value if answer else ""
    return date.fromisoformat(text) if len(text) == len("2026-03-05") else None


def choose(rule: Adjudication, event: Source, others: Sequence[Source]) -> tuple[Source, ...]:
    """Return the event's form and what goes with it, the latest visit first, form by form."""
    found = [event]
    for form in rule.dossier.forms:
        visits = rule.dossier.at.get(form, rule.dossier.visits)
        known = [source for source in others if source.form == form and source.id != event.id]
        wanted = {source.id for source in _at_visits(rule, event, known, visits)}
        found += sorted(
            (source for source in known if source.id in wanted),
            key=lambda source: (source.on or date.min, source.number),
            reverse=True,
        )
    return tuple(found)


def _at_visits(
    rule: Adjudication, event: Source, known: Sequence[Source], visits: Sequence[str]
) -> Iterator[Source]:
    day = day_of(rule, event)
    running = event.study.visit[event.plan].kind is VisitKind.LOG
    before = [s for s in known if s.on and day and s.on <= day and s.key != event.key]
    for wanted in visits:
        if wanted == "same":
            yield from (s for s in known if s.key == event.key and not running)
        elif wanted == "previous":
            newest = max(((s.on, s.key) for s in before if s.on), default=None)
            yield from (s for s in before if (s.on, s.key) == newest)
        else:
            yield from (s for s in before if s.plan == wanted)


def content(rule: Adjudication, case: str, sources: Sequence[Source]) -> str:
    """Return the canonical JSON of what the committee would read, before redaction."""
    parts = [_part(rule, source) for source in sources]
    return canonical({"case": case, "parts": [part for part in parts if _told(part)]})


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _told(part: Part) -> bool:
    return bool(part["lines"] or part["grids"])


def _part(rule: Adjudication, source: Source) -> Part:
    form = source.study.forms[source.form]
    out = set(rule.dossier.drop)
    if rule.dossier.hide_site_opinion:
        out |= set(rule.dossier.opinion)
    left_out = {path.partition(".")[2] for path in out if path.startswith(f"{form.id}.")}
    plan = source.study.visit[source.plan]
    items = [member for member in form.members() if isinstance(member, Item)]
    return {
        "form": form.id,
        "title": _said(form.title),
        "visit": _said(
            plan.label if source.key == plan.id else _numbered(plan.label, source.key)
        ),
        "on": source.on.isoformat() if source.on else "",
        "lines": [
            _line(source, form.cells[item.id])
            for item in items
            if _shows(source, item, left_out)
        ],
        "grids": [
            table
            for grid in form.grids.values()
            if grid.id not in left_out and (table := _grid(source, form, grid, left_out))
        ],
    }


def _numbered(label: Words, key: str) -> Words:
    """Return what one of several visits of a kind is called."""
    return Words(en=f"{label.en} {key}", zh=f"{label.zh} {key}")


def _shows(source: Source, question: Question, left_out: set[str]) -> bool:
    hidden = question.blinding == "masked" or question.id in left_out
    told = question.type not in (ItemType.NOTE, ItemType.FILE)
    return not hidden and told and question.id in source.answers


def _line(source: Source, cell: Cell) -> Part:
    return {"label": _said(cell.question.label), **_value(source, cell)}


def _value(source: Source, cell: Cell) -> Part:
    answer = source.answers.get(cell.key, Answer())
    part: Part = {
        "value": {
            locale: _shown(source.study, cell.question, answer, locale) for locale in LOCALES
        }
    }
    if cell.question.type is ItemType.TEXT and answer.value:
        part["free"] = f"{source.form}.{source.id}.{cell.key}"
    return part


def _grid(source: Source, form: Form, grid: Grid, left_out: set[str]) -> Part | None:
    """Return a grid without the rows and columns in which nothing was answered."""
    answered = set(source.answers)
    columns = [
        column
        for column in grid.columns
        if column.blinding == "open"
        and f"{grid.id}.{column.id}" not in left_out
        and any(f"{row.id}.{column.id}" in answered for row in grid.rows)
    ]
    rows = [
        {
            "label": _said(row.label),
            "cells": [
                _value(source, form.cells[key]) if key in form.cells else _value_of_nothing()
                for key in (f"{row.id}.{column.id}" for column in columns)
            ],
        }
        for row in grid.rows
        if any(f"{row.id}.{column.id}" in answered for column in columns)
    ]
    if not rows:
        return None
    return {
        "label": _said(grid.label),
        "columns": [_said(column.label) for column in columns],
        "rows": rows,
    }


def _value_of_nothing() -> Part:
    return {"value": dict.fromkeys(LOCALES, "")}


def _said(text: Text) -> Said:
    return {locale: say(text, locale) for locale in LOCALES}


def _shown(study: Study, question: Question, answer: Answer, locale: str) -> str:
    if answer.missing:
        reasons = study.codelists.get(study.missing_reasons)
        label = reasons.label(answer.missing) if reasons else None
        return f"— {label.in_(locale) if label else answer.missing}"
    if question.type in CODED:
        several = question.type is ItemType.CHOICES
        codes = answer.value.split(",") if several else [answer.value]
        return "; ".join(_label(study, question, code, locale) for code in codes if code)
    return f"{answer.value} {question.unit or ''}".strip()


def _label(study: Study, question: Question, code: str, locale: str) -> str:
    known = study.codelists.get(question.codes or "")
    label = known.label(code) if known else None
    if label is None:
        plain = {"Y": T("Yes"), "N": T("No")}
        return plain[code].in_(locale) if code in plain else code
    return label.in_(locale)
