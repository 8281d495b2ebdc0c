"""Minimisation with a biased coin: one newcomer's arm from the counts of those before. Pure.

Pocock and Simon 1975, whole numbers only. When all arms are as good, as for the first
participant, the draw is fair. `taves` (Taves 1974) leaves nothing to the coin and serves to
compare with only: allocation would be foreseeable (ICH E9, 2.3.2).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from randomization.arm import Arm
from randomization.drbg import HmacDrbg
from randomization.schemes.scheme import Options, Ratio, number, only, total

UNDECIDED = Arm("")
"""What a slot is sealed with until somebody stands on it."""


class Choice(NamedTuple):
    """A decision by places in the ratio: each arm's score and odds, what was drawn of them.

    `point` is a fair number below the sum of the odds; `place` is where it fell.
    """

    scores: tuple[int, ...]
    odds: tuple[int, ...]
    point: int
    place: int


@dataclass(frozen=True, slots=True)
class Minimise:
    """The design: the factors' `weights` (none: all 1), the favour of the best arm, the metric.

    An arm's score is the weighted sum, over the factors, of how uneven the newcomer's level
    would be: the range of the arms' counts or, with `variance`, their variance.
    """

    arms: tuple[Arm, ...]
    weights: tuple[int, ...]
    favour: int
    of: int
    variance: bool

    def draw(self, chance: HmacDrbg, slots: int) -> tuple[Arm, ...]:
        """Return slots without arms: each is decided when somebody comes to it."""
        return (UNDECIDED,) * slots

    def weighing(self, factors: int) -> tuple[int, ...]:
        """Return the weight of each of so many factors; ValueError when they do not fit."""
        weights = self.weights or (1,) * factors
        if factors < 1 or len(weights) != factors:
            raise ValueError(f"minimisation has {len(weights)} weights for {factors} factors")
        return weights

    def choose(self, chance: HmacDrbg, counts: Sequence[Sequence[int]]) -> Choice:
        """Return the choice; `counts` are the arms' at the newcomer's level of each factor."""
        scores = self.scores(counts)
        odds = self.odds(scores)
        point = chance.below(sum(odds))
        place = next(n for n in range(len(odds)) if point < sum(odds[: n + 1]))
        return Choice(scores, odds, point, place)

    def scores(self, counts: Sequence[Sequence[int]]) -> tuple[int, ...]:
        """Return, for each arm, the imbalance there would be if it were given."""
        weights = self.weighing(len(counts))
        return tuple(
            sum(
                weight * self._spread([n + (place == arm) for place, n in enumerate(level)])
                for weight, level in zip(weights, counts, strict=True)
            )
            for arm in range(len(self.arms))
        )

    def odds(self, scores: Sequence[int]) -> tuple[int, ...]:
        """Share `favour` among the best arms, the rest among the others; even if all are."""
        best = [score == min(scores) for score in scores]
        preferred, others = sum(best), len(scores) - sum(best)
        if not others:
            return (1,) * len(scores)
        each = self.favour * others, (self.of - self.favour) * preferred
        return tuple(each[0] if good else each[1] for good in best)

    def _spread(self, counts: list[int]) -> int:
        """Return the range, or the variance times the square of the number of arms."""
        if self.variance:
            return len(counts) * sum(n * n for n in counts) - sum(counts) ** 2
        return max(counts) - min(counts)


def minimise(ratio: Ratio, options: Options) -> Minimise:
    """Make the scheme from `favour` and `of` (4 of 5), `weights` of the factors, `variance`.

    Unequal ratios are refused: a constant coin does not keep them (Han, Enas and McEntegart
    2009). So is a coin that hardly prefers or nearly always does.
    """
    only(options, "minimise", "favour", "of", "weights", "variance")
    favour, of = number(options, "favour", "minimise"), number(options, "of", "minimise")
    if not 60 * of <= 100 * favour <= 95 * of:
        raise ValueError("minimise takes the best arm with a probability of 0.6 to 0.95")
    return _design(ratio, options, favour, of)


def taves(ratio: Ratio, options: Options) -> Minimise:
    """Make minimisation without a coin, to compare with; from `weights` and `variance`."""
    only(options, "taves", "weights", "variance")
    return _design(ratio, options, 1, 1)


def _design(ratio: Ratio, options: Options, favour: int, of: int) -> Minimise:
    if total(ratio) != len(ratio) or len(ratio) < 2:
        raise ValueError("minimisation is for two or more arms in equal shares")
    weights, variance = tuple(options.get("weights", ())), tuple(options.get("variance", (0,)))
    if variance not in ((0,), (1,)):
        raise ValueError("minimisation takes 0 or 1 as variance")
    if "weights" in options and (not weights or min(weights) < 1):
        raise ValueError("each factor has a weight of at least 1")
    arms = tuple(Arm(arm) for arm, _ in ratio)
    return Minimise(arms, weights, favour, of, variance == (1,))
