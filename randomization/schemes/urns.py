"""Schemes that draw from an urn: a constant one, one that fills up, one arm only. Pure."""

from dataclasses import dataclass

from randomization.arm import Arm
from randomization.drbg import HmacDrbg
from randomization.schemes.scheme import Options, Ratio, number, only, pick, total


@dataclass(frozen=True, slots=True)
class Simple:
    """Every slot on its own, each arm as likely as the ratio says. Balances nothing."""

    ratio: Ratio

    def draw(self, chance: HmacDrbg, slots: int) -> tuple[Arm, ...]:
        weights = [weight for _, weight in self.ratio]
        drawn = (pick(chance, range(len(weights)), weights) for _ in range(slots))
        return tuple(Arm(self.ratio[place][0]) for place in drawn)


@dataclass(frozen=True, slots=True)
class Urn:
    """Wei's urn: `start` balls of each arm; a ball drawn adds `add` balls of every other arm.

    Wei 1977. Strong balance at first, close to simple draws in the end.
    """

    arms: tuple[Arm, ...]
    start: int
    add: int

    def draw(self, chance: HmacDrbg, slots: int) -> tuple[Arm, ...]:
        balls = [self.start] * len(self.arms)
        made: list[Arm] = []
        for _ in range(slots):
            drawn = self._ball(chance, balls)
            balls = [
                count + (self.add if place != drawn else 0) for place, count in enumerate(balls)
            ]
            made.append(self.arms[drawn])
        return tuple(made)

    def _ball(self, chance: HmacDrbg, balls: list[int]) -> int:
        if not any(balls):
            return chance.below(len(balls))
        return pick(chance, range(len(balls)), balls)


@dataclass(frozen=True, slots=True)
class OneArm:
    """Nobody is randomized: one arm for all, on the same way from enrolment to treatment."""

    arm: Arm

    def draw(self, chance: HmacDrbg, slots: int) -> tuple[Arm, ...]:
        return (self.arm,) * slots


def simple(ratio: Ratio, options: Options) -> Simple:
    only(options, "simple")
    total(ratio)
    return Simple(ratio)


def urn(ratio: Ratio, options: Options) -> Urn:
    """Make the scheme from `start` and `add`, balls of each arm."""
    only(options, "urn", "start", "add")
    if total(ratio) != len(ratio) or len(ratio) < 2:
        raise ValueError("urn is for arms in equal shares")
    start = number(options, "start", "urn", least=0)
    return Urn(tuple(Arm(arm) for arm, _ in ratio), start, number(options, "add", "urn"))


def none(ratio: Ratio, options: Options) -> OneArm:
    only(options, "none")
    if len(ratio) != 1:
        raise ValueError("none is for a single arm")
    return OneArm(Arm(ratio[0][0]))
