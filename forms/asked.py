"""What a form still asks for, while it is being filled: less work than a plan. Pure."""

from collections.abc import Mapping
from typing import NamedTuple

from ecrf.study.model import Form, ItemType, Study
from forms.answers import Answer, Given
from forms.context import Context, scope
from forms.laying import lay


class Asked(NamedTuple):
    """Which items want an answer and have none, and which have one though they do not apply."""

    required: frozenset[str]
    surplus: frozenset[str]


def asked(
    study: Study,
    form: Form,
    stored: Mapping[str, Answer],
    given: Mapping[str, Given],
    context: Context,
) -> Asked:
    """Return what `plan` would find missing and surplus, of what is not computed."""
    answers = lay(study, form, stored, given).answers
    sheet = scope(study, form, answers, context)
    required, surplus = set(), set()
    for cell in form.cells.values():
        if cell.question.derive is not None or cell.question.type is ItemType.NOTE:
            continue
        if not sheet.applies(cell):
            surplus.add(cell.key)
        elif cell.key not in answers and sheet.requires(cell):
            required.add(cell.key)
    return Asked(frozenset(required), frozenset(surplus & answers.keys()))
