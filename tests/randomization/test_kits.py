"""Kits: numbers that tell nothing, later visits, handing out by number, no forbidden move."""

import json
import math
from collections import Counter
from datetime import date
from itertools import pairwise

import pytest
from sqlalchemy import select

from ecrf.kernel.access import Actor, Grant, Role
from ecrf.kernel.chance import Seeded
from ecrf.kernel.errors import Conflict, NotAllowed, NotFound, Unacceptable, Unavailable
from randomization import api, shelf, supply
from randomization.supply import MOVES, Move, State
from randomization.supplying import api as supplies
from randomization.supplying.api import Word
from randomization.supplying.tables import Component, DispensationCheck
from randomization.tables import Dispensation, Kit
from tests.people import ALMA, ANNA, PAUL, PETRA, STUDY
from tests.randomization.conftest import ARMS, activate, packing, request_, spec, visit, who
from tests.randomization.test_allocate import opened_kits, rows

FAR = date(2026, 12, 31)


def test_kit_numbers_tell_nothing_of_the_arm(empty):
    """2,000 kits: parity, each digit, order of registration and of numbers against the arm."""
    activate(empty)
    api.register_kits(empty, who(ALMA), packing(1000))
    contents = opened_kits(empty)
    kits = rows(empty, select(Kit.id, Kit.number, Kit.sequence).order_by(Kit.id))
    arms = [contents[kit.number].opened() == ARMS[0] for kit in kits]
    for place in range(1, 8):
        for digit in "0123456789":
            assert_independent([kit.number[place] == digit for kit in kits], arms)
    assert_independent([int(kit.number[-1]) % 2 == 0 for kit in kits], arms)
    for key in ("id", "number", "sequence"):
        ordered = [
            contents[kit.number].opened() == ARMS[0]
            for kit in sorted(kits, key=lambda kit: getattr(kit, key))
        ]
        assert abs(runs_z(ordered)) < 4
        assert_independent([n < 1000 for n in range(2000)], ordered)


def assert_independent(one, other):
    """The 2 x 2 table's phi is within four standard errors of nothing."""
    both = sum(a and b for a, b in zip(one, other, strict=True))
    n, p, q = len(one), sum(one) / len(one), sum(other) / len(other)
    if p in (0, 1):
        return
    assert abs(both - n * p * q) < 4 * math.sqrt(n * p * (1 - p) * q * (1 - q))


def runs_z(ordered):
    n, ones = len(ordered), sum(ordered)
    runs = 1 + sum(a != b for a, b in pairwise(ordered))
    expected = 1 + 2 * ones * (n - ones) / n
    return (runs - expected) / math.sqrt((expected - 1) * (expected - 2) / (n - 1))


@pytest.mark.parametrize("kind", ["sqlite"])
def test_where_no_kit_is_to_be_given_none_is_opened(vault, monkeypatch):
    opened = []
    monkeypatch.setattr(shelf, "held", lambda *_: opened.append(1))
    assert api.randomize(vault, who(ANNA), request_("PUMCH-001", kits=0)).kit_numbers == ()
    assert api.assign_kits(vault, who(PAUL), visit("PUMCH-001"), 0, FAR) == ()
    assert opened == []


def test_kits_of_a_later_visit_take_six_statements(vault, statements):
    api.randomize(vault, who(ANNA), request_("PUMCH-001"))
    with statements(vault.database) as sent:
        api.assign_kits(vault, who(PAUL), visit("PUMCH-001"), 1, FAR)
    assert len(sent) == 6


def test_swapping_the_arms_changes_no_number_no_order_and_no_choice(vault_database, keys):
    """Two vaults that differ only in which arm is which give the same numbers to everyone."""
    worlds = []
    for vault, names in two_worlds(vault_database, keys):
        anna = who(ANNA)
        receipts = [api.randomize(vault, anna, request_(f"PUMCH-{n:03d}")) for n in range(12)]
        worlds.append((names, receipts))
    assert worlds[0][1] == worlds[1][1]


def two_worlds(database, keys):
    """Yield the same vault twice, emptied in between by making it under another study's key."""
    from randomization.tables import VaultBase

    for names in (ARMS, ARMS[::-1]):
        VaultBase.metadata.drop_all(database.engine)
        api.create_tables(database)
        vault = api.Vault(database, keys, "test")
        activate(vault, ratio=tuple((arm, 1) for arm in names))
        api.register_kits(vault, who(ALMA), packing(contents=dict.fromkeys(names, 60)))
        yield vault, names


def test_every_ciphertext_of_kits_is_equally_long_and_no_two_are_equal(vault):
    found = rows(vault, select(Kit.ciphertext))
    assert len({len(row.ciphertext) for row in found}) == 1
    assert len({row.ciphertext for row in found}) == len(found)


def test_kits_are_refused_before_there_is_a_list_and_for_other_arms(empty):
    with pytest.raises(Conflict, match="Make the randomization list"):
        api.register_kits(empty, who(ALMA), packing())
    api.generate(empty, who(ALMA), spec())
    for contents in ({ARMS[0]: 10}, {**dict.fromkeys(ARMS, 10), "ZZCANARY3": 1},
                     {ARMS[0]: 10, ARMS[1]: 0}):  # fmt: skip
        with pytest.raises(Unacceptable) as no:
            api.register_kits(empty, who(ALMA), packing(contents=contents))
        assert "CANARY" not in str(no.value)


def test_no_kit_number_is_given_twice(vault):
    first = {row.number for row in rows(vault, select(Kit.number))}
    again = api.register_kits(vault, who(ALMA), packing())
    assert not first & set(again)
    assert list(again) == sorted(again)


def test_a_later_visit_gets_kits_of_the_participants_arm_once(vault, anna, paul):
    codes = [f"PUMCH-{n:03d}" for n in range(6)]
    for code in codes:
        api.randomize(vault, anna, request_(code))
        given = api.assign_kits(vault, paul, visit(code), 3, FAR)
        assert len(given) == 3
        assert api.assign_kits(vault, paul, visit(code), 3, FAR) == given
    contents = opened_kits(vault)
    for one in api.for_preparation(vault, paul, STUDY, "PUMCH", codes):
        assert Counter(kit.visit for kit in one.kits) == {"BL": 1, "W4": 3}
        assert {contents[kit.number] for kit in one.kits} == {one.arm}


def test_later_kits_are_not_given_to_anyone_when_one_arm_is_short(empty, anna, paul):
    activate(empty)
    api.register_kits(empty, who(ALMA), packing(3))
    for n in range(2):
        api.randomize(empty, anna, request_(f"PUMCH-{n:03d}"))
    said = []
    for n in range(2):
        with pytest.raises(Unavailable) as no:
            api.assign_kits(empty, paul, visit(f"PUMCH-{n:03d}"), 3, FAR)
        said.append(no.value.message.wording)
    assert len(set(said)) == 1


def test_kits_that_expire_too_early_are_left_on_the_shelf(vault, anna, paul):
    api.randomize(vault, anna, request_("PUMCH-001"))
    with pytest.raises(Unavailable):
        api.assign_kits(vault, paul, visit("PUMCH-001"), 1, date(2028, 7, 1))
    assert api.assign_kits(vault, paul, visit("PUMCH-001"), 1, date(2028, 6, 30))


def test_kits_for_somebody_not_randomized_or_elsewhere_are_refused(vault, anna, paul):
    with pytest.raises(NotFound, match="PUMCH-404"):
        api.assign_kits(vault, paul, visit("PUMCH-404"), 1, FAR)
    api.randomize(vault, anna, request_("PUMCH-001"))
    with pytest.raises(NotFound):
        api.assign_kits(vault, who(PETRA), visit("PUMCH-001", site="BFH"), 1, FAR)
    with pytest.raises(NotAllowed):
        api.assign_kits(vault, anna, visit("PUMCH-001"), 1, FAR)


def test_the_assigned_kit_is_handed_out_once(vault, anna, paul):
    (number,) = api.randomize(vault, anna, request_("PUMCH-001")).kit_numbers
    typed = f" {number[0].lower()}{number[1:4]} {number[4:]}"
    assert api.dispense(vault, paul, visit("PUMCH-001", "BL"), typed) == number
    (row,) = rows(vault, select(Dispensation.participant, Dispensation.by_name))
    assert tuple(row) == ("PUMCH-001", "Paul Sun")
    with pytest.raises(Conflict, match="cannot be handed out: it is dispensed"):
        api.dispense(vault, paul, visit("PUMCH-001", "BL"), number)
    assert len(rows(vault, select(Dispensation.id))) == 1


def test_a_wrong_kit_is_refused_and_the_attempt_is_an_act(vault, anna, paul):
    (mine,) = api.randomize(vault, anna, request_("PUMCH-001")).kit_numbers
    (other,) = api.randomize(vault, anna, request_("PUMCH-002")).kit_numbers
    shelf = rows(vault, select(Kit.number).where(Kit.state == "available"))[0].number
    slip = mine[:-1] + str((int(mine[-1]) + 1) % 10)
    attempts = [
        (visit("PUMCH-001", "BL"), other, "is not for PUMCH-001 at visit BL"),
        (visit("PUMCH-001", "W4"), mine, "is not for PUMCH-001 at visit W4"),
        (visit("PUMCH-001", "BL"), shelf, "is not for PUMCH-001"),
        (visit("PUMCH-001", "BL"), slip, "one of its digits is wrong"),
        (visit("PUMCH-001", "BL"), "", "is not a kit number"),
        (visit("PUMCH-001", "BL"), "K0000000", "There is no kit"),
    ]
    for place, number, says in attempts:
        with pytest.raises(Conflict, match=says) as no:
            api.dispense(vault, paul, place, number)
        assert "CANARY" not in str(no.value)
        explain_everything(vault, paul)
    with vault.database.read() as session:
        actions = [json.loads(act[3])["action"] for act in api.LEDGER.acts(session)]
    assert actions.count("kit:refuse") == len(attempts)
    assert rows(vault, select(Dispensation.id)) == []


def explain_everything(vault, by):
    for line in supplies.incidents(vault, STUDY, ["PUMCH"]):
        if not line.status:
            supplies.say_of_incident(
                vault, by, STUDY, "PUMCH", line.number, Word.ACKNOWLEDGED, "Slip of the hand"
            )


def test_a_pharmacist_of_another_site_hands_nothing_out(vault, anna):
    (number,) = api.randomize(vault, anna, request_("PUMCH-001")).kit_numbers
    with pytest.raises(NotAllowed):
        api.dispense(vault, who(PETRA), visit("PUMCH-001", "BL"), number)
    with pytest.raises(Conflict, match="There is no kit"):
        api.dispense(vault, who(PETRA), visit("PUMCH-001", "BL", site="BFH"), number)


def test_a_walk_over_the_kit_states_never_brings_a_dispensed_kit_back():
    draw = Seeded(b"walks")
    moves = list(Move)
    for _ in range(2000):
        state, dispensed = State.AVAILABLE, False
        for byte in draw(12):
            state = supply.after(state, moves[byte % len(moves)]) or state
            dispensed = dispensed or state is State.DISPENSED
            assert not (dispensed and state in (State.AVAILABLE, State.ASSIGNED))


def test_the_end_states_have_no_move_and_every_state_is_reached():
    assert {state for state, _ in MOVES} == set(State) - {State.LOST, State.DESTROYED}
    assert set(MOVES.values()) == set(State)


def test_the_second_person_is_another_one_who_may_hand_out_here(vault, anna, paul):
    (number,) = api.randomize(vault, anna, request_("PUMCH-001")).kit_numbers
    here = visit("PUMCH-001", "BL")
    pat = Actor(41, "Pat Hu", PAUL.grants)
    with pytest.raises(Conflict, match="Somebody else must check"):
        api.dispense(vault, paul, here, number, PAUL)
    for stranger in (PETRA, ANNA):
        with pytest.raises(NotAllowed, match="second person"):
            api.dispense(vault, paul, here, number, stranger)
    assert rows(vault, select(Dispensation.id)) == []
    api.dispense(vault, paul, here, number, pat)
    (row,) = rows(vault, select(DispensationCheck.by_id, DispensationCheck.by_name))
    assert tuple(row) == (41, "Pat Hu")
    (line,) = [x for x in supplies.accountability(vault, STUDY, "PUMCH") if x.number == number]
    assert (line.dispensed_by, line.checked_by) == ("Paul Sun", "Pat Hu")


def test_a_batch_has_one_expiry_for_all_arms(vault):
    with pytest.raises(Conflict, match="a batch has one expiry"):
        api.register_kits(vault, who(ALMA), packing(expiry=date(2027, 1, 1)))
    assert len(api.register_kits(vault, who(ALMA), packing(2))) == 4


def test_what_a_batch_is_made_of_is_sealed_equally_long_for_every_arm(vault):
    sue = who(Actor(40, "Sue Ren", frozenset({Grant(STUDY, Role.SUPPLIER)})))
    parts = [supplies.Part(ARMS[0], "A very long name of a product", "LOT-ZZ-1"),
             supplies.Part(ARMS[1], "短", "2")]  # fmt: skip
    with pytest.raises(Unacceptable):
        supplies.describe(vault, sue, STUDY, "P-7", date(2028, 1, 1), parts[:1])
    supplies.describe(vault, sue, STUDY, "P-7", date(2028, 1, 1), parts)
    found = rows(vault, select(Component.ciphertext, Component.nonce))
    assert len({len(row.ciphertext) for row in found}) == 1
    assert not any(b"LOT-ZZ" in row.ciphertext for row in found)
    assert supplies.parts_of(vault, sue, STUDY, "P-7") == tuple(parts)
    with pytest.raises(NotAllowed):
        supplies.parts_of(vault, who(PAUL), STUDY, "P-7")
    with vault.database.read() as session:
        acts = list(api.LEDGER.acts(session))
    assert not any("LOT-ZZ" in str(act) or "CANARY" in str(act) for act in acts)
