"""Forced allocation: two people set a precondition aside; the slot is the next all the same."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, update

from ecrf.kernel.access import Actor, Grant, Role
from ecrf.kernel.errors import Conflict, NotAllowed, Unavailable
from randomization import api, forcing
from randomization.forcing_tables import Forcing
from randomization.receipts import stated
from randomization.tables import LEDGER, Allocation, Kit
from tests.people import ANNA, PAUL, STAN, STUDY
from tests.randomization.conftest import STRATA, request_, visit, who

SUE = Actor(99, "Sue Ren", frozenset({Grant(STUDY, Role.SUPPLIER)}))
WHY = "The courier is late; the ward has open-label supply"


def empty(vault):
    with vault.database.write() as session:
        session.execute(update(Kit).values(state="quarantined"))


def propose(vault, request, *, supply=True, cap=False, actor=STAN):
    return forcing.propose(vault, who(actor), request, supply=supply, cap=cap, reason=WHY)


def actions(vault):
    with vault.database.read() as session:
        chosen = select(LEDGER.act.c.action, LEDGER.act.c.actor_id).order_by(LEDGER.act.c.seq)
        return [tuple(row) for row in session.execute(chosen)]


def test_with_an_empty_shelf_two_people_put_somebody_on_the_next_slot_without_kits(vault):
    api.randomize(vault, who(ANNA), request_("PUMCH-001"))
    empty(vault)
    with pytest.raises(Unavailable):
        api.randomize(vault, who(ANNA), request_("PUMCH-002"))
    number = propose(vault, request_("PUMCH-002"))
    receipt = forcing.confirm(vault, who(SUE), STUDY, number, "Agreed")
    assert receipt.kit_numbers == ()
    assert stated(receipt.text)["forced"] is True
    with vault.database.read() as session:
        rows = session.execute(select(Allocation.participant, Allocation.position)).all()
    assert [tuple(row) for row in rows] == [("PUMCH-001", 1), ("PUMCH-002", 2)]
    assert actions(vault)[-3:] == [
        ("forcing:propose", STAN.id), ("forcing:confirm", SUE.id),
        ("randomization:allocate", SUE.id),
    ]  # fmt: skip
    assert api.verify(vault, STUDY).flaws == ()
    (shown,) = forcing.proposals(vault, who(STAN), STUDY)
    assert (shown.outcome, shown.settled_by) == ("carried out", "Sue Ren")


def test_kits_come_later_from_the_shelf_like_those_of_any_visit(vault):
    empty(vault)
    forcing.confirm(vault, who(SUE), STUDY, propose(vault, request_("PUMCH-002")), "Agreed")
    with vault.database.write() as session:
        session.execute(update(Kit).values(state="available"))
    given = api.assign_kits(vault, who(PAUL), visit("PUMCH-002", "BL"), 1, _until())
    assert len(given) == 1


def _until():
    return request_("X").usable_until


def test_while_there_are_kits_of_every_arm_a_forced_one_gets_them(vault):
    number = propose(vault, request_("PUMCH-002"))
    assert len(forcing.confirm(vault, who(SUE), STUDY, number, "Agreed").kit_numbers) == 1


@pytest.mark.req("L8")
def test_with_kits_of_one_arm_only_nobody_gets_any_whatever_their_arm(vault):
    """Whether kits come with a forced slot must not depend on the arm of it."""
    from randomization import shelf
    from randomization.tables import Shelf

    place = shelf.Place(STUDY, "PUMCH", "test", _until())
    with vault.database.write() as session:
        wrapped = session.scalars(select(Shelf.key)).one()
        opened = shelf.open_(vault, place, wrapped, shelf.read(session, place))
        first = opened.held[0]
        gone = [k.id for k, a in zip(opened.kits, opened.held, strict=True) if a != first]
        session.execute(update(Kit).where(Kit.id.in_(gone)).values(state="expired"))
    for n in range(8):
        number = propose(vault, request_(f"PUMCH-{n:03d}"))
        assert forcing.confirm(vault, who(SUE), STUDY, number, "Agreed").kit_numbers == ()
    codes = [f"PUMCH-{n:03d}" for n in range(8)]
    told = api.for_preparation(vault, who(PAUL), STUDY, "PUMCH", codes)
    assert len({one.arm for one in told}) == 2


def test_a_cap_is_set_aside_for_one_and_holds_for_the_next(vault):
    api.randomize(vault, who(ANNA), request_("PUMCH-001", most_study=1))
    number = propose(vault, request_("PUMCH-002", most_study=1), supply=False, cap=True)
    forcing.confirm(vault, who(SUE), STUDY, number, "Agreed")
    with pytest.raises(Conflict):
        api.randomize(vault, who(ANNA), request_("PUMCH-003", most_study=1))


def test_setting_aside_the_supply_does_not_set_aside_the_cap(vault):
    api.randomize(vault, who(ANNA), request_("PUMCH-001", most_study=1))
    number = propose(vault, request_("PUMCH-002", most_study=1))
    with pytest.raises(Conflict, match="may be no more"):
        forcing.confirm(vault, who(SUE), STUDY, number, "Agreed")
    assert forcing.proposals(vault, who(SUE), STUDY)[0].outcome == ""


def test_nobody_confirms_what_they_proposed_and_nobody_else_forces(vault):
    number = propose(vault, request_("PUMCH-002"))
    with pytest.raises(Conflict, match="somebody else"):
        forcing.confirm(vault, who(STAN), STUDY, number, "Agreed")
    for actor in (ANNA, PAUL):
        with pytest.raises(NotAllowed):
            forcing.confirm(vault, who(actor), STUDY, number, "Agreed")
        with pytest.raises(NotAllowed):
            propose(vault, request_("PUMCH-003"), actor=actor)
    assert api.verify(vault, STUDY).allocations == 0


def test_a_declined_proposal_stays_on_the_books_and_cannot_be_confirmed(vault):
    number = propose(vault, request_("PUMCH-002"))
    with pytest.raises(Conflict, match="waits for a second person"):
        propose(vault, request_("PUMCH-002"), actor=SUE)
    forcing.decline(vault, who(SUE), STUDY, number, "The courier came")
    with pytest.raises(Conflict, match="carried out or declined"):
        forcing.confirm(vault, who(SUE), STUDY, number, "Agreed")
    assert forcing.proposals(vault, who(STAN), STUDY)[0].outcome == "declined"
    propose(vault, request_("PUMCH-002"))


def test_nobody_is_forced_twice_and_asking_again_gives_the_same(vault):
    number = propose(vault, request_("PUMCH-002"))
    first = forcing.confirm(vault, who(SUE), STUDY, number, "Agreed")
    assert forcing.confirm(vault, who(SUE), STUDY, number, "Agreed") == first
    assert api.randomize(vault, who(ANNA), request_("PUMCH-002")) == first
    with pytest.raises(Conflict, match="randomized already"):
        propose(vault, request_("PUMCH-002"))


@pytest.mark.race
def test_two_who_confirm_at_once_make_one_allocation(vault):
    number = propose(vault, request_("PUMCH-002"))
    third = Actor(98, "Tom Gu", frozenset({Grant(STUDY, Role.STATISTICIAN)}))

    def confirm(n):
        try:
            by = who((SUE, third)[n % 2], seed=bytes([n]))
            return forcing.confirm(vault, by, STUDY, number, "Agreed").random_number
        except Conflict:
            return None

    with ThreadPoolExecutor(8) as pool:
        said = set(pool.map(confirm, range(16)))
    assert len(said - {None}) == 1
    assert api.verify(vault, STUDY).allocations == 1


def test_proposals_cannot_be_changed(vault):
    propose(vault, request_("PUMCH-002", STRATA[1]))
    with pytest.raises(Exception, match="append-only"), vault.database.write() as session:
        session.execute(update(Forcing).values(reason="other"))
