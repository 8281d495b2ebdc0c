"""What a freeze or a lock covers: a study, a site, a participant, a visit or an entry."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, select, true
from sqlalchemy.orm import Session

from ecrf.kernel.access import Actor, Right
from ecrf.kernel.errors import NotFound
from ecrf.kernel.people import Site
from ecrf.kernel.text import Message, T
from ecrf.study.tables import StudyRow
from forms.tables import Entry
from visits.tables import Participant, Visit


class Level(StrEnum):
    """The rungs of the ladder, the widest first."""

    STUDY = "study"
    SITE = "site"
    PARTICIPANT = "participant"
    VISIT = "visit"
    ENTRY = "entry"


class Barring(NamedTuple):
    """Something that bars a lock, and where it is."""

    text: Message
    participant: str
    visit: str
    form: str
    number: int


@dataclass(frozen=True, slots=True)
class Scope:
    """One thing of the ladder, with everything above it; `key` is what a lock names it by."""

    level: Level
    study: str
    key: str
    site: str | None = None
    participant: str | None = None
    participant_id: int | None = None
    visit: str | None = None
    visit_id: int | None = None
    form: str | None = None
    number: int | None = None
    entry_id: int | None = None

    @property
    def name(self) -> str:
        """What people call it, such as `PUMCH-001 W4 RI`."""
        form = None if self.form is None else self.form.upper()
        repeat = None if self.number in (None, 1) else str(self.number)
        parts = (self.participant or self.site or self.study, self.visit, form, repeat)
        return " ".join(part for part in parts if part)

    def participants(self) -> ColumnElement[bool]:
        """Return the condition that keeps to participants the scope covers or lies in."""
        wanted = [Participant.study == self.study]
        if self.site is not None:
            wanted.append(Participant.site == self.site)
        if self.participant_id is not None:
            wanted.append(Participant.id == self.participant_id)
        return and_(*wanted)

    def visits(self) -> ColumnElement[bool]:
        return true() if self.visit_id is None else Visit.id == self.visit_id

    def entries(self) -> ColumnElement[bool]:
        return true() if self.entry_id is None else Entry.id == self.entry_id

    def within(self, level: Level, key: str) -> bool:
        """Say whether the thing `key` at `level` is this scope or lies above it."""
        mine = {
            Level.STUDY: self.study,
            Level.SITE: self.site,
            Level.PARTICIPANT: self.participant_id,
            Level.VISIT: self.visit_id,
            Level.ENTRY: self.entry_id,
        }[level]
        return mine is not None and str(mine) == key


def find(
    session: Session,
    actor: Actor,
    right: Right,
    study: str,
    *,
    site: str | None = None,
    participant: str | None = None,
    visit: str | None = None,
    form: str | None = None,
    number: int = 1,
) -> Scope:
    """Return the scope of the things named, if `actor` holds `right` there; else NotFound.

    A study or site as a whole asks for the right at every site, or at that site.
    """
    if participant is not None:
        return _inner(session, actor, right, study, participant, visit, form, number)
    known = session.scalar(select(StudyRow.id).where(StudyRow.id == study))
    if site is not None:
        known = session.scalar(select(Site.code).where(Site.study == study, Site.code == site))
    held = actor.sites(right, study)
    if known is None or not (held is None or site in held):
        raise NotFound(T("There is no such study or site."))
    level = Level.STUDY if site is None else Level.SITE
    return Scope(level, study, site or study, site=site)


def _inner(
    session: Session,
    actor: Actor,
    right: Right,
    study: str,
    participant: str,
    visit: str | None,
    form: str | None,
    number: int,
) -> Scope:
    row = session.execute(
        _places(Visit.key == visit, and_(Entry.form == form, Entry.number == number)).where(
            Participant.study == study, Participant.code == participant
        )
    ).one_or_none()
    if row is None or not actor.may(right, study, row.site):
        raise NotFound(T("There is no participant {code} at your sites.", code=participant))
    if (visit and row.visit_id is None) or (form and row.entry_id is None):
        raise NotFound(T("There is no such visit or form of {code}.", code=participant))
    level = Level.ENTRY if form else Level.VISIT if visit else Level.PARTICIPANT
    return _scope(study, level, row)


def stored(session: Session, study: str, level: Level, key: str) -> Scope:
    """Return the scope a stored lock names."""
    if level in (Level.STUDY, Level.SITE):
        return Scope(level, study, key, site=key if level is Level.SITE else None)
    column = {Level.PARTICIPANT: Participant.id, Level.VISIT: Visit.id, Level.ENTRY: Entry.id}
    query = _places(true(), true()).where(column[level] == int(key)).limit(1)
    return _scope(study, level, session.execute(query).one())


def _places(visit: ColumnElement[bool], entry: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    return (
        select(
            Participant.id, Participant.site, Participant.code,
            Visit.id.label("visit_id"), Visit.key, Entry.id.label("entry_id"), Entry.form,
            Entry.number,
        )
        .outerjoin(Visit, and_(Visit.participant_id == Participant.id, visit))
        .outerjoin(Entry, and_(Entry.visit_id == Visit.id, entry))
    )  # fmt: skip


def _scope(study: str, level: Level, row: Any) -> Scope:
    person = Scope(level, study, str(row.id), row.site, row.code, row.id)
    if level is Level.PARTICIPANT:
        return person
    visit = replace(person, key=str(row.visit_id), visit=row.key, visit_id=row.visit_id)
    if level is Level.VISIT:
        return visit
    return replace(
        visit, key=str(row.entry_id), form=row.form, number=row.number, entry_id=row.entry_id
    )
