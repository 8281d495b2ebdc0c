"""Permuted blocks of sizes drawn at random. Pure, integers only."""

from dataclasses import dataclass

from randomization.arm import Arm
from randomization.drbg import HmacDrbg
from randomization.schemes.scheme import Options, Ratio, only, pick, total


@dataclass(frozen=True, slots=True)
class PermutedBlocks:
    """Blocks of sizes drawn at random, each holding the exact ratio; only whole blocks.

    `weights` say how often each size is drawn, relative to the others.
    """

    ratio: Ratio
    sizes: tuple[int, ...]
    weights: tuple[int, ...]

    def __post_init__(self) -> None:
        whole = total(self.ratio)
        if not self.sizes or len(set(self.sizes)) != len(self.sizes):
            raise ValueError("block sizes are given once each, and at least one")
        if any(size < 1 or size % whole for size in self.sizes):
            raise ValueError(f"each block size is a multiple of {whole}, the sum of the ratio")
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
        times = size // total(self.ratio)
        return [Arm(arm) for arm, weight in self.ratio for _ in range(weight * times)]


def permuted_block(ratio: Ratio, options: Options) -> PermutedBlocks:
    """Make the scheme from `sizes` and, when they are not equally likely, `weights`."""
    only(options, "permuted_block", "sizes", "weights")
    sizes = tuple(options.get("sizes", ()))
    return PermutedBlocks(ratio, sizes, tuple(options.get("weights", (1,) * len(sizes))))
