"""Lay what a person gave over what is stored: read it, or say what is wrong with it. Pure."""

from collections.abc import Mapping
from typing import NamedTuple

from ecrf.kernel.errors import Problem
from ecrf.kernel.text import T, Text
from ecrf.study.model import Cell, Form, Study
from ecrf.study.spelling import suggest
from forms.answers import Answer, Given, read
from forms.finding import Finding
from forms.laboratory import measured


class Laid(NamedTuple):
    """What was given, laid over what was stored."""

    answers: dict[str, Answer]
    findings: list[Finding]
    refusals: list[Problem]


def lay(
    study: Study, form: Form, stored: Mapping[str, Answer], given: Mapping[str, Given]
) -> Laid:
    """Lay `given` over `stored`; blank answers clear, what cannot be taken is refused."""
    laid = Laid(dict(stored), [], [])
    for key, new in given.items():
        cell = form.cells.get(key)
        if cell is None:
            _lay_stranger(form, key, new, laid)
        elif cell.question.derive is None:
            _lay_answer(study, cell, new, laid)
    measured.ask(study, form, stored, laid.answers)
    return laid


def _lay_answer(study: Study, cell: Cell, new: Given, laid: Laid) -> None:
    old = laid.answers.get(cell.key)
    if new.blank:
        laid.answers.pop(cell.key, None)
    elif old is None or old.given != new:
        answer = read(cell, new, study)
        if isinstance(answer, Answer):
            laid.answers[cell.key] = answer
        else:
            laid.refusals.append(answer)


def _lay_stranger(form: Form, key: str, new: Given, laid: Laid) -> None:
    closed = form.closed.get(key)
    if closed is None:
        laid.refusals.append(Problem(key[:80], _unknown(form, key)))
    elif not new.blank:
        message = T(
            "{row}: there is no {column} here. What was given is not kept.",
            row=closed[0].label,
            column=closed[1].label,
        )
        laid.findings.append(Finding("closed_cell", key, message))


def _unknown(form: Form, key: str) -> Text:
    message = T("“{key}” is no item of the form {form}.", key=key[:80], form=form.title)
    return suggest(message, key[:80], form.cells)
