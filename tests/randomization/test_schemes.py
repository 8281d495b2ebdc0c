"""Permuted blocks: exact ratio, whole blocks, every order equally likely, one known list."""

import math
from collections import Counter
from itertools import pairwise, permutations, product

import pytest

from randomization.arm import Arm
from randomization.drbg import HmacDrbg
from randomization.schemes import scheme
from randomization.schemes.blocks import PermutedBlocks

PAIR = (("A", 1), ("B", 1))
KNOWN = "MMPPMPPPPMMMPMMMPPPMMPPM"
DESIGNS = [
    (PAIR, (4, 6), (1, 1)),
    (PAIR, (4, 6, 8), (3, 2, 1)),
    ((("A", 2), ("B", 1)), (6, 9), (1, 1)),
    ((("A", 1), ("B", 1), ("C", 1)), (6, 9), (1, 1)),
]


def generator(number):
    return HmacDrbg(number.to_bytes(32, "big"))


def ids(arms):
    return "".join(arm.opened() for arm in arms)


def chi_square_p(statistic, freedom):
    """Return the upper tail by Wilson and Hilferty's cube root, good to about 1 percent."""
    z = ((statistic / freedom) ** (1 / 3) - (1 - 2 / (9 * freedom))) / math.sqrt(
        2 / (9 * freedom)
    )
    return math.erfc(z / math.sqrt(2)) / 2


@pytest.mark.parametrize(("ratio", "sizes", "weights"), DESIGNS)
@pytest.mark.parametrize("seed", range(10))
def test_a_list_holds_the_exact_ratio_and_whole_blocks(ratio, sizes, weights, seed):
    total = sum(weight for _, weight in ratio)
    arms = PermutedBlocks(ratio, sizes, weights).draw(generator(seed), 120)
    counts = Counter(ids(arms))
    assert 120 <= len(arms) < 120 + max(sizes)
    assert all(counts[arm] * total == len(arms) * weight for arm, weight in ratio)


@pytest.mark.parametrize("seed", range(20))
def test_the_imbalance_never_passes_half_the_largest_block(seed):
    difference = 0
    for arm in ids(PermutedBlocks(PAIR, (4, 6), (1, 1)).draw(generator(seed), 600)):
        difference += 1 if arm == "A" else -1
        assert abs(difference) <= 3


@pytest.mark.parametrize(
    ("ratio", "size"),
    [(PAIR, 4), (PAIR, 6), ((("A", 2), ("B", 1)), 6), ((("A", 1), ("B", 1), ("C", 1)), 6)],
)
def test_every_order_of_a_block_is_equally_likely(ratio, size):
    """20 fixed seeds, 25 to 100 expected of each order; Fisher's combined p is not extreme."""
    total = sum(weight for _, weight in ratio)
    letters = [arm for arm, weight in ratio for _ in range(weight * size // total)]
    orders = sorted({"".join(order) for order in permutations(letters)})
    design = PermutedBlocks(ratio, (size,), (1,))
    seeds, each = 20, (100 if len(orders) < 50 else 25)
    chances = []
    for seed in range(seeds):
        text = ids(design.draw(generator(1000 + seed), size * each * len(orders)))
        counts = Counter(text[i : i + size] for i in range(0, len(text), size))
        assert set(counts) <= set(orders)
        statistic = sum((counts[order] - each) ** 2 / each for order in orders)
        chances.append(chi_square_p(statistic, len(orders) - 1))
    combined = -2 * sum(math.log(chance) for chance in chances)
    assert chi_square_p(combined, 2 * seeds) > 0.001
    assert chi_square_p(combined, 2 * seeds) < 0.999


def test_block_sizes_come_as_often_as_their_weights_say():
    """The first block of 5,000 lists is of 4 or 6, weighted 3 to 1."""
    design = PermutedBlocks(PAIR, (4, 6), (3, 1))
    fours = sum(len(design.draw(generator(seed), 1)) == 4 for seed in range(5000))
    assert abs(fours - 3750) < 4 * math.sqrt(5000 * 0.75 * 0.25)


def test_the_known_list_is_made_again_for_ever():
    design = scheme("permuted_block", (("MMF", 1), ("PBO", 1)), {"sizes": (4, 6)})
    arms = design.draw(HmacDrbg(bytes(range(32))), 24)
    assert "".join(arm.opened()[0] for arm in arms) == KNOWN


@pytest.mark.parametrize(
    ("ratio", "options", "says"),
    [
        (PAIR, {"sizes": (5,)}, "multiple of 2"),
        (PAIR, {"sizes": ()}, "at least one"),
        (PAIR, {"sizes": (4, 4)}, "once each"),
        (PAIR, {"sizes": (4, 6), "weights": (1,)}, "weight"),
        (PAIR, {"sizes": (4,), "weights": (0,)}, "weight"),
        (PAIR, {"sizes": (4,), "seed": (1,)}, "not seed"),
        ((("A", 1), ("A", 1)), {"sizes": (4,)}, "once"),
        ((("A", 0), ("B", 1)), {"sizes": (4,)}, "at least 1"),
    ],
)
def test_an_impossible_design_is_refused_with_its_reason(ratio, options, says):
    with pytest.raises(ValueError, match=says):
        scheme("permuted_block", ratio, options)


def test_an_unknown_scheme_is_named_with_those_there_are():
    with pytest.raises(ValueError, match="biased_coin"):
        scheme("coin", PAIR, {})


def test_an_arm_never_prints():
    arm = Arm("ZZCANARY1")
    shown = [str(arm), repr(arm), f"{arm}", f"{arm!r:>20}", f"{arm:>20}", repr([arm])]
    assert not any("CANARY" in text for text in shown)
    with pytest.raises(TypeError, match="does not leave"):
        arm.__reduce__()
    assert arm == Arm("ZZCANARY1")
    assert arm != Arm("ZZCANARY2")
    assert len({arm, Arm("ZZCANARY1")}) == 1


def walk(arms):
    ahead, way = 0, []
    for arm in ids(arms):
        ahead += 1 if arm == "A" else -1
        way.append(ahead)
    return way


@pytest.mark.parametrize(
    ("name", "options", "most"),
    [
        ("big_stick", {"bound": (3,)}, 3),
        ("maximal", {"bound": (2,)}, 2),
        ("maximal", {"bound": (3,), "even": (1,)}, 3),
    ],
)
def test_the_difference_never_passes_the_bound(name, options, most):
    for seed in range(20):
        way = walk(scheme(name, PAIR, options).draw(generator(seed), 120))
        assert max(map(abs, way)) <= most
        if "even" in options:
            assert way[-1] == 0


def test_big_stick_forces_the_lagging_arm_and_else_tosses_a_fair_coin():
    free = []
    for seed in range(60):
        way = [0, *walk(scheme("big_stick", PAIR, {"bound": (2,)}).draw(generator(seed), 100))]
        for before, after in pairwise(way):
            if abs(before) == 2:
                assert abs(after) == 1
            else:
                free.append(after > before)
    assert abs(sum(free) / len(free) - 0.5) < 4 * 0.5 / len(free) ** 0.5


@pytest.mark.parametrize("even", [0, 1])
def test_every_list_within_the_bound_is_equally_likely(even):
    """Maximal procedure, 8 slots, bound 2: all of them are counted out."""

    def fits(text):
        way = walk(map(Arm, text))
        return max(map(abs, way)) <= 2 and not (even and way[-1])

    every = {"".join(text) for text in product("AB", repeat=8) if fits(text)}
    design = scheme("maximal", PAIR, {"bound": (2,), "even": (even,)})
    each, chances = 20, []
    for seed in range(5):
        chance = generator(5000 + seed)
        counts = Counter(ids(design.draw(chance, 8)) for _ in range(each * len(every)))
        assert set(counts) <= every
        statistic = sum((counts[text] - each) ** 2 / each for text in every)
        chances.append(chi_square_p(statistic, len(every) - 1))
    combined = -2 * sum(math.log(chance) for chance in chances)
    assert 0.001 < chi_square_p(combined, 10) < 0.999


def test_an_urn_pulls_back_and_simple_draws_do_not():
    def end(name, options):
        ways = [
            walk(scheme(name, PAIR, options).draw(generator(s), 60))[-1] for s in range(150)
        ]
        return sum(way * way for way in ways) / 150

    assert end("urn", {"start": (1,), "add": (1,)}) < 0.6 * end("simple", {})


def test_simple_draws_keep_an_unequal_ratio_in_the_long_run():
    ratio = (("A", 2), ("B", 1))
    counts = Counter(ids(scheme("simple", ratio, {}).draw(generator(7), 3000)))
    assert abs(counts["A"] / 3000 - 2 / 3) < 4 * (2 / 9 / 3000) ** 0.5


def test_a_single_arm_goes_the_same_way():
    assert ids(scheme("none", (("A", 1),), {}).draw(generator(1), 5)) == "AAAAA"


@pytest.mark.parametrize(
    ("name", "ratio", "options", "said"),
    [
        ("big_stick", (("A", 2), ("B", 1)), {"bound": (3,)}, "1:1"),
        ("big_stick", PAIR, {}, "one bound"),
        ("maximal", PAIR, {"bound": (3,), "even": (2,)}, "0 or 1"),
        ("biased_coin", PAIR, {"favour": (1,), "of": (2,)}, "more than 1/2"),
        ("biased_coin", PAIR, {"favour": (3,), "of": (3,)}, "less than 1"),
        ("urn", (("A", 2), ("B", 1)), {"start": (1,), "add": (1,)}, "equal shares"),
        ("urn", PAIR, {"start": (1,), "add": (1,), "sizes": (4,)}, "not sizes"),
        ("none", PAIR, {}, "single arm"),
        ("simple", PAIR, {"sizes": (4,)}, "no options"),
    ],
)
def test_a_design_that_cannot_be_is_refused_with_what_is_wrong(name, ratio, options, said):
    with pytest.raises(ValueError, match=said):
        scheme(name, ratio, options)
