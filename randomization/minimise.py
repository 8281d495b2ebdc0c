"""Minimisation with a biased coin: each participant's arm from those who came before. Pure.

Pocock and Simon 1975, ties and the first participant by a fair draw, whole numbers only. What
was drawn, and from what, is kept in `Draw`; the same draw can be made again from the seed at
any time (EMA guideline on computerised systems A5.2.4).
"""

import hmac
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from ecrf.kernel.chain import canonical
from randomization.arm import Arm
from randomization.drbg import HmacDrbg
from randomization.schemes.scheme import Ratio, pick, total

TAG = "ecrf-minimise-1"
Metric = Literal["range", "variance"]
METRICS: tuple[Metric, ...] = ("range", "variance")


class Earlier(NamedTuple):
    """A participant who has an arm: the levels of the factors in their order, and the arm."""

    levels: tuple[str, ...]
    arm: Arm


class Draw(NamedTuple):
    """One decision: the score of each arm in the ratio's order, the weights drawn by, the arm.

    `before` counts the participants before. `weights` are out of their sum.
    """

    before: int
    scores: tuple[int, ...]
    weights: tuple[int, ...]
    arm: Arm


@dataclass(frozen=True, slots=True)
class Minimisation:
    """The design: `weights` of the factors, and the preferred arm with `favour / of`.

    Unequal ratios are refused: a constant coin does not keep them (Han, Enas and McEntegart
    2009). A coin that always prefers is refused too: allocation would be foreseeable (ICH E9).
    """

    ratio: Ratio
    weights: tuple[int, ...]
    favour: int
    of: int
    metric: Metric = "range"

    def __post_init__(self) -> None:
        if total(self.ratio) != len(self.ratio) or len(self.ratio) < 2:
            raise ValueError("minimisation is for two or more arms in equal shares")
        if not self.weights or min(self.weights) < 1:
            raise ValueError("each factor has a weight of at least 1")
        if self.metric not in METRICS:
            raise ValueError(f"the metric is one of {', '.join(METRICS)}")
        if not 100 * self.favour >= 60 * self.of or not 100 * self.favour <= 95 * self.of:
            raise ValueError("the preferred arm is taken with a probability of 0.6 to 0.95")

    def decide(self, seed: bytes, earlier: Sequence[Earlier], levels: tuple[str, ...]) -> Draw:
        """Return the draw for a participant with these levels after those `earlier`."""
        if len(levels) != len(self.weights):
            raise ValueError("there is one level for each factor")
        before = len(earlier)
        scores = self.scores(earlier, levels)
        weights = self._odds(scores)
        chance = HmacDrbg(_entropy(seed, before))
        place = pick(chance, range(len(self.ratio)), weights)
        return Draw(before, scores, weights, Arm(self.ratio[place][0]))

    def scores(self, earlier: Iterable[Earlier], levels: tuple[str, ...]) -> tuple[int, ...]:
        """Return, for each arm, the imbalance there would be if it were given."""
        counts = [self._counts(earlier, place, level) for place, level in enumerate(levels)]
        return tuple(
            sum(
                weight * self._spread([n + (i == arm) for i, n in enumerate(of_factor)])
                for weight, of_factor in zip(self.weights, counts, strict=True)
            )
            for arm in range(len(self.ratio))
        )

    def _counts(self, earlier: Iterable[Earlier], place: int, level: str) -> list[int]:
        places: Mapping[Arm, int] = {Arm(arm): i for i, (arm, _) in enumerate(self.ratio)}
        counts = [0] * len(self.ratio)
        for one in earlier:
            if one.levels[place] == level:
                counts[places[one.arm]] += 1
        return counts

    def _spread(self, counts: list[int]) -> int:
        """Return the range, or the variance times the square of the number of arms."""
        if self.metric == "range":
            return max(counts) - min(counts)
        return len(counts) * sum(n * n for n in counts) - sum(counts) ** 2

    def _odds(self, scores: Sequence[int]) -> tuple[int, ...]:
        """Share `favour` among the best arms, the rest among the others."""
        best = [score == min(scores) for score in scores]
        preferred, others = sum(best), len(scores) - sum(best)
        if not others:
            return (1,) * len(scores)
        share = math.lcm(preferred, others)
        return tuple(
            self.favour * share // preferred if good
            else (self.of - self.favour) * share // others
            for good in best
        )  # fmt: skip


def _entropy(seed: bytes, before: int) -> bytes:
    """Return what the draw with this number is made from: each has a stream of its own."""
    return hmac.digest(seed, canonical([TAG, before]).encode(), "sha256")
