"""Lists as a statistician looks at them: uniform, without memory, one stratum by itself.

Seeds are fixed, so nothing here fails by chance; the limits are those a fair list passes all
but once in a thousand times or less.
"""

import json
import math
from collections import Counter
from itertools import pairwise, permutations

import pytest

from randomization import commit, design
from randomization.schemes import scheme
from randomization.schemes.blocks import PermutedBlocks
from tests.randomization.conftest import spec
from tests.randomization.test_schemes import PAIR, chi_square_p, generator, ids

SEEDS = 20


def distance(chances):
    """Return Kolmogorov and Smirnov's distance of p-values from a uniform distribution."""
    ordered, count = sorted(chances), len(chances)
    return max(
        max((place + 1) / count - p, p - place / count) for place, p in enumerate(ordered)
    )


def ks_p(far, count):
    """Return the chance of a distance as large (Stephens' correction of the limit law)."""
    root = math.sqrt(count)
    scaled = (root + 0.12 + 0.11 / root) * far
    terms = ((-1) ** (n - 1) * math.exp(-2 * n * n * scaled * scaled) for n in range(1, 101))
    return min(1.0, max(0.0, 2 * math.fsum(terms)))


def fair(chances):
    """Both rules of the house on p-values of fixed seeds: Fisher's, and Kolmogorov's."""
    combined = -2 * math.fsum(math.log(chance) for chance in chances)
    return (
        chi_square_p(combined, 2 * len(chances)) > 0.001
        and ks_p(distance(chances), len(chances)) > 0.001
    )


def normal_p(z):
    return math.erfc(abs(z) / math.sqrt(2))


def test_the_rules_themselves_refuse_what_is_not_uniform():
    even = [(n + 0.5) / SEEDS for n in range(SEEDS)]
    assert fair(even)
    assert not fair([p**6 for p in even])
    assert not fair([p / 20 for p in even])
    assert ks_p(0.294, 20) == pytest.approx(0.05, abs=0.005)


@pytest.mark.parametrize(("ratio", "size"), [(PAIR, 4), ((("A", 2), ("B", 1)), 3)])
def test_the_p_values_of_block_orders_are_uniform_themselves(ratio, size):
    """More expected of each order than the other test, which looks at larger blocks too."""
    total = sum(weight for _, weight in ratio)
    letters = [arm for arm, weight in ratio for _ in range(weight * size // total)]
    orders = sorted({"".join(order) for order in permutations(letters)})
    made, each, chances = PermutedBlocks(ratio, (size,), (1,)), 100, []
    for seed in range(SEEDS):
        text = ids(made.draw(generator(7000 + seed), size * each * len(orders)))
        counts = Counter(text[i : i + size] for i in range(0, len(text), size))
        statistic = sum((counts[order] - each) ** 2 / each for order in orders)
        chances.append(chi_square_p(statistic, len(orders) - 1))
    assert fair(chances)


def test_block_sizes_are_mixed_as_their_weights_say_in_every_list():
    """300 blocks one after the other from each seed: sizes 4, 6 and 8 weighted 3, 2 and 1."""
    made, chances = PermutedBlocks(PAIR, (4, 6, 8), (3, 2, 1)), []
    for seed in range(SEEDS):
        stream = generator(8000 + seed)
        counts = Counter(len(made.draw(stream, 1)) for _ in range(300))
        wanted = {4: 150, 6: 100, 8: 50}
        statistic = sum((counts[size] - n) ** 2 / n for size, n in wanted.items())
        chances.append(chi_square_p(statistic, 2))
    assert fair(chances)


def simple(seed, slots=400):
    arms = scheme("simple", PAIR, {}).draw(generator(9000 + seed), slots)
    return [1 if arm == "A" else -1 for arm in ids(arms)]


def test_simple_draws_have_as_many_runs_as_a_coin():
    """Wald and Wolfowitz: the number of runs, given how many there are of each arm."""
    chances = []
    for seed in range(SEEDS):
        drawn = simple(seed)
        first, second = drawn.count(1), drawn.count(-1)
        runs, both = 1 + sum(a != b for a, b in pairwise(drawn)), 2 * first * second
        mean = 1 + both / 400
        spread = both * (both - 400) / (400**2 * 399)
        chances.append(normal_p((runs - mean) / math.sqrt(spread)))
    assert fair(chances)


@pytest.mark.parametrize("lag", range(1, 6))
def test_simple_draws_do_not_remember(lag):
    """Serial correlation: the mean product of draws so far apart is 0 within its error."""
    chances = []
    for seed in range(SEEDS):
        drawn = simple(100 * lag + seed)
        products = [a * b for a, b in zip(drawn, drawn[lag:], strict=False)]
        chances.append(normal_p(sum(products) / math.sqrt(len(products))))
    assert fair(chances)


def test_neighbours_in_blocks_agree_as_often_as_blocks_say_not_as_a_coin_does():
    """Blocks of 4: 1/3 within a block, 1/2 across its end; blocks of 6: 2/5 within."""
    for size, within in ((4, 1 / 3), (6, 2 / 5)):
        text = ids(PermutedBlocks(PAIR, (size,), (1,)).draw(generator(size), 6000))
        inside = [a == b for n, (a, b) in enumerate(pairwise(text), 1) if n % size]
        across = [a == b for n, (a, b) in enumerate(pairwise(text), 1) if not n % size]
        for found, wanted in ((inside, within), (across, 1 / 2)):
            error = math.sqrt(wanted * (1 - wanted) / len(found))
            assert abs(sum(found) / len(found) - wanted) < 4 * error


def test_no_stratum_tells_of_another():
    """1,000 seeds: aligned positions of two strata agree in half of them, at every position."""
    made = spec(slots=4, options={"sizes": (4,)}, strata=("site=A", "site=B"))
    agree = Counter()
    for seed in range(1000):
        leaves = design.leaves(made, seed.to_bytes(32, "big"))
        for one, other in zip(leaves[:4], leaves[4:], strict=True):
            agree[one.position] += one.arm == other.arm
        agree["crossed"] += leaves[0].arm == leaves[7].arm
    for count in agree.values():
        assert abs(count - 500) / math.sqrt(250) < 4


KNOWN_SEED = bytes(range(32))
KNOWN_ROOTS = {
    "permuted_block": "43091b0b92ea3e60e04aa3b6827f87e1efe25701b30ca1ebd76d707e21910c44",
    "minimise": "1152adbb0989d73e7febbeb1d4db8f608fe7435d6b2d34f5d22436ffbb8ccd77",
}


@pytest.mark.parametrize("name", KNOWN_ROOTS)
def test_the_known_root_is_found_again_on_every_machine(name):
    options = {"permuted_block": {"sizes": (4, 6)}, "minimise": {"favour": (4,), "of": (5,)}}
    made = spec(scheme=name, options=options[name], slots=24)
    leaves = design.leaves(made, KNOWN_SEED)
    assert commit.root(leaves) == KNOWN_ROOTS[name]
    arms = {json.loads(leaf.content())["arm"] for leaf in leaves}
    assert arms == ({""} if name == "minimise" else {"ZZCANARY1", "ZZCANARY2"})
