"""Time to the first event: Kaplan and Meier's estimate, numbers at risk, log-rank test. Pure.

Exact fractions; only the tail of the chi-square distribution is a float. Who is censored on a
day is still at risk on it (Kaplan and Meier 1958; Mantel 1966).
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple


class Time(NamedTuple):
    """Days until the event happened, or until somebody looked last."""

    days: int
    happened: bool


class Step(NamedTuple):
    """A day on which events happened; `survival` is the share without one after it."""

    days: int
    at_risk: int
    events: int
    survival: Fraction


class LogRank(NamedTuple):
    """Events seen and expected in each group, and how far they are apart."""

    observed: tuple[int, ...]
    expected: tuple[Fraction, ...]
    statistic: Fraction
    freedom: int
    p: float


def kaplan_meier(times: Sequence[Time]) -> tuple[Step, ...]:
    """Return the steps of the estimate, one for each day with an event."""
    steps, share = [], Fraction(1)
    for day in sorted({time.days for time in times if time.happened}):
        risk, events = at_risk(times, day), happened(times, day)
        share *= Fraction(risk - events, risk)
        steps.append(Step(day, risk, events, share))
    return tuple(steps)


def at_risk(times: Sequence[Time], day: int) -> int:
    """Return how many had neither an event nor a last look before the day."""
    return sum(time.days >= day for time in times)


def happened(times: Sequence[Time], day: int) -> int:
    return sum(time.happened and time.days == day for time in times)


def median(steps: Sequence[Step]) -> int | None:
    """Return the first day on which at most half are without an event; None if none is."""
    return next((step.days for step in steps if step.survival <= Fraction(1, 2)), None)


def log_rank(groups: Sequence[Sequence[Time]]) -> LogRank | None:
    """Return the test of equal curves; None with fewer than two groups or without events."""
    everyone = [time for group in groups for time in group]
    days = sorted({time.days for time in everyone if time.happened})
    if len(groups) < 2 or not all(groups) or not days:
        return None
    size = len(groups)
    expected = [Fraction(0)] * size
    spread = [[Fraction(0)] * size for _ in groups]
    for day in days:
        risk = [at_risk(group, day) for group in groups]
        total, events = sum(risk), happened(everyone, day)
        for one in range(size):
            expected[one] += Fraction(events * risk[one], total)
        if total == 1:
            continue
        share = Fraction(events * (total - events), total * total * (total - 1))
        for one in range(size):
            for other in range(size):
                spread[one][other] += share * risk[one] * (total * (one == other) - risk[other])
    observed = [sum(time.happened for time in group) for group in groups]
    apart = [Fraction(o) - e for o, e in zip(observed, expected, strict=True)]
    statistic = _distance(apart[:-1], [row[:-1] for row in spread[:-1]])
    if statistic is None:
        return None
    tail = upper_tail(float(statistic), size - 1)
    return LogRank(tuple(observed), tuple(expected), statistic, size - 1, tail)


def upper_tail(x: float, freedom: int) -> float:
    """Return the probability that chi-square with `freedom` degrees exceeds `x`."""
    half = x / 2
    if freedom % 2:
        tail, term, at = math.erfc(math.sqrt(half)), math.sqrt(half / math.pi) * 2, 1
    else:
        tail, term, at = math.exp(-half), half, 2
    while at < freedom:
        tail += math.exp(-half) * term
        at += 2
        term *= x / at
    return tail


def _distance(apart: list[Fraction], spread: list[list[Fraction]]) -> Fraction | None:
    """Return apart' spread⁻¹ apart, by elimination; None when the spread is singular."""
    rows = [[*row, value] for row, value in zip(spread, apart, strict=True)]
    size = len(rows)
    for at in range(size):
        pivot = next((n for n in range(at, size) if rows[n][at]), None)
        if pivot is None:
            return None
        rows[at], rows[pivot] = rows[pivot], rows[at]
        rows[at] = [value / rows[at][at] for value in rows[at]]
        for n in range(size):
            if n != at and rows[n][at]:
                rows[n] = [a - rows[n][at] * b for a, b in zip(rows[n], rows[at], strict=True)]
    return sum((row[-1] * value for row, value in zip(rows, apart, strict=True)), Fraction(0))
