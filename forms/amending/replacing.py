"""Bring a participant's visits in line with a later version: only those still planned.

What was held or missed stays as it is. A visit the version does not have any more is closed
as missed with that reason, one it adds is planned, and windows are placed anew.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from ecrf.kernel.chain import Change
from ecrf.kernel.text import T
from ecrf.study.model import Study, VisitKind, VisitPlan
from forms.tables import Entry
from visits import schedule
from visits.schedule import Anchors, Place
from visits.tables import Participant, Visit
from visits.windows import Span

PRESENT = ("screening", "randomized")
"""The statuses of a participant whose visits are still due."""


class Step(NamedTuple):
    """What is done to one visit: `row` is None for one that is added."""

    row: Visit | None
    place: Place | None
    values: Mapping[str, object]
    changes: tuple[Change, ...]


def decide(who: Participant, rows: Sequence[Visit], old: Study, new: Study) -> list[Step]:
    """Return what the new schedule does to a participant's visits. Pure."""
    return [*_added(who, rows, new), *_changed(who, rows, old, new)]


def carry_out(session: Session, who: Participant, old: Study, new: Study) -> list[Change]:
    """Bring the visits in line and return the changes for the act of the caller."""
    rows = list(session.scalars(select(Visit).where(Visit.participant_id == who.id)))
    begun = set(session.scalars(select(Entry.visit_id).where(Entry.participant_id == who.id)))
    free = [row for row in rows if not (row.id in begun and row.plan not in new.visit)]
    changes: list[Change] = []
    for step in decide(who, free, old, new):
        if step.row is None:
            session.execute(insert(Visit).values(participant_id=who.id, study=who.study,
                                                 **step.values))  # fmt: skip
        else:
            session.execute(
                update(Visit)
                .where(Visit.id == step.row.id, Visit.status == "planned")
                .values(**step.values)
            )
        changes += step.changes
    return changes


def _added(who: Participant, rows: Sequence[Visit], new: Study) -> Iterator[Step]:
    known = {row.key for row in rows}
    spans = schedule.spans(new, _anchors(who, rows, new))
    for place in schedule.scheduled(new):
        if place.key in known:
            continue
        span = spans.get(place.key)
        values = {
            "plan": place.plan.id, "key": place.key, "kind": place.plan.kind.value,
            "position": place.position, "status": "planned", "state": "open",
            **_window(who, place.plan, span),
        }  # fmt: skip
        changes = [Change(f"{place.key}.status", None, "planned")]
        if span is not None:
            changes.append(Change(f"{place.key}.window", None, _said(span)))
        yield Step(None, place, values, tuple(changes))


def _changed(who: Participant, rows: Sequence[Visit], old: Study, new: Study) -> Iterator[Step]:
    spans = schedule.spans(new, _anchors(who, rows, new))
    for row in rows:
        if row.status != "planned" or row.state != "open" or row.kind != VisitKind.PLANNED:
            continue
        plan = new.visit.get(row.plan)
        if plan is None:
            yield _dropped(row, new)
            continue
        was = _span(row)
        now = spans.get(row.key) or _shifted(was, old.visit.get(row.plan), plan)
        if now is not None and now != was:
            change = Change(f"{row.key}.window", was and _said(was), _said(now))
            yield Step(row, None, _window(who, plan, now), (change,))


def _dropped(row: Visit, new: Study) -> Step:
    reason = T("Not planned any more since version {version}.", version=new.version)
    values = {"status": "missed", "missed_reason": reason.in_("en"), "due": None}
    return Step(row, None, values, (Change(f"{row.key}.status", "planned", "missed"),))


def _anchors(who: Participant, rows: Sequence[Visit], new: Study) -> Anchors:
    screening = schedule.screening_plan(new)
    held = next((r.held_on for r in rows if screening and r.key == screening.id), None)
    return Anchors(randomized_on=who.randomized_on, screened_on=held)


def _shifted(was: Span | None, before: VisitPlan | None, plan: VisitPlan) -> Span | None:
    """Return the window of a visit counted from a date that is not kept, by its own target."""
    if was is None or before is None or before.months != plan.months:
        return None
    target = was.target + timedelta(days=(plan.day or 0) - (before.day or 0))
    first, last = target - timedelta(days=plan.before), target + timedelta(days=plan.after)
    return Span(first, target, last)


def _window(who: Participant, plan: VisitPlan, span: Span | None) -> dict[str, object]:
    if span is None:
        return {}
    due = schedule.due(plan, span) if who.status in PRESENT else None
    return {"first": span.first, "target": span.target, "last": span.last, "due": due}


def _span(row: Visit) -> Span | None:
    if row.first is None or row.target is None or row.last is None:
        return None
    return Span(row.first, row.target, row.last)


def _said(where: Span) -> str:
    return f"{where.first}/{where.target}/{where.last}"
