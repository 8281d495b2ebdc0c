"""How numbers stand in the cells of a closed report. Pure."""

import statistics
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from ecrf.study.values import plain


def share(count: int, whole: int) -> str:
    """Return a count with its percentage; alone where there is nobody to share it."""
    if whole == 0:
        return str(count)
    percent = rounded(Decimal(100 * count) / Decimal(whole), 1)
    return f"{count} ({percent}%)"


def rounded(value: Decimal, places: int) -> str:
    return str(value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP))


def fraction(value: Fraction, places: int) -> str:
    """Return an exact fraction rounded half up."""
    scaled = value * 10**places
    whole = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    return str(Decimal(whole).scaleb(-places)) if places else str(whole)


def mean(values: Sequence[Decimal]) -> str:
    """Return mean and standard deviation with one place more than the values have."""
    if not values:
        return "–"
    places = _places(values) + 1
    middle = rounded(statistics.mean(values), places)
    if len(values) < 2:
        return middle
    return f"{middle} ({rounded(statistics.stdev(values), places + 1)})"


def middle(values: Sequence[Decimal]) -> str:
    """Return median, lowest and highest value."""
    if not values:
        return "–"
    places = _places(values)
    half = statistics.median(values)
    return f"{rounded(half, places + 1)} ({plain(min(values))} – {plain(max(values))})"


def _places(values: Sequence[Decimal]) -> int:
    return min(2, max(max(0, -int(value.as_tuple().exponent)) for value in values))


def p_value(p: float) -> str:
    return "<0.0001" if p < 0.0001 else f"{p:.4f}"
