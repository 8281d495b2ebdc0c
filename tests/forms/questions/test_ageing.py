from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from forms.questions import ageing

SHANGHAI = "Asia/Shanghai"
NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)


def test_the_age_counts_the_midnights_of_the_site():
    before_midnight = datetime(2026, 3, 1, 15, 59, tzinfo=UTC)
    after_midnight = datetime(2026, 3, 1, 16, 1, tzinfo=UTC)
    assert ageing.days(before_midnight, NOON, SHANGHAI) == 1
    assert ageing.days(after_midnight, NOON, SHANGHAI) == 0
    assert ageing.days(after_midnight, NOON, "UTC") == 1


@given(st.integers(0, 60 * 24 * 60), st.integers(1, 40), st.sampled_from([SHANGHAI, "UTC"]))
def test_a_limit_in_days_agrees_with_the_age_that_is_shown(minutes, age, zone):
    since = NOON - timedelta(minutes=minutes)
    limit = ageing.asked_before({"A": zone}, NOON, age)["A"]
    assert (since < limit) == (ageing.days(since, NOON, zone) >= age)
