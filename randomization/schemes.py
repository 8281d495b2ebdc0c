"""Randomization schemes: a generator and a design give the arms of one stratum.

Pure, integers only. A further scheme is one more frozen class with `draw`, and one more line
in `SCHEMES`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from randomization.arm import Arm
from randomization.drbg import HmacDrbg

Ratio = tuple[tuple[str, int], ...]
"""Arm ids with their weights; the order matters, for it is the order before shuffling."""


class Scheme(Protocol):
    """A way to make the list of one stratum."""

    def draw(self, chance: HmacDrbg, slots: int) -> tuple[Arm, ...]:
        """Return at least `slots` arms in list order."""
        ...


@dataclass(frozen=True, slots=True)
class PermutedBlocks:
    """Blocks of sizes drawn at random, each holding the exact ratio; only whole blocks.

    `weights` say how often each size is drawn, relative to the others.
    """

    ratio: Ratio
    sizes: tuple[int, ...]
    weights: tuple[int, ...]

    def __post_init__(self) -> None:
        total = _total(self.ratio)
        if not self.sizes or len(set(self.sizes)) != len(self.sizes):
            raise ValueError("block sizes are given once each, and at least one")
        if any(size < 1 or size % total for size in self.sizes):
            raise ValueError(f"each block size is a multiple of {total}, the sum of the ratio")
        if len(self.weights) != len(self.sizes) or min(self.weights) < 1:
            raise ValueError("each block size has a weight of at least 1")

    def draw(self, chance: HmacDrbg, slots: int) -> tuple[Arm, ...]:
        made: list[Arm] = []
        while len(made) < slots:
            block = self._block(pick(chance, self.sizes, self.weights))
            chance.shuffle(block)
            made += block
        return tuple(made)

    def _block(self, size: int) -> list[Arm]:
        times = size // _total(self.ratio)
        return [Arm(arm) for arm, weight in self.ratio for _ in range(weight * times)]


def permuted_block(ratio: Ratio, options: Mapping[str, Sequence[int]]) -> PermutedBlocks:
    """Make the scheme from `sizes` and, when they are not equally likely, `weights`."""
    unknown = sorted(set(options) - {"sizes", "weights"})
    if unknown:
        raise ValueError(f"permuted blocks take sizes and weights, not {unknown[0]}")
    sizes = tuple(options.get("sizes", ()))
    return PermutedBlocks(ratio, sizes, tuple(options.get("weights", (1,) * len(sizes))))


SCHEMES: Mapping[str, Callable[[Ratio, Mapping[str, Sequence[int]]], Scheme]] = {
    "permuted_block": permuted_block,
}


def scheme(name: str, ratio: Ratio, options: Mapping[str, Sequence[int]]) -> Scheme:
    """Return the scheme of that name; ValueError says what is wrong with its design."""
    if name not in SCHEMES:
        raise ValueError(f"there is no scheme {name}; there is {', '.join(sorted(SCHEMES))}")
    return SCHEMES[name](ratio, options)


def pick(chance: HmacDrbg, values: Sequence[int], weights: Sequence[int]) -> int:
    """Return one of `values`, each as likely as its weight says."""
    point = chance.below(sum(weights))
    for value, weight in zip(values, weights, strict=True):
        if point < weight:
            return value
        point -= weight
    raise AssertionError("the point lies below the sum of the weights")


def _total(ratio: Ratio) -> int:
    arms = [arm for arm, _ in ratio]
    if not ratio or len(set(arms)) != len(arms) or min(weight for _, weight in ratio) < 1:
        raise ValueError("the ratio names each arm once with a weight of at least 1")
    return sum(weight for _, weight in ratio)
