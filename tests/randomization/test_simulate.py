"""What is simulated of a scheme agrees with closed forms and with the oracles of record."""

import math

import pytest

from randomization.simulate import Trial, simulate

PAIR = (("A", 1), ("B", 1))
SEED = b"operating characteristics".ljust(32)
ONE = {"all": 1}
SIX = {"P-Y": 36, "P-N": 24, "B-Y": 12, "B-N": 8, "T-Y": 12, "T-N": 8}


def by_blocks(b):
    return (b + 2 ** (2 * b - 1) / math.comb(2 * b, b) - 1 / 2) / (2 * b)


GUESSED = [
    ("permuted_block", {"sizes": (2,)}, by_blocks(1)),
    ("permuted_block", {"sizes": (4,)}, by_blocks(2)),
    ("permuted_block", {"sizes": (6,)}, by_blocks(3)),
    ("permuted_block", {"sizes": (8,)}, by_blocks(4)),
    ("permuted_block", {"sizes": (4, 6)}, 0.6922),
    ("big_stick", {"bound": (3,)}, 0.5815),
    ("maximal", {"bound": (3,), "even": (1,)}, 0.6277),
    ("biased_coin", {"favour": (2,), "of": (3,)}, 0.6223),
    ("simple", {}, 0.5),
]


@pytest.mark.parametrize(("name", "options", "wanted"), GUESSED)
def test_the_share_of_correct_guesses_is_that_of_the_oracle(name, options, wanted):
    """Closed form of a permuted block, else randomizeR 3.0.2; 108 slots hold whole blocks."""
    size = {(8,): 104}.get(options.get("sizes"), 108)
    found = simulate(Trial(name, PAIR, options, size, ONE), 400, SEED).guessed
    oracle = 0.0005
    assert abs(found.mean - wanted) < 4 * found.error + oracle


TWO = {"Y": 60, "N": 40}
TWELVE = {f"{name}-{level}": share for name, share in SIX.items() for level in "12"}
BLOCKS = {n: ("permuted_block", {"sizes": tuple(range(4, n + 1, 2))}) for n in (4, 6, 8)}
BIG_STICK = ("big_stick", {"bound": (3,)})
MAXIMAL = ("maximal", {"bound": (3,), "even": (1,)})
SIMPLE = ("simple", {})
TABLE = [
    # strata, slots, scheme, imbalance: mean, 95 %; share above 6; correct guesses
    (SIX, 60, BLOCKS[4], 1.66, 4, 0.0, 0.698),
    (SIX, 60, BLOCKS[6], 1.90, 4, 0.005, 0.682),
    (SIX, 60, BLOCKS[8], 2.14, 6, 0.014, 0.667),
    (SIX, 60, BIG_STICK, 3.45, 8, 0.11, 0.568),
    (SIX, 60, MAXIMAL, 2.80, 6, 0.05, 0.613),
    (SIX, 60, SIMPLE, 8.4, 20, 0.5, 0.50),
    (TWO, 120, BLOCKS[4], 0.79, 2, None, None),
    (TWO, 120, BLOCKS[6], 0.95, 2, None, 0.690),
    (TWO, 120, BLOCKS[8], 1.02, 2, None, 0.676),
    (TWO, 120, BIG_STICK, 2.09, 4, None, 0.576),
    (TWO, 120, MAXIMAL, 1.57, 4, None, 0.621),
    (TWO, 120, SIMPLE, 8.4, 20, None, None),
    (TWELVE, 60, BLOCKS[4], 2.40, 6, None, None),
    (TWELVE, 60, BLOCKS[6], 2.74, 6, 0.045, 0.670),
    (TWELVE, 60, BLOCKS[8], 3.06, 8, 0.079, 0.655),
    (TWELVE, 60, BIG_STICK, 4.72, 12, None, None),
    (TWELVE, 60, MAXIMAL, 3.87, 10, None, None),
    (TWELVE, 60, SIMPLE, 8.1, 20, None, None),
]
TRIALS, OF_ORACLE = 200, 800


@pytest.mark.parametrize(
    ("strata", "slots", "scheme", "mean", "most_95", "above", "guessed"), TABLE
)
def test_the_table_of_the_trials_strata_is_met_within_four_errors(
    strata, slots, scheme, mean, most_95, above, guessed
):
    """Sites 60/20/20 percent, background 60/40 percent, a third factor in halves; N = 108.

    The table is a simulation of 800 trials with lists of 60 slots: its own error is added, and
    half of its last digit. Only the maximal procedure depends on how long its lists are.
    """
    length = slots if scheme is MAXIMAL else 0
    found = simulate(Trial(scheme[0], PAIR, scheme[1], 108, strata, length), TRIALS, SEED)
    both = 4 * math.sqrt(1 + TRIALS / OF_ORACLE)
    digit = 0.05 if mean > 8 else 0.005
    assert abs(found.imbalance.mean - mean) < found.imbalance.error * both + digit
    if guessed is not None:
        assert abs(found.guessed.mean - guessed) < found.guessed.error * both + 0.0005

    def share(than):
        return sum(n for size, n in found.imbalances.items() if size > than) / TRIALS

    error = both * math.sqrt(0.05 * 0.95 / TRIALS)
    assert share(most_95) < 0.05 + error
    if above is not None:
        chance = max(above, 1 / OF_ORACLE)
        assert abs(share(6) - above) < both * math.sqrt(chance * (1 - chance) / TRIALS) + 0.005


FACTORS = {
    f"site={site}|bg={level}": share
    for (site, level), share in {
        ("P", "Y"): 36, ("P", "N"): 24, ("B", "Y"): 12, ("B", "N"): 8, ("T", "Y"): 12,
        ("T", "N"): 8,
    }.items()
}  # fmt: skip


@pytest.mark.parametrize(
    ("favour", "mean", "above"), [(75, 1.445, 0.12), (85, 0.916, 0.030), (95, 0.584, 0.0027)]
)
def test_minimisation_is_simulated_as_it_is_run(favour, mean, above):
    """The means are those of 200,000 trials of an independent program (see test_minimise)."""
    options = {"favour": (favour,), "of": (100,), "variance": (1,)}
    found = simulate(Trial("minimise", PAIR, options, 108, FACTORS), TRIALS, SEED)
    assert abs(found.imbalance.mean - mean) < 4 * found.imbalance.error + 0.005
    many = sum(n for size, n in found.imbalances.items() if size > 2) / TRIALS
    assert abs(many - above) < 4 * math.sqrt(above * (1 - above) / TRIALS) + 0.005
    assert 0.5 < found.guessed.mean < favour / 100


def test_without_a_coin_every_preferred_arm_is_guessed():
    """Wrong are only halves of ties, of which the first participant is one."""
    taves = simulate(Trial("taves", PAIR, {}, 108, FACTORS), 40, SEED)
    coin = simulate(
        Trial("minimise", PAIR, {"favour": (4,), "of": (5,)}, 108, FACTORS), 40, SEED
    )
    assert taves.guessed.mean > 0.8 > coin.guessed.mean
    assert taves.imbalance.mean < coin.imbalance.mean
    assert taves.uneven.mean < coin.uneven.mean


def test_imbalance_at_a_level_is_never_less_than_half_of_the_whole_with_two_levels():
    strata = {"sex=F": 1, "sex=M": 1}
    found = simulate(Trial("simple", PAIR, {}, 60, strata), 50, SEED)
    assert found.imbalance.mean / 2 <= found.uneven.mean
    one = simulate(Trial("simple", PAIR, {}, 60, {"all": 1}), 50, SEED)
    assert one.uneven == one.imbalance


def test_the_figures_are_of_the_trials_simulated():
    found = simulate(Trial("permuted_block", PAIR, {"sizes": (2,)}, 108, ONE), 50, SEED)
    assert sum(found.imbalances.values()) == found.trials == 50
    assert found.imbalance_most == found.imbalance_95 == 0
    assert set(found.runs) == {1, 2}


def test_a_ratio_is_taken_into_account():
    ratio = (("A", 2), ("B", 1))
    found = simulate(Trial("permuted_block", ratio, {"sizes": (6,)}, 108, ONE), 50, SEED)
    assert found.imbalance_most == 0


def test_equal_seeds_give_equal_figures():
    trial = Trial("urn", PAIR, {"start": (1,), "add": (1,)}, 40, ONE)
    assert simulate(trial, 20, SEED) == simulate(trial, 20, SEED)
    assert simulate(trial, 20, SEED) != simulate(trial, 20, bytes(32))
