"""Code breaks as the blinded side lists them, and how many each site has. Never an arm."""

from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from ecrf.kernel.access import Actor, Right
from ecrf.kernel.people import Site
from forms.unblinded.events import SAFETY
from forms.unblinded.tables import CodeBreak
from visits.tables import Participant


class Line(NamedTuple):
    """One code break of one participant."""

    id: int
    site: str
    code: str
    kind: str
    way: str
    why: str
    by_name: str
    at: datetime
    known_at: datetime
    contacted: bool
    telephone: str
    sent_to: str
    due_on: date
    learned: str
    decision: str
    measures: str
    assessed_at: datetime | None
    assessed_by: str | None


class Count(NamedTuple):
    """A site's code breaks, beside the participants it has randomized."""

    site: str
    emergencies: int
    others: int
    waiting: int
    randomized: int


def listing(
    session: Session, actor: Actor, study: str, *, waiting: bool = False, limit: int = 500
) -> list[Line]:
    """Return the code breaks at the person's sites, the newest first. One statement."""
    query = (
        select(
            CodeBreak.id, CodeBreak.site, Participant.code, CodeBreak.kind, CodeBreak.way,
            CodeBreak.why, CodeBreak.by_name, CodeBreak.at, CodeBreak.known_at,
            CodeBreak.contacted, CodeBreak.telephone, CodeBreak.sent_to, CodeBreak.due_on,
            CodeBreak.learned, CodeBreak.decision, CodeBreak.measures, CodeBreak.assessed_at,
            CodeBreak.assessed_by,
        )
        .join(Participant, Participant.id == CodeBreak.participant_id)
        .where(*_seen(actor, study))
        .order_by(CodeBreak.id.desc())
        .limit(limit)
    )  # fmt: skip
    if waiting:
        query = query.where(CodeBreak.assessed_at.is_(None))
    return [Line._make(row) for row in session.execute(query)]


def counts(session: Session, actor: Actor, study: str) -> list[Count]:
    """Return the number of code breaks of each site the person may see."""
    held = actor.sites(Right.BREAK_READ, study)
    per_site = {row[0]: row[1:] for row in session.execute(
        select(
            CodeBreak.site,
            func.count().filter(CodeBreak.kind == "emergency"),
            func.count().filter(CodeBreak.kind != "emergency"),
            func.count().filter(CodeBreak.assessed_at.is_(None)),
        )
        .where(*_seen(actor, study))
        .group_by(CodeBreak.site)
    )}  # fmt: skip
    query = (
        select(Participant.site, func.count())
        .where(Participant.study == study, Participant.random_number.is_not(None))
        .group_by(Participant.site)
    )
    randomized = {row[0]: row[1] for row in session.execute(query)}
    sites = session.scalars(select(Site.code).where(Site.study == study).order_by(Site.code))
    return [
        Count(site, *per_site.get(site, (0, 0, 0)), randomized.get(site, 0))
        for site in sites
        if held is None or site in held
    ]


def _seen(actor: Actor, study: str) -> list[ColumnElement[Any]]:
    """Say which code breaks a person sees: at their sites; who treats sees no safety report,
    because the site stays blinded and is not to wonder.
    """
    wanted: list[ColumnElement[Any]] = [CodeBreak.study == study]
    held = actor.sites(Right.BREAK_READ, study)
    if held is not None:
        wanted.append(CodeBreak.site.in_(sorted(held)))
    if actor.may(Right.ENTRY_WRITE, study):
        wanted.append(CodeBreak.kind != SAFETY)
    return wanted
