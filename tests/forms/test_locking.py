"""Freeze, lock, unlock: gates that list everything, locks that hold, two people to lift one."""

import json
import threading
from datetime import timedelta

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError

from ecrf.kernel import checkpoints
from ecrf.kernel.access import Right
from ecrf.kernel.checkpoints import Desk as Notary
from ecrf.kernel.errors import Conflict, NotAllowed, NotFound, Unacceptable
from ecrf.kernel.keys import Signer
from ecrf.kernel.ledger import LEDGER
from ecrf.kernel.people import Site
from ecrf.kernel.signatures import Signature
from ecrf.kernel.text import T
from ecrf.kernel.verify import verify
from ecrf.study.tables import StudyRow
from forms import gates, locking, queries, scope, signing
from forms.closing import manifest, waivers
from forms.gates import Gate
from forms.locking import NotReady
from forms.tables import Entry, Lock, Query
from forms.unlocking import turns
from tests import people
from tests.forms.trial import FINGERPRINT, STUDY_ID, TRIAL
from visits import lookup as visit_lookup
from visits import participants, visits
from visits.tables import Participant, Visit

FULL = {"sbp": "120", "dbp": "80", "weight": "60"}
UNTIL = people.NOON + timedelta(days=2)
GRID = {"LUNG.score": "0", "SKIN.score": "0", "CONST.score": "0"}


@pytest.fixture
def notary(tmp_path):
    return Notary(Signer("ecrf", b"7" * 32), tmp_path / "outside")


@pytest.fixture
def clean(desk):
    """PUMCH-001 with everything done, BFH-001 without a visit: nothing is in the way."""
    desk.save({"sex": "F"}, "SCR", "dm", complete=True)
    desk.save(FULL, "SCR", "vs", complete=True)
    desk.save({**FULL, "weight": "61"}, "BL", "vs", complete=True)
    desk.save(GRID, "BL", "gr", complete=True)
    for visit in ("SCR", "BL"):
        _sign(desk, visit)
    with desk.database.write() as session:
        for code in ("PUMCH-001", "BFH-001"):
            who = visit_lookup.participant(
                session, _of(code), STUDY_ID, code, Right.PARTICIPANT_READ
            )
            participants.screen_fail(session, desk.by(_of(code)), who, "not eligible")
        session.execute(
            update(Visit)
            .where(Visit.participant_id == 2)
            .values(status="planned", held_on=None)
        )
    return desk


def _of(code):
    return people.ANNA if code.startswith("PUMCH") else people.BO


def _sign(desk, visit, form="vs"):
    with desk.database.write() as session:
        found = desk.find(session, visit, form, actor=people.ANNA, right=Right.ENTRY_SIGN)
        signing.sign(
            session, desk.by(people.ANNA), found, zone="Asia/Shanghai",
            seen_version=found.version,
        )  # fmt: skip


def _scope(session, actor=people.DORA, right=Right.DATA_LOCK, **named):
    return scope.find(session, actor, right, STUDY_ID, **named)


def _freeze(desk, actor=people.DORA, **named):
    with desk.database.write() as session:
        target = _scope(session, actor, Right.DATA_FREEZE, **named)
        return locking.freeze(session, desk.by(actor), target, "cleaning is done")


def _lock(desk, notary, actor=people.DORA, **named):
    """Lock something; a whole study as the second of two people."""
    if not named:
        _ask(desk, notary, actor)
        actor = people.DIRK if actor is people.DORA else people.DORA
    with desk.database.write() as session:
        target = _scope(session, actor, **named)
        return locking.lock(session, desk.by(actor), notary, target, "final", "Asia/Shanghai")


def _ask(desk, notary, actor=people.DORA):
    with desk.database.write() as session:
        target = _scope(session, actor)
        locking.ask(session, desk.by(actor), notary, target, "final", "Asia/Shanghai")


def _lift(desk, actor=people.DORA, **named):
    with desk.database.write() as session:
        target = _scope(session, actor, Right.DATA_FREEZE, **named)
        return locking.lift(session, desk.by(actor), target, "one value is wrong")


def _unlock(desk, until=UNTIL, items=(), **named):
    """Have Dora ask for an unlock and Dirk approve it; return its id."""
    with desk.database.write() as session:
        target = _scope(session, **named)
        by = desk.by(people.DORA)
        asked = turns.ask(session, by, target, "one value is wrong", until, items)
    with desk.database.write() as session:
        row, target = turns.find(session, people.DIRK, STUDY_ID, asked)
        turns.approve(session, desk.by(people.DIRK), target, row)
    return asked


def _gates(desk, **named):
    with desk.database.read() as session:
        return gates.gates(session, _scope(session, **named), people.NOON)


def _states(database):
    with database.read() as session:
        return {
            "study": session.scalar(select(StudyRow.state)),
            "sites": dict(session.execute(select(Site.code, Site.state)).all()),
            "people": dict(session.execute(select(Participant.code, Participant.state)).all()),
            "visits": set(session.scalars(select(Visit.state))),
            "entries": set(session.scalars(select(Entry.state))),
        }


def test_nothing_is_in_the_way_of_a_clean_study(clean):
    assert _gates(clean) == ()


def test_every_open_end_is_a_blocker_with_its_place(desk):
    desk.save({"sbp": "70", "dbp": "80"}, "SCR", "vs", complete=True)
    desk.save({"sbp": "120"}, "BL", "vs")
    found = {(b.kind, b.participant, b.visit, b.form, b.item) for b in _gates(desk)}
    assert (Gate.FORM, "PUMCH-001", "SCR", "dm", None) in found
    assert (Gate.FORM, "PUMCH-001", "BL", "vs", None) in found
    assert (Gate.FORM, "PUMCH-001", "BL", "gr", None) in found
    assert (Gate.QUERY, "PUMCH-001", "SCR", "vs", "sbp") in found
    assert (Gate.SIGNATURE, "PUMCH-001", "SCR", "vs", None) in found
    assert (Gate.STATUS, "BFH-001", None, None, None) in found
    assert (Gate.FORM, "BFH-001", "SCR", "dm", None) in found


def test_blockers_are_those_of_the_scope_alone(desk):
    desk.save({"sbp": "70", "dbp": "80"}, "SCR", "vs", complete=True)
    at_site = {b.participant for b in _gates(desk, site="BFH")}
    at_visit = {b.visit for b in _gates(desk, participant="PUMCH-001", visit="BL")}
    at_entry = _gates(desk, participant="PUMCH-001", visit="SCR", form="vs")
    assert at_site == {"BFH-001"}
    assert at_visit == {"BL"}
    assert {b.kind for b in at_entry} == {Gate.QUERY, Gate.SIGNATURE}


def test_a_signature_broken_by_a_later_change_is_a_blocker(clean):
    with clean.database.write() as session:
        session.execute(update(Participant).values(status="screening"))
    clean.save({"sbp": "121"}, "BL", "vs", reason="typing error", complete=True)
    broken = [b for b in _gates(clean) if b.kind is Gate.SIGNATURE]
    assert [(b.visit, b.text.in_("en")) for b in broken] == [
        ("BL", "Vital signs was changed after it was signed.")
    ]


def test_an_answered_query_still_waits_to_be_closed(clean):
    with clean.database.write() as session:
        found = clean.find(session, "BL", "vs", actor=people.DORA, right=Right.QUERY_OPEN)
        number = queries.open_(session, clean.by(people.DORA), found, "dbp", "Is this so?")
    assert [b.text.in_("en") for b in _gates(clean)] == [
        "A query on Diastolic waits for an answer."
    ]
    with clean.database.write() as session:
        session.execute(update(Query).where(Query.id == number).values(status="answered"))
    assert [b.kind for b in _gates(clean)] == [Gate.QUERY]


def test_a_visit_that_is_due_or_overdue_is_a_blocker(clean):
    with clean.database.write() as session:
        session.execute(
            update(Visit)
            .where(Visit.key == "W4", Visit.participant_id == 1)
            .values(due=people.NOON.date().replace(day=1))
        )
    (blocker,) = _gates(clean, participant="PUMCH-001")
    assert (blocker.kind, blocker.visit) == (Gate.VISIT, "W4")
    assert "neither held nor missed" in blocker.text.in_("en")


def test_a_randomization_without_receipt_is_a_blocker(clean):
    with clean.database.write() as session:
        session.execute(
            update(Participant).where(Participant.id == 1).values(random_number="R1")
        )
    assert [(b.kind, b.participant) for b in _gates(clean)] == [(Gate.RECEIPT, "PUMCH-001")]


def test_answers_changed_behind_the_ledger_are_a_blocker(clean):
    with clean.database.write() as session:
        entry_id = session.scalars(select(Entry.id).where(Entry.form == "dm")).one()
        session.execute(
            update(Entry)
            .where(Entry.id == entry_id)
            .values(answers={"sex": {"text": "M", "value": "M"}})
        )
    (blocker,) = _gates(clean)
    assert (blocker.kind, blocker.item) == (Gate.LEDGER, f"entry:{entry_id}")


def test_a_tampered_chain_is_a_blocker_that_names_the_act(clean):
    with clean.database.write() as session:
        _without_triggers(session)
        session.execute(
            update(LEDGER.act)
            .where(LEDGER.act.c.chain.like("%PUMCH-001"), LEDGER.act.c.seq == 2)
            .values(changes="[]")
        )
    blockers = [b for b in _gates(clean) if b.kind is Gate.LEDGER]
    assert blockers[0].item == f"participant:{STUDY_ID}/PUMCH-001#2"


def _without_triggers(session):
    if session.get_bind().dialect.name == "sqlite":
        session.execute(text("DROP TRIGGER act_no_update"))
    else:
        session.execute(text("ALTER TABLE act DISABLE TRIGGER USER"))


@pytest.mark.req("LK-02")
def test_a_lock_refuses_while_anything_is_in_the_way_and_lists_all_of_it(desk, notary):
    before = _states(desk.database)
    with pytest.raises(NotReady) as refused:
        _lock(desk, notary)
    assert refused.value.blockers == _gates(desk)
    assert len(refused.value.problems) == len(refused.value.blockers) > 3
    assert _states(desk.database) == before
    assert list(checkpoints.outside(notary.folder)) == []


def test_locking_the_study_locks_everything_in_it(clean, notary):
    done = _lock(clean, notary)
    assert _states(clean.database) == {
        "study": "locked", "sites": {"PUMCH": "locked", "BFH": "locked"},
        "people": {"PUMCH-001": "locked", "BFH-001": "locked"},
        "visits": {"locked"}, "entries": {"locked"},
    }  # fmt: skip
    with clean.database.read() as session:
        row = session.get_one(Lock, done.id)
        note = checkpoints.note(session, done.checkpoint)
        signatures = session.execute(
            select(Signature.printed_name, Signature.zone)
            .where(Signature.target == f"lock:{done.id}")
            .order_by(Signature.id)
        ).all()
        assert (row.kind, row.scope, row.target) == ("lock", "study", STUDY_ID)
        assert verify(session, notary.signer.verifier).flaws == ()
    assert list(checkpoints.outside(notary.folder)) == [(done.checkpoint, note)]
    assert [tuple(one) for one in signatures] == [
        ("Dora Chen", "Asia/Shanghai"), ("Dirk Yang", "Asia/Shanghai"),
    ]  # fmt: skip


def test_a_lock_is_told_on_every_chain_it_touches(clean, notary):
    done = _lock(clean, notary)
    with clean.database.read() as session:
        told = session.execute(
            select(LEDGER.act.c.chain, LEDGER.act.c.action)
            .where(LEDGER.act.c.key == f"lock:{done.id}")
            .order_by(LEDGER.act.c.chain)
        ).all()
    assert [tuple(row) for row in told] == [
        (f"participant:{STUDY_ID}/BFH-001", "data:lock"),
        (f"participant:{STUDY_ID}/PUMCH-001", "data:lock"),
        (f"study:{STUDY_ID}", "data:lock"),
    ]


def test_locking_takes_the_same_statements_however_many_it_covers(clean, notary, statements):
    _ask(clean, notary)

    def count():
        with clean.database.write() as session:
            target = _scope(session)
            with statements(clean.database) as sent:
                locking.lock(session, clean.by(people.DIRK), notary, target, "final", "UTC")
            session.rollback()
        return len(sent)

    with_two = count()
    for _ in range(3):
        with clean.database.write() as session:
            by = clean.by(people.ANNA)
            who = participants.enrol(session, by, TRIAL, FINGERPRINT, "PUMCH")
            participants.screen_fail(session, by, who, "not eligible")
    assert count() == with_two


@pytest.mark.req("L1")
@pytest.mark.req("LK-01")
@pytest.mark.parametrize(
    "named",
    [
        {},
        {"site": "PUMCH"},
        {"participant": "PUMCH-001"},
        {"participant": "PUMCH-001", "visit": "BL"},
        {"participant": "PUMCH-001", "visit": "BL", "form": "vs"},
    ],
)
def test_whatever_is_locked_refuses_saves_signatures_and_queries(clean, notary, named):
    """L1, LK-01: at every level, from the form to the study; each lock is an act of its own."""
    _lock(clean, notary, **named)
    with pytest.raises(Conflict, match="locked"):
        clean.save({"sbp": "125"}, "BL", "vs", reason="late")
    with pytest.raises(Conflict, match="locked"):
        _sign(clean, "BL")
    with pytest.raises(Conflict, match="locked"), clean.database.write() as session:
        found = clean.find(session, "BL", "vs", actor=people.DORA, right=Right.QUERY_OPEN)
        queries.open_(session, clean.by(people.DORA), found, "sbp", "Is this so?")


def test_a_frozen_visit_refuses_the_site_but_queries_still_flow(clean):
    _freeze(clean, participant="PUMCH-001", visit="BL")
    with pytest.raises(Conflict, match="frozen"):
        clean.save({"sbp": "125"}, "BL", "vs", reason="late")
    clean.save({"sbp": "125"}, "SCR", "vs", reason="late")
    with clean.database.write() as session:
        found = clean.find(session, "BL", "vs", actor=people.DORA, right=Right.QUERY_OPEN)
        queries.open_(session, clean.by(people.DORA), found, "sbp", "Is this so?")


@pytest.mark.parametrize("named", [{}, {"site": "PUMCH"}])
def test_nobody_is_enrolled_where_all_is_locked(clean, notary, named):
    _lock(clean, notary, **named)
    with pytest.raises(Conflict, match="locked"), clean.database.write() as session:
        participants.enrol(session, clean.by(people.ANNA), TRIAL, FINGERPRINT, "PUMCH")


def test_a_locked_visit_cannot_be_dated_anew(clean, notary):
    _lock(clean, notary, participant="PUMCH-001")
    with pytest.raises(Conflict, match="locked"), clean.database.write() as session:
        found = visit_lookup.visit(
            session, people.CARL, STUDY_ID, "PUMCH-001", "BL", Right.ENTRY_WRITE
        )
        day = people.NOON.date()
        visits.hold(session, clean.by(people.CARL), found, day, reason="wrong day")


def test_no_visit_slips_in_after_a_lock_it_did_not_see(clean, notary):
    with clean.database.read() as session:
        seen = visit_lookup.participant(
            session, people.CARL, STUDY_ID, "PUMCH-001", Right.ENTRY_WRITE
        )
    _lock(clean, notary, participant="PUMCH-001")
    assert seen.lock == "open"
    with pytest.raises(Conflict, match="locked"), clean.database.write() as session:
        visits.add(session, clean.by(people.CARL), seen, TRIAL, "UNS")


def test_a_freeze_is_lifted_and_gives_back_what_other_freezes_say(clean):
    _freeze(clean, site="BFH")
    _freeze(clean)
    _lift(clean)
    assert _states(clean.database)["people"] == {"PUMCH-001": "open", "BFH-001": "frozen"}
    _lift(clean, site="BFH")
    with pytest.raises(Conflict, match="neither frozen nor locked"):
        _lift(clean, site="BFH")


def test_what_is_locked_is_not_locked_frozen_or_lifted(clean, notary):
    _freeze(clean, participant="PUMCH-001")
    _lock(clean, notary, participant="PUMCH-001")
    with pytest.raises(Conflict, match="locked already"):
        _lock(clean, notary, participant="PUMCH-001")
    with pytest.raises(Conflict, match="locked already"):
        _freeze(clean, participant="PUMCH-001", visit="BL")
    with pytest.raises(Conflict, match="not lifted"):
        _lift(clean, participant="PUMCH-001")


@pytest.mark.req("LK-03")
def test_a_study_is_locked_by_two_people_and_signed_by_both(clean, notary):
    """LK-03: the manifest is signed by two; its digest stands in the act of the lock."""
    with pytest.raises(Conflict, match="two people"), clean.database.write() as session:
        target = _scope(session)
        locking.lock(session, clean.by(people.DORA), notary, target, "final", "UTC")
    _ask(clean, notary)
    with pytest.raises(Conflict, match="already"):
        _ask(clean, notary, people.DIRK)
    with pytest.raises(NotAllowed, match="second person"), clean.database.write() as session:
        target = _scope(session)
        locking.lock(session, clean.by(people.DORA), notary, target, "final", "UTC")
    with clean.database.write() as session:
        target = _scope(session)
        done = locking.lock(session, clean.by(people.DIRK), notary, target, "so", "UTC")
    with clean.database.read() as session:
        kept = session.get_one(Lock, done.id).manifest
        told = session.scalars(
            select(LEDGER.act.c.header).where(
                LEDGER.act.c.key == f"lock:{done.id}", LEDGER.act.c.chain.like("study:%")
            )
        ).one()
        assert manifest.make(session, _scope(session), ()) == kept
    assert json.loads(told)["refs"]["manifest"] == manifest.digest(kept)
    assert kept["entries"] == {"complete": 4}
    assert kept["participants"] == {"screen failed": 2}


@pytest.mark.req("LK-02")
def test_what_is_waived_with_a_reason_lets_the_lock_pass_and_stands_in_it(desk, notary):
    """LK-02: each override is reasoned, one by one; the rest still blocks."""
    desk.save({"sbp": "70", "dbp": "80"}, "SCR", "vs", complete=True)
    named = {"participant": "PUMCH-001", "visit": "SCR", "form": "vs"}

    def waive(*, number):
        with desk.database.write() as session:
            found = gates.gates(session, _scope(session, **named), people.NOON)
            by = desk.by(people.DORA)
            marks = [found[number].mark]
            waivers.waive(session, by, _scope(session, **named), found, marks, "site closed")

    waive(number=0)
    with pytest.raises(NotReady) as refused:
        _lock(desk, notary, **named)
    assert [b.kind for b in refused.value.blockers] == [Gate.QUERY, Gate.SIGNATURE]
    with pytest.raises(Conflict, match="Choose"):
        waive(number=0)
    waive(number=1)
    waive(number=2)
    done = _lock(desk, notary, **named)
    with desk.database.read() as session:
        passed = session.get_one(Lock, done.id).manifest["waivers"]
    assert [(w["gate"], w["reason"], w["by"]) for w in passed] == [
        ("query", "site closed", "Dora Chen"), ("query", "site closed", "Dora Chen"),
        ("signature", "site closed", "Dora Chen"),
    ]  # fmt: skip
    firm = gates.Blocker(Gate.LEDGER, text_of("broken"))
    with pytest.raises(NotAllowed, match="cannot be waived"), desk.database.write() as session:
        by, target = desk.by(people.DORA), _scope(session)
        waivers.waive(session, by, target, [firm], [firm.mark], "never mind")


def text_of(words):
    return T("{words}", words=words)


@pytest.mark.req("LK-01")
@pytest.mark.parametrize("above", [StudyRow, Site, Participant, Visit, Entry])
def test_the_database_itself_refuses_to_change_what_is_locked(desk, above):
    """LK-01: raw SQL as the application's own role is refused."""
    desk.save({"sbp": "120"}, "BL", "vs")
    with desk.database.write() as session:
        session.connection().execute(update(above).values(state="locked"))
    wanted = [
        "UPDATE entry SET answers = '{}'", "UPDATE entry SET status = 'complete'",
        "DELETE FROM entry",
        ("INSERT INTO entry (participant_id, visit_id, form, number, protocol, status, state,"
        " answers, version, saved_at, saved_by) SELECT participant_id, visit_id, 'dm', 1,"
        " protocol, status, 'open', answers, version, saved_at, saved_by FROM entry"),
    ]  # fmt: skip
    for statement in wanted[: 3 if above is Entry else 4]:
        with (
            pytest.raises(DBAPIError, match="entry is locked"),
            desk.database.write() as session,
        ):
            session.execute(text(statement))
    assert _raw(desk.database) == 1


def _raw(database):
    with database.read() as session:
        return session.scalar(text("SELECT count(*) FROM entry"))


def test_a_lock_needs_the_right_a_reason_and_a_thing_that_exists(clean, notary):
    with pytest.raises(NotFound), clean.database.read() as session:
        _scope(session, people.MONA)
    with pytest.raises(NotFound), clean.database.read() as session:
        _scope(session, participant="PUMCH-999")
    with pytest.raises(NotFound), clean.database.read() as session:
        _scope(session, participant="PUMCH-001", visit="W4", form="vs")
    with clean.database.write() as session, pytest.raises(Unacceptable, match="reason"):
        target = _scope(session)
        locking.lock(session, clean.by(people.DORA), notary, target, "  ", "UTC")
    with clean.database.write() as session, pytest.raises(NotAllowed):
        locking.freeze(session, clean.by(people.MONA), target, "why not")


def test_the_ladder_counts_participants_by_site_and_state(clean, notary):
    _lock(clean, notary, participant="PUMCH-001")
    with clean.database.read() as session:
        assert locking.ladder(session, STUDY_ID) == {
            "BFH": {"open": 1, "frozen": 0, "locked": 0},
            "PUMCH": {"open": 0, "frozen": 0, "locked": 1},
        }


@pytest.mark.req("LK-04")
@pytest.mark.race
def test_every_save_in_flight_is_wholly_before_a_lock_or_refused(clean, notary):
    with clean.database.write() as session:
        session.execute(update(Participant).values(status="screening"))
    outcomes, start = [], threading.Barrier(7)

    def save(number):
        start.wait()
        for turn in range(6):
            try:
                given = {"remark": f"{number} {turn}"}
                saved = clean.save(given, "SCR", "vs", reason="more", complete=True)
                outcomes.append(saved.version)
            except Conflict:
                outcomes.append(None)

    def set_lock():
        start.wait()
        _freeze(clean, participant="PUMCH-001")

    workers = [threading.Thread(target=save, args=(n,)) for n in range(6)]
    workers.append(threading.Thread(target=set_lock))
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    with clean.database.read() as session:
        actions = session.scalars(
            select(LEDGER.act.c.action)
            .where(LEDGER.act.c.chain.like("%PUMCH-001"))
            .order_by(LEDGER.act.c.seq)
        ).all()
        assert verify(session).flaws == ()
        scope_ = _scope(session, participant="PUMCH-001")
        assert gates.ledger_flaws(session, scope_) == ()
    assert actions[-1] == "data:freeze"
    assert len(outcomes) == 36
    assert actions.count("entry:save") == 4 + sum(done is not None for done in outcomes)
