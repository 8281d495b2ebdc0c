"""The lock ladder: an entry is as open as it, its visit, participant, site and study are.

Frozen: sites change nothing more, queries and signatures still flow. Locked: nothing moves.
What is unlocked (`forms.unlocking`) moves until a moment, whatever is locked above it; nobody
has to do anything for that moment to count.
The state is tested twice: before deciding, so that the refusal can name what is locked, and as
a condition of the writing statement itself (`still`), because what was read may be older than
the participant's chain head, whose lock the act has waited for.
"""

from datetime import datetime
from functools import cache
from typing import NamedTuple

from sqlalchemy import (
    ColumnElement,
    Integer,
    and_,
    bindparam,
    exists,
    or_,
    select,
)
from sqlalchemy.orm import Session

from ecrf.kernel.errors import Conflict
from ecrf.kernel.people import Person, Site
from ecrf.kernel.text import Message, T
from ecrf.study.tables import StudyRow
from forms.tables import Entry, Lock
from visits.tables import Participant, Visit

OPEN = ("open",)
UNLOCKED = ("open", "frozen")
AT_VISIT = "at_visit"

_CLOSED = {
    ("entry", "frozen"): T("This form is frozen: sites can no longer change it."),
    ("entry", "locked"): T("This form is locked: nothing in it can be changed."),
    ("visit", "frozen"): T("This visit is frozen: sites can no longer change it."),
    ("visit", "locked"): T("This visit is locked: nothing in it can be changed."),
    ("participant", "frozen"): T("This participant is frozen: sites can no longer change it."),
    ("participant", "locked"): T("This participant is locked: nothing can be changed."),
    ("site", "frozen"): T("The site is frozen: it can no longer change anything."),
    ("site", "locked"): T("The site is locked: nothing can be changed."),
    ("study", "frozen"): T("The study is frozen: sites can no longer change anything."),
    ("study", "locked"): T("The study is locked: nothing can be changed."),
}


class Rung(NamedTuple):
    """A thing of the ladder and its state: study, site, participant, visit or entry.

    `until` is when the unlock of exactly this thing ends, or ended.
    """

    scope: str
    state: str
    until: datetime | None = None


class Place(NamedTuple):
    """Where an act lands, with the state of everything above it."""

    study: str
    site: str
    participant_id: int
    visit_id: int
    entry_id: int | None
    rungs: tuple[Rung, ...]

    def unlocked(self, at: datetime | None) -> bool:
        """Say whether the thing itself is unlocked at that moment; without one, it is not."""
        until = self.rungs[-1].until
        return until is not None and at is not None and at < until


def require(
    session: Session, place: Place, allowed: tuple[str, ...], at: datetime | None = None
) -> None:
    """Raise Conflict naming the highest thing that is closed at `at`, and who closed it."""
    rung = _barred(place, allowed, at)
    if rung is not None:
        raise Conflict(_explain(session, place, rung))


def closed(
    place: Place, allowed: tuple[str, ...], at: datetime | None = None
) -> Message | None:
    """Say why nothing can be written here at `at`, or None when it can."""
    rung = _barred(place, allowed, at)
    return None if rung is None else _CLOSED[rung.scope, rung.state]


def _barred(place: Place, allowed: tuple[str, ...], at: datetime | None) -> Rung | None:
    if place.unlocked(at):
        return None
    return next((rung for rung in place.rungs if rung.state not in allowed), None)


def writable(allowed: tuple[str, ...], at: datetime) -> ColumnElement[bool]:
    """Return the condition that an entry, and all above it, may be written at `at`."""
    here = Entry.__table__.c
    above = _standing(allowed, here.visit_id)
    return or_(and_(here.state.in_(allowed), above), here.open_until > at)


def unlocked_visit(at: ColumnElement[datetime]) -> ColumnElement[bool]:
    """Return the condition that the visit of the parameter AT_VISIT is unlocked."""
    visit = Visit.__table__.alias()
    here = bindparam(AT_VISIT, type_=Integer)
    return exists(select(visit.c.id).where(visit.c.id == here, visit.c.open_until > at))


@cache
def standing(allowed: tuple[str, ...]) -> ColumnElement[bool]:
    """Return the same condition for the visit that comes as the parameter AT_VISIT.

    Made once, for statements that are made once.
    """
    return _standing(allowed, bindparam(AT_VISIT, type_=Integer))


def _standing(allowed: tuple[str, ...], visit_id: ColumnElement[int]) -> ColumnElement[bool]:
    study, site = StudyRow.__table__.alias(), Site.__table__.alias()
    participant, visit = Participant.__table__.alias(), Visit.__table__.alias()
    return exists(
        select(study.c.id)
        .join(site, site.c.study == study.c.id)
        .join(
            participant,
            (participant.c.study == study.c.id) & (participant.c.site == site.c.code),
        )
        .join(visit, visit.c.participant_id == participant.c.id)
        .where(
            visit.c.id == visit_id,
            *(thing.c.state.in_(allowed) for thing in (study, site, participant, visit)),
        )
    )


def _explain(session: Session, place: Place, rung: Rung) -> Message:
    what = _CLOSED[rung.scope, rung.state]
    ended = place.rungs[-1].until
    if ended is not None:
        what = T("{what} It was unlocked until {moment}.", what=what, moment=_moment(ended))
    row = session.execute(
        select(Person.name, Lock.at)
        .join(Person, Person.id == Lock.by)
        .where(
            Lock.study == place.study, Lock.scope == rung.scope, Lock.lifted_at.is_(None),
            Lock.target.in_(_targets(place, rung.scope)),
        )
        .order_by(Lock.id.desc())
        .limit(1)
    ).one_or_none()  # fmt: skip
    if row is None:
        return what
    return T("{what} By {name} on {day}.", what=what, name=row.name, day=row.at.date())


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _targets(place: Place, scope: str) -> tuple[str, ...]:
    ids = {
        "study": place.study,
        "site": place.site,
        "participant": place.participant_id,
        "visit": place.visit_id,
        "entry": place.entry_id,
    }
    return (str(ids[scope]),)
