"""A later version: what it reaches, tried dry, in force at one site, applied there."""

from datetime import date, timedelta

import pytest
from sqlalchemy import func, select, update

from ecrf.kernel import jobs
from ecrf.kernel.access import Right
from ecrf.kernel.chance import Seeded
from ecrf.kernel.errors import Conflict, NotAllowed, Unacceptable
from ecrf.kernel.jobs import Job
from ecrf.kernel.ledger import LEDGER
from ecrf.kernel.signatures import Signature
from ecrf.study import at_sites
from ecrf.study.diff import diff
from forms import entries, fold, lookup, signing
from forms.amending import applying, reach, trying
from forms.answers import Given
from forms.tables import Entry, Query
from tests import people
from tests.forms.amending.amended import AMENDED, AMENDED_PRINT, approve
from tests.forms.trial import BASELINE, FINGERPRINT, STUDY_ID, TRIAL
from visits.tables import Participant, Visit

WORKS = {applying.KIND: applying.work(Seeded(b"job"))}
FULL = {"sbp": "150", "dbp": "80", "position": "LYING", "remark": "Tired"}


def adopt(desk, site="PUMCH", effective_on=BASELINE, **more):
    given = {"ethics_on": date(2026, 2, 10), "reference": "EC 12", **more}
    with desk.database.write() as session:
        at_sites.adopt(
            session, desk.by(people.DORA), STUDY_ID, site, AMENDED_PRINT,
            effective_on=effective_on, **given,
        )  # fmt: skip


@pytest.fixture
def amended(desk):
    """Entries of PUMCH-001, two of them signed, and version 2 approved."""
    desk.save({"sex": "F"}, visit="SCR", form="dm", complete=True)
    desk.save(FULL, visit="SCR", complete=True)
    desk.save({"sbp": "120", "dbp": "70"}, visit="BL", complete=True)
    desk.save({"LUNG.score": "0"}, visit="BL", form="gr")
    with desk.database.write() as session:
        for visit in ("SCR", "BL"):
            found = desk.find(session, visit, actor=people.ANNA, right=Right.ENTRY_READ)
            signing.sign(session, desk.by(people.ANNA), found, zone="Asia/Shanghai",
                         seen_version=found.version)  # fmt: skip
        session.execute(update(Visit).where(Visit.key == "W4").values(
            first=date(2026, 3, 22), target=date(2026, 3, 29), last=date(2026, 4, 5),
            due=date(2026, 4, 5)))  # fmt: skip
        session.execute(update(Participant).where(Participant.site == "PUMCH").values(
            randomized_on=BASELINE, status="randomized"))  # fmt: skip
        approve(session, desk.by(people.DORA))
    return desk


@pytest.mark.req("F7")
def test_the_differences_say_what_they_touch_and_which_forms_they_reach():
    """F7: the impact list."""
    said = {str(d.message): d.impact for d in diff(TRIAL, AMENDED)}
    assert said["item sbp of form vs: soft upper limit 180 -> 140"] == "answers"
    assert said["item pulse of form vs: added"] == "answers"
    assert said["code F of list sex: label in English Female -> Woman"] == "wording"
    assert said["visit W4: days after the target 7 -> 10"] == "plan"
    assert reach.changed(TRIAL, AMENDED) == {"dm": "wording", "vs": "answers"}


@pytest.mark.req("F7")
def test_a_version_comes_into_force_at_one_site_from_its_day_and_nowhere_else(amended):
    """F7: dated, with who put it in force; a visit before the day stays under the old one."""
    with pytest.raises(Unacceptable) as refusal:
        adopt(amended, ethics_on=people.NOON.date() + timedelta(days=9), reference=" ")
    assert [p.item for p in refusal.value.problems] == [
        "ethics_on",
        "effective_on",
        "reference",
    ]
    with pytest.raises(NotAllowed), amended.database.write() as session:
        at_sites.adopt(session, amended.by(people.CARL), STUDY_ID, "PUMCH", AMENDED_PRINT,
                       ethics_on=BASELINE, effective_on=BASELINE, reference="x")  # fmt: skip
    adopt(amended)
    with pytest.raises(Conflict, match="already"):
        adopt(amended)
    with amended.database.write() as session:
        session.execute(update(Visit).where(Visit.key == "W4").values(
            held_on=date(2026, 3, 2), status="held"))  # fmt: skip
        session.execute(Query.__table__.delete())
        session.execute(Entry.__table__.delete())
    with amended.database.read() as session:
        found = {
            (code, visit): lookup.entry(
                session, actor, STUDY_ID, code, visit, "vs", 1, Right.ENTRY_READ
            ).fingerprint
            for actor, code in ((people.CARL, "PUMCH-001"), (people.BO, "BFH-001"))
            for visit in ("SCR", "W4")
        }
        day = at_sites.at(session, STUDY_ID, "PUMCH", BASELINE - timedelta(days=1))
    assert [key for key, value in found.items() if value == AMENDED_PRINT] == [
        ("PUMCH-001", "W4")
    ]
    assert day == FINGERPRINT


@pytest.mark.req("F7")
def test_the_dry_run_tells_everything_and_changes_nothing(amended, statements):
    """F7: the impact list before anything changes."""
    with amended.database.read() as session, statements(amended.database) as sent:
        found = list(trying.run(session, STUDY_ID, "PUMCH", AMENDED_PRINT))
    assert all(sql.startswith("SELECT") for sql in sent)
    counts, lines = trying.totals(found)
    assert counts == {
        "participants": 1, "entries": 4, "moved": 3, "kept": 0, "findings": 1, "required": 2,
        "unfit": 1, "computed": 0, "strangers": 1, "signatures": 2, "unverified": 0,
    }  # fmt: skip
    told = {(line.visit, line.item, line.what): str(line.text) for line in lines}
    assert told["SCR", "sbp", "findings"].startswith("Systolic: 150 is unusual")
    assert "“LYING” is not among its codes" in told["SCR", "position", "unfit"]
    assert told["SCR", "remark", "strangers"] == "Tired"


def run(desk):
    with desk.database.write() as session:
        job = applying.ask(session, desk.by(people.DORA), STUDY_ID, "PUMCH", AMENDED_PRINT)
    assert jobs.run(desk.database, WORKS, "one", lambda: people.NOON)
    with desk.database.read() as session:
        return dict(session.get(Job, job).result)


@pytest.mark.req("F7")
def test_applying_moves_what_is_open_breaks_signatures_in_sight_and_does_it_once(amended):
    """F7, DC-02: explicit, per participant, audited; what is locked stays as it is."""
    with pytest.raises(Conflict, match="not in force"), amended.database.write() as session:
        applying.ask(session, amended.by(people.DORA), STUDY_ID, "PUMCH", AMENDED_PRINT)
    adopt(amended)
    with amended.database.write() as session:
        session.execute(update(Entry).where(Entry.id == 3).values(state="frozen"))
        before = session.get(Entry, 2).answers
    assert run(amended) == {
        "participants": 1, "moved": 2, "recomputed": 0, "kept": 1, "opened": 3, "closed": 0,
        "signatures": 1, "held": 0,
    }  # fmt: skip
    with amended.database.read() as session:
        moved, kept = session.get(Entry, 2), session.get(Entry, 3)
        assert (moved.protocol, moved.answers, moved.version) == (AMENDED_PRINT, before, 2)
        assert signing.broken(moved)
        assert len(signing.of_entry(session, 2)) == 1
        assert (kept.protocol, signing.standing(kept)) == (FINGERPRINT, True)
        assert session.scalar(select(func.count(Signature.id))) == 2
        rules = session.execute(select(Query.item, Query.rule).order_by(Query.item)).all()
        assert rules == [("position", "unfit"), ("pulse", "required"), ("sbp", "soft_limit")]
        who = session.get(Participant, moved.participant_id)
        assert who.protocol == AMENDED_PRINT
        theirs = select(Visit.key, Visit.last).where(Visit.participant_id == who.id)
        spans = dict(session.execute(theirs).all())
        assert (spans["W4"], spans["W8"]) == (date(2026, 4, 8), date(2026, 4, 26))
        acts = session.scalars(
            select(LEDGER.act.c.header).where(LEDGER.act.c.action == "entry:upgrade")
        ).all()
        assert len(acts) == 2
        assert all(f'"amendment":"{AMENDED_PRINT}"' in header for header in acts)
        chain = f"participant/{STUDY_ID}/PUMCH-001"
        names = session.scalars(select(LEDGER.chain.c.name)).all()
        assert not list(
            fold.differences(session, [n for n in names if "PUMCH-001" in n], [who.id])
        ), chain
    assert run(amended)["moved"] == 0


def test_who_saves_what_was_moved_meanwhile_is_told_and_a_later_save_keeps_the_query(amended):
    adopt(amended)
    with amended.database.read() as session:
        seen = amended.find(session, "SCR", lock=False).version
    run(amended)
    with pytest.raises(entries.Stale, match="at version 2"):
        amended.save({"dbp": "81"}, visit="SCR", seen=seen, reason="Misread")
    amended.save({"pulse": "70"}, visit="SCR")
    with amended.database.read() as session:
        live = select(Query.item).where(Query.status == "open", Query.entry_id == 2)
        assert sorted(session.scalars(live)) == ["position", "sbp"]
    amended.save({"position": Given("SITTING")}, visit="SCR", reason="Seen again")
    with amended.database.read() as session:
        assert session.scalars(live).all() == ["sbp"]
