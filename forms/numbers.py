"""How a typed number is read: its marks, its unit, its limits. Pure.

A comma may stand for the decimal point, but not where it might part thousands. Places and whole
numbers are asked of what is typed in the canonical unit; limits of the canonical value.
"""

import re
import unicodedata
from decimal import Context, Decimal

from ecrf.kernel.text import T, Text
from ecrf.study.model import ItemType, Question, Unit
from ecrf.study.values import plain

EXACT = Context(prec=120)
VAS = (Decimal(0), Decimal(100))

_PLAIN = re.compile(r"[+-]?(?:[0-9]{1,20}(?:[.,][0-9]{1,15})?|[.,][0-9]{1,15})", re.ASCII)
_THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2},[0-9]{3}", re.ASCII)
_SEVERAL_MARKS = re.compile(
    r"[+-]?[0-9]+(?:[.,'’ ][0-9]+){2,}|[+-]?[0-9]+['’ ][0-9]+", re.ASCII
)
_COMPARED = re.compile(r"[<>≤≥=~≈].*", re.DOTALL)
_WIDE = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)} | {0x2212: ord("-")}


def narrow(text: str) -> str:
    """Return `text` with full-width signs and digits as plain ones."""
    return text.translate(_WIDE).replace("\u3000", " ")


def unit(name: Text, question: Question, typed: str) -> Unit | Text | None:
    """Return the unit meant: the canonical one when none is typed, None for a bare number."""
    if not question.units or not typed:
        return question.units[0] if question.units else None
    exact = [known for known in question.units if _spelt(known.name) == _spelt(typed)]
    loose = [
        known
        for known in question.units
        if _spelt(known.name).casefold() == _spelt(typed).casefold()
    ]
    found = exact or loose
    if len(found) == 1:
        return found[0]
    return T(
        "{label}: “{unit}” is no unit of it. Possible are {units}.",
        label=name,
        unit=typed[:40],
        units=", ".join(known.name for known in question.units),
    )


def _spelt(unit_name: str) -> str:
    # The micro sign, the Greek letter and u are one; so are 10⁹ and 10^9.
    text = unicodedata.normalize("NFKC", unit_name).replace("μ", "u")
    return re.sub(r"[\s^]", "", text)


def read(name: Text, question: Question, typed: str, measured: Unit | None) -> Decimal | Text:
    """Return the canonical number, or what is wrong with the typed one."""
    text = narrow(typed)
    if not _PLAIN.fullmatch(text) or _THOUSANDS.fullmatch(text):
        return _unreadable(name, typed, text)
    figure = Decimal(text.replace(",", "."))
    canonical = EXACT.multiply(figure, measured.factor) if measured else figure
    if question.type is not ItemType.DECIMAL and canonical != canonical.to_integral_value():
        return T(
            "{label}: {figure} is no whole number. Give one without decimals.",
            label=name,
            figure=plain(canonical),
        )
    if _too_many_places(question, figure, measured):
        return T(
            "{label}: “{text}” has too many decimals. Give at most {places}.",
            label=name,
            text=typed[:60],
            places=question.places,
        )
    return _within(name, question, figure, canonical, measured)


def _unreadable(name: Text, typed: str, text: str) -> Text:
    shown = typed[:60]
    if _COMPARED.fullmatch(text):
        return T(
            "{label}: “{text}” is a comparison. Write the number alone, such as 5.",
            label=name,
            text=shown,
        )
    if _THOUSANDS.fullmatch(text) or _SEVERAL_MARKS.fullmatch(text):
        return T(
            "{label}: “{text}” can be read in two ways. Write it without marks between "
            "thousands, such as 1234.5.",
            label=name,
            text=shown,
        )
    return T(
        "{label}: “{text}” is not a number. Write digits only, such as 12 or 12.5.",
        label=name,
        text=shown,
    )


def _too_many_places(question: Question, figure: Decimal, measured: Unit | None) -> bool:
    if question.type is not ItemType.DECIMAL or question.places is None:
        return False
    if measured is not None and measured.name != question.unit:
        return False
    return -int(figure.as_tuple().exponent) > question.places


def _within(
    name: Text, question: Question, figure: Decimal, canonical: Decimal, measured: Unit | None
) -> Decimal | Text:
    hard = question.limits.hard or (VAS if question.type is ItemType.VAS else None)
    if hard is None or hard[0] <= canonical <= hard[1]:
        return canonical
    wrong = T(
        "{label}: {figure} is not possible. It must be from {low} to {high}.",
        label=name,
        figure=with_unit(canonical, question.unit),
        low=plain(hard[0]),
        high=with_unit(hard[1], question.unit),
    )
    for other in question.units:
        meant = EXACT.multiply(figure, other.factor)
        if measured is not None and hard[0] <= meant <= hard[1]:
            return T(
                "{wrong} Was the unit {unit} meant instead of {given}?",
                wrong=wrong,
                unit=other.name,
                given=measured.name,
            )
    return wrong


def with_unit(figure: Decimal, name: str | None) -> str:
    """Return a number as people write it, with its unit."""
    return f"{plain(figure)} {name}" if name else plain(figure)
