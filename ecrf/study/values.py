"""What an expression works with: values, and how two of them compare. Pure.

None is an unknown value. A date is an interval, because parts of it may be unknown: two dates
compare only when the order is certain whatever the unknown parts are. Yes and no are the texts
"Y" and "N", which count as true and false.
"""

import operator
import re
from calendar import monthrange
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import ROUND_HALF_UP, Context, Decimal, DivisionByZero, InvalidOperation, Overflow
from typing import Any, NamedTuple, Self

CONTEXT = Context(
    prec=28,
    rounding=ROUND_HALF_UP,
    Emin=-999,
    Emax=999,
    traps=[DivisionByZero, InvalidOperation, Overflow],
)
_NUMBER = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?", re.ASCII)
_DAY = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?", re.ASCII)
_TIME = re.compile(r"([0-9]{2}):([0-9]{2})", re.ASCII)


class Days(NamedTuple):
    """A date known to lie between two days, both included; often they are the same."""

    first: date
    last: date

    @classmethod
    def on(cls, day: date) -> Self:
        return cls(day, day)

    @property
    def certain(self) -> bool:
        return self.first == self.last


Value = Decimal | str | bool | Days | datetime | time | tuple[str, ...] | None


def days(text: str) -> Days | None:
    """Read `2024`, `2024-03` or `2024-03-05`; None when it is no date."""
    match = _DAY.fullmatch(text)
    if match is None:
        return None
    year, month, day = (int(part) if part else None for part in match.groups())
    try:
        if month is None:
            return Days(date(year or 0, 1, 1), date(year or 0, 12, 31))
        if day is None:
            return Days(date(year or 0, month, 1), _month_end(year or 0, month))
        return Days.on(date(year or 0, month, day))
    except ValueError:
        return None


def _month_end(year: int, month: int) -> date:
    return date(year, month, monthrange(year, month)[1])


def moment(text: str) -> datetime | None:
    """Read `2024-03-05T10:30`; None when it is no date with a time."""
    day, separator, hour = text.partition("T")
    known, at = days(day), clock(hour)
    if not separator or known is None or at is None or not known.certain or len(day) != 10:
        return None
    return datetime.combine(known.first, at)


def clock(text: str) -> time | None:
    """Read `10:30`; None when it is no time of day."""
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    hour, minute = (int(part) for part in match.groups())
    return time(hour, minute) if hour < 24 and minute < 60 else None


def number(value: Value) -> Decimal | None:
    """Return `value` as a number; a text of digits (a code) counts as one."""
    if isinstance(value, Decimal):
        return value if value.is_finite() else None
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return Decimal(value)
    return None


def truth(value: Value) -> bool | None:
    """Return whether `value` holds; unknown for what is neither true nor false."""
    if isinstance(value, bool):
        return value
    return _TRUTHS.get(value) if isinstance(value, str) else None


def interval(value: Value) -> Days | None:
    """Return `value` as a date, whatever kind of date it is."""
    if isinstance(value, datetime):
        return Days.on(value.date())
    if isinstance(value, str):
        return days(value)
    return value if isinstance(value, Days) else None


def blank(value: Value) -> bool:
    """Return whether there is no answer; the empty text stands where there can be none."""
    return value is None or (isinstance(value, str | tuple) and not value)


def plain(figure: Decimal) -> str:
    """Return the one text of a number: no exponent, no idle zeros, no minus zero."""
    text = format(figure, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


_TRUTHS = {"Y": True, "N": False}
_ORDER: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_MIRROR = {">": "<", ">=": "<="}
SIGNS = frozenset(_ORDER)


def compare(sign: str, left: Value, right: Value) -> bool | None:
    """Return whether `left sign right`; unknown with an unknown or across unlike kinds."""
    if left is None or right is None:
        return None
    if type(left) is str and type(right) is str:  # most of what is asked: a code
        return _texts(sign, left, right)
    if isinstance(left, Decimal) or isinstance(right, Decimal):
        return _ordered(sign, number(left), number(right))
    if isinstance(left, bool) or isinstance(right, bool):
        return _same(sign, truth(left), truth(right))
    if isinstance(left, tuple) and not isinstance(left, Days):
        return _same(sign, left, right) if type(left) is type(right) else None
    return _times(sign, left, right)


def _texts(sign: str, left: str, right: str) -> bool | None:
    if sign in ("==", "!="):
        return _ORDER[sign](left, right)
    return _ordered(sign, number(left), number(right))


def _times(sign: str, left: Value, right: Value) -> bool | None:
    if isinstance(left, time) or isinstance(right, time):
        return _ordered(sign, _clock(left), _clock(right))
    if isinstance(left, datetime) or isinstance(right, datetime):
        first, second = _moment(left), _moment(right)
        if first is not None and second is not None:
            return _ordered(sign, first, second)
    first_days, second_days = interval(left), interval(right)
    if first_days is None or second_days is None:
        return None
    return _intervals(sign, first_days, second_days)


def _clock(value: Value) -> time | None:
    return (
        clock(value) if isinstance(value, str) else value if isinstance(value, time) else None
    )


def _moment(value: Value) -> datetime | None:
    if isinstance(value, str):
        return moment(value)
    return value if isinstance(value, datetime) else None


def _intervals(sign: str, left: Days, right: Days) -> bool | None:
    if sign in (">", ">="):
        return _intervals(_MIRROR[sign], right, left)
    if sign == "<":
        return _certain(left.last < right.first, left.first >= right.last)
    if sign == "<=":
        return _certain(left.last <= right.first, left.first > right.last)
    apart = left.last < right.first or right.last < left.first
    same = left == right and left.certain
    return _certain(same, apart) if sign == "==" else _certain(apart, same)


def _certain(yes: bool, no: bool) -> bool | None:
    return True if yes else False if no else None


def _ordered(sign: str, left: object, right: object) -> bool | None:
    return None if left is None or right is None else _ORDER[sign](left, right)


def _same(sign: str, left: object, right: object) -> bool | None:
    return _ordered(sign, left, right) if sign in ("==", "!=") else None
