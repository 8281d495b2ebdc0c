"""Repeatable choices, made of a draw of bytes."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TypeVar

from ecrf.kernel.chance import Draw

Thing = TypeVar("Thing")


class Chooser:
    """Makes every choice of a demonstration; the same seed makes the same ones."""

    def __init__(self, draw: Draw) -> None:
        self._draw = draw

    def below(self, limit: int) -> int:
        """Return a whole number from 0 to `limit - 1`."""
        return int.from_bytes(self._draw(8), "big") % limit

    def within(self, low: int, high: int) -> int:
        """Return a whole number from `low` to `high`, both possible."""
        return low + self.below(high - low + 1)

    def chance(self, percent: int) -> bool:
        return self.below(100) < percent

    def of(self, things: Sequence[Thing]) -> Thing:
        return things[self.below(len(things))]

    def weighted(self, weights: Mapping[str, int]) -> str:
        place = self.below(sum(weights.values()))
        for thing, weight in weights.items():
            place -= weight
            if place < 0:
                return thing
        raise ValueError("weights are positive")

    def number(self, low: Decimal, high: Decimal, places: int) -> str:
        """Return a number between the two, more often in the middle, as text."""
        step = Decimal(1).scaleb(-places)
        steps = int((high - low) / step)
        middle = (self.within(0, steps) + self.within(0, steps)) // 2
        return format((low + middle * step).quantize(step), "f")
