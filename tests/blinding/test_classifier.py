"""Can a treatment be guessed from what blinded people see? Tried on 2,000 participants."""

from datetime import timedelta

import pytest

from ecrf.kernel.access import Role
from ecrf.kernel.chance import Seeded
from ecrf.kernel.ledger import By, Origin
from randomization import allocate, api, seal
from randomization.allocate import Ask
from randomization.arm import Arm
from randomization.proving import evidence, learning
from randomization.receipts import Receipt
from tests.blinding.test_numbers import ARMS, FAR
from tests.people import ANNA, NOON, STUDY

PARTICIPANTS = 2000
TOGETHER = 20
STRATA = tuple(f"site={site}|bg={bg}" for site in ("PUMCH", "BFH", "TJH") for bg in "YN")


@pytest.fixture(scope="module")
def vault(tmp_path_factory):
    """A vault that put 2,000 participants on their slots and gave each a kit."""
    from ecrf.kernel.db import Database

    folder = tmp_path_factory.mktemp("many")
    database = Database(f"sqlite:///{folder / 'vault.db'}", lasting=False)
    api.create_tables(database)
    made = api.Vault(database, seal.make_keys(folder / "key", Seeded(b"keys")), "test")
    by = By(ANNA, NOON, Origin.PAGE, Seeded(b"many"))
    spec = api.Spec(
        STUDY, 1, "test", "permuted_block", tuple((arm, 1) for arm in ARMS), {"sizes": (4, 6)},
        STRATA, PARTICIPANTS // len(STRATA) + 2,
    )  # fmt: skip
    api.generate(made, by, spec)
    api.publish(made, by, STUDY, 1)
    api.activate(made, by, STUDY, 1)
    contents = dict.fromkeys(ARMS, PARTICIPANTS // 2 + 100)
    api.register_kits(made, by, api.Packing(STUDY, "PUMCH", "P-1", FAR, contents))
    asks = list(_asks(by))
    for n in range(0, PARTICIPANTS, TOGETHER):
        answers = allocate._serve(made, asks[n : n + TOGETHER])
        assert all(isinstance(answer, Receipt) for answer in answers)
    yield made
    database.dispose()


def _asks(by):
    """Yield what 2,000 participants ask, one after the other, some time apart."""
    wait, at = Seeded(b"wait"), NOON
    for n in range(PARTICIPANTS):
        at += timedelta(seconds=int.from_bytes(wait(2), "big"))
        request = api.Request(
            STUDY, "PUMCH", f"PUMCH-{n:05}", STRATA[n % len(STRATA)], "BL", 1, FAR
        )
        yield Ask(By(ANNA, at, Origin.PAGE, by.draw), Role.INVESTIGATOR, request)


@pytest.fixture(scope="module")
def seen(vault):
    """Every participant as a blinded person sees them, with the arm."""
    with vault.database.read() as session:
        kits = evidence._kits(session, vault, STUDY)
        slots = evidence._slots(session, vault, STUDY)
        return list(evidence._seen(session, STUDY, slots, kits))


@pytest.mark.req("L1", "L2", "L3", "L6", "L11", "BL-04")
def test_from_all_that_blinded_people_see_no_arm_can_be_guessed(seen):
    assert len(seen) == PARTICIPANTS
    assert len(seen[0].features) >= 30
    (guess,) = evidence.guesses(seen)
    assert guess.size == PARTICIPANTS
    assert guess.blind, guess
    assert guess.high - guess.low < 0.08


def _planted(seen, plant):
    return [
        evidence.Seen(plant(one.features, one.arm == Arm(ARMS[1]), n), one.arm)
        for n, one in enumerate(seen)
    ]


def _often(n, arm):
    """Say yes in 64 of 100 cases of the one arm, in 36 of 100 of the other."""
    return n * 37 % 100 < (64 if arm else 36)


PLANTS = {
    "the parity of the kit, often": lambda f, arm, n: (*f[:17], float(_often(n, arm)), *f[18:]),
    "the length of the answer, a little": lambda f, arm, n: (*f, 812.0 + 2 * arm + n % 7),
    "the time it takes, a little": lambda f, arm, n: (*f, 0.0031 + 0.0004 * arm + n % 11 / 5e3),
    "the shipment, often": lambda f, arm, n: (*f, float(_often(n, arm))),
}


@pytest.mark.parametrize("plant", PLANTS)
def test_a_planted_leak_is_learned(seen, plant):
    """The classifier can condemn: a trace that is right in 64 of 100 cases is enough."""
    (guess,) = evidence.guesses(_planted(seen[:800], PLANTS[plant]))
    assert not guess.blind, guess
    assert guess.auc > 0.5


def test_with_few_participants_nothing_is_guessed(seen):
    assert list(evidence.guesses(seen[: evidence.LEAST - 1])) == []


def test_the_whole_examination_finds_the_vault_blind_and_whole(vault):
    found = evidence.examine(vault, STUDY)
    assert found.numbers_blind
    assert found.participants == PARTICIPANTS
    assert found.verification.flaws == ()
    assert not any(arm in repr(found) for arm in ARMS)


def test_the_regression_finds_the_weights_it_should():
    draw = Seeded(b"regression")
    rows = [(draw(1)[0] / 128 - 1, draw(1)[0] / 128 - 1) for _ in range(1500)]
    truth = [draw(1)[0] / 256 < 1 / (1 + 2.718 ** -(2 * a - b)) for a, b in rows]
    constant, first, second = learning.fit(rows, truth)
    assert abs(constant) < 0.25
    assert first == pytest.approx(2, abs=0.35)
    assert second == pytest.approx(-1, abs=0.35)


def test_the_area_is_that_of_pairs_put_in_the_right_order():
    truth = [False, False, True, True]
    assert learning.area([1, 2, 3, 4], truth).auc == 1.0
    assert learning.area([1, 3, 2, 4], truth).auc == 0.75
    assert learning.area([0, 0, 0, 0], truth).auc == 0.5
    assert learning.area([1, 2], [True, True]).blind
