"""Unlocking for a while: two people, a scope, an end; the re-lock tells what changed."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text

from ecrf.kernel.access import Right
from ecrf.kernel.errors import Conflict, NotAllowed, Unacceptable
from ecrf.kernel.signatures import Signature
from ecrf.kernel.verify import verify
from forms import gates, queries
from forms.closing import manifest
from forms.locking import NotReady
from forms.review import verifying
from forms.tables import Entry, Lock
from forms.unlocking import changes, turns
from forms.unlocking.tables import Unlock
from tests import people
from tests.forms.test_locking import (
    UNTIL,
    _lock,
    _scope,
    _sign,
    _unlock,
    clean,  # noqa: F401 (a fixture)
    notary,  # noqa: F401 (a fixture)
)
from tests.forms.trial import SCREENED, STUDY_ID
from visits import lookup as visit_lookup
from visits import visits

VS = {"participant": "PUMCH-001", "visit": "BL", "form": "vs"}
LATER = UNTIL + timedelta(minutes=1)


def _close(desk, notary, number, at=people.NOON):  # noqa: F811
    with desk.database.write() as session:
        row, target = turns.find(session, people.DORA, STUDY_ID, number)
        by = desk.by(people.DORA, at=at)
        return turns.close(session, by, notary, target, row, "corrected", "UTC")


def _done(desk, number):
    with desk.database.read() as session:
        row, target = turns.find(session, people.DORA, STUDY_ID, number)
        return changes.of(session, row, target)


@pytest.mark.req("LK-05")
def test_an_unlock_takes_two_people_a_reason_and_an_end(clean, notary):  # noqa: F811
    """LK-05: two named approvers, reason, scope and expiry."""
    with pytest.raises(Conflict, match="is not locked"):
        _unlock(clean, **VS)
    _lock(clean, notary)
    with clean.database.write() as session:
        by, target = clean.by(people.DORA), _scope(session, **VS)
        with pytest.raises(Unacceptable, match="reason"):
            turns.ask(session, by, target, " ", UNTIL, ())
        with pytest.raises(Unacceptable, match="future"):
            turns.ask(session, by, target, "wrong", people.NOON, ())
        with pytest.raises(Unacceptable, match="31 days"):
            turns.ask(session, by, target, "wrong", people.NOON + timedelta(days=32), ())
        with pytest.raises(Unacceptable, match="no item pulse"):
            turns.ask(session, by, target, "wrong", UNTIL, ["pulse"])
        number = turns.ask(session, by, target, "wrong", UNTIL, ())
    with pytest.raises(Conflict, match="locked"):
        clean.save({"sbp": "125"}, "BL", "vs", reason="late")
    with clean.database.write() as session, pytest.raises(NotAllowed, match="second person"):
        row, target = turns.find(session, people.DORA, STUDY_ID, number)
        turns.approve(session, clean.by(people.DORA), target, row)
    with clean.database.write() as session, pytest.raises(Unacceptable, match="future"):
        row, target = turns.find(session, people.DIRK, STUDY_ID, number)
        turns.approve(session, clean.by(people.DIRK, at=LATER), target, row)


@pytest.mark.req("LK-05")
def test_only_what_was_unlocked_moves_and_only_until_its_end(clean, notary):  # noqa: F811
    """LK-05: the end counts by itself; no job and no page has to run for it."""
    _lock(clean, notary)
    _unlock(clean, **VS)
    clean.save({"sbp": "125"}, "BL", "vs", reason="typing error")
    _sign(clean, "BL")
    _verify_and_ask(clean)
    for visit, form, given in (("SCR", "vs", {"sbp": "121"}), ("BL", "gr", {})):
        with pytest.raises(Conflict, match="locked"):
            clean.save(given, visit, form, reason="late", complete=True)
    with pytest.raises(Conflict, match="locked"), clean.database.write() as session:
        _date(session, clean, people.NOON)
    with pytest.raises(Conflict, match="It was unlocked until 2026-03-04 04:00 UTC"):
        clean.save({"sbp": "126"}, "BL", "vs", reason="too late", at=UNTIL)
    with pytest.raises(Exception, match="entry is locked"), clean.database.write() as session:
        session.execute(
            text("UPDATE entry SET answers = '{}', saved_at = '2027-01-01 00:00:00'")
        )


def _verify_and_ask(desk):
    with desk.database.write() as session:
        found = desk.find(session, "BL", "vs", actor=people.MONA, right=Right.DATA_VERIFY)
        verifying.verify(
            session, desk.by(people.MONA), found, ["sbp"], seen_version=found.version
        )
    with desk.database.write() as session:
        found = desk.find(session, "BL", "vs", actor=people.DORA, right=Right.QUERY_OPEN)
        queries.open_(session, desk.by(people.DORA), found, "sbp", "Is this so?")


def _date(session, desk, at):
    found = visit_lookup.visit(
        session, people.CARL, STUDY_ID, "PUMCH-001", "SCR", Right.ENTRY_WRITE
    )
    day = SCREENED - timedelta(days=1)
    visits.hold(session, desk.by(people.CARL, at=at), found, day, reason="wrong day")


def test_of_an_unlocked_visit_the_date_moves_and_forms_may_be_begun(clean, notary):  # noqa: F811
    _lock(clean, notary)
    _unlock(clean, participant="PUMCH-001", visit="SCR")
    with clean.database.write() as session:
        _date(session, clean, people.NOON)
    _unlock(clean, participant="PUMCH-001", visit="LOG")
    clean.save({"term": "cough"}, "LOG", "ae", complete=True)
    clean.save({"term": "rash"}, "LOG", "ae", reason="typing error")
    with pytest.raises(Conflict, match="locked"):
        clean.save({"term": "fever"}, "LOG", "ae", 2, at=LATER)
    with pytest.raises(Conflict, match="locked"):
        clean.save({"term": "fever"}, "LOG", "ae", reason="late", at=LATER)
    with pytest.raises(Conflict, match="locked"), clean.database.write() as session:
        _date(session, clean, LATER)


def test_only_the_items_named_may_change(clean, notary):  # noqa: F811
    _lock(clean, notary, **VS)
    _unlock(clean, items=["weight"], **VS)
    with pytest.raises(Unacceptable, match="Only the items") as refused:
        clean.save({"sbp": "125", "weight": "62"}, "BL", "vs", reason="scale was wrong")
    assert [p.item for p in refused.value.problems] == ["sbp"]
    clean.save({"weight": "62"}, "BL", "vs", reason="scale was wrong")


def test_what_has_a_lock_of_its_own_stays_locked(clean, notary):  # noqa: F811
    _lock(clean, notary, **VS)
    _lock(clean, notary)
    _unlock(clean, site="PUMCH")
    clean.save({"sbp": "121"}, "SCR", "vs", reason="typing error")
    with pytest.raises(Conflict, match="locked"):
        clean.save({"sbp": "121"}, "BL", "vs", reason="typing error")
    with pytest.raises(Conflict, match="unlocked already"):
        _unlock(clean, participant="PUMCH-001", visit="SCR", form="vs")


@pytest.mark.req("LK-05")
def test_a_relock_lists_what_was_changed_and_takes_the_place_of_the_lock(clean, notary):  # noqa: F811
    """LK-05: all changes of the window are listed, and the manifest is taken anew."""
    before = _lock(clean, notary)
    number = _unlock(clean, **VS)
    clean.save({"sbp": "125"}, "BL", "vs", reason="typing error")
    (deed,) = _done(clean, number)
    assert (deed.name, deed.place, deed.reason) == (
        "Carl Wu", "PUMCH-001/BL/vs/1", "typing error",
    )  # fmt: skip
    assert [(e.item, e.old["value"], e.new["value"]) for e in deed.edits] == [
        ("sbp", "120", "125")
    ]
    with pytest.raises(NotReady) as refused:
        _close(clean, notary, number)
    assert [b.kind for b in refused.value.blockers] == [gates.Gate.SIGNATURE]
    _sign(clean, "BL")
    done = _close(clean, notary, number)
    with clean.database.read() as session:
        row, target = turns.find(session, people.DORA, STUDY_ID, number)
        old, new = session.get_one(Lock, before.id), session.get_one(Lock, done.locks[0])
        assert (row.status, row.changed, row.summary) == ("closed", 2, done.summary)
        assert changes.digest(changes.of(session, row, target)) == done.summary
        assert old.lifted_at is not None
        assert new.lifted_at is None
        assert old.manifest["answers"] != new.manifest["answers"]
        assert manifest.make(session, _scope(session), ()) == new.manifest
        assert verify(session, notary.signer.verifier).flaws == ()
        signed = select(Signature.printed_name).where(Signature.target == f"lock:{new.id}")
        assert session.scalars(signed).all() == ["Dora Chen"]
        entry = select(Entry.state).where(Entry.open_until.is_not(None))
        assert session.scalars(entry).all() == []
    with pytest.raises(Conflict, match="locked"):
        clean.save({"sbp": "126"}, "BL", "vs", reason="late")


def test_an_ended_unlock_can_be_followed_by_another_and_each_is_closed(clean, notary):  # noqa: F811
    _lock(clean, notary)
    first = _unlock(clean, **VS)
    with clean.database.write() as session:
        by, target = clean.by(people.DORA, at=LATER), _scope(session, **VS)
        second = turns.ask(session, by, target, "again", LATER + timedelta(days=1), ())
    with clean.database.write() as session:
        row, target = turns.find(session, people.DIRK, STUDY_ID, second)
        turns.approve(session, clean.by(people.DIRK, at=LATER), target, row)
    clean.save({"remark": "more"}, "BL", "vs", reason="late", at=LATER)
    with clean.database.write() as session:
        found = clean.find(session, "BL", "vs", actor=people.ANNA, right=Right.ENTRY_SIGN)
        from forms import signing

        by = clean.by(people.ANNA, at=LATER)
        signing.sign(session, by, found, zone="UTC", seen_version=found.version)
    assert _close(clean, notary, second, at=LATER).locks == ()
    assert len(_close(clean, notary, first, at=LATER).locks) == 1
    with clean.database.read() as session:
        assert set(session.scalars(select(Unlock.status))) == {"closed"}


def test_a_request_is_refused_with_a_reason(clean, notary):  # noqa: F811
    _lock(clean, notary, **VS)
    with clean.database.write() as session:
        by, target = clean.by(people.DORA), _scope(session, **VS)
        number = turns.ask(session, by, target, "wrong", UNTIL, ())
    with clean.database.write() as session:
        row, target = turns.find(session, people.DIRK, STUDY_ID, number)
        turns.refuse(session, clean.by(people.DIRK), target, row, "not needed")
    with pytest.raises(Conflict, match="a moment ago"), clean.database.write() as session:
        row, target = turns.find(session, people.DIRK, STUDY_ID, number)
        turns.approve(session, clean.by(people.DIRK), target, row)
