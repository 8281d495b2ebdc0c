"""The endpoint of events follows its rule; what is not known is not made up."""

from datetime import date

import pytest

from reports import endpoints
from reports.endpoints import Course, Event, Time

START = date(2024, 3, 1)
UNTIL = date(2025, 3, 14)
HELD = date(2025, 2, 28)


def event(on=None, *, verdict=None, judged=True):
    return Event(1, "REL-1", True, on, (), judged, "C-001", "", verdict, on)


def course(*events, held=HELD, seen=HELD):
    return Course("PUMCH-001", "PUMCH", START, UNTIL, held, seen, events)


def confirmed(given):
    return endpoints.binary(given, *endpoints.by_committee(given))


@pytest.mark.parametrize(
    ("given", "value", "worst"),
    [
        (course(), "N", "N"),
        (course(held=None), "", "Y"),
        (course(event(UNTIL, verdict=True), held=None), "Y", "Y"),
        (course(event(date(2025, 3, 15), verdict=True)), "N", "N"),
        (course(event(date(2025, 3, 15), verdict=True), held=date(2025, 3, 20)), "Y", "Y"),
        (course(event(date(2024, 9, 1), verdict=False)), "N", "N"),
        (course(event(date(2024, 9, 1))), "", "Y"),
        (course(event(date(2024, 9, 1)), event(date(2024, 5, 1), verdict=True)), "Y", "Y"),
    ],
)
def test_an_event_counts_until_the_window_ends_or_the_visit_was_held(given, value, worst):
    found = confirmed(given)
    assert (found.value, found.worst) == (value, worst)


def test_an_open_case_waits_for_the_committee_but_not_for_the_site():
    waiting = course(event(date(2024, 9, 1)))
    assert confirmed(waiting).waits
    assert endpoints.binary(waiting, *endpoints.by_site(waiting)).value == "Y"


def test_time_runs_to_the_first_event_else_to_the_last_assessment():
    first, second = date(2024, 5, 30), date(2024, 9, 1)
    two = course(event(second, verdict=True), event(first, verdict=True))
    dates, _ = endpoints.by_committee(two)
    assert endpoints.time(two, dates) == Time(90, True, first)
    assert endpoints.time(course(), []) == Time(364, False, HELD)
    assert endpoints.time(course(seen=None), []) == Time(0, False, START)
