"""A wrong kit was scanned: handing out stops at that visit until the pharmacy has said why.

The record stays open until the supply manager, another person, has closed it. What was scanned
is a number; nothing here tells what it holds.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from ecrf.kernel.access import Right
from ecrf.kernel.errors import Conflict, NotFound
from ecrf.kernel.ledger import Act, By
from ecrf.kernel.text import T, Text
from randomization.opened import Vault, permitted
from randomization.supplying import books
from randomization.supplying.said import said
from randomization.supplying.tables import Incident, IncidentNote


class Word(StrEnum):
    """What is said of an incident, in this order."""

    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"


WORDS: Mapping[str, Text] = {
    "": T("open: the pharmacy has to explain it"),
    Word.ACKNOWLEDGED: T("explained; the supply manager has to close it"),
    Word.CLOSED: T("closed"),
}
RIGHTS = {Word.ACKNOWLEDGED: Right.KIT_DISPENSE, Word.CLOSED: Right.SUPPLY_MANAGE}


class Note(NamedTuple):
    """One word on an incident."""

    kind: str
    text: str
    by_name: str
    at: datetime


class Line(NamedTuple):
    """An incident with what was said of it."""

    number: int
    site: str
    participant: str
    visit: str
    scanned: str
    by_name: str
    at: datetime
    notes: tuple[Note, ...]

    @property
    def status(self) -> str:
        """The last word said: "", acknowledged, closed."""
        return self.notes[-1].kind if self.notes else ""


def happened(
    session: Session, vault: Vault, by: By, place: tuple[str, str, str, str], scanned: str
) -> int:
    """Write an incident down in the transaction given; `place`: study, site, person, visit."""
    study, site, participant, visit = place
    number: int = session.scalars(
        insert(Incident)
        .values(
            study=study, environment=vault.environment, site=site, participant=participant,
            visit=visit, scanned=scanned[:12], by_id=by.actor.id, by_name=by.actor.name,
            at=by.at,
        )
        .returning(Incident.id)
    ).one()  # fmt: skip
    return number


def stopping(session: Session, vault: Vault, study: str, who: str, visit: str) -> int | None:
    """Return the number of an incident that stops the visit: one not explained yet."""
    explained = select(IncidentNote.incident_id)
    return session.scalar(
        select(Incident.id)
        .where(
            Incident.study == study, Incident.environment == vault.environment,
            Incident.participant == who, Incident.visit == visit,
            Incident.id.not_in(explained),
        )
        .order_by(Incident.id)
        .limit(1)
    )  # fmt: skip


def say(
    vault: Vault, by: By, study: str, site: str, number: int, word: Word, text: str
) -> None:
    """Explain an incident, or close one that another person explained."""
    role = permitted(by, RIGHTS[word], study, site)
    why = said(text, "text")
    refs = {"incident": number}
    act = Act(f"incident:{word}", role, study, site, f"incident:{number}", refs, why)

    def do(session: Session) -> tuple[None, Mapping[str, object]]:
        _require_turn(session, vault, by, (study, site, number), word)
        session.execute(
            insert(IncidentNote).values(
                incident_id=number, kind=word.value, text=why, by_id=by.actor.id,
                by_name=by.actor.name, at=by.at,
            )
        )  # fmt: skip
        return None, {}

    books.enter(vault, by, act, do)


def listing(vault: Vault, study: str, sites: Sequence[str]) -> list[Line]:
    """Return the incidents of these sites, the newest first. One statement."""
    with vault.database.read() as session:
        rows = session.execute(
            select(
                Incident.id, Incident.site, Incident.participant, Incident.visit,
                Incident.scanned, Incident.by_name, Incident.at, IncidentNote.kind,
                IncidentNote.text, IncidentNote.by_name, IncidentNote.at,
            )
            .outerjoin(IncidentNote, IncidentNote.incident_id == Incident.id)
            .where(
                Incident.study == study, Incident.environment == vault.environment,
                Incident.site.in_(sites),
            )
            .order_by(Incident.id.desc(), IncidentNote.kind)
        ).all()  # fmt: skip
    found: dict[int, Line] = {}
    for row in rows:
        line = found.setdefault(row[0], Line(*row[:7], notes=()))
        if row.kind is not None:
            found[row[0]] = line._replace(notes=(*line.notes, Note(*row[7:])))
    return list(found.values())


def _require_turn(
    session: Session, vault: Vault, by: By, at: tuple[str, str, int], word: Word
) -> None:
    study, site, number = at
    here = session.scalar(
        select(Incident.id).where(
            Incident.id == number, Incident.study == study, Incident.site == site,
            Incident.environment == vault.environment,
        )
    )  # fmt: skip
    if here is None:
        raise NotFound(T("There is no such incident here."))
    notes = session.execute(
        select(IncidentNote.kind, IncidentNote.by_id).where(IncidentNote.incident_id == number)
    ).all()
    spoken = {note.kind: note.by_id for note in notes}
    if word in spoken:
        raise Conflict(T("This has been said of the incident already."))
    if word is Word.CLOSED and Word.ACKNOWLEDGED not in spoken:
        raise Conflict(T("The pharmacy has to explain the incident first."))
    if by.actor.id in spoken.values():
        raise Conflict(T("Somebody other than who explained the incident must close it."))
