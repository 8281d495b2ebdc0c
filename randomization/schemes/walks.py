"""Schemes that follow the difference between two equal arms: no blocks to guess. Pure.

Big stick: Soares and Wu 1983. Maximal procedure: Berger, Ivanova and Knoll 2003, drawn exactly
uniformly by counting (Salama, Ivanova and Qaqish 2008). Biased coin: Efron 1971.
"""

from collections.abc import Callable
from dataclasses import dataclass

from randomization.arm import Arm
from randomization.drbg import HmacDrbg
from randomization.schemes.scheme import Options, Ratio, number, only, pair

Arms = tuple[Arm, Arm]


def walk(arms: Arms, slots: int, first: Callable[[int, int], bool]) -> tuple[Arm, ...]:
    """Return `slots` arms: `first(left, ahead)` says whether the first comes next.

    `left` slots are still to be filled, and the first arm is `ahead` of the other.
    """
    made: list[Arm] = []
    ahead = 0
    for left in range(slots, 0, -1):
        comes = first(left, ahead)
        ahead += 1 if comes else -1
        made.append(arms[0] if comes else arms[1])
    return tuple(made)


@dataclass(frozen=True, slots=True)
class BigStick:
    """A fair coin, except that the lagging arm is forced when the difference is `bound`."""

    arms: Arms
    bound: int

    def draw(self, chance: HmacDrbg, slots: int) -> tuple[Arm, ...]:
        def first(_left: int, ahead: int) -> bool:
            if abs(ahead) == self.bound:
                return ahead < 0
            return chance.below(2) == 0

        return walk(self.arms, slots, first)


@dataclass(frozen=True, slots=True)
class BiasedCoin:
    """The lagging arm with the probability `favour / of`; a fair coin when they are even."""

    arms: Arms
    favour: int
    of: int

    def draw(self, chance: HmacDrbg, slots: int) -> tuple[Arm, ...]:
        def first(_left: int, ahead: int) -> bool:
            if ahead == 0:
                return chance.below(2) == 0
            return (chance.below(self.of) < self.favour) == (ahead < 0)

        return walk(self.arms, slots, first)


@dataclass(frozen=True, slots=True)
class Maximal:
    """Every list whose difference never passes `bound` is equally likely; no other is drawn.

    With `even` the list also ends with as many of one arm as of the other.
    """

    arms: Arms
    bound: int
    even: bool

    def draw(self, chance: HmacDrbg, slots: int) -> tuple[Arm, ...]:
        slots += slots % 2 if self.even else 0
        ways = self._ways(slots)

        def first(left: int, ahead: int) -> bool:
            return chance.below(ways[left][ahead]) < ways[left - 1].get(ahead + 1, 0)

        return walk(self.arms, slots, first)

    def _ways(self, slots: int) -> list[dict[int, int]]:
        """Return, by slots left, how many lists go on from each difference."""
        span = range(-self.bound, self.bound + 1)
        ways = [{ahead: int(ahead == 0 or not self.even) for ahead in span}]
        for _ in range(slots):
            then = ways[-1]
            ways.append({a: then.get(a + 1, 0) + then.get(a - 1, 0) for a in span})
        return ways


def big_stick(ratio: Ratio, options: Options) -> BigStick:
    """Make the scheme from `bound`, the largest difference allowed."""
    only(options, "big_stick", "bound")
    return BigStick(pair(ratio, "big_stick"), number(options, "bound", "big_stick"))


def biased_coin(ratio: Ratio, options: Options) -> BiasedCoin:
    """Make the scheme from `favour` and `of`, two numbers: 2 of 3 is Efron's own."""
    only(options, "biased_coin", "favour", "of")
    favour = number(options, "favour", "biased_coin")
    of = number(options, "of", "biased_coin")
    if not of < 2 * favour < 2 * of:
        raise ValueError("biased_coin favours the lagging arm with more than 1/2, less than 1")
    return BiasedCoin(pair(ratio, "biased_coin"), favour, of)


def maximal(ratio: Ratio, options: Options) -> Maximal:
    """Make the scheme from `bound` and, 1 for yes and 0 for no, `even` (no by default)."""
    only(options, "maximal", "bound", "even")
    even = tuple(options.get("even", (0,)))
    if even not in ((0,), (1,)):
        raise ValueError("maximal takes 0 or 1 as even")
    bound = number(options, "bound", "maximal")
    return Maximal(pair(ratio, "maximal"), bound, even == (1,))
