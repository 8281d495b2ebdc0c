"""Returns, replacement, adherence, and the equation that must close to zero."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select

from ecrf.kernel.chance import Seeded
from ecrf.kernel.errors import Conflict, NotAllowed, NotFound, Unacceptable, Unavailable
from randomization import api
from randomization.supply import State
from randomization.supplying import accounts
from randomization.supplying import api as supplies
from randomization.supplying.api import Cause, Counted, Loss, Outcome
from randomization.tables import Kit
from tests.people import NOON, PAUL, PETRA, STUDY
from tests.randomization.conftest import FAR, request_, visit, who
from tests.randomization.test_allocate import opened_kits, rows
from tests.randomization.test_shipments import SUE, acts, states

LATER = NOON + timedelta(days=28)
HALF = Counted(4, 60, LATER.date())


def given(vault, anna, code="PUMCH-001", kits=2):
    """Randomize, hand out at baseline, and return the numbers."""
    receipt = api.randomize(vault, anna, request_(code, kits=kits))
    for number in receipt.kit_numbers:
        api.dispense(vault, who(PAUL), visit(code, "BL"), number)
    return receipt.kit_numbers


def test_a_kit_is_taken_back_once_and_never_handed_out_again(vault, anna):
    first, _ = given(vault, anna)
    paul = who(PAUL, at=LATER)
    supplies.take_back(vault, paul, STUDY, "PUMCH", first.lower(), HALF)
    assert states(vault)["returned"] == 1
    with pytest.raises(Conflict, match="is returned"):
        supplies.take_back(vault, paul, STUDY, "PUMCH", first, HALF)
    with pytest.raises(Conflict, match="cannot be handed out: it is returned"):
        api.dispense(vault, paul, visit("PUMCH-001", "BL"), first)
    shelf = min(
        r.number for r in rows(vault, select(Kit.number).where(Kit.state == "available"))
    )
    with pytest.raises(Conflict, match="is available"):
        supplies.take_back(vault, paul, STUDY, "PUMCH", shelf, HALF)
    assert [a["action"] for a in acts(vault)][-4:].count("supply:refuse") == 2
    with pytest.raises(NotAllowed):
        supplies.take_back(vault, who(PETRA), STUDY, "PUMCH", first, HALF)


@pytest.mark.parametrize("wrong", [
    {"units": 61}, {"units": -1}, {"on": LATER.date() + timedelta(days=1)},
])  # fmt: skip
def test_a_count_that_cannot_be_is_refused(vault, wrong):
    with pytest.raises(Unacceptable):
        supplies.take_back(
            vault, who(PAUL, at=LATER), STUDY, "PUMCH", "K", replace(HALF, **wrong)
        )


@pytest.mark.parametrize("loss, handed_out, ends", [
    (Loss.LOST, True, "lost"), (Loss.DAMAGED, True, "rejected"),
    (Loss.LOST, False, "lost"), (Loss.DAMAGED, False, "rejected"),
])  # fmt: skip
def test_a_kit_is_replaced_by_one_of_the_same_arm_for_the_same_visit(
    vault, anna, loss, handed_out, ends
):
    if handed_out:
        old = given(vault, anna, kits=1)[0]
    else:
        (old,) = api.randomize(vault, anna, request_("PUMCH-001")).kit_numbers
    paul = who(PAUL, at=LATER)
    new = supplies.replace(vault, paul, STUDY, "PUMCH", old, loss, "Fell down", FAR)
    held = opened_kits(vault)
    assert held[new] == held[old]
    assert states(vault)[ends] == 1
    assert supplies.whose(vault, STUDY, "PUMCH", new) == ("PUMCH-001", "BL")
    (line,) = [x for x in supplies.accountability(vault, STUDY, "PUMCH") if x.number == old]
    assert line.replaced_by == new
    api.dispense(vault, paul, visit("PUMCH-001", "BL"), new)
    with pytest.raises(Conflict):
        supplies.replace(vault, paul, STUDY, "PUMCH", old, loss, "Again", FAR)
    assert "CANARY" not in str(acts(vault))


def test_replacing_asks_for_kits_of_every_arm_and_names_none(vault, anna):
    (old,) = given(vault, anna, kits=1)
    with pytest.raises(Unavailable):
        supplies.replace(
            vault, who(PAUL), STUDY, "PUMCH", old, Loss.LOST, "On the bus", date(2040, 1, 1)
        )
    assert states(vault)["dispensed"] == 1
    shelf = min(
        r.number for r in rows(vault, select(Kit.number).where(Kit.state == "available"))
    )
    with pytest.raises(Conflict, match="for nobody"):
        supplies.replace(vault, who(PAUL), STUDY, "PUMCH", shelf, Loss.LOST, "Gone", FAR)


@pytest.mark.parametrize("days, served", [(-1, False), (0, True), (1, True)])
def test_a_kit_is_given_up_to_the_last_day_it_must_be_usable(vault, anna, paul, days, served):
    """The boundary of do-not-dispense: the expiry against the last day and its margin."""
    api.randomize(vault, anna, request_("PUMCH-001"))
    until = date(2028, 6, 30) - timedelta(days=days)
    if served:
        assert api.assign_kits(vault, paul, visit("PUMCH-001"), 1, until)
    else:
        with pytest.raises(Unavailable):
            api.assign_kits(vault, paul, visit("PUMCH-001"), 1, until)


def happen(vault, what, number):
    """Do one of the things that happen to a kit."""
    here, paul = (STUDY, "PUMCH"), who(PAUL, at=LATER)
    if what == 0:
        supplies.take_back(vault, paul, *here, number, HALF)
    elif what == 1:
        supplies.replace(vault, paul, *here, number, Loss.LOST, "Gone", FAR)
    elif what == 2:
        supplies.put(vault, paul, *here, Cause.DAMAGE, "Wet", [number])
    else:
        (first, *_) = supplies.quarantined(vault, STUDY, ["PUMCH"])
        sue = who(SUE, at=LATER)
        supplies.decide(vault, sue, *here, first.number, Outcome.REJECTED, "Wet")


def test_whatever_is_done_the_equation_closes_to_zero(vault, anna):
    """A random walk over what can happen to kits at a site; a refusal changes nothing."""
    draw = Seeded(b"walk")
    numbers = [n for code in range(4) for n in given(vault, anna, f"PUMCH-{code:03d}", 2)]
    numbers += [row.number for row in rows(vault, select(Kit.number).limit(6))]
    before = [line.number for line in supplies.accountability(vault, STUDY, "PUMCH")]
    refused = 0
    for byte in draw(40):
        number = numbers[byte % len(numbers)]
        try:
            happen(vault, byte // 16 % 4, number)
        except (Conflict, ValueError):
            refused += 1
        found = supplies.balance(vault, STUDY, "PUMCH")
        assert (found.received, found.difference) == (120, 0)
    assert 0 < refused < 40
    assert [line.number for line in supplies.accountability(vault, STUDY, "PUMCH")] == before


def test_what_was_taken_is_counted_where_every_kit_came_back():
    out = datetime(2026, 3, 2, 4, tzinfo=NOON.tzinfo)
    base = accounts.Line(
        "K1", "P", FAR, None, None, None, None, "P-1", "BL", out, "Paul", None,
        date(2026, 3, 30), 4, None, None, None, State.RETURNED,
    )  # fmt: skip
    other = base._replace(number="K2", returned_units=60)
    (found,) = supplies.taken([base, other], 60, 2)
    assert (found.dispensed, found.returned, found.days, found.percent) == (120, 64, 28, 100)
    assert supplies.taken([base, other._replace(returned_on=None)], 60, 2) == []
    same_day = base._replace(returned_on=out.date())
    assert supplies.taken([same_day], 60, 2)[0].percent == 0


def test_a_balance_says_what_is_missing():
    states_ = dict.fromkeys(State, 0) | {State.AVAILABLE: 3, State.LOST: 1}
    found = accounts.Balance(6, states_)
    assert (found.difference, found.outstanding) == (2, 3)


def test_a_kit_expires_the_day_after_its_last_day_of_use(vault, anna):
    """The shelf expires on 30 June 2028; what was handed out stays with its participant."""
    given(vault, anna, kits=1)
    paul = who(PAUL)
    for day in (date(2028, 6, 29), date(2028, 6, 30)):
        with pytest.raises(Conflict, match="past its expiry"):
            supplies.expire(vault, paul, STUDY, "PUMCH", day)
    assert len(supplies.expire(vault, paul, STUDY, "PUMCH", date(2028, 7, 1))) == 119
    assert states(vault) == {"expired": 119, "dispensed": 1}
    with pytest.raises(NotAllowed):
        supplies.expire(vault, who(PETRA), STUDY, "PUMCH", date(2028, 7, 1))


def test_days_of_a_hold_do_not_count_as_due(vault, anna):
    """28 days less 8 held, two units a day: 40 due; 120 handed out, 88 brought back: 80 %."""
    kits = given(vault, anna)
    paul = who(PAUL, at=LATER)
    for kit in kits:
        back = replace(HALF, units=44)
        supplies.take_back(vault, paul, STUDY, "PUMCH", kit, back)
    start = NOON.date()
    for first, last in ((2, 6), (5, 9)):
        days = (start + timedelta(days=first), start + timedelta(days=last))
        supplies.hold(vault, paul, STUDY, "PUMCH", "PUMCH-001", days, "Infection")
    lines = supplies.accountability(vault, STUDY, "PUMCH")
    held = supplies.holds(vault, STUDY, ["PUMCH"])
    assert [one.percent for one in supplies.taken(lines, 60, 2)] == [57]
    (one,) = supplies.taken(lines, 60, 2, held)
    assert (one.days, one.percent) == (20, 80)


def test_a_hold_is_of_a_randomized_participant_and_its_days_are_in_order(vault, anna):
    paul, day = who(PAUL), NOON.date()
    with pytest.raises(NotFound):
        supplies.hold(vault, paul, STUDY, "PUMCH", "PUMCH-404", (day, day), "Infection")
    given(vault, anna)
    with pytest.raises(Unacceptable):
        turned = (day, day - timedelta(days=1))
        supplies.hold(vault, paul, STUDY, "PUMCH", "PUMCH-001", turned, "Infection")
    with pytest.raises(Unacceptable):
        supplies.hold(vault, paul, STUDY, "PUMCH", "PUMCH-001", (day, day), " ")
    with pytest.raises(NotAllowed):
        supplies.hold(vault, who(PETRA), STUDY, "PUMCH", "PUMCH-001", (day, day), "Infection")
    assert supplies.holds(vault, STUDY, ["PUMCH"]) == []
