"""Two entries of one form laid side by side. Pure."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from ecrf.study.model import Form
from forms.answers import Answer, Given
from forms.html import typable


class Difference(NamedTuple):
    """An item to which the two gave different answers; None is no answer."""

    key: str
    first: Answer | None
    second: Answer | None


def differences(
    form: Form, first: Mapping[str, Answer], second: Mapping[str, Answer]
) -> Iterator[Difference]:
    """Yield the items answered differently, in page order.

    Values are compared, not spellings: 60.2 kg and 60200 g are the same answer. Computed items
    follow from the others and are not compared.
    """
    for key, cell in form.cells.items():
        one, other = first.get(key), second.get(key)
        if typable(cell) and _meant(one) != _meant(other):
            yield Difference(key, one, other)


def merged(
    form: Form, first: Mapping[str, Answer], chosen: Mapping[str, Given]
) -> dict[str, Given]:
    """Return the final answers: what was chosen, and the first one's where both agree."""
    agreed = {
        key: given(first.get(key))
        for key, cell in form.cells.items()
        if typable(cell) and key not in chosen
    }
    return {**agreed, **chosen}


def given(answer: Answer | None) -> Given:
    """Return an answer as it was given."""
    return Given("") if answer is None else Given(*answer.given)


def _meant(answer: Answer | None) -> tuple[str, str]:
    return ("", "") if answer is None else (answer.value, answer.missing)
