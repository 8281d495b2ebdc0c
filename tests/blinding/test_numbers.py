"""Numbers against arms: under fixed seeds all p-values are such as chance gives."""

from datetime import date

import pytest

from ecrf.kernel.access import Actor, Grant, Role
from ecrf.kernel.chance import Seeded
from ecrf.kernel.db import Database
from ecrf.kernel.ledger import By, Origin
from ecrf.kernel.text import T
from randomization import api, numbers, seal
from randomization.proving import evidence, figures, numbering
from randomization.proving.numbering import Numbers
from randomization.supplying import api as supplies
from tests.people import NOON, STUDY

SEEDS = 8
KITS = 160
ARMS = ("ZZCANARY1", "ZZCANARY2")
FAR = date(2030, 6, 30)


def _by(seed, *roles):
    held = frozenset(Grant(STUDY, role) for role in roles)
    number = 1 + len(seed)
    return By(Actor(number, "Somebody", held), NOON, Origin.COMMAND, Seeded(seed))


def made(folder, seed):
    """Return a vault with a list, kits at a site, kits in the depot and two shipments."""
    database = Database(f"sqlite:///{folder / f'{seed}.db'}")
    api.create_tables(database)
    keys = seal.make_keys(folder / f"{seed}.key", Seeded(b"keys"))
    vault = api.Vault(database, keys, "test")
    by = _by(f"numbers {seed}".encode())
    spec = api.Spec(
        STUDY, 1, "test", "permuted_block", tuple((arm, 1) for arm in ARMS), {"sizes": (4, 6)},
        ("a", "b"), KITS // 2,
    )  # fmt: skip
    api.generate(vault, by, spec)
    api.publish(vault, by, STUDY, 1)
    api.activate(vault, by, STUDY, 1)
    for site in ("PUMCH", supplies.DEPOT):
        contents = dict.fromkeys(ARMS, KITS // 2)
        api.register_kits(vault, by, api.Packing(STUDY, site, "P-1", FAR, contents))
    pharmacist = _by(b"order", Role.PHARMACIST)
    supplier = _by(b"supply", Role.SUPPLIER)
    for _ in range(2):
        goods = supplies.order(vault, pharmacist, STUDY, "PUMCH", 30)
        for step in (supplies.approve, supplies.pick, supplies.dispatch):
            step(vault, supplier, goods)
    return vault


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """The tests of every seed's vault, as the proof runs them."""
    folder = tmp_path_factory.mktemp("numbers")
    results = []
    for seed in range(SEEDS):
        vault = made(folder, seed)
        results.append(evidence.examine(vault, STUDY).tests)
        vault.database.dispose()
    return results


@pytest.mark.req("L1", "L6", "L7", "BL-04")
def test_kit_numbers_random_numbers_slot_ids_and_shipments_do_not_follow_the_arms(found):
    assert all(numbering.accepted(tests) for tests in found)
    whats = {str(test.what) for test in found[0]}
    assert whats == {
        "kit numbers", "rows of the kits", "order in which kits are taken", "slot ids",
        "randomization numbers", "kits in shipments", "kit numbers in shipments",
    }  # fmt: skip
    for what in sorted(whats):
        kinds = {str(test.how) for test in found[0] if str(test.what) == what}
        for how in sorted(kinds):
            p = [
                test.p for tests in found for test in tests
                if (str(test.what), str(test.how)) == (what, how)
            ]  # fmt: skip
            assert figures.combined(p) > 0.0001, (what, how)


@pytest.mark.req("L1")
def test_the_p_values_are_uniform_where_the_test_is_continuous(found):
    p = [t.p for tests in found for t in tests if "rank sum" in str(t.how)]
    assert len(p) >= 5 * SEEDS
    assert figures.uniform(p) > 0.001


def _numbers(arms, number):
    return Numbers(T("kit numbers"), [number(n, arm) for n, arm in enumerate(arms)], arms)


def _free(n):
    draw = Seeded(f"free {n}".encode())
    return f"{numbers.below(draw, 10**6):06d}"


def _coin(count=300):
    draw = Seeded(b"coin")
    return [draw(1)[0] % 2 for _ in range(count)]


LEAKS = {
    "nothing": lambda n, arm: f"K{_free(n)}",
    "parity": lambda n, arm: f"K{int(_free(n)) // 2 * 2 + arm:06d}",
    "prefix": lambda n, arm: f"K{arm}{_free(n)[1:]}",
    "range": lambda n, arm: f"K{int(_free(n)) // 2 + 500_000 * arm:06d}",
    "a digit now and then": lambda n, arm: (
        f"K{_free(n)[:3]}{7 if arm and n % 3 else 1}{n % 97:02}"
    ),
    "sequence": lambda n, arm: f"K{2 * n + arm:06d}",
}


@pytest.mark.req("L1")
@pytest.mark.parametrize("leak", LEAKS)
def test_a_number_that_follows_the_arm_is_found(leak):
    tests = list(numbering.tests(_numbers(_coin(), LEAKS[leak])))
    assert len(tests) >= 7
    assert numbering.accepted(tests) is (leak == "nothing")


@pytest.mark.req("L1", "L6")
@pytest.mark.parametrize("arms", [[0] * 50 + [1] * 50, [0, 1] * 50])
def test_arms_that_follow_one_another_in_a_way_of_their_own_are_found(arms):
    assert not numbering.accepted(list(numbering.in_order(T("rows of the kits"), arms)))
    assert numbering.accepted(list(numbering.in_order(T("rows of the kits"), _coin())))


def test_too_few_numbers_are_not_tested_for_their_p_value_could_tell():
    few = numbering.FEWEST - 1
    assert list(numbering.tests(_numbers(_coin(few), LEAKS["parity"]))) == []
    assert list(numbering.in_order(T("rows of the kits"), [0] * few)) == []


def test_the_distributions_are_those_of_the_tables():
    near = pytest.approx
    assert figures.normal_tail(1.959964) == near(0.05, abs=1e-6)
    assert figures.chi2_tail(3.841459, 1) == near(0.05, abs=1e-6)
    assert figures.chi2_tail(16.918978, 9) == near(0.05, abs=1e-6)
    assert figures.chi2_tail(124.342113, 100) == near(0.05, abs=1e-6)
    assert figures.chi2_tail(0.0, 5) == 1.0
    assert figures.independence([[10, 20], [20, 10]]) == near(0.0098234, abs=1e-6)
    assert figures.combined([0.05, 0.05]) == near(0.0174787, abs=1e-6)
    assert figures.ranked([5, 1, 5])[0] == [2.5, 1.0, 2.5]
    assert figures.rank_sum([1, 2, 3], [1, 2, 3]) == near(1.0)
    assert figures.runs([True, False] * 20) < 1e-8
    assert figures.runs([True] * 20 + [False] * 20) < 1e-8
    assert figures.kolmogorov(range(50), range(50)) == near(1.0)
    assert figures.kolmogorov(range(50), range(40, 90)) < 1e-6
    assert figures.uniform([n / 100 + 0.005 for n in range(100)]) > 0.99
    assert figures.uniform([n / 1000 for n in range(100)]) < 1e-6
