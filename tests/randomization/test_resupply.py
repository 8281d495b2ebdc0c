"""Resupply: whole sets, once a day, and the same whoever is on which arm."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from ecrf.kernel.errors import NotAllowed
from randomization import api, supply
from randomization.supplying import api as supplies
from randomization.supplying import demand
from randomization.supplying.api import Mode, Need, Rule
from randomization.supplying.tables import Shipment
from tests.people import ALMA, ANNA, PAUL, STUDY
from tests.randomization.conftest import activate, packing, request_, visit, who
from tests.randomization.test_allocate import rows
from tests.randomization.test_kits import two_worlds
from tests.randomization.test_shipments import SUE, acts

DAY = date(2026, 3, 2)
EVEN, TWO_TO_ONE = {"a": 1, "b": 1}, {"a": 2, "b": 1}


def plan(*needs, mode=Mode.PREDICTIVE, seed=0, low=2, high=4, day=DAY, until=date(2026, 6, 1)):
    return supplies.Resupply(STUDY, Rule(mode, seed, low, high), needs, day, until)


@pytest.mark.parametrize("sets, coming, soon, later, order", [
    (6, 0, 4, 10, 8),    # 6 <= 4 + 2: up to 10 + 4
    (7, 0, 4, 10, 0),    # more than that is there
    (3, 4, 4, 10, 0),    # what is coming counts
    (3, 3, 4, 10, 8),
    (0, 0, 0, 0, 4),     # nothing needed: the buffers alone
    (2, 0, 0, 0, 2),
])  # fmt: skip
def test_prediction_is_the_windows_and_the_buffers(sets, coming, soon, later, order):
    rule = Rule(Mode.PREDICTIVE, 0, 2, 4)
    shelf = demand.Shelf(sets, coming, begun=True)
    assert demand.wanted(rule, shelf, soon, later) == order


@pytest.mark.parametrize("sets, coming, order", [(5, 0, 0), (4, 0, 6), (0, 4, 6), (3, 2, 0)])
def test_levels_fill_up_and_do_not_look_at_visits(sets, coming, order):
    rule = Rule(Mode.LEVELS, 0, 4, 10)
    assert demand.wanted(rule, demand.Shelf(sets, coming, begun=True), 99, 99) == order


def test_a_site_that_never_had_anything_gets_its_first_sets_once():
    rule = Rule(Mode.LEVELS, 12, 2, 4)
    assert demand.wanted(rule, demand.Shelf(0, 0, begun=False), 0, 0) == 12
    assert demand.wanted(rule, demand.Shelf(0, 12, begun=True), 0, 0) == 0
    assert demand.wanted(rule, demand.Shelf(0, 0, begun=True), 0, 0) == 4
    nothing = Rule(Mode.NONE, 12, 2, 4)
    assert demand.wanted(nothing, demand.Shelf(0, 0, begun=False), 50, 90) == 0


@given(
    held=st.dictionaries(st.sampled_from("ab"), st.integers(0, 50)),
    kits=st.integers(0, 200),
    ratio=st.sampled_from([EVEN, TWO_TO_ONE, {"a": 2, "b": 3}]),
)
def test_sets_hold_enough_whichever_kind_is_needed_and_complete_ones_are_there(
    held, kits, ratio
):
    sets = demand.sets_for(kits, ratio)
    assert all(sets * each >= kits for each in ratio.values())
    assert sets == 0 or any((sets - 1) * each < kits for each in ratio.values())
    whole = demand.complete(held, ratio)
    assert all(held.get(kind, 0) >= whole * each for kind, each in ratio.items())
    assert any(held.get(kind, 0) < (whole + 1) * each for kind, each in ratio.items())


def test_an_order_is_made_once_a_day_and_waits_for_approval(vault):
    wanted = plan(Need("PUMCH", 70, 80), Need("BFH", 0, 0), seed=5)
    first = supplies.resupply(vault, who(SUE), wanted)
    assert [(line.site, line.sets, line.order) for line in first] == [
        ("PUMCH", 60, 24), ("BFH", 0, 5),
    ]  # fmt: skip
    again = supplies.resupply(vault, who(SUE), wanted)
    assert [line.order for line in again] == [0, 0]
    assert [line.shipment for line in again] == [line.shipment for line in first] == [1, 2]
    raised = plan(Need("PUMCH", 200, 300), Need("BFH", 0, 0))
    assert [line.order for line in supplies.resupply(vault, who(SUE), raised)] == [0, 0]
    assert supplies.foresee(vault, who(SUE), raised)[0].order == 300 + 4 - 84
    later = supplies.resupply(
        vault, who(SUE), plan(Need("PUMCH", 90, 90), day=date(2026, 3, 3))
    )
    assert [(line.coming, line.order) for line in later] == [(24, 10)]
    found = rows(vault, select(Shipment.cause, Shipment.stage, Shipment.sets))
    assert [tuple(row) for row in found] == [
        ("resupply 2026-03-02", "requested", 24), ("resupply 2026-03-02", "requested", 5),
        ("resupply 2026-03-03", "requested", 10),
    ]  # fmt: skip
    done = [act["refs"] for act in acts(vault) if act["action"] == "supply:resupply"]
    assert done[0]["orders"] == {"PUMCH": 24, "BFH": 5}
    assert done[1]["orders"] == {}


def test_only_kits_that_last_long_enough_are_complete_sets(empty):
    activate(empty)
    for batch, expiry in (("P-1", date(2026, 5, 31)), ("P-2", date(2026, 6, 1))):
        api.register_kits(empty, who(ALMA), packing(7, batch=batch, expiry=expiry))
    (line,) = supplies.foresee(empty, who(SUE), plan(Need("PUMCH", 0, 0)))
    assert line.sets == 7


def test_only_the_supply_manager_orders_for_all_sites(vault):
    for person in (PAUL, ANNA):
        for service in (supplies.foresee, supplies.resupply):
            with pytest.raises(NotAllowed):
                service(vault, who(person), plan(Need("PUMCH", 0, 0)))
    assert rows(vault, select(func.count(Shipment.id)))[0][0] == 0


@pytest.mark.req("L7")
def test_exchanging_the_arms_changes_no_order(vault_database, keys):
    """The same people in two worlds that differ in arms: every day's orders are the same."""
    orders = []
    for vault, _ in two_worlds(vault_database, keys):
        anna, paul, sue, found = who(ANNA), who(PAUL), who(SUE), []
        for n in range(14):
            api.randomize(vault, anna, request_(f"PUMCH-{n:03d}"))
            api.assign_kits(vault, paul, visit(f"PUMCH-{n:03d}"), 2, date(2026, 5, 1))
            needs = Need("PUMCH", 3 * n, 4 * n)
            wanted = plan(needs, low=1, high=3, day=date(2026, 3, n + 1))
            found.append(supplies.resupply(vault, sue, wanted))
        orders.append(found)
    assert orders[0] == orders[1]
    assert any(line.order for lines in orders[0] for line in lines)


@pytest.mark.req("L7")
def test_needs_tell_no_arm_and_neither_does_what_is_written_down(vault):
    supplies.resupply(vault, who(SUE), plan(Need("PUMCH", 100, 120)))
    assert "CANARY" not in str(acts(vault))
    assert set(Need.__dataclass_fields__) == {"site", "soon", "later"}


def test_statements_do_not_grow_with_the_sites(vault, statements):
    counts = []
    for sites in (["PUMCH"], ["PUMCH", "BFH", "TJH"]):
        with statements(vault.database) as sent:
            supplies.foresee(vault, who(SUE), plan(*(Need(site, 0, 0) for site in sites)))
        counts.append(len(sent))
    assert counts[0] == counts[1] <= 5


def test_what_lies_in_the_depot_is_no_stock_of_a_site(empty):
    activate(empty)
    api.register_kits(empty, who(ALMA), packing(9, site=supply.DEPOT))
    (line,) = supplies.foresee(empty, who(SUE), plan(Need("PUMCH", 1, 1)))
    assert (line.sets, line.order) == (0, 5)
