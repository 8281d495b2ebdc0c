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


BALANCE = [
    ("permuted_block", {"sizes": (4,)}, 1.66, 0.698),
    ("permuted_block", {"sizes": (4, 6)}, 1.90, 0.682),
    ("permuted_block", {"sizes": (4, 6, 8)}, 2.14, 0.667),
    ("big_stick", {"bound": (3,)}, 3.45, 0.568),
    ("maximal", {"bound": (3,), "even": (1,)}, 2.80, 0.613),
    ("simple", {}, 8.4, 0.50),
]


@pytest.mark.parametrize(("name", "options", "imbalance", "guessed"), BALANCE)
def test_the_balance_over_six_strata_is_that_of_the_oracle(name, options, imbalance, guessed):
    """Sites 60/20/20 percent, background 60/40 percent, 108 participants, lists of 60 slots.

    The oracle itself is a simulation of 800 trials: its own error is added.
    """
    found = simulate(Trial(name, PAIR, options, 108, SIX, 60), 400, SEED)
    both = math.hypot(1, math.sqrt(400 / 800))
    assert abs(found.imbalance.mean - imbalance) < 4 * found.imbalance.error * both + 0.05
    assert abs(found.guessed.mean - guessed) < 4 * found.guessed.error * both + 0.0005


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
