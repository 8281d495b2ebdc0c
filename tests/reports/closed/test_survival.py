"""Kaplan–Meier and log-rank against the remission times of Freireich (1963)."""

from fractions import Fraction

import pytest

from reports.closed.survival import Time, at_risk, kaplan_meier, log_rank, median, upper_tail

DRUG = [Time(d, True) for d in (6, 6, 6, 7, 10, 13, 16, 22, 23)] + [
    Time(d, False) for d in (6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35)
]
PLACEBO = [
    Time(d, True)
    for d in (1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23)
]


def test_the_curve_of_the_drug_is_the_one_of_the_textbook():
    steps = kaplan_meier(DRUG)
    found = [(s.days, s.at_risk, s.events, round(float(s.survival), 4)) for s in steps]
    assert found == [
        (6, 21, 3, 0.8571), (7, 17, 1, 0.8067), (10, 15, 1, 0.7529), (13, 12, 1, 0.6902),
        (16, 11, 1, 0.6275), (22, 7, 1, 0.5378), (23, 6, 1, 0.4482),
    ]  # fmt: skip
    assert steps[0].survival == Fraction(6, 7)
    assert median(steps) == 23


def test_the_curve_of_the_placebo_falls_to_nothing_with_its_median_at_eight():
    steps = kaplan_meier(PLACEBO)
    assert steps[-1].survival == 0
    assert steps[0].survival == Fraction(19, 21)
    assert median(steps) == 8


def test_who_is_censored_on_a_day_is_still_at_risk_on_it():
    assert at_risk(DRUG, 6) == 21
    assert at_risk(DRUG, 7) == 17
    assert at_risk(DRUG, 36) == 0


def test_the_log_rank_test_is_the_one_of_the_textbook():
    found = log_rank([DRUG, PLACEBO])
    assert found.observed == (9, 21)
    assert [round(float(e), 2) for e in found.expected] == [19.25, 10.75]
    assert sum(found.expected) == 30
    assert round(float(found.statistic), 2) == 16.79
    assert found.freedom == 1
    assert 4.1e-5 < found.p < 4.2e-5
    assert log_rank([PLACEBO, DRUG]).statistic == found.statistic


def test_two_groups_worked_by_hand():
    """A: event 1, event 3; B: event 2, censored 3. E(A) = 2/4 + 1/3 + 1/2, V by hand."""
    a, b = [Time(1, True), Time(3, True)], [Time(2, True), Time(3, False)]
    found = log_rank([a, b])
    assert found.expected[0] == Fraction(1, 2) + Fraction(1, 3) + Fraction(1, 2)
    spread = Fraction(1, 4) + Fraction(2, 9) + Fraction(1, 4)
    assert found.statistic == (2 - Fraction(4, 3)) ** 2 / spread


def test_three_groups_that_are_the_same_do_not_differ():
    found = log_rank([PLACEBO, PLACEBO, PLACEBO])
    assert (found.freedom, found.statistic, found.p) == (2, 0, 1.0)


def test_with_a_third_group_the_order_of_groups_makes_no_difference():
    third = [Time(d, d % 2 == 0) for d in range(2, 30, 3)]
    found = log_rank([DRUG, PLACEBO, third])
    other = log_rank([third, DRUG, PLACEBO])
    assert found.statistic == other.statistic
    assert found.freedom == 2


@pytest.mark.parametrize(
    "groups", [[], [DRUG], [DRUG, []], [[Time(3, False)], [Time(4, False)]]]
)
def test_there_is_no_test_without_two_groups_and_an_event(groups):
    assert log_rank(groups) is None


@pytest.mark.parametrize(
    ("x", "freedom", "p"),
    [(3.841459, 1, 0.05), (5.991465, 2, 0.05), (7.814728, 3, 0.05), (9.487729, 4, 0.05),
     (6.634897, 1, 0.01), (15.08627, 5, 0.01)],
)  # fmt: skip
def test_the_tail_of_chi_square_is_that_of_the_tables(x, freedom, p):
    assert upper_tail(x, freedom) == pytest.approx(p, rel=1e-5)
