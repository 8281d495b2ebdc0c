"""Distributions and tests, with the standard library alone. Pure.

Every test returns a p-value: how often a difference as large would come by chance, if what is
tested did not depend on the other at all.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

TERMS = 500
SMALL = 1e-15


def normal_tail(z: float) -> float:
    """Return the chance of a standard normal value at least `|z|` away from 0."""
    return math.erfc(abs(z) / math.sqrt(2))


def chi2_tail(x: float, degrees: int) -> float:
    """Return the chance of a χ² value of at least `x`."""
    if degrees < 1 or x <= 0:
        return 1.0
    return max(0.0, min(1.0, 1.0 - _lower_gamma(degrees / 2, x / 2)))


def _lower_gamma(a: float, x: float) -> float:
    """Return the regularized lower incomplete gamma function, by series or by fraction."""
    scale = math.exp(-x + a * math.log(x) - math.lgamma(a))
    if x < a + 1:
        term = total = 1 / a
        for n in range(1, TERMS):
            term *= x / (a + n)
            total += term
            if term < total * SMALL:
                break
        return total * scale
    return 1.0 - scale * _fraction(a, x)


def _fraction(a: float, x: float) -> float:
    """Lentz's method for the continued fraction of the upper incomplete gamma function."""
    b, tiny = x + 1 - a, 1e-300
    c, d = 1 / tiny, 1 / b
    h = d
    for n in range(1, TERMS):
        an = -n * (n - a)
        b += 2
        d = 1 / (an * d + b or tiny)
        c = b + an / c or tiny
        h *= d * c
        if abs(d * c - 1) < SMALL:
            break
    return h


def independence(rows: Sequence[Sequence[int]]) -> float:
    """Return the p-value of Pearson's χ² test of a table of counts; 1 when it says nothing."""
    rows = [row for row in rows if sum(row)]
    if not rows:
        return 1.0
    columns = [sum(column) for column in zip(*rows, strict=True)]
    kept = [n for n, total in enumerate(columns) if total]
    total = sum(columns)
    found = 0.0
    for row in rows:
        for n in kept:
            expected = sum(row) * columns[n] / total
            found += (row[n] - expected) ** 2 / expected
    return chi2_tail(found, (len(rows) - 1) * (len(kept) - 1))


def kolmogorov(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the p-value of the two-sample Kolmogorov–Smirnov test (asymptotic).

    With many equal values it is too large, never too small.
    """
    n, m = len(one), len(other)
    if not n or not m:
        return 1.0
    apart = _apart(sorted(one), sorted(other))
    root = math.sqrt(n * m / (n + m))
    return _kolmogorov_tail((root + 0.12 + 0.11 / root) * apart)


def _apart(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the largest distance between two distributions of sorted values."""
    i = j = 0
    most = 0.0
    while i < len(one) and j < len(other):
        value = min(one[i], other[j])
        while i < len(one) and one[i] <= value:
            i += 1
        while j < len(other) and other[j] <= value:
            j += 1
        most = max(most, abs(i / len(one) - j / len(other)))
    return most


def _kolmogorov_tail(x: float) -> float:
    if x < 0.2:
        return 1.0
    signs = (1.0 if k % 2 else -1.0 for k in range(1, 101))
    total = sum(sign * math.exp(-2 * k * k * x * x) for k, sign in enumerate(signs, 1))
    return max(0.0, min(1.0, 2 * total))


def uniform(p_values: Sequence[float]) -> float:
    """Return the p-value of the one-sample Kolmogorov–Smirnov test against uniform values."""
    n = len(p_values)
    apart = max(
        max((at + 1) / n - value, value - at / n) for at, value in enumerate(sorted(p_values))
    )
    root = math.sqrt(n)
    return _kolmogorov_tail((root + 0.12 + 0.11 / root) * apart)


def combined(p_values: Sequence[float]) -> float:
    """Return Fisher's combined p-value: small when some of them are too small."""
    found = -2 * sum(math.log(max(p, 1e-300)) for p in p_values)
    return chi2_tail(found, 2 * len(p_values))


def rank_sum(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the p-value of the Mann–Whitney test (normal approximation, ties corrected)."""
    n, m = len(one), len(other)
    if not n or not m:
        return 1.0
    ranks, ties = ranked([*one, *other])
    total = n + m
    spread = n * m / 12 * (total + 1 - ties / (total * (total - 1)))
    u = sum(ranks[:n]) - n * (n + 1) / 2
    return 1.0 if spread <= 0 else normal_tail((u - n * m / 2) / math.sqrt(spread))


def ranked(values: Sequence[float]) -> tuple[list[float], float]:
    """Return the middle rank of each value, and the sum of t³ - t over groups of ties."""
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks, ties, start = [0.0] * len(values), 0.0, 0
    while start < len(order):
        end = start
        while end < len(order) and values[order[end]] == values[order[start]]:
            end += 1
        for at in order[start:end]:
            ranks[at] = (start + 1 + end) / 2
        size = end - start
        ties += size**3 - size
        start = end
    return ranks, ties


def runs(signs: Sequence[bool]) -> float:
    """Return the p-value of the Wald–Wolfowitz test of the number of runs."""
    n, m = sum(signs), len(signs) - sum(signs)
    if not n or not m or n + m < 3:
        return 1.0
    found = 1 + sum(a != b for a, b in pairwise(signs))
    total = n + m
    mean = 2 * n * m / total + 1
    spread = (mean - 1) * (mean - 2) / (total - 1)
    return 1.0 if spread <= 0 else normal_tail((found - mean) / math.sqrt(spread))
