from datetime import timedelta

import pytest
from sqlalchemy import update

from ecrf.kernel.access import Right
from ecrf.kernel.errors import Conflict, NotFound, Stale, Unacceptable
from ecrf.kernel.people import Site
from ecrf.study.tables import StudyRow
from tests import people
from tests.visits import cases
from tests.visits.cases import day, hold, visit
from tests.visits.trial import STUDY_ID, TRIAL
from visits import lookup, visits
from visits.schedule import Anchors
from visits.tables import Participant, Visit

RANDOMIZED = day("2026-03-02")


@pytest.fixture
def code(running, by):
    """A participant at PUMCH, enrolled at noon on 2 March 2026."""
    return cases.enrol(running, by).code


@pytest.fixture
def randomized(running, by, code):
    """The same, screened on 20 February and randomized on 2 March."""
    hold(running, by, code, "SCR", day("2026-02-20"))
    hold(running, by, code, "BL", RANDOMIZED)
    cases.randomize(running, by, code, RANDOMIZED)
    return code


def test_a_visit_held_has_its_date_and_is_no_longer_due(running, by, code):
    hold(running, by, code, "SCR", day("2026-03-01"))
    held = visit(running, code, "SCR")
    assert (held.status, held.held_on, held.due) == ("held", day("2026-03-01"), None)
    action, items, role = cases.ledger(running, code)[-1]
    assert (action, role) == ("visit:hold", "study coordinator")
    assert items["status"] == ("planned", "held")
    assert items["held_on"] == (None, "2026-03-01")


def test_the_screening_gives_day_1_the_days_on_which_it_stays_valid(running, by, code):
    hold(running, by, code, "SCR", day("2026-03-01"))
    baseline = visit(running, code, "BL")
    assert (baseline.first, baseline.last) == (day("2026-03-02"), day("2026-03-29"))
    assert baseline.due == day("2026-03-29")


def test_the_randomization_places_every_window(running, code, randomized):
    week4 = visit(running, code, "W4")
    assert (week4.first, week4.target, week4.last, week4.due) == (
        day("2026-03-23"), day("2026-03-30"), day("2026-04-06"), day("2026-04-06"),
    )  # fmt: skip
    assert visit(running, code, "BL").due is None
    assert visit(running, code, "SCR").first == RANDOMIZED - timedelta(days=28)
    assert visit(running, code, "W2s").due is None
    assert visit(running, code, "SFU").span is None
    assert cases.deviations(running, code) == []


def test_a_screening_too_old_on_the_day_of_randomization_is_a_deviation(running, by, code):
    hold(running, by, code, "SCR", day("2026-02-20"))
    changes = cases.randomize(running, by, code, day("2026-03-22"))
    [told] = cases.deviations(running, code)
    assert told.startswith("Screening was held on 2026-02-20, 2 day(s) before its window")
    assert {c.item for c in changes} >= {"W4.window", "SCR.deviation"}


def test_placing_windows_is_one_statement_when_every_visit_is_in_its_window(
    running, by, code, statements
):
    with running.write() as session:
        who = lookup.participant(session, people.ANNA, STUDY_ID, code, Right.PARTICIPANT_READ)
        with statements(running) as sent:
            visits.place(session, by(people.ANNA), who, TRIAL, RANDOMIZED)
    assert len(sent) == 1


def test_the_same_date_again_changes_nothing(running, by, code):
    hold(running, by, code, "SCR", day("2026-03-01"))
    acts = len(cases.ledger(running, code))
    hold(running, by, code, "SCR", day("2026-03-01"))
    assert len(cases.ledger(running, code)) == acts


def test_changing_a_date_needs_a_reason_and_keeps_it(running, by, code):
    hold(running, by, code, "SCR", day("2026-03-01"))
    with pytest.raises(Unacceptable, match="Give a reason"):
        hold(running, by, code, "SCR", day("2026-02-27"))
    hold(running, by, code, "SCR", day("2026-02-27"), reason="Misread the chart.")
    _, items, _ = cases.ledger(running, code)[-1]
    assert items["held_on"] == ("2026-03-01", "2026-02-27")
    assert items["#reason"] == (None, "Misread the chart.")
    assert "status" not in items


LATER = cases.noon(day("2026-06-01"))


def test_a_visit_out_of_its_window_is_taken_and_is_a_minor_deviation(running, by, randomized):
    hold(running, by, randomized, "W4", day("2026-04-09"), at=LATER)
    assert visit(running, randomized, "W4").status == "held"
    with running.read() as session:
        who = lookup.participant(
            session, people.CARL, STUDY_ID, randomized, Right.PARTICIPANT_READ
        )
        [deviation] = lookup.deviations(session, who.id)
    assert (deviation.visit, deviation.category, deviation.severity) == (
        "W4", "visit window", "minor",
    )  # fmt: skip
    assert deviation.text_en == (
        "Week 4 was held on 2026-04-09, 3 day(s) after its window 2026-03-23 to 2026-04-06."
    )
    assert "2026-04-09" in deviation.text_zh
    assert deviation.text_zh != deviation.text_en


def test_a_deviation_is_withdrawn_when_the_date_is_put_right(running, by, randomized):
    hold(running, by, randomized, "W4", day("2026-04-09"), at=LATER)
    hold(running, by, randomized, "W4", day("2026-04-06"), at=LATER, reason="Typing error.")
    assert cases.deviations(running, randomized) == []
    _, items, _ = cases.ledger(running, randomized)[-1]
    old, new = items["W4.deviation"]
    assert "3 day(s) after" in old
    assert new is None


def test_a_deviation_follows_a_date_that_stays_outside(running, by, randomized):
    hold(running, by, randomized, "W4", day("2026-04-09"), at=LATER)
    hold(running, by, randomized, "W4", day("2026-03-22"), at=LATER, reason="Typing error.")
    [told] = cases.deviations(running, randomized)
    assert "1 day(s) before" in told


@pytest.mark.parametrize(
    ("key", "on", "message"),
    [
        ("SCR", "2026-03-03", "2026-03-03 lies in the future: at the site it is 2026-03-02"),
        ("SCR", "2026-02-01", "lies too long before the enrolment on 2026-03-02"),
        ("UNS-1", "2025-12-31", "lies too long before the enrolment"),
    ],
)
def test_an_impossible_date_is_refused_and_changes_nothing(running, by, code, key, on, message):
    with running.write() as session:
        who = lookup.participant(session, people.CARL, STUDY_ID, code, Right.ENTRY_WRITE)
        visits.add(session, by(people.CARL), who, TRIAL, "UNS")
    with pytest.raises(Unacceptable, match=message) as refusal:
        hold(running, by, code, key, day(on))
    assert [problem.item for problem in refusal.value.problems] == ["held_on"]
    assert visit(running, code, key).held_on is None


def test_no_visit_is_before_the_screening(running, by, code):
    hold(running, by, code, "SCR", day("2026-02-25"))
    with pytest.raises(Unacceptable, match="lies before the screening on 2026-02-25"):
        hold(running, by, code, "BL", day("2026-02-24"))


def test_no_planned_visit_is_before_the_randomization(running, by, randomized):
    with pytest.raises(Unacceptable, match="lies before the randomization on 2026-03-02"):
        hold(running, by, randomized, "W4", day("2026-03-01"))


@pytest.mark.parametrize("key", ["W4", "SFU"])
def test_what_follows_the_randomization_is_not_due_before_it(running, by, code, key):
    with pytest.raises(Conflict, match="the participant is not randomized"):
        hold(running, by, code, key, day("2026-03-02"))


def test_a_log_has_no_date(running, by, code):
    with pytest.raises(Conflict, match="Logs has no date of its own"):
        hold(running, by, code, "LOG", day("2026-03-02"))
    with pytest.raises(Conflict, match="Logs has no date of its own"):
        cases.act(running, by, visits.miss, code, "LOG", "No.")


def test_a_missed_visit_keeps_its_reason_and_is_not_due(running, by, randomized):
    cases.act(running, by, visits.miss, randomized, "W4", "On holiday.")
    missed = visit(running, randomized, "W4")
    assert (missed.status, missed.missed_reason, missed.due) == ("missed", "On holiday.", None)
    with pytest.raises(Conflict, match="Open it again first"):
        hold(running, by, randomized, "W4", day("2026-03-30"), at=LATER)


def test_missing_a_visit_needs_a_reason_of_bounded_length(running, by, randomized):
    with pytest.raises(Unacceptable, match="Give a reason"):
        cases.act(running, by, visits.miss, randomized, "W4", " ")
    with pytest.raises(Unacceptable, match="has 401 characters; it can have at most 400"):
        cases.act(running, by, visits.miss, randomized, "W4", "x" * 401)


def test_a_visit_opened_again_is_due_as_before(running, by, randomized):
    cases.act(running, by, visits.miss, randomized, "W4", "On holiday.")
    cases.act(running, by, visits.reopen, randomized, "W4", "Came after all.")
    opened = visit(running, randomized, "W4")
    assert (opened.status, opened.missed_reason) == ("planned", None)
    assert opened.due == day("2026-04-06")


def test_a_date_given_by_mistake_is_taken_back_with_its_deviation(running, by, randomized):
    hold(running, by, randomized, "W4", day("2026-04-09"), at=LATER)
    cases.act(running, by, visits.reopen, randomized, "W4", "It was week 12.")
    assert visit(running, randomized, "W4").held_on is None
    assert cases.deviations(running, randomized) == []
    _, items, _ = cases.ledger(running, randomized)[-1]
    assert items["held_on"] == ("2026-04-09", None)


def test_a_planned_visit_cannot_be_opened_again_nor_a_held_one_missed(running, by, code):
    with pytest.raises(Conflict, match="neither held nor missed"):
        cases.act(running, by, visits.reopen, code, "SCR", "Why not.")
    hold(running, by, code, "SCR", day("2026-03-01"))
    with pytest.raises(Conflict, match="held or missed already"):
        cases.act(running, by, visits.miss, code, "SCR", "Why not.")


def add(running, by, code, plan):
    with running.write() as session:
        who = lookup.participant(session, people.CARL, STUDY_ID, code, Right.ENTRY_WRITE)
        return visits.add(session, by(people.CARL), who, TRIAL, plan)


def test_unscheduled_and_relapse_visits_are_numbered(running, by, code):
    keys = [add(running, by, code, plan) for plan in ("UNS", "REL", "UNS")]
    assert keys == ["UNS-1", "REL-1", "UNS-2"]
    assert visit(running, code, "UNS-2").plan == "UNS"
    action, items, _ = cases.ledger(running, code)[-1]
    assert (action, items) == ("visit:add", {"UNS-2.status": (None, "planned")})


@pytest.mark.parametrize("plan", ["W4", "LOG", "NOSUCH"])
def test_only_unscheduled_and_event_visits_are_added(running, by, code, plan):
    with pytest.raises(Conflict, match=f"cannot have another visit {plan}"):
        add(running, by, code, plan)


def test_a_second_early_termination_is_refused(running, by, code):
    assert add(running, by, code, "ET") == "ET"
    with pytest.raises(Conflict, match="cannot have another visit ET"):
        add(running, by, code, "ET")


def test_the_last_visit_places_the_call_half_a_year_later(running, by, randomized):
    end = day("2027-02-28")
    hold(running, by, randomized, "W52", end, at=cases.noon(end))
    call = visit(running, randomized, "PFU")
    assert (call.target, call.due) == (day("2027-08-28"), day("2027-09-11"))


def test_the_last_dose_places_the_safety_call(running, by, randomized):
    with running.write() as session:
        who = lookup.participant(session, people.CARL, STUDY_ID, randomized, Right.ENTRY_WRITE)
        anchors = Anchors(last_dose=day("2026-05-04"))
        [change] = visits.fix(session, by(people.CARL), who, TRIAL, anchors)
    assert change.item == "SFU.window"
    assert visit(running, randomized, "SFU").target == day("2026-06-01")


def close(session, table, state):
    session.execute(update(table).values(state=state))


@pytest.mark.parametrize("table", [Visit, Participant, Site, StudyRow])
@pytest.mark.parametrize("state", ["frozen", "locked"])
def test_whatever_is_closed_above_a_visit_closes_it(running, by, randomized, table, state):
    with running.write() as session:
        close(session, table, state)
    refused = pytest.raises(Conflict, match=f"is {state}")
    with refused:
        hold(running, by, randomized, "W4", day("2026-03-30"), at=LATER)
    with refused:
        hold(running, by, randomized, "SCR", day("2026-02-21"), reason="Typing error.")
    with refused:
        cases.act(running, by, visits.miss, randomized, "W4", "On holiday.")
    with refused:
        cases.act(running, by, visits.reopen, randomized, "SCR", "Mistake.")
    if table is not Visit:
        with refused:
            add(running, by, randomized, "UNS")
    assert visit(running, randomized, "W4").status == "planned"


def test_the_second_of_two_who_date_a_visit_is_told(running, by, randomized):
    with running.read() as session:
        stale = lookup.visit(
            session, people.CARL, STUDY_ID, randomized, "W4", Right.ENTRY_WRITE
        )
    hold(running, by, randomized, "W4", day("2026-03-30"), at=LATER)
    with pytest.raises(Stale, match="Somebody else changed"), running.write() as session:
        visits.hold(session, by(people.ANNA, at=LATER), stale, day("2026-03-31"))


def test_a_lock_set_after_the_visit_was_found_is_still_seen(running, by, randomized):
    with running.read() as session:
        stale = lookup.visit(
            session, people.CARL, STUDY_ID, randomized, "W4", Right.ENTRY_WRITE
        )
    with running.write() as session:
        close(session, Participant, "locked")
    with pytest.raises(Stale), running.write() as session:
        visits.hold(session, by(people.CARL, at=LATER), stale, day("2026-03-30"))
    assert visit(running, randomized, "W4").status == "planned"


def test_another_site_s_participant_is_not_found_in_the_same_words_as_none(running, code):
    told = []
    for wanted in (code, "PUMCH-999"):
        with running.read() as session, pytest.raises(NotFound) as refusal:
            lookup.visit(session, people.BO, STUDY_ID, wanted, "SCR", Right.PARTICIPANT_READ)
        told.append(str(refusal.value).replace(wanted, "X"))
    assert told[0] == told[1]


def test_a_visit_the_participant_does_not_have_is_not_found(running, code):
    with running.read() as session, pytest.raises(NotFound, match="has no visit W99"):
        lookup.visit(session, people.CARL, STUDY_ID, code, "W99", Right.PARTICIPANT_READ)
