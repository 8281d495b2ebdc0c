"""Whether a stored answer is still one its item takes. Pure.

The door refuses what does not fit; a later version of the definition may leave such answers
behind. They are kept as they are, and asked about.
"""

from decimal import Decimal

from ecrf.kernel.text import T, Text
from ecrf.study.model import Cell, ItemType, Study
from ecrf.study.values import plain
from forms import choices
from forms.answers import NUMBERS, Answer, called, value
from forms.numbers import with_unit

CODED = frozenset({ItemType.CHOICE, ItemType.CHOICES, ItemType.YES_NO})


def unfit(cell: Cell, answer: Answer, study: Study) -> Text | None:
    """Say why the item does not take the answer it has; None when it does."""
    question = cell.question
    if question.derive is not None:
        return None
    if answer.missing:
        return None if answer.missing in question.missing else _gone(cell, answer.missing)
    if question.type in CODED:
        known = {code.value for code in choices.options(question, study)}
        lost = [code for code in answer.value.split(",") if code not in known]
        return _gone(cell, ", ".join(lost)) if lost else None
    return _beyond(cell, answer) if question.type in NUMBERS else None


def _gone(cell: Cell, what: str) -> Text:
    return T(
        "{label}: “{value}” is not among its codes any more.", label=called(cell), value=what
    )


def _beyond(cell: Cell, answer: Answer) -> Text | None:
    question, figure = cell.question, value(cell, answer)
    if answer.unit and answer.unit not in {unit.name for unit in question.units}:
        return T("{label}: {unit} is not among its units any more.", label=called(cell),
                 unit=answer.unit)  # fmt: skip
    hard = question.limits.hard
    if hard is None or not isinstance(figure, Decimal) or hard[0] <= figure <= hard[1]:
        return None
    return T(
        "{label}: {figure} is not possible any more. Possible is {low} to {high}.",
        label=called(cell), figure=with_unit(figure, question.unit), low=plain(hard[0]),
        high=with_unit(hard[1], question.unit),
    )  # fmt: skip
