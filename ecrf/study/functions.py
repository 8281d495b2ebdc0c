"""The functions an expression may call. Pure; each gives None where it cannot know."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from ecrf.study.values import (
    CONTEXT,
    Days,
    Value,
    blank,
    compare,
    interval,
    moment,
    number,
    truth,
)

MOST_PLACES = 20
MOST_POWER = Decimal(1000)


class Function(NamedTuple):
    """What a name means, and how many values it takes (None: any number)."""

    call: Callable[[Sequence[Value]], Value]
    fewest: int
    most: int | None


def figures(values: Sequence[Value]) -> list[Decimal] | None:
    """Return all values as numbers, or None when one is none."""
    found = [number(value) for value in values]
    return None if None in found else [figure for figure in found if figure is not None]


def everything(values: Sequence[Value]) -> bool | None:
    """Return the three-valued `and` of conditions."""
    truths = [truth(value) for value in values]
    return False if False in truths else None if None in truths else True


def anything(values: Sequence[Value]) -> bool | None:
    """Return the three-valued `or` of conditions."""
    truths = [truth(value) for value in values]
    return True if True in truths else None if None in truths else False


def contains(value: Value, options: Value | Sequence[Value]) -> bool | None:
    """Return whether `value` is one of `options`, the options of a list or the choices made."""
    if not isinstance(options, tuple) or isinstance(options, Days):
        return None
    return None if value is None else anything([compare("==", value, one) for one in options])


def _given(values: Sequence[Value]) -> Value:
    return not blank(values[0])


def _blank(values: Sequence[Value]) -> Value:
    return blank(values[0])


def _count(values: Sequence[Value]) -> Value:
    truths = [truth(value) for value in values]
    return None if None in truths else Decimal(truths.count(True))


def _sum(values: Sequence[Value]) -> Value:
    terms = figures(values)
    if terms is None:
        return None
    total = Decimal(0)
    for term in terms:
        total = CONTEXT.add(total, term)
    return total


def _most(values: Sequence[Value]) -> Value:
    numbers, spans = figures(values), _spans(values)
    if numbers is not None:
        return max(numbers, default=None)
    return Days(max(s.first for s in spans), max(s.last for s in spans)) if spans else None


def _least(values: Sequence[Value]) -> Value:
    numbers, spans = figures(values), _spans(values)
    if numbers is not None:
        return min(numbers, default=None)
    return Days(min(s.first for s in spans), min(s.last for s in spans)) if spans else None


def _spans(values: Sequence[Value]) -> list[Days] | None:
    """Return all values as dates, or None when one is none."""
    spans = [value for value in values if isinstance(value, Days)]
    return spans if len(spans) == len(values) else None


def _days(values: Sequence[Value]) -> Value:
    return _between(values, lambda start, end: (end - start).days)


def _months(values: Sequence[Value]) -> Value:
    return _between(values, completed_months)


def _years(values: Sequence[Value]) -> Value:
    return _between(values, lambda start, end: _toward_zero(completed_months(start, end), 12))


def completed_months(start: date, end: date) -> int:
    """Return the months completed from `start` to `end`; below zero when `end` is earlier."""
    if end < start:
        return -completed_months(end, start)
    months = (end.year - start.year) * 12 + end.month - start.month
    return months - (end.day < start.day)


def _toward_zero(months: int, per: int) -> int:
    return months // per if months >= 0 else -(-months // per)


def _between(values: Sequence[Value], measure: Callable[[date, date], int]) -> Value:
    start, end = interval(values[0]), interval(values[1])
    if start is None or end is None:
        return None
    shortest, longest = measure(start.last, end.first), measure(start.first, end.last)
    return Decimal(shortest) if shortest == longest else None


def _hours(values: Sequence[Value]) -> Value:
    start, end = _instant(values[0]), _instant(values[1])
    if start is None or end is None:
        return None
    return CONTEXT.divide(Decimal((end - start) // timedelta(minutes=1)), Decimal(60))


def _add_hours(values: Sequence[Value]) -> Value:
    start, step = _instant(values[0]), number(values[1])
    if start is None or step is None or step != step.to_integral_value():
        return None
    try:
        return start + timedelta(hours=int(step))
    except OverflowError:
        return None


def _instant(value: Value) -> datetime | None:
    if isinstance(value, str):
        return moment(value)
    return value if isinstance(value, datetime) else None


def _add_days(values: Sequence[Value]) -> Value:
    day, step = interval(values[0]), number(values[1])
    if day is None or step is None or step != step.to_integral_value():
        return None
    try:
        shift = timedelta(days=int(step))
        return Days(day.first + shift, day.last + shift)
    except OverflowError:
        return None


def _round(values: Sequence[Value]) -> Value:
    figure = number(values[0])
    places = number(values[1]) if len(values) > 1 else Decimal(0)
    if figure is None or places is None:
        return None
    if places != places.to_integral_value() or not 0 <= places <= MOST_PLACES:
        return None
    return CONTEXT.quantize(figure, Decimal(1).scaleb(-int(places)))


def _absolute(values: Sequence[Value]) -> Value:
    figure = number(values[0])
    return None if figure is None else figure.copy_abs()


def _power(values: Sequence[Value]) -> Value:
    base, exponent = number(values[0]), number(values[1])
    if base is None or exponent is None or exponent.copy_abs() > MOST_POWER:
        return None
    return CONTEXT.power(base, exponent)


def _length(values: Sequence[Value]) -> Value:
    chosen = values[0]
    return Decimal(len(chosen)) if type(chosen) is tuple else None


def _number(values: Sequence[Value]) -> Value:
    return number(values[0])


def _default(values: Sequence[Value]) -> Value:
    return values[1] if blank(values[0]) else values[0]


FUNCTIONS: Mapping[str, Function] = {
    "given": Function(_given, 1, 1),
    "blank": Function(_blank, 1, 1),
    "count": Function(_count, 1, None),
    "sum": Function(_sum, 1, None),
    "max": Function(_most, 1, None),
    "min": Function(_least, 1, None),
    "any": Function(anything, 1, None),
    "all": Function(everything, 1, None),
    "days": Function(_days, 2, 2),
    "months": Function(_months, 2, 2),
    "years": Function(_years, 2, 2),
    "round": Function(_round, 1, 2),
    "abs": Function(_absolute, 1, 1),
    "pow": Function(_power, 2, 2),
    "len": Function(_length, 1, 1),
    "number": Function(_number, 1, 1),
    "default": Function(_default, 2, 2),
    "add_days": Function(_add_days, 2, 2),
    "hours": Function(_hours, 2, 2),
    "add_hours": Function(_add_hours, 2, 2),
}
OVER_ROWS = frozenset({"count", "sum", "max", "min", "any", "all"})
