"""What a list must be whatever was drawn: whole blocks, the ratio, bounds, no id twice. Pure.

What is found is said by stratum and tells neither an arm nor the size of a block.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import accumulate

from ecrf.kernel.errors import Conflict
from ecrf.kernel.text import T
from randomization import minimise
from randomization.arm import Arm
from randomization.commit import Leaf
from randomization.design import Spec
from randomization.schemes import UNDECIDED
from randomization.schemes.scheme import Ratio, total

BOUNDED = ("big_stick", "maximal")


def require(spec: Spec, leaves: Sequence[Leaf]) -> None:
    """Refuse a list that is not what its specification says."""
    of: dict[str, list[Arm]] = {stratum: [] for stratum in spec.strata}
    for leaf in leaves:
        of[leaf.stratum].append(leaf.arm)
    for stratum, arms in of.items():
        if len(arms) < spec.slots or not _keeps(spec, arms):
            raise Conflict(
                T("The list of stratum {name} is not what its specification says. Nothing was "
                  "kept.", name=stratum)
            )  # fmt: skip
    if len({leaf.slot_id for leaf in leaves}) != len(leaves):
        raise Conflict(T("Two slots of the list have the same id. Nothing was kept."))


def in_ratio(ratio: Ratio, arms: Sequence[Arm]) -> bool:
    """Say whether each arm comes exactly as often as the ratio asks."""
    counts, whole = Counter(arms), total(ratio)
    return counts.keys() <= {Arm(arm) for arm, _ in ratio} and all(
        counts[Arm(arm)] * whole == len(arms) * weight for arm, weight in ratio
    )


def _keeps(spec: Spec, arms: Sequence[Arm]) -> bool:
    if spec.scheme == minimise.NAME:
        return set(arms) == {UNDECIDED}
    if not set(arms) <= spec.arms:
        return False
    if spec.scheme == "permuted_block":
        return _in_blocks(spec.ratio, spec.options["sizes"], arms)
    if spec.scheme in BOUNDED:
        first, bound = Arm(spec.ratio[0][0]), spec.options["bound"][0]
        ahead = accumulate(1 if arm == first else -1 for arm in arms)
        return all(abs(difference) <= bound for difference in ahead)
    return True


def _in_blocks(ratio: Ratio, sizes: Sequence[int], arms: Sequence[Arm]) -> bool:
    """Say whether the arms can be cut into whole blocks that each keep the ratio.

    A block that begins where all arms so far keep the ratio ends where they do again.
    """
    reached = {0}
    for end in _even(ratio, arms):
        if any(end - size in reached for size in sizes):
            reached.add(end)
    return len(arms) in reached


def _even(ratio: Ratio, arms: Sequence[Arm]) -> Iterator[int]:
    """Yield every number of arms from the beginning on that together keep the ratio."""
    weights = {Arm(arm): weight for arm, weight in ratio}
    counts, whole = dict.fromkeys(weights, 0), total(ratio)
    for end, arm in enumerate(arms, start=1):
        counts[arm] += 1
        if end % whole == 0:
            times = end // whole
            if all(counts[one] == weight * times for one, weight in weights.items()):
                yield end
