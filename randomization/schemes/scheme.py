"""What every scheme has in common: a ratio, its options, and a way to draw a list. Pure."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from randomization.arm import Arm
from randomization.drbg import HmacDrbg

Ratio = tuple[tuple[str, int], ...]
"""Arm ids with their weights; the order matters, for it is the order before shuffling."""

Options = Mapping[str, Sequence[int]]
"""What a scheme is told besides the ratio: whole numbers under a name."""


class Scheme(Protocol):
    """A way to make the list of one stratum."""

    def draw(self, chance: HmacDrbg, slots: int) -> tuple[Arm, ...]:
        """Return at least `slots` arms in list order."""
        ...


def total(ratio: Ratio) -> int:
    """Return the sum of the weights; ValueError when the ratio is none."""
    arms = [arm for arm, _ in ratio]
    if not ratio or len(set(arms)) != len(arms) or min(weight for _, weight in ratio) < 1:
        raise ValueError("the ratio names each arm once with a weight of at least 1")
    return sum(weight for _, weight in ratio)


def pair(ratio: Ratio, called: str) -> tuple[Arm, Arm]:
    """Return the two arms of a scheme that balances two equal ones."""
    if total(ratio) != 2 or len(ratio) != 2:
        raise ValueError(f"{called} is for two arms in the ratio 1:1")
    return Arm(ratio[0][0]), Arm(ratio[1][0])


def only(options: Options, called: str, *known: str) -> None:
    """Refuse an option the scheme does not have."""
    unknown = sorted(set(options) - set(known))
    if unknown:
        takes = " and ".join(known) or "no options"
        raise ValueError(f"{called} takes {takes}, not {unknown[0]}")


def number(options: Options, name: str, called: str, least: int = 1) -> int:
    """Return the one number given under `name`."""
    given = tuple(options.get(name, ()))
    if len(given) != 1 or given[0] < least:
        raise ValueError(f"{called} takes one {name} of at least {least}")
    return given[0]


def pick(chance: HmacDrbg, values: Sequence[int], weights: Sequence[int]) -> int:
    """Return one of `values`, each as likely as its weight says."""
    point = chance.below(sum(weights))
    for value, weight in zip(values, weights, strict=True):
        if point < weight:
            return value
        point -= weight
    raise AssertionError("the point lies below the sum of the weights")
