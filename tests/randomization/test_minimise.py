"""Minimisation: scores by hand, exact odds, draws made again, balance as in carat."""

from collections import Counter

import pytest

from randomization.arm import Arm
from randomization.drbg import HmacDrbg
from randomization.minimise import Earlier, Minimisation
from randomization.schemes import pick

PAIR = (("A", 1), ("B", 1))
THREE = (("A", 1), ("B", 1), ("C", 1))
SEED = bytes(range(32))


def design(ratio=PAIR, weights=(1, 1), favour=80, of=100, metric="range"):
    return Minimisation(ratio, weights, favour, of, metric)


def earlier(*lines):
    return [Earlier(tuple(levels.split()), Arm(arm)) for levels, arm in lines]


BEFORE = earlier(
    ("M old", "A"), ("M young", "A"), ("F old", "B"), ("M old", "B"), ("M old", "A")
)


@pytest.mark.parametrize(
    ("metric", "weights", "levels", "scores"),
    [
        ("range", (1, 1), ("M", "old"), (3 + 1, 1 + 1)),
        ("range", (1, 1), ("F", "old"), (0 + 1, 2 + 1)),
        ("range", (1, 1), ("F", "young"), (0 + 2, 2 + 0)),
        ("range", (2, 1), ("M", "old"), (6 + 1, 2 + 1)),
        ("variance", (1, 1), ("M", "old"), (9 + 1, 1 + 1)),
        ("variance", (1, 3), ("F", "young"), (0 + 12, 4 + 0)),
    ],
)
def test_the_scores_are_those_worked_out_by_hand(metric, weights, levels, scores):
    """M: A 3, B 1. F: B 1. old: A 2, B 2. young: A 1."""
    assert design(weights=weights, metric=metric).scores(BEFORE, levels) == scores


@pytest.mark.parametrize(
    ("ratio", "before", "levels", "odds"),
    [
        (PAIR, [], ("M", "old"), (1, 1)),
        (PAIR, BEFORE, ("M", "old"), (20, 80)),
        (PAIR, BEFORE, ("F", "old"), (80, 20)),
        (PAIR, BEFORE, ("F", "young"), (1, 1)),
        (THREE, earlier(("M old", "A")), ("M", "old"), (40, 80, 80)),
        (THREE, earlier(("M old", "A"), ("M old", "B")), ("M", "old"), (20, 20, 160)),
    ],
)
def test_the_preferred_arms_share_the_favour_and_the_others_the_rest(
    ratio, before, levels, odds
):
    assert design(ratio).decide(SEED, before, levels).weights == odds


def test_a_draw_can_be_made_again_from_the_seed_and_depends_on_it():
    again = {design().decide(SEED, BEFORE, ("M", "old")) for _ in range(3)}
    arms = {design().decide(bytes([n]) * 32, [], ("M", "old")).arm for n in range(20)}
    assert len(again) == 1
    assert len(arms) == 2


def test_the_preferred_arm_comes_as_often_as_the_coin_says():
    drawn = Counter(
        design().decide(n.to_bytes(32, "big"), BEFORE, ("M", "old")).arm for n in range(2000)
    )
    assert abs(drawn[Arm("B")] / 2000 - 0.8) < 4 * (0.16 / 2000) ** 0.5


@pytest.mark.parametrize(
    ("ratio", "weights", "favour", "metric", "said"),
    [
        ((("A", 2), ("B", 1)), (1,), 80, "range", "equal shares"),
        (PAIR, (), 80, "range", "weight"),
        (PAIR, (1,), 100, "range", "0.6 to 0.95"),
        (PAIR, (1,), 59, "range", "0.6 to 0.95"),
        (PAIR, (1,), 80, "sd", "metric"),
    ],
)
def test_a_design_that_could_be_foreseen_or_does_not_keep_its_ratio_is_refused(
    ratio, weights, favour, metric, said
):
    with pytest.raises(ValueError, match=said):
        design(ratio, weights, favour, 100, metric)


@pytest.mark.parametrize(("favour", "mean"), [(75, 1.48), (85, 1.02)])
def test_the_balance_is_that_of_carat(favour, mean):
    """PocSimMIN of carat 2.2.1: 108 participants, site and background, mean |D|."""
    made = design(favour=favour, metric="variance")
    world, trials, found = HmacDrbg(bytes([favour]) * 32), 120, []
    for number in range(trials):
        before = []
        for _ in range(108):
            levels = ("PBT"[pick(world, range(3), (60, 20, 20))], "YN"[world.below(5) // 3])
            drawn = made.decide(number.to_bytes(32, "big"), before, levels)
            before.append(Earlier(levels, drawn.arm))
        counts = Counter(one.arm for one in before)
        found.append(abs(counts[Arm("A")] - counts[Arm("B")]))
    middle = sum(found) / trials
    spread = (sum((d - middle) ** 2 for d in found) / (trials - 1)) ** 0.5
    assert abs(middle - mean) < 4 * spread / trials**0.5
