import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, update

from ecrf.kernel.access import Right
from ecrf.kernel.chance import Seeded
from ecrf.kernel.errors import Conflict, NotFound, Stale, Unacceptable
from ecrf.kernel.ledger import LEDGER, By, Origin, participant_chain, study_chain
from ecrf.kernel.people import Site
from ecrf.study.tables import StudyRow
from tests import people
from tests.visits import cases
from tests.visits.begun import FINGERPRINT
from tests.visits.trial import STUDY_ID, TRIAL
from visits import lookup, participants
from visits.tables import Participant


def found(session, code, actor=people.CARL):
    return lookup.participant(session, actor, STUDY_ID, code, Right.ENTRY_WRITE)


def test_codes_are_counted_up_at_each_site(running, by):
    codes = [
        cases.enrol(running, by).code,
        cases.enrol(running, by).code,
        cases.enrol(running, by, people.BO, "BFH").code,
    ]
    assert codes == ["PUMCH-001", "PUMCH-002", "BFH-001"]


def test_a_participant_starts_in_screening_with_every_scheduled_visit(running, by):
    who = cases.enrol(running, by)
    with running.read() as session:
        assert found(session, who.code) == who
        kept = lookup.visits(session, who.id)
    assert who.status == "screening"
    assert [visit.key for visit in kept][:4] == ["SCR", "BL", "W2s", "W4"]
    assert {visit.status for visit in kept} == {"planned"}
    assert [(v.key, v.due) for v in kept if v.due] == [("SCR", cases.day("2026-03-02"))]


def test_an_enrolment_starts_a_chain_and_is_announced_on_the_study_s(running, by):
    code = cases.enrol(running, by).code
    action, items, role = cases.ledger(running, code)[0]
    assert (action, role) == ("participant:enrol", "study coordinator")
    assert items["code"] == (None, code)
    with running.read() as session:
        headers = [
            json.loads(a[3]) for a in LEDGER.acts(session, chain_name=study_chain(STUDY_ID))
        ]
    assert headers[-1]["refs"]["chain"] == participant_chain(STUDY_ID, code)


def test_an_enrolment_is_at_most_ten_statements_with_finding_out_who_asks(
    running, by, statements
):
    with statements(running) as sent:
        cases.enrol(running, by)
    who_asks_and_what_is_in_force = 2
    assert len(sent) + who_asks_and_what_is_in_force <= 10


@pytest.mark.parametrize(
    ("actor", "site"), [(people.CARL, "BFH"), (people.DORA, "PUMCH"), (people.CARL, "NOWHERE")]
)
def test_nobody_enrols_where_they_have_no_right_to(running, by, actor, site):
    with pytest.raises(NotFound, match=f"Site {site} is not one of your sites"):
        cases.enrol(running, by, actor, site)


def shut(session):
    session.execute(update(Site).where(Site.code == "PUMCH").values(open=False))


def freeze_site(session):
    session.execute(update(Site).where(Site.code == "PUMCH").values(state="frozen"))


def lock_study(session):
    session.execute(update(StudyRow).values(state="locked"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (shut, "Site PUMCH is not open"),
        (freeze_site, "PUMCH is frozen"),
        (lock_study, "is locked"),
    ],
)
def test_a_refused_enrolment_uses_up_no_number(running, by, change, message):
    with running.write() as session:
        change(session)
    with pytest.raises(Conflict, match=message):
        cases.enrol(running, by)
    with running.read() as session:
        assert session.scalar(select(Site.enrolled).where(Site.code == "PUMCH")) == 0
        assert session.scalar(select(Participant.id)) is None


def test_nobody_is_enrolled_under_a_version_that_is_no_longer_in_force(running, by):
    with pytest.raises(Stale, match="new version"), running.write() as session:
        participants.enrol(session, by(people.CARL), TRIAL, "0" * 64, "PUMCH")


def test_a_screen_failure_ends_what_is_due_and_keeps_the_reason(running, by):
    who = cases.enrol(running, by)
    with running.write() as session:
        participants.screen_fail(session, by(people.CARL), who, " Exclusion 4 applies. ")
    with running.read() as session:
        assert found(session, who.code).status == "screen failed"
        assert not [visit for visit in lookup.visits(session, who.id) if visit.due]
    action, items, _ = cases.ledger(running, who.code)[-1]
    assert action == "participant:screen-fail"
    assert items["status"] == ("screening", "screen failed")
    assert items["#reason"] == (None, "Exclusion 4 applies.")


def test_a_screen_failure_needs_a_reason(running, by):
    who = cases.enrol(running, by)
    refused = pytest.raises(Unacceptable, match="Give a reason")
    with refused as refusal, running.write() as session:
        participants.screen_fail(session, by(people.CARL), who, "  ")
    assert [problem.item for problem in refusal.value.problems] == ["reason"]


def test_only_a_participant_in_screening_fails_it(running, by):
    code = cases.enrol(running, by).code
    cases.randomize(running, by, code, cases.day("2026-03-02"))
    with pytest.raises(Conflict, match="no longer in screening"), running.write() as session:
        participants.screen_fail(session, by(people.CARL), found(session, code), "Late.")


def test_a_randomized_participant_can_end_the_trial_once(running, by):
    code = cases.enrol(running, by).code
    cases.randomize(running, by, code, cases.day("2026-03-02"))
    with running.write() as session:
        participants.end(session, by(people.CARL), found(session, code), "Moved away.")
    with running.read() as session:
        who = found(session, code)
        assert who.status == "ended"
        assert not [visit for visit in lookup.visits(session, who.id) if visit.due]
    with pytest.raises(Conflict, match="is not randomized"), running.write() as session:
        participants.end(session, by(people.CARL), who, "Again.")


def test_the_second_of_two_who_decide_at_once_is_told(running, by):
    who = cases.enrol(running, by)
    with running.write() as session:
        participants.screen_fail(session, by(people.CARL), who, "Exclusion 4.")
    refused = pytest.raises(Stale, match="Somebody else changed PUMCH-001")
    with refused, running.write() as session:
        participants.screen_fail(session, by(people.ANNA), who, "Withdrew.")


@pytest.mark.parametrize("state", ["frozen", "locked"])
def test_a_closed_participant_cannot_fail_the_screening(running, by, state):
    code = cases.enrol(running, by).code
    with running.write() as session:
        session.execute(update(Participant).values(state=state))
    with pytest.raises(Conflict, match=f"{code} is {state}"), running.write() as session:
        participants.screen_fail(session, by(people.CARL), found(session, code), "Exclusion.")


@pytest.mark.race
def test_enrolments_at_the_same_moment_get_numbers_without_gap_or_double(running):
    def one(number):
        who = By(people.CARL, people.NOON, Origin.PAGE, Seeded(str(number).encode()))
        with running.write() as session:
            made = participants.enrol(session, who, TRIAL, FINGERPRINT, "PUMCH")
        return made.number

    with ThreadPoolExecutor(8) as pool:
        numbers = sorted(pool.map(one, range(40)))
    assert numbers == list(range(1, 41))
    with running.read() as session:
        acts = list(LEDGER.acts(session, chain_name=study_chain(STUDY_ID)))
    assert [act[1] for act in acts] == list(range(41))
