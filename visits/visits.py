"""Write visits: held, missed, opened again, added, and their windows placed.

Every change takes the participant's chain first, so that two changes of one participant follow
one another.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Protocol

from sqlalchemy import ColumnElement, and_, case, insert, or_, select, update
from sqlalchemy.orm import Session

from ecrf.kernel.access import Right
from ecrf.kernel.chain import Change, Head
from ecrf.kernel.errors import Conflict
from ecrf.kernel.ledger import LEDGER, Act, By, participant_chain
from ecrf.kernel.text import T
from ecrf.study.model import Study, VisitKind
from visits import dates, deviations, refusals, schedule
from visits.deviations import Held
from visits.lookup import Found
from visits.rows import ParticipantRow
from visits.schedule import Anchors
from visits.tables import Participant, Visit
from visits.windows import Span, civil_date

DATE = "held_on"
NOTHING: Mapping[str, object] = {}


class Known(Protocol):
    """A participant as far as placing windows needs to know one."""

    @property
    def id(self) -> int: ...


def hold(session: Session, by: By, found: Found, held_on: date, *, reason: str = "") -> None:
    """Write down the actual date of a visit; changing one that stands needs a reason.

    A date outside the window is taken, and is a minor deviation until it is corrected.
    """
    refusals.require_open(found.lock_at(by.at), _name(found))
    if found.visit.held_on == held_on:
        return
    _require_possible(session, by, found, held_on)
    why = None if found.visit.held_on is None else refusals.require_reason(reason)
    head = _head(session, found)
    _change(session, by.at, found, status="held", held_on=held_on, due=None)
    changes = [
        *_changed("status", found.visit.status, "held"),
        *_changed(DATE, _iso(found.visit.held_on), held_on.isoformat()),
        *_judge(session, by, found, held_on),
        *_follow(session, by, found, held_on),
    ]
    _write(session, by, found, head, "visit:hold", changes, why)


def miss(
    session: Session, by: By, found: Found, reason: str, refs: Mapping[str, object] = NOTHING
) -> None:
    """Write down that a visit did not and will not take place, and why."""
    refusals.require_open(found.lock_at(by.at), _name(found))
    if found.visit.kind == VisitKind.LOG:
        raise Conflict(T("{visit} has no date of its own.", visit=found.plan.label))
    if found.visit.status != "planned":
        raise Conflict(T("{visit} is held or missed already.", visit=_name(found)))
    why = refusals.require_reason(reason)
    head = _head(session, found)
    _change(session, by.at, found, status="missed", missed_reason=why, due=None)
    changes = _changed("status", "planned", "missed")
    _write(session, by, found, head, "visit:miss", changes, why, refs)


def reopen(
    session: Session, by: By, found: Found, reason: str, refs: Mapping[str, object] = NOTHING
) -> None:
    """Make a missed visit, or one dated by mistake, a planned one again."""
    refusals.require_open(found.lock_at(by.at), _name(found))
    if found.visit.status == "planned":
        raise Conflict(T("{visit} is neither held nor missed.", visit=_name(found)))
    why = refusals.require_reason(reason)
    head = _head(session, found)
    due = schedule.due(found.plan, found.visit.span)
    _change(session, by.at, found, status="planned", held_on=None, missed_reason=None, due=due)
    changes = [
        *_changed("status", found.visit.status, "planned"),
        *_changed(DATE, _iso(found.visit.held_on), None),
        *_judge(session, by, found, None),
    ]
    _write(session, by, found, head, "visit:reopen", changes, why, refs)


def add(session: Session, by: By, who: ParticipantRow, study: Study, plan_id: str) -> str:
    """Add an unscheduled or event visit, and return its key: UNS-1, UNS-2, …"""
    refusals.require_open(who.lock, who.code)
    head = LEDGER.head(session, participant_chain(who.study, who.code))
    now = session.scalar(select(Participant.state).where(Participant.id == who.id))
    refusals.require_open(now or who.lock, who.code)
    taken = session.scalars(select(Visit.key).where(Visit.participant_id == who.id)).all()
    plan = next((p for p in schedule.addable(study, taken) if p.id == plan_id), None)
    if plan is None:
        raise Conflict(
            T("{code} cannot have another visit {visit}.", code=who.code, visit=plan_id)
        )
    place = schedule.another(study, plan, taken)
    session.execute(
        insert(Visit).values(
            participant_id=who.id, study=who.study, plan=plan.id, key=place.key,
            kind=plan.kind.value, position=place.position, status="planned", state="open",
        )
    )  # fmt: skip
    act = Act(
        "visit:add", by.actor.role_for(Right.ENTRY_WRITE, who.study, who.site), who.study,
        who.site, key=f"participant:{who.id}",
        refs={"participant": who.code, "visit": place.key},
        changes=[Change(f"{place.key}.status", None, "planned")],
    )  # fmt: skip
    LEDGER.write(session, by, [(head, act)])
    return place.key


def place(
    session: Session, by: By, participant: Known, study: Study, randomized_on: date
) -> Sequence[Change]:
    """Fix every window that follows from the randomization, in one statement.

    Visits held before, such as the screening, are judged by their windows now. The changes
    returned belong into the act of the caller, who holds the participant's chain.
    """
    return fix(session, by, participant, study, Anchors(randomized_on=randomized_on))


def fix(
    session: Session, by: By, participant: Known, study: Study, anchors: Anchors
) -> Sequence[Change]:
    """Fix the windows that follow from `anchors`, such as the last dose; see `place`."""
    spans = schedule.spans(study, anchors)
    changes = [Change(f"{key}.window", None, _said(where)) for key, where in spans.items()]
    departed = [
        held for held in _set_windows(session, participant, study, spans) if held.departure
    ]
    if departed:
        changes += deviations.judge(session, by, participant.id, departed)
    return changes


def _set_windows(
    session: Session, participant: Known, study: Study, spans: Mapping[str, Span]
) -> list[Held]:
    """Store the windows in one statement, and return the visits they are of."""
    if not spans:
        return []
    expected = [key for key in spans if not study.visit[key].optional]
    last = _by_key({key: where.last for key, where in spans.items()})
    rows = session.execute(
        update(Visit)
        .where(Visit.participant_id == participant.id, Visit.key.in_(sorted(spans)))
        .values(
            first=_by_key({key: where.first for key, where in spans.items()}),
            target=_by_key({key: where.target for key, where in spans.items()}),
            last=last,
            due=case((and_(Visit.status == "planned", Visit.key.in_(expected)), last)),
        )
        .returning(Visit.id, Visit.key, Visit.held_on)
        .execution_options(synchronize_session=False)
    )
    return [
        Held(row.id, study.visit[row.key], spans[row.key], row.held_on) for row in rows.all()
    ]


def _by_key(dates: Mapping[str, date]) -> ColumnElement[date]:
    return case(dict(dates), value=Visit.key)


def _require_possible(session: Session, by: By, found: Found, held_on: date) -> None:
    """Refuse a date on which the visit cannot have taken place."""
    if found.visit.status == "missed":
        raise Conflict(T("{visit} is missed. Open it again first.", visit=found.plan.label))
    who = found.participant
    known = dates.Known(
        civil_date(by.at, who.zone),
        civil_date(who.enrolled_at, who.zone),
        _screened_on(session, found),
        who.randomized_on,
    )
    not_due = dates.not_due(found.plan, who.status, known)
    if not_due is not None:
        raise Conflict(not_due)
    impossible = dates.impossible(found.study, found.plan, held_on, known)
    if impossible is not None:
        raise refusals.unacceptable(DATE, impossible)


def _screened_on(session: Session, found: Found) -> date | None:
    screening = schedule.screening_plan(found.study)
    if screening is None:
        return None
    return session.scalar(
        select(Visit.held_on).where(
            Visit.participant_id == found.participant.id, Visit.key == screening.id
        )
    )


def _judge(session: Session, by: By, found: Found, held_on: date | None) -> list[Change]:
    """Judge the date by the window, once the window is the final one."""
    if found.plan.anchor == "randomization" and found.participant.randomized_on is None:
        return []
    held = Held(found.visit.id, found.plan, found.visit.span, held_on)
    return deviations.judge(session, by, found.participant.id, [held])


def _follow(session: Session, by: By, found: Found, held_on: date) -> Sequence[Change]:
    """Fix the windows that hang on this visit: Day 1 on the screening, calls on the last."""
    anchors = Anchors()
    if found.plan is schedule.screening_plan(found.study):
        if found.participant.randomized_on is None:
            anchors = Anchors(screened_on=held_on)
    elif schedule.closing(found.study, found.plan):
        anchors = Anchors(last_visit=held_on)
    return fix(session, by, found.participant, found.study, anchors)


def _head(session: Session, found: Found) -> Head:
    who = found.participant
    return LEDGER.head(session, participant_chain(who.study, who.code))


def _change(session: Session, at: datetime, found: Found, **values: object) -> None:
    """Change the visit's row if it still is as it was found; else somebody was faster."""
    seen = found.visit
    above = (
        select(Participant.id)
        .where(Participant.id == seen.participant_id, Participant.state == "open")
        .exists()
    )
    changed = session.execute(
        update(Visit)
        .where(
            Visit.id == seen.id,
            Visit.status == seen.status,
            Visit.held_on.is_not_distinct_from(seen.held_on),
            or_(and_(Visit.state == "open", above), Visit.open_until > at),
        )
        .values(**values)
        .returning(Visit.id)
        .execution_options(synchronize_session=False)
    ).all()
    if not changed:
        raise refusals.changed_meanwhile(_name(found))


def _write(
    session: Session,
    by: By,
    found: Found,
    head: Head,
    action: str,
    changes: Sequence[Change],
    reason: str | None = None,
    more: Mapping[str, object] = NOTHING,
) -> None:
    who = found.participant
    act = Act(
        action, by.actor.role_for(Right.ENTRY_WRITE, who.study, who.site), who.study, who.site,
        key=f"visit:{found.visit.id}", reason=reason, changes=changes,
        refs={"participant": who.code, "visit": found.visit.key, **more},
    )  # fmt: skip
    LEDGER.write(session, by, [(head, act)])


def _changed(item: str, old: object, new: object) -> list[Change]:
    return [] if old == new else [Change(item, old, new)]


def _name(found: Found) -> str:
    return f"{found.participant.code} {found.visit.key}"


def _iso(on: date | None) -> str | None:
    return None if on is None else on.isoformat()


def _said(where: Span) -> str:
    return f"{where.first}/{where.target}/{where.last}"
