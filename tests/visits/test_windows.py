from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visits.windows import (
    Timing,
    around,
    civil_date,
    date_of,
    months_after,
    study_day,
)

DAYS = st.dates(date(1990, 1, 1), date(2100, 1, 1))
WEEK_12 = around(date(2024, 5, 24), 7, 7)


@pytest.mark.parametrize(
    ("on", "day"),
    [
        (date(2024, 3, 1), 1),
        (date(2024, 2, 29), -1),
        (date(2024, 3, 2), 2),
        (date(2024, 2, 2), -28),
    ],
)
def test_the_anchor_is_day_1_and_the_day_before_is_day_minus_1(on, day):
    assert study_day(on, date(2024, 3, 1)) == day


@given(DAYS, st.integers(-800, 800).filter(bool))
def test_a_study_day_and_its_date_are_inverse(anchor, day):
    assert study_day(date_of(day, anchor), anchor) == day


@given(DAYS, DAYS)
def test_no_date_is_study_day_0(anchor, on):
    assert study_day(on, anchor) != 0
    assert date_of(study_day(on, anchor), anchor) == on


def test_day_0_has_no_date():
    with pytest.raises(ValueError, match="no study day 0"):
        date_of(0, date(2024, 3, 1))


@pytest.mark.parametrize(
    ("on", "timing", "days_out"),
    [
        (date(2024, 5, 15), Timing.EARLY, -2),
        (date(2024, 5, 16), Timing.EARLY, -1),
        (date(2024, 5, 17), Timing.IN_WINDOW, 0),
        (date(2024, 5, 24), Timing.IN_WINDOW, 0),
        (date(2024, 5, 31), Timing.IN_WINDOW, 0),
        (date(2024, 6, 1), Timing.LATE, 1),
    ],
)
def test_both_ends_belong_to_the_window(on, timing, days_out):
    assert (WEEK_12.timing(on), WEEK_12.days_out(on)) == (timing, days_out)


@given(DAYS, st.integers(-100, 100), st.integers(0, 30), st.integers(0, 30))
def test_days_out_is_zero_exactly_inside(target, offset, before, after):
    span = around(target, before, after)
    on = target + timedelta(days=offset)
    assert (span.days_out(on) == 0) == (span.timing(on) is Timing.IN_WINDOW)
    assert (span.days_out(on) == 0) == (-before <= offset <= after)


def test_a_visit_held_late_is_not_overdue():
    assert WEEK_12.overdue(date(2024, 6, 1), held_on=None)
    assert not WEEK_12.overdue(date(2024, 5, 31), held_on=None)
    assert not WEEK_12.overdue(date(2024, 7, 1), held_on=date(2024, 6, 30))


@pytest.mark.parametrize(
    ("anchor", "months", "then"),
    [
        (date(2024, 8, 31), 6, date(2025, 2, 28)),
        (date(2023, 8, 31), 6, date(2024, 2, 29)),
        (date(2024, 12, 1), 1, date(2025, 1, 1)),
        (date(2024, 3, 15), 6, date(2024, 9, 15)),
    ],
)
def test_months_later_is_the_same_day_or_the_last_of_a_short_month(anchor, months, then):
    assert months_after(anchor, months) == then


@given(DAYS, st.integers(0, 36))
def test_months_later_lies_in_the_right_month(anchor, months):
    then = months_after(anchor, months)
    apart = (then.year - anchor.year) * 12 + then.month - anchor.month
    assert apart == months
    assert then.day <= anchor.day


def test_it_is_tomorrow_in_beijing_before_it_is_in_london():
    at = datetime(2026, 3, 1, 20, tzinfo=UTC)
    assert civil_date(at, "Asia/Shanghai") == date(2026, 3, 2)
    assert civil_date(at, "Europe/London") == date(2026, 3, 1)
