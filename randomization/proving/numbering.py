"""Do the numbers on kits, slots and shipments tell an arm? Pure.

Under the rule that numbers are drawn without regard to the arm every p-value below is uniform.
All of them are judged together: none may be smaller than `LEVEL` divided by how many there are.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ecrf.kernel.text import Message, T
from randomization.proving import figures

LEVEL = 0.001
FEWEST = 40
"""With fewer numbers nothing is tested: a p-value of so few could itself tell something."""


class Numbers(NamedTuple):
    """Numbers in the order they were made, with the arm each belongs to (0, 1, …)."""

    what: Message
    texts: Sequence[str]
    arms: Sequence[int]


class Tested(NamedTuple):
    """One test: what was tested, of how many, and its p-value."""

    what: Message
    how: Message
    size: int
    p: float


def tests(numbers: Numbers) -> Iterator[Tested]:
    """Yield every test of the numbers; none when there are too few, or of one arm alone."""
    count = len(numbers.texts)
    if count < FEWEST or len(set(numbers.arms)) < 2:
        return
    digits = [[ord(sign) for sign in text if sign.isalnum()] for text in numbers.texts]
    for place, p in _digits(digits, numbers.arms):
        yield Tested(numbers.what, T("digit {n}", n=place), count, p)
    values = [int("".join(f"{sign:03d}" for sign in text)) for text in digits]
    for arm in _apart(numbers.arms):
        mine = [n == arm for n in numbers.arms]
        for how, p in _ordered(values, mine):
            yield Tested(numbers.what, how, count, p)


def _digits(
    digits: Sequence[Sequence[int]], arms: Sequence[int]
) -> Iterator[tuple[int, float]]:
    """Yield (place, p) of the χ² test of each digit."""
    for place, signs in enumerate(zip(*digits, strict=True), start=1):
        if len(set(signs)) > 1:
            yield place, figures.independence(_table(signs, arms))


def _table(signs: Sequence[int], arms: Sequence[int]) -> list[list[int]]:
    columns = {sign: n for n, sign in enumerate(sorted(set(signs)))}
    rows = [[0] * len(columns) for _ in range(max(arms) + 1)]
    for sign, arm in zip(signs, arms, strict=True):
        rows[arm][columns[sign]] += 1
    return rows


def _apart(arms: Sequence[int]) -> Sequence[int]:
    """Return the arms to compare with all others; of two arms one says it all."""
    kinds = sorted(set(arms))
    return kinds[:1] if len(kinds) == 2 else kinds


def _ordered(values: Sequence[int], mine: Sequence[bool]) -> Iterator[tuple[Message, float]]:
    """Yield the tests of size and order: in the order of the numbers, and as they were made."""
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks = {n: float(rank) for rank, n in enumerate(order)}
    yes = [ranks[n] for n, own in enumerate(mine) if own]
    no = [ranks[n] for n, own in enumerate(mine) if not own]
    odd = [value % 2 for value in values]
    yield T("even and odd"), figures.independence(_table(odd, [int(own) for own in mine]))
    yield T("size (rank sum)"), figures.rank_sum(yes, no)
    yield T("size (Kolmogorov–Smirnov)"), figures.kolmogorov(yes, no)
    yield T("runs in the order of the numbers"), figures.runs([mine[n] for n in order])


def in_order(what: Message, arms: Sequence[int]) -> Iterator[Tested]:
    """Yield the tests of rows alone: do the arms follow one another in a way of their own?"""
    if len(arms) < FEWEST or len(set(arms)) < 2:
        return
    for arm in _apart(arms):
        mine = [n == arm for n in arms]
        places = [float(n) for n, own in enumerate(mine) if own]
        others = [float(n) for n, own in enumerate(mine) if not own]
        yield Tested(what, T("runs"), len(arms), figures.runs(mine))
        yield Tested(what, T("place (rank sum)"), len(arms), figures.rank_sum(places, others))


def accepted(found: Sequence[Tested]) -> bool:
    """Say whether all p-values together are such as chance gives."""
    return all(one.p > LEVEL / len(found) for one in found)
