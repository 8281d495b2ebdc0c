"""Participants and visits an actor may see. Finding one is the access check.

What lies at another site is not found, in the same words as what does not exist.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, select
from sqlalchemy.orm import Session

from ecrf.kernel.access import Actor, Right
from ecrf.kernel.errors import NotFound
from ecrf.kernel.people import Site
from ecrf.kernel.text import T
from ecrf.study import versions
from ecrf.study.model import Study, VisitPlan
from ecrf.study.tables import StudyRow
from visits import defined, schedule
from visits.rows import (
    PARTICIPANT,
    VISIT,
    DeviationRow,
    KitRow,
    ParticipantRow,
    VisitRow,
    read_participant,
    read_visit,
    strongest,
)
from visits.tables import Deviation, KitGiven, Participant, Visit

SOON = 14
"""How many days ahead the list of what is due looks."""


class Found(NamedTuple):
    """A visit with its participant and the definition they are under."""

    study: Study
    participant: ParticipantRow
    visit: VisitRow

    @property
    def plan(self) -> VisitPlan:
        return self.study.visit[self.visit.plan]

    @property
    def lock(self) -> str:
        return strongest(self.visit.state, self.participant.lock)

    def lock_at(self, at: datetime) -> str:
        """Return the lock as it is at a moment: an unlock lasts until it ends."""
        return "open" if self.visit.unlocked(at) else self.lock


class Matrix(NamedTuple):
    """Participants in the order of their codes, and their visits in the order of the plan."""

    participants: tuple[ParticipantRow, ...]
    visits: Mapping[int, tuple[VisitRow, ...]]


class Expected(NamedTuple):
    """A visit that waits to be held."""

    code: str
    site: str
    visit: VisitRow


class Due(NamedTuple):
    """What waits at a day: overdue, to be held within a week, and what opens soon after."""

    overdue: tuple[Expected, ...]
    week: tuple[Expected, ...]
    soon: tuple[Expected, ...]


_WIDTH = len(PARTICIPANT)


def participant(
    session: Session, actor: Actor, study_id: str, code: str, right: Right
) -> ParticipantRow:
    """Return the participant if `actor` holds `right` at their site; else NotFound."""
    row = session.execute(_participants(study_id).where(Participant.code == code)).one_or_none()
    if row is None or not actor.may(right, study_id, row.site):
        raise NotFound(T("There is no participant {code} at your sites.", code=code))
    return read_participant(row)


def visit(
    session: Session, actor: Actor, study_id: str, code: str, visit_key: str, right: Right
) -> Found:
    """Return the visit if `actor` holds `right` at its participant's site; else NotFound."""
    row = session.execute(
        _participants(study_id, *VISIT, defined.fingerprint())
        .outerjoin(Visit, and_(Visit.participant_id == Participant.id, Visit.key == visit_key))
        .where(Participant.code == code)
    ).one_or_none()
    if row is None or not actor.may(right, study_id, row.site):
        raise NotFound(T("There is no participant {code} at your sites.", code=code))
    who = read_participant(row[:_WIDTH])
    if row[_WIDTH] is None:
        raise NotFound(
            T("Participant {code} has no visit {visit}.", code=code, visit=visit_key)
        )
    kept = read_visit(row[_WIDTH:-1])
    return Found(versions.with_visit(session, row[-1], kept.plan)[0], who, kept)


def visits(session: Session, participant_id: int) -> tuple[VisitRow, ...]:
    """Return every visit of a participant, in the order of the schedule."""
    rows = session.execute(
        select(*VISIT).where(Visit.participant_id == participant_id).order_by(Visit.position)
    )
    return tuple(read_visit(row) for row in rows)


def next_at(
    session: Session, study_id: str, site: str, number: int, visit_key: str
) -> str | None:
    """Return the code of the next participant of a site who has this visit, or None."""
    return session.scalar(
        select(Participant.code)
        .join(Visit, and_(Visit.participant_id == Participant.id, Visit.key == visit_key))
        .where(
            Participant.study == study_id, Participant.site == site,
            Participant.number > number,
        )
        .order_by(Participant.number)
        .limit(1)
    )  # fmt: skip


def deviations(session: Session, participant_id: int) -> tuple[DeviationRow, ...]:
    """Return the deviations of a participant that were not withdrawn, oldest first."""
    rows = session.execute(
        select(
            Visit.key, Deviation.category, Deviation.severity, Deviation.text_en,
            Deviation.text_zh, Deviation.raised_at, Deviation.form, Deviation.number,
        )
        .outerjoin(Visit, Visit.id == Deviation.visit_id)
        .where(Deviation.participant_id == participant_id, Deviation.withdrawn_at.is_(None))
        .order_by(Deviation.id)
    )  # fmt: skip
    return tuple(DeviationRow(*row) for row in rows)


def kits(session: Session, participant_id: int) -> tuple[KitRow, ...]:
    """Return the kit numbers given to a participant, in the order they were given."""
    rows = session.execute(
        select(Visit.key, KitGiven.number, KitGiven.status)
        .join(Visit, Visit.id == KitGiven.visit_id)
        .where(KitGiven.participant_id == participant_id)
        .order_by(KitGiven.id)
    )
    return tuple(KitRow(*row) for row in rows)


def matrix(
    session: Session,
    actor: Actor,
    study: Study,
    *,
    site: str | None = None,
    status: str | None = None,
) -> Matrix:
    """Return every participant the actor may see with their visits. Two statements."""
    those = wanted(actor, study.id, site=site, status=status)
    people = session.execute(
        _participants(study.id).where(*those).order_by(Participant.site, Participant.number)
    )
    rows = session.execute(
        select(*VISIT)
        .join(Participant, Participant.id == Visit.participant_id)
        .where(*those)
        .order_by(Visit.participant_id, Visit.position)
    )
    found: defaultdict[int, list[VisitRow]] = defaultdict(list)
    for row in rows:
        found[row.participant_id].append(read_visit(row))
    return Matrix(
        tuple(read_participant(row) for row in people),
        {key: tuple(held) for key, held in found.items()},
    )


def due(session: Session, actor: Actor, study: Study, today: date) -> Due:
    """Return the visits that wait at the actor's sites, the most urgent first. One statement.

    The index on (study, due) ends the search at the last day anything shown can be due.
    """
    end = today + timedelta(days=SOON + schedule.reach(study))
    rows = session.execute(
        select(Participant.code, Participant.site, *VISIT)
        .join(Participant, Participant.id == Visit.participant_id)
        .where(Visit.study == study.id, Visit.due <= end, *wanted(actor, study.id))
        .order_by(Visit.due, Participant.code)
    )
    waiting = [Expected(row[0], row[1], read_visit(row[2:])) for row in rows]
    week = today + timedelta(days=7)
    return Due(
        tuple(e for e in waiting if _last(e) < today),
        tuple(e for e in waiting if _last(e) >= today and _opens(e) <= week),
        tuple(e for e in waiting if week < _opens(e) <= today + timedelta(days=SOON)),
    )


def sites(session: Session, actor: Actor, study_id: str, right: Right) -> Sequence[Site]:
    """Return the study's sites at which the actor holds `right`, in the order of codes."""
    held = actor.sites(right, study_id)
    theirs = [] if held is None else [Site.code.in_(held)]
    return session.scalars(
        select(Site).where(Site.study == study_id, *theirs).order_by(Site.code)
    ).all()


def wanted(
    actor: Actor, study_id: str, *, site: str | None = None, status: str | None = None
) -> list[ColumnElement[bool]]:
    """Return the conditions on participants: those the actor may see, of a site and status."""
    conditions = [Participant.study == study_id]
    conditions += seen(actor, study_id, Participant.site)
    conditions += [Participant.site == site] if site else []
    conditions += [Participant.status == status] if status else []
    return conditions


def seen(actor: Actor, study_id: str, column: Any) -> list[ColumnElement[bool]]:
    """Return the condition on the site `column` that keeps to what the actor may see."""
    held: Collection[str] | None = actor.sites(Right.PARTICIPANT_READ, study_id)
    return [] if held is None else [column.in_(sorted(held))]


def _last(expected: Expected) -> date:
    return expected.visit.due or date.max


def _opens(expected: Expected) -> date:
    return expected.visit.first or _last(expected)


def _participants(study_id: str, *more: Any) -> Select[Any]:
    columns: tuple[Any, ...] = (*PARTICIPANT, *more)
    return (
        select(*columns)
        .join(StudyRow, StudyRow.id == Participant.study)
        .join(Site, and_(Site.study == Participant.study, Site.code == Participant.site))
        .where(Participant.study == study_id)
    )
