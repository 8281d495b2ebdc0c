"""Answers: what was given, its canonical value, and how the one becomes the other. Pure.

An answer keeps the text and unit as given beside the canonical value that is compared and
exported: numbers in the canonical unit without exponent or idle zeros, dates as far as they are
known (`2024`, `2024-03`), times `10:30`, codes as in the study's lists, several choices in the
list's order with commas. A date of which nothing is known has the value `UNK`. Instead of a
value an answer may have the reason why it is missing. Nothing is imputed or rounded.
"""

import json
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, time
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from ecrf.kernel.errors import Problem
from ecrf.kernel.text import T, Text
from ecrf.study.model import Cell, ItemType, Question, Study, Unit
from ecrf.study.values import Days, Value, clock, days, interval, moment, number, plain, truth
from forms import choices, dates, numbers
from forms.files import naming

EXACT = Context(prec=120, rounding=ROUND_HALF_UP)
BIGGEST = Decimal("1e30")
NUMBERS = frozenset({ItemType.INTEGER, ItemType.DECIMAL, ItemType.VAS})
DATED = frozenset({ItemType.DATE, ItemType.PARTIAL_DATE})
EVER = Days(date.min, date.max)


class Given(NamedTuple):
    """What a person gave for one item; all parts empty clears the answer."""

    text: str
    unit: str = ""
    missing: str = ""

    @property
    def blank(self) -> bool:
        """True when nothing was given; a unit alone is no answer."""
        return not self.text.strip() and not self.missing.strip()


class Answer(NamedTuple):
    """One stored answer; parts that do not apply are empty.

    `reference` is the range a laboratory result was judged by (`forms.laboratory.ranges`).
    """

    text: str = ""
    unit: str = ""
    value: str = ""
    missing: str = ""
    reference: str = ""

    @property
    def given(self) -> tuple[str, str, str]:
        """What a person gave."""
        return self.text, self.unit, self.missing


def load(document: Mapping[str, Mapping[str, str]]) -> dict[str, Answer]:
    """Read the answers of an entry from its JSON document."""
    return {key: Answer(**parts) for key, parts in document.items()}


class Document(Mapping[str, Answer]):
    """The answers of an entry, read from its JSON text when they are first asked for.

    A plan is made beside all entries of a participant and reads few of them.
    """

    def __init__(self, text: str) -> None:
        self._text = text

    @cached_property
    def parts(self) -> dict[str, Any]:
        """The JSON document itself."""
        parts: dict[str, Any] = json.loads(self._text)
        return parts

    @cached_property
    def _answers(self) -> dict[str, Answer]:
        return load(self.parts)

    def __getitem__(self, key: str) -> Answer:
        return self._answers[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._answers)

    def __len__(self) -> int:
        return len(self._answers)


def dump(answers: Mapping[str, Answer]) -> dict[str, dict[str, str]]:
    """Return answers as the JSON document of an entry; empty parts are left out."""
    return {
        key: {name: part for name, part in answer._asdict().items() if part}
        for key, answer in answers.items()
    }


def called(cell: Cell) -> Text:
    """Return what a person calls the cell: its label, after that of its row."""
    if cell.row is None:
        return cell.question.label
    return T("{row}: {column}", row=cell.row.label, column=cell.question.label)


def read(cell: Cell, given: Given, study: Study) -> Answer | Problem:
    """Return the answer that was given, or what is wrong with it and what would be right.

    What was given must not be blank.
    """
    name = called(cell)
    text, missing = tidy(given.text), tidy(given.missing)
    if missing:
        found = _missing(name, cell.question, text, missing)
    elif any(unicodedata.category(sign) in {"Cc", "Cs"} for sign in text if sign != "\n"):
        found = T("{label}: there is a sign in it that is no text. Type it anew.", label=name)
    else:
        found = _answered(name, cell.question, text, tidy(given.unit), study)
    return found if isinstance(found, Answer) else Problem(cell.key, found)


def tidy(text: str) -> str:
    """Return `text` composed (NFC), with plain line ends, without blanks around it."""
    return unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\t", " ").strip()


def _missing(name: Text, question: Question, text: str, missing: str) -> Answer | Text:
    if text:
        return T(
            "{label}: there is both an answer and a reason why it is missing ({reason}). "
            "Give one of them.",
            label=name,
            reason=missing,
        )
    code = missing if missing in question.missing else missing.upper()
    if code in question.missing:
        return Answer(missing=code)
    if not question.missing:
        return T("{label}: must be answered, no missing reason is allowed.", label=name)
    return T(
        "{label}: “{reason}” is no missing reason for it. Possible are {reasons}.",
        label=name,
        reason=missing[:40],
        reasons=", ".join(question.missing),
    )


def _answered(
    name: Text, question: Question, text: str, unit: str, study: Study
) -> Answer | Text:
    if unit and not question.units:
        return T("{label}: has no unit. Leave “{unit}” out.", label=name, unit=unit[:40])
    if question.type in NUMBERS:
        return _number(name, question, text, unit)
    value = _canonical(name, question, text, study)
    return Answer(text, "", value) if isinstance(value, str) else value


def _number(name: Text, question: Question, text: str, unit: str) -> Answer | Text:
    measured = numbers.unit(name, question, unit)
    if measured is not None and not isinstance(measured, Unit):
        return measured
    figure = numbers.read(name, question, text, measured)
    if not isinstance(figure, Decimal):
        return figure
    return Answer(text, measured.name if measured else "", plain(figure))


def _canonical(name: Text, question: Question, text: str, study: Study) -> str | Text:
    match question.type:
        case ItemType.TEXT:
            return _text(name, question, text)
        case ItemType.DATE:
            return dates.whole(name, text)
        case ItemType.PARTIAL_DATE:
            return dates.partial(name, text, question.unknown or "month")
        case ItemType.TIME:
            return dates.time(name, text)
        case ItemType.DATETIME:
            return dates.moment(name, text)
        case ItemType.CHOICE | ItemType.YES_NO:
            return choices.one(name, text, choices.options(question, study))
        case ItemType.CHOICES:
            return choices.several(name, text, choices.options(question, study))
        case ItemType.FILE:
            return naming.read(name, text)
    return T("{label}: is a note to read and takes no answer.", label=name)


def _text(name: Text, question: Question, text: str) -> str | Text:
    if len(text) <= question.max_length:
        return text
    return T(
        "{label}: has {length} characters. At most {most} are kept.",
        label=name,
        length=len(text),
        most=question.max_length,
    )


def value(cell: Cell, answer: Answer | None) -> Value:
    """Return what expressions work with; None when there is no answer."""
    return worth(cell.question.type, answer.value) if answer and answer.value else None


@lru_cache(maxsize=16_384)
def worth(kind: ItemType, canonical: str) -> Value:
    """Return the typed value a canonical text stands for."""
    make = _WORTH.get(kind)
    return canonical if make is None else make(canonical)


def _dated(canonical: str) -> Days | None:
    return EVER if canonical == dates.UNKNOWN else days(canonical)


def _chosen(canonical: str) -> tuple[str, ...]:
    return tuple(canonical.split(","))


_WORTH: Mapping[ItemType, Callable[[str], Value]] = {
    **dict.fromkeys(NUMBERS, number),
    **dict.fromkeys(DATED, _dated),
    ItemType.TIME: clock,
    ItemType.DATETIME: moment,
    ItemType.CHOICES: _chosen,
}


def computed(question: Question, result: Value) -> Answer | None:
    """Return a computed value as an answer, rounded half up to the places of the item.

    It is written with all of them (26.20). A result that cannot be an answer of the item's type
    is no answer.
    """
    text = _written(question, result)
    if not text or worth(question.type, text) is None:
        return None
    return Answer(text, question.unit or "", text)


def _written(question: Question, result: Value) -> str | None:
    if question.type in NUMBERS:
        figure = number(result)
        return None if figure is None else _rounded(question, figure)
    if question.type is ItemType.YES_NO:
        return {True: "Y", False: "N", None: None}[truth(result)]
    if question.type in DATED:
        span = interval(result)
        return None if span is None else dates.known(span)
    return _as_text(result)


def _as_text(result: Value) -> str | None:
    if isinstance(result, Decimal):
        return plain(result)
    if isinstance(result, bool):
        return "Y" if result else "N"
    if result is None or isinstance(result, str):
        return result
    if isinstance(result, datetime | time):
        return result.isoformat(timespec="minutes")
    return dates.known(result) if isinstance(result, Days) else ",".join(result)


def _rounded(question: Question, figure: Decimal) -> str | None:
    if figure.copy_abs() >= BIGGEST:
        return None
    places = question.places if question.type is ItemType.DECIMAL else 0
    if places is None:
        return plain(figure)
    rounded = figure.quantize(Decimal(1).scaleb(-places), context=EXACT)
    return format(rounded or abs(rounded), "f")
