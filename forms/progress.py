"""How far the entries of many visits are: for the grid and for the list of the day.

Every question is one statement, however many participants there are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Generic, NamedTuple, TypeVar

from sqlalchemy import ColumnElement, String, and_, case, func, literal, or_, select
from sqlalchemy.orm import Session

from ecrf.kernel.access import Actor
from ecrf.study.model import Study
from forms import casebook
from forms.casebook import Counts
from forms.tables import Entry, Query
from visits import lookup
from visits.tables import Participant, Visit

SHOWN = 50
"""The most lines a group of the day's list shows; its number counts them all."""

Line = TypeVar("Line")


@dataclass(frozen=True, slots=True)
class Some(Generic[Line]):
    """The first lines of a group, and how many there are in all."""

    lines: tuple[Line, ...]
    total: int


class EntryRow(NamedTuple):
    """One entry as the pages of its participant and its visit list it."""

    visit_id: int
    form: str
    number: int
    status: str
    state: str
    version: int
    signed_version: int | None
    queries: int
    answered: int = 0

    @property
    def signed(self) -> bool:
        return self.signed_version == self.version


class Waiting(NamedTuple):
    """An entry that waits for somebody: a draft, or one to be signed."""

    code: str
    visit: str
    plan: str
    form: str
    number: int
    saved_at: datetime


class Incomplete(NamedTuple):
    """A visit that was held and whose required forms are not all there."""

    code: str
    visit: str
    plan: str
    held_on: date | None
    there: int
    asked: str


class Asked(NamedTuple):
    """The queries of one status: how many, and since when the oldest waits."""

    total: int = 0
    oldest: datetime | None = None


def by_visit(
    session: Session, actor: Actor, study: Study, *, site: str | None, status: str | None
) -> Mapping[int, Counts]:
    """Count entries and live queries of every visit the actor may see. Two statements."""
    wanted = lookup.wanted(actor, study.id, site=site, status=status)
    entries = session.execute(
        select(
            Entry.visit_id,
            _count(Entry.status == "draft"),
            _count(Entry.status == "complete"),
            _count(Entry.status == "not done"),
            _there(study),
        )
        .join(Visit, Visit.id == Entry.visit_id)
        .join(Participant, Participant.id == Entry.participant_id)
        .where(*wanted)
        .group_by(Entry.visit_id)
    )
    counts = {row[0]: Counts(*row[1:]) for row in entries}
    queries = session.execute(
        select(
            Query.visit_id, _count(Query.status == "open"), _count(Query.status == "answered")
        )
        .join(Participant, Participant.id == Query.participant_id)
        .where(
            Query.study == study.id, Query.status.in_(("open", "answered")),
            Query.visit_id.is_not(None), *wanted,
        )
        .group_by(Query.visit_id)
    )  # fmt: skip
    for visit_id, open_, answered in queries:
        found = counts.get(visit_id, Counts())
        counts[visit_id] = found._replace(queries=open_, answered=answered)
    return counts


def of_participant(session: Session, participant_id: int) -> tuple[EntryRow, ...]:
    """Return every entry of a participant with the number of its live queries."""
    queries, answered = (
        select(func.count(Query.id))
        .where(Query.entry_id == Entry.id, Query.status == status)
        .correlate(Entry)
        .scalar_subquery()
        for status in ("open", "answered")
    )
    rows = session.execute(
        select(
            Entry.visit_id, Entry.form, Entry.number, Entry.status, Entry.state, Entry.version,
            Entry.signed_version, queries, answered,
        )
        .where(Entry.participant_id == participant_id)
        .order_by(Entry.visit_id, Entry.form, Entry.number)
    )  # fmt: skip
    return tuple(EntryRow(*row) for row in rows)


def drafts(session: Session, actor: Actor, study: Study) -> Some[Waiting]:
    """Return the entries that were begun and are not complete, the oldest first."""
    return _waiting(session, actor, study, Entry.status == "draft")


def unsigned(session: Session, actor: Actor, study: Study) -> Some[Waiting]:
    """Return the complete entries whose form asks for a signature that does not stand."""
    asking = sorted(form.id for form in study.forms.values() if form.signed is not None)
    return _waiting(
        session,
        actor,
        study,
        and_(
            Entry.form.in_(asking),
            Entry.status == "complete",
            or_(Entry.signed_version.is_(None), Entry.signed_version != Entry.version),
        ),
    )


def incomplete(session: Session, actor: Actor, study: Study) -> Some[Incomplete]:
    """Return the visits held at which required forms are not filled, the oldest first."""
    needed = {plan.id: len(casebook.required(study, plan.id)) for plan in study.visits}
    there = _there(study)
    rows = session.execute(
        select(
            Participant.code, Visit.key, Visit.plan, Visit.held_on, there.label("there"),
            Visit.asked, func.count().over().label("total"),
        )
        .join(Participant, Participant.id == Visit.participant_id)
        .outerjoin(Entry, Entry.visit_id == Visit.id)
        .where(
            *lookup.wanted(actor, study.id),
            Participant.state == "open",
            Visit.status == "held",
            Visit.state == "open",
        )
        .group_by(
            Visit.id, Participant.code, Visit.key, Visit.plan, Visit.held_on, Visit.asked
        )
        .having(there < case(needed, value=Visit.plan, else_=0) + _asked_forms())
        .order_by(Visit.held_on, Participant.code)
        .limit(SHOWN)
    ).all()  # fmt: skip
    return Some(tuple(Incomplete(*row[:-1]) for row in rows), rows[0].total if rows else 0)


def queries(session: Session, actor: Actor, study_id: str) -> Mapping[str, Asked]:
    """Count the live queries at the actor's sites by status."""
    rows = session.execute(
        select(Query.status, func.count(Query.id), func.min(Query.opened_at))
        .where(
            Query.study == study_id,
            Query.status.in_(("open", "answered")),
            *lookup.seen(actor, study_id, Query.site),
        )
        .group_by(Query.status)
    )
    return {status: Asked(total, oldest) for status, total, oldest in rows}


def _waiting(
    session: Session, actor: Actor, study: Study, condition: ColumnElement[bool]
) -> Some[Waiting]:
    rows = session.execute(
        select(
            Participant.code, Visit.key, Visit.plan, Entry.form, Entry.number, Entry.saved_at,
            func.count().over().label("total"),
        )
        .join(Participant, Participant.id == Entry.participant_id)
        .join(Visit, Visit.id == Entry.visit_id)
        .where(
            *lookup.wanted(actor, study.id),
            Participant.state == "open",
            Entry.state == "open",
            condition,
        )
        .order_by(Entry.saved_at, Entry.id)
        .limit(SHOWN)
    ).all()  # fmt: skip
    return Some(tuple(Waiting(*row[:-1]) for row in rows), rows[0].total if rows else 0)


def _there(study: Study) -> ColumnElement[int]:
    """Count the required forms of a visit that are complete or marked as not done."""
    pairs = [
        f"{plan.id}/{form}"
        for plan in study.visits
        for form in casebook.required(study, plan.id)
    ]
    planned = (Visit.plan + "/" + Entry.form).in_(pairs)
    done = and_(or_(planned, _asked()), Entry.status != "draft")
    return func.count(case((done, Entry.form)).distinct())


def _asked() -> ColumnElement[bool]:
    """Say that answers make the entry's form due at its visit; exact, unlike LIKE."""
    listed = literal("|", String) + Visit.asked
    return func.replace(listed, "|" + Entry.form + "|", "") != listed


def _asked_forms() -> ColumnElement[int]:
    """Count the forms that answers make due at a visit: each has a | behind it."""
    return func.length(Visit.asked) - func.length(func.replace(Visit.asked, "|", ""))


def _count(condition: ColumnElement[bool]) -> ColumnElement[Any]:
    return func.count(case((condition, 1)))
