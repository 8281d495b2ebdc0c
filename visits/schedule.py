"""Which visits a participant has, and where their windows lie. Pure.

A window is placed as soon as its anchor is known: most follow the date of randomization, the
follow-up by phone follows the last dose or the last visit. Screening is placed backwards from
the randomization; until that is known, the visit of Day 1 has a window reaching as far as the
screening stays valid.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from ecrf.study.model import Study, VisitKind, VisitPlan
from visits.windows import Span, around, date_of, months_after

PLACES = 1000
"""How far apart the positions of two plans are, to leave room for repeats between them."""


@dataclass(frozen=True, slots=True)
class Anchors:
    """The dates windows are counted from, as far as they are known."""

    randomized_on: date | None = None
    screened_on: date | None = None
    last_dose: date | None = None
    last_visit: date | None = None


class Place(NamedTuple):
    """A visit a participant has: its plan, its key, and its position among all."""

    plan: VisitPlan
    key: str
    position: int


def scheduled(study: Study) -> tuple[Place, ...]:
    """Return the visits everyone has from enrolment on: the planned ones and the logs."""
    return tuple(
        Place(plan, plan.id, at * PLACES)
        for at, plan in enumerate(study.visits, start=1)
        if plan.kind in (VisitKind.PLANNED, VisitKind.LOG) and not plan.repeating
    )


def addable(study: Study, taken: Collection[str]) -> tuple[VisitPlan, ...]:
    """Return the plans of which a participant with the visits `taken` may get one more."""
    return tuple(
        plan
        for plan in study.visits
        if plan.repeating
        or (plan.kind in (VisitKind.EVENT, VisitKind.UNSCHEDULED) and plan.id not in taken)
    )


def another(study: Study, plan: VisitPlan, taken: Collection[str]) -> Place:
    """Return the next visit of a plan out of `addable`: UNS-1, UNS-2, …; ET once as ET."""
    at = (1 + next(n for n, p in enumerate(study.visits) if p.id == plan.id)) * PLACES
    if not plan.repeating:
        return Place(plan, plan.id, at)
    number = 1 + max(
        (_number(key) for key in taken if key.startswith(f"{plan.id}-")), default=0
    )
    return Place(plan, f"{plan.id}-{number}", at + number)


def _number(key: str) -> int:
    return int(key.rpartition("-")[2])


def spans(study: Study, anchors: Anchors) -> Mapping[str, Span]:
    """Return the windows that can be placed from `anchors`, by visit id."""
    placed = ((plan.id, span(study, plan, anchors)) for plan in _planned(study))
    return {key: where for key, where in placed if where is not None}


def span(study: Study, plan: VisitPlan, anchors: Anchors) -> Span | None:
    """Return the window of one planned visit, or None while its anchor is not known."""
    if plan.anchor == "randomization":
        if anchors.randomized_on is None:
            return _first_day(study, plan, anchors.screened_on)
        if plan.day is None:
            return None
        target = date_of(plan.day, anchors.randomized_on)
        return around(target, plan.before, plan.after)
    start = anchors.last_dose if plan.anchor == "last dose" else anchors.last_visit
    if start is None or (plan.day is None and plan.months is None):
        return None
    target = months_after(start, plan.months or 0) + timedelta(days=plan.day or 0)
    return around(target, plan.before, plan.after)


def _first_day(study: Study, plan: VisitPlan, screened_on: date | None) -> Span | None:
    """Return when Day 1 may be if the screening was on `screened_on`."""
    screening = screening_plan(study)
    if plan.day != 1 or screened_on is None or screening is None or screening.day is None:
        return None
    days = -screening.day
    return Span(
        screened_on + timedelta(days=days - screening.after),
        screened_on + timedelta(days=days),
        screened_on + timedelta(days=days + screening.before),
    )


def screening_plan(study: Study) -> VisitPlan | None:
    """Return the visit before Day 1 that the participant's screening is dated by."""
    return next(
        (p for p in _from_randomization(study) if p.day is not None and p.day < 0), None
    )


def closing(study: Study, plan: VisitPlan) -> bool:
    """Say whether a visit of this plan, once held, is the participant's last at the site.

    That is the final planned visit that is not optional, or an event tied to the last dose,
    which is what an early termination is.
    """
    if plan.kind is VisitKind.EVENT:
        return plan.anchor == "last dose"
    final = max(
        (p for p in _from_randomization(study) if not p.optional and p.day is not None),
        key=lambda p: p.day or 0,
        default=None,
    )
    return final is not None and plan.id == final.id


def due(plan: VisitPlan, where: Span | None) -> date | None:
    """Return the last day the visit is expected on; an optional visit is never due."""
    return None if where is None or plan.optional else where.last


def reach(study: Study) -> int:
    """Return the length in days of the longest window there can be."""
    return max((plan.before + plan.after for plan in _planned(study)), default=0)


def _planned(study: Study) -> Iterator[VisitPlan]:
    return (plan for plan in study.visits if plan.kind is VisitKind.PLANNED)


def _from_randomization(study: Study) -> Iterator[VisitPlan]:
    return (plan for plan in _planned(study) if plan.anchor == "randomization")
