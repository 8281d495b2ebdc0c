"""Choosing kits for a shipment: whole sets of all arms, so that nothing about it tells an arm.

A set holds kits of every arm in the ratio of the list. Sets are complete within one packaging
batch, so that two batches in a shipment tell nothing either. Batches that expire first go
first; within a batch the random sequence decides. Pure.
"""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from randomization.arm import Arm
from randomization.opened import NotNow
from randomization.shelf import FEW


class Lying(NamedTuple):
    """A kit in the depot: its packaging batch, its place in the sequence, what it holds."""

    id: int
    batch: tuple[str, str]
    sequence: int
    holds: Arm


def choose(kits: Sequence[Lying], ratio: Mapping[Arm, int], sets: int) -> list[int]:
    """Return the ids of the kits of `sets` whole sets, in the order of the sequence."""
    ordered = sorted(kits, key=lambda kit: (kit.batch, kit.sequence))
    chosen: list[Lying] = []
    left = sets
    for _, batch in groupby(ordered, key=lambda kit: kit.batch):
        lying = list(batch)
        whole = min(_whole(lying, arm, each) for arm, each in ratio.items())
        taken = min(left, whole)
        for arm, each in ratio.items():
            chosen += [kit for kit in lying if kit.holds == arm][: taken * each]
        left -= taken
    if left:
        raise NotNow(FEW)
    return [kit.id for kit in sorted(chosen, key=lambda kit: kit.sequence)]


def _whole(kits: Sequence[Lying], arm: Arm, each: int) -> int:
    return sum(kit.holds == arm for kit in kits) // each
