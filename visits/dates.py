"""Whether a visit can have taken place on a date. Pure.

Doubtful dates are taken and become deviations; only what cannot be is refused.
"""

from datetime import date, timedelta
from typing import NamedTuple

from ecrf.kernel.text import Message, T
from ecrf.study.model import Study, VisitKind, VisitPlan
from visits import schedule


class Known(NamedTuple):
    """What is known of the participant on the day the date is given."""

    today: date
    enrolled_on: date
    screened_on: date | None
    randomized_on: date | None


def impossible(study: Study, plan: VisitPlan, on: date, known: Known) -> Message | None:
    """Say why the visit cannot have been on that day, and which days can be; None if it can."""
    if on > known.today:
        return T(
            "{on} lies in the future: at the site it is {today}. Give the day on which "
            "{visit} took place.",
            on=on, today=known.today, visit=plan.label,
        )  # fmt: skip
    screening = schedule.screening_plan(study)
    if plan is not screening and known.screened_on is not None and on < known.screened_on:
        return T(
            "{on} lies before the screening on {screened}. Give the day on which {visit} "
            "took place.",
            on=on, screened=known.screened_on, visit=plan.label,
        )  # fmt: skip
    if _follows_randomization(plan) and known.randomized_on is not None:
        return _before_randomization(plan, on, known.randomized_on)
    earliest = known.enrolled_on - timedelta(days=screening.before if screening else 0)
    if on < earliest:
        return T(
            "{on} lies too long before the enrolment on {enrolled}. {visit} can have taken "
            "place on {earliest} or later.",
            on=on, enrolled=known.enrolled_on, visit=plan.label, earliest=earliest,
        )  # fmt: skip
    return None


def not_due(plan: VisitPlan, status: str, known: Known) -> Message | None:
    """Say why the visit cannot take place at all in the participant's present state."""
    if plan.kind is VisitKind.LOG:
        return T("{visit} has no date of its own.", visit=plan.label)
    if _follows_randomization(plan) and known.randomized_on is None:
        return T(
            "{visit} is counted from the randomization, and the participant is not randomized.",
            visit=plan.label,
        )
    if status == "screen failed" and plan.kind is VisitKind.PLANNED and (plan.day or 0) > 0:
        return T("The participant failed the screening; {visit} is not due.", visit=plan.label)
    return None


def _follows_randomization(plan: VisitPlan) -> bool:
    """Say whether the visit comes after Day 1: planned from it, or from the last dose."""
    if plan.kind is not VisitKind.PLANNED:
        return False
    return plan.anchor != "randomization" or (plan.day or 0) > 1


def _before_randomization(plan: VisitPlan, on: date, randomized_on: date) -> Message | None:
    if on >= randomized_on:
        return None
    return T(
        "{on} lies before the randomization on {day}. Give the day on which {visit} took "
        "place.",
        on=on, day=randomized_on, visit=plan.label,
    )  # fmt: skip
