from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.visits.trial import TRIAL
from visits import schedule
from visits.schedule import Anchors
from visits.windows import study_day

RANDOMIZED = Anchors(randomized_on=date(2024, 3, 1))
ANY_DAY = st.dates(date(2000, 1, 1), date(2100, 1, 1))


@pytest.mark.parametrize(
    ("visit", "target", "first", "last"),
    [
        ("BL", date(2024, 3, 1), date(2024, 3, 1), date(2024, 3, 1)),
        ("W2s", date(2024, 3, 15), date(2024, 3, 12), date(2024, 3, 18)),
        ("W4", date(2024, 3, 29), date(2024, 3, 22), date(2024, 4, 5)),
        ("W8s", date(2024, 4, 26), date(2024, 4, 19), date(2024, 5, 3)),
        ("W12", date(2024, 5, 24), date(2024, 5, 17), date(2024, 5, 31)),
        ("W24", date(2024, 8, 16), date(2024, 8, 2), date(2024, 8, 30)),
        ("W36", date(2024, 11, 8), date(2024, 10, 25), date(2024, 11, 22)),
        ("W52", date(2025, 2, 28), date(2025, 2, 14), date(2025, 3, 14)),
    ],
)
def test_windows_are_those_of_the_worked_example(visit, target, first, last):
    span = schedule.spans(TRIAL, RANDOMIZED)[visit]
    assert (span.target, span.first, span.last) == (target, first, last)


@pytest.mark.parametrize(
    ("visit", "first", "last"),
    [("SCR", -28, -1), ("BL", 1, 1), ("W2s", 12, 18), ("W4", 22, 36), ("W52", 351, 379)],
)
@given(anchor=ANY_DAY)
def test_windows_reach_over_the_allowed_study_days(visit, first, last, anchor):
    span = schedule.spans(TRIAL, Anchors(randomized_on=anchor))[visit]
    assert (study_day(span.first, anchor), study_day(span.last, anchor)) == (first, last)


@given(ANY_DAY)
def test_day_1_may_be_on_exactly_the_days_that_leave_the_screening_in_its_window(screened):
    allowed = schedule.spans(TRIAL, Anchors(screened_on=screened))["BL"]
    for days in range(-3, 40):
        randomized = screened + timedelta(days=days)
        screening = schedule.spans(TRIAL, Anchors(randomized_on=randomized))["SCR"]
        assert (allowed.days_out(randomized) == 0) == (screening.days_out(screened) == 0)


def test_before_the_screening_is_dated_no_window_is_known():
    assert schedule.spans(TRIAL, Anchors()) == {}


def test_follow_up_is_counted_from_the_last_dose_and_the_last_visit():
    spans = schedule.spans(
        TRIAL, Anchors(last_dose=date(2025, 2, 27), last_visit=date(2025, 8, 31))
    )
    assert spans.keys() == {"SFU", "PFU"}
    assert spans["SFU"].target == date(2025, 3, 27)
    assert (spans["SFU"].last - spans["SFU"].first).days == 14
    assert spans["PFU"].target == date(2026, 2, 28)


def test_everyone_has_the_planned_visits_and_the_logs_from_enrolment_on():
    keys = [place.key for place in schedule.scheduled(TRIAL)]
    assert keys == [
        "SCR", "BL", "W2s", "W4", "W8s", "W12", "W24", "W36", "W52", "SFU", "PFU", "LOG",
    ]  # fmt: skip
    positions = [place.position for place in schedule.scheduled(TRIAL)]
    assert positions == sorted(set(positions))


def test_repeating_visits_are_numbered_on_from_the_highest():
    plan = TRIAL.visit["UNS"]
    taken = ["SCR", "UNS-1", "UNS-9", "UNS-10", "REL-1"]
    place = schedule.another(TRIAL, plan, taken)
    assert place.key == "UNS-11"
    assert place.position % schedule.PLACES == 11
    assert schedule.another(TRIAL, plan, []).key == "UNS-1"


def test_an_early_termination_can_be_added_once():
    def addable(taken):
        return [plan.id for plan in schedule.addable(TRIAL, taken)]

    assert addable(["SCR"]) == ["ET", "UNS", "REL"]
    assert addable(["SCR", "ET", "UNS-1"]) == ["UNS", "REL"]
    assert schedule.another(TRIAL, TRIAL.visit["ET"], []).key == "ET"


def test_the_last_visit_is_week_52_or_an_early_termination():
    assert [plan.id for plan in TRIAL.visits if schedule.closing(TRIAL, plan)] == ["W52", "ET"]


def test_an_optional_visit_has_a_window_and_is_never_due():
    spans = schedule.spans(TRIAL, RANDOMIZED)
    assert schedule.due(TRIAL.visit["W2s"], spans["W2s"]) is None
    assert schedule.due(TRIAL.visit["W4"], spans["W4"]) == date(2024, 4, 5)
    assert schedule.due(TRIAL.visit["W4"], None) is None
