"""Shipments, receipt and quarantine: by the book, symmetric, and every refusal an act."""

import json
from collections import Counter
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select

from ecrf.kernel.access import Actor, Grant, Role
from ecrf.kernel.chance import Seeded
from ecrf.kernel.errors import Conflict, NotAllowed, NotFound, Unacceptable, Unavailable
from randomization import api, supply
from randomization.supply import State
from randomization.supplying import api as supplies
from randomization.supplying.api import Cause, Condition, Outcome
from randomization.supplying.shipping import STEPS, Stage, Step, after
from randomization.tables import Kit
from tests.people import ALMA, PAUL, PETRA, STUDY
from tests.randomization.conftest import ARMS, activate, packing, who
from tests.randomization.test_allocate import opened_kits, rows

SUE = Actor(40, "Sue Ren", frozenset({Grant(STUDY, Role.SUPPLIER)}))
COLD = (Decimal(2), Decimal(8))


def reading(low="3.1", high="7.9"):
    return supplies.Reading("LOG-7", low, high, COLD)


@pytest.fixture
def depot(empty):
    """A vault with 20 kits of each arm in the depot, in two batches."""
    activate(empty)
    for batch, expiry in (("P-001", date(2027, 1, 31)), ("P-002", date(2028, 1, 31))):
        contents = dict.fromkeys(ARMS, 10)
        given = packing(site=supply.DEPOT, batch=batch, expiry=expiry, contents=contents)
        api.register_kits(empty, who(ALMA), given)
    return empty


def sent(vault, sets=6, site="PUMCH"):
    pharmacist = PAUL if site == "PUMCH" else PETRA
    goods = supplies.order(vault, who(pharmacist), STUDY, site, sets)
    for step in (supplies.approve, supplies.pick, supplies.dispatch):
        step(vault, who(SUE), goods)
    return goods


def kits_of(vault, goods):
    line, kits = supplies.shipment(vault, STUDY, [goods.site], goods.number)
    return line, kits


def acts(vault):
    with vault.database.read() as session:
        return [json.loads(act[3]) for act in api.LEDGER.acts(session)]


def states(vault):
    return Counter(row.state for row in rows(vault, select(Kit.state)))


def test_a_shipment_holds_whole_sets_of_all_arms_within_each_batch(depot):
    goods = sent(depot, 13)
    _, kits = kits_of(depot, goods)
    held = opened_kits(depot)
    batches = {row.number: row.batch for row in rows(depot, select(Kit.number, Kit.batch))}
    counted = Counter((batches[kit.number], held[kit.number].opened()) for kit in kits)
    assert counted == {("P-001", arm): 10 for arm in ARMS} | {("P-002", arm): 3 for arm in ARMS}
    assert [kit.number for kit in kits] == sorted(kit.number for kit in kits)
    assert "CANARY" not in json.dumps(acts(depot))


def test_kits_come_on_the_shelf_into_quarantine_or_are_lost_as_scanned(depot):
    goods = sent(depot, 3)
    paul = who(PAUL)
    numbers = [kit.number for kit in kits_of(depot, goods)[1]]
    assert states(depot) == {"in depot": 34, "in transit": 6}
    for number in numbers[:4]:
        supplies.scan(depot, paul, goods, f" {number.lower()}", Condition.INTACT)
    supplies.scan(depot, paul, goods, numbers[4], Condition.DAMAGED)
    assert states(depot)["available"] == 0, "nothing is taken before the receipt is settled"
    supplies.receive(depot, paul, goods, reading())
    assert states(depot) == {"in depot": 34, "available": 4, "quarantined": 1, "lost": 1}
    line, kits = kits_of(depot, goods)
    assert (line.stage, line.logger, line.low) == ("received", "LOG-7", "3.1")
    assert [kit.condition for kit in kits] == ["intact"] * 4 + ["damaged", "missing"]
    supplies.close(depot, who(SUE), goods)
    with pytest.raises(Conflict, match="is closed"):
        supplies.receive(depot, paul, goods, reading())


def test_a_kit_of_another_shipment_is_refused_and_the_attempt_is_an_act(depot):
    goods, other = sent(depot, 2), sent(depot, 2, site="BFH")
    stranger = kits_of(depot, other)[1][0].number
    for number, says in ((stranger, "not in this shipment"), ("K0000001", "digits is wrong")):
        with pytest.raises(Conflict, match=says):
            supplies.scan(depot, who(PAUL), goods, number, Condition.INTACT)
    refused = [act for act in acts(depot) if act["action"] == "supply:refuse"]
    assert [act["refs"]["tried"] for act in refused] == ["shipment:scan"] * 2
    with pytest.raises(NotAllowed):
        supplies.scan(depot, who(PETRA), goods, stranger, Condition.INTACT)
    with pytest.raises(NotFound):
        supplies.shipment(depot, STUDY, ["BFH"], goods.number)


@pytest.mark.parametrize("low, high, holds", [
    ("2", "8", False), ("1.9", "8", True), ("2", "8.1", True), ("2,0", "8,0", False),
])  # fmt: skip
def test_a_temperature_outside_the_range_holds_everything_that_arrived(depot, low, high, holds):
    goods = sent(depot, 2)
    for kit in kits_of(depot, goods)[1]:
        supplies.scan(depot, who(PAUL), goods, kit.number, Condition.INTACT)
    supplies.receive(depot, who(PAUL), goods, reading(low, high))
    assert states(depot)["quarantined" if holds else "available"] == 4
    if not holds:
        return
    (found,) = supplies.quarantined(depot, STUDY, ["PUMCH"])
    assert (found.cause, len(found.kits), found.outcome) == ("excursion", 4, "")
    with pytest.raises(NotAllowed):
        supplies.decide(depot, who(PAUL), STUDY, "PUMCH", found.number, Outcome.RELEASED, "ok")
    outcome = Outcome.RELEASED if low == "1.9" else Outcome.REJECTED
    supplies.decide(depot, who(SUE), STUDY, "PUMCH", found.number, outcome, "Stability data")
    assert states(depot)["available" if outcome == "released" else "rejected"] == 4
    with pytest.raises(Conflict, match="has been decided"):
        supplies.decide(depot, who(SUE), STUDY, "PUMCH", found.number, outcome, "Again")


def test_readings_that_are_no_temperatures_are_refused(depot):
    goods = sent(depot, 1)
    for low, high in (("", "8"), ("cold", "8"), ("8", "2"), ("NaN", "8"), ("-999", "8")):
        with pytest.raises(Unacceptable):
            supplies.receive(depot, who(PAUL), goods, reading(low, high))
    assert kits_of(depot, goods)[0].stage == "dispatched"


def test_an_order_is_approved_by_another_person_and_made_once_for_a_cause(depot):
    goods = supplies.order(depot, who(SUE), STUDY, "PUMCH", 2, "resupply 2026-03-02")
    assert supplies.order(depot, who(SUE), STUDY, "PUMCH", 2, "resupply 2026-03-02") == goods
    with pytest.raises(Conflict, match="Somebody other than who ordered it"):
        supplies.approve(depot, who(SUE), goods)
    with pytest.raises(NotAllowed):
        supplies.approve(depot, who(PAUL), goods)
    with pytest.raises(Conflict, match="is requested"):
        supplies.pick(depot, who(SUE), goods)
    supplies.approve(depot, who(replace(SUE, id=41)), goods)
    with pytest.raises(Unacceptable):
        supplies.order(depot, who(PAUL), STUDY, "PUMCH", 0)
    assert len(supplies.all_shipments(depot, STUDY, ["PUMCH"])) == 1


def test_a_depot_short_of_one_arm_gives_the_one_message_and_changes_nothing(depot):
    goods = supplies.order(depot, who(PAUL), STUDY, "PUMCH", 21)
    supplies.approve(depot, who(SUE), goods)
    with pytest.raises(Unavailable):
        supplies.pick(depot, who(SUE), goods)
    assert states(depot) == {"in depot": 40}
    supplies.cancel(depot, who(SUE), goods)
    picked = supplies.order(depot, who(PAUL), STUDY, "PUMCH", 5)
    supplies.approve(depot, who(SUE), picked)
    supplies.pick(depot, who(SUE), picked)
    assert states(depot) == {"in depot": 30, "packed": 10}
    supplies.cancel(depot, who(SUE), picked)
    assert states(depot) == {"in depot": 40}


def test_a_recall_holds_a_batch_wherever_it_is(depot):
    arrived, on_the_way = sent(depot, 2), sent(depot, 3)
    for kit in kits_of(depot, arrived)[1]:
        supplies.scan(depot, who(PAUL), arrived, kit.number, Condition.INTACT)
    supplies.receive(depot, who(PAUL), arrived, reading())
    assert supplies.recall(depot, who(SUE), STUDY, "P-001", "Leaking bottles") == ()
    assert states(depot) == {"in depot": 20, "quarantined": 20}
    there = supplies.quarantined(depot, STUDY, ["PUMCH"])
    with pytest.raises(Conflict, match="still on their way"):
        supplies.decide(depot, who(SUE), STUDY, "PUMCH", there[0].number, Outcome.RELEASED, "-")
    supplies.receive(depot, who(PAUL), on_the_way, reading())
    supplies.decide(depot, who(SUE), STUDY, "PUMCH", there[0].number, Outcome.RELEASED, "False")
    for found in supplies.quarantined(depot, STUDY, [supply.DEPOT]):
        supplies.decide(
            depot, who(SUE), STUDY, supply.DEPOT, found.number, Outcome.RELEASED, "x"
        )
    assert states(depot) == {"in depot": 30, "available": 10}
    assert opened_kits(depot), "what kits hold is still to be opened after all the moving"


def test_a_pharmacist_holds_back_some_kits_or_the_whole_shelf(vault):
    first = min(row.number for row in rows(vault, select(Kit.number)))
    paul = who(PAUL)
    supplies.put(vault, paul, STUDY, "PUMCH", Cause.DAMAGE, "Torn box", [first])
    with pytest.raises(Conflict, match="is quarantined"):
        supplies.put(vault, paul, STUDY, "PUMCH", Cause.DAMAGE, "Torn box", [first])
    supplies.put(vault, paul, STUDY, "PUMCH", Cause.EXCURSION, "Fridge off", [""])
    assert states(vault) == {"quarantined": 120}
    assert [len(q.kits) for q in supplies.quarantined(vault, STUDY, ["PUMCH"])] == [119, 1]


def test_the_statements_of_a_receipt_do_not_grow_with_the_shipment(depot, statements):
    counts = []
    for sets in (1, 6):
        goods = sent(depot, sets)
        for kit in kits_of(depot, goods)[1]:
            supplies.scan(depot, who(PAUL), goods, kit.number, Condition.INTACT)
        with statements(depot.database) as sent_there:
            supplies.receive(depot, who(PAUL), goods, reading())
        counts.append(len(sent_there))
    assert counts[0] == counts[1] <= 6


def test_a_random_walk_over_shipments_follows_the_table():
    draw, steps = Seeded(b"ways"), list(Step)
    for _ in range(500):
        stage = Stage.REQUESTED
        for byte in draw(20):
            step = steps[byte % len(steps)]
            then = after(stage, step)
            assert (then is None) == ((stage, step) not in STEPS)
            stage = then or stage
    ends = set(Stage) - {stage for stage, _ in STEPS}
    assert ends == {Stage.CLOSED, Stage.CANCELLED}


def test_a_random_walk_over_kits_loses_none_and_never_brings_one_back():
    draw, moves = Seeded(b"kits"), list(supply.Move)
    for _ in range(2000):
        state, out = State.IN_DEPOT, False
        for byte in draw(16):
            state = supply.after(state, moves[byte % len(moves)]) or state
            out = out or state is State.DISPENSED
            assert state in State
            assert not (out and state in (State.IN_DEPOT, State.AVAILABLE, State.ASSIGNED))
