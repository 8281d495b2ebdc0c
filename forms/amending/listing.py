"""The versions of a study and where they are in force, with who did it, for the page."""

from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from ecrf.kernel.people import Person, Site
from ecrf.study import at_sites
from ecrf.study.tables import ProtocolVersion, StudyRow
from visits.windows import civil_date


class Version(NamedTuple):
    """One version with who proposed it and who approved it."""

    fingerprint: str
    version: str
    first_by: str
    first_at: datetime
    second_by: str | None
    second_at: datetime | None


class Since(NamedTuple):
    """What came into force at a site, and who said so; without a day it is as begun."""

    fingerprint: str
    effective_on: date | None
    ethics_on: date | None
    reference: str
    put_by: str
    put_at: datetime | None


class AtSite(NamedTuple):
    """A site with the version in force today and all it ever had, the oldest first."""

    code: str
    state: str
    today: str
    past: tuple[Since, ...]


def versions(session: Session, study_id: str) -> list[Version]:
    """Return every version that was proposed, the newest first."""
    first, second = aliased(Person), aliased(Person)
    p = ProtocolVersion
    rows = session.execute(
        select(p.fingerprint, p.version, first.name, p.first_at, second.name, p.second_at)
        .join(first, first.id == p.first_by)
        .outerjoin(second, second.id == p.second_by)
        .where(p.study == study_id)
        .order_by(p.first_at.desc(), p.fingerprint)
    )
    return [Version(*row) for row in rows]


def before(known: list[Version], chosen: Version) -> Version | None:
    """Return the version that was approved last before this one was proposed."""
    return next(
        (
            one
            for one in known
            if one.second_at and one is not chosen and one.first_at <= chosen.first_at
        ),
        None,
    )


def names(session: Session) -> dict[int, str]:
    """Return everybody's name by the id of their account."""
    return {row[0]: row[1] for row in session.execute(select(Person.id, Person.name))}


def sites(session: Session, study_id: str, at: datetime) -> list[AtSite]:
    """Return the sites of a study with what is in force there at a moment."""
    newest = session.scalar(select(StudyRow.fingerprint).where(StudyRow.id == study_id)) or ""
    known_names = names(session)
    past: dict[str, list[Since]] = {}
    for row in at_sites.history(session, study_id):
        begun = row.effective_on == at_sites.ALWAYS
        past.setdefault(row.site, []).append(Since(
            row.fingerprint, None if begun else row.effective_on, row.ethics_on, row.reference,
            known_names.get(row.put_by, "–"), row.put_at,
        ))  # fmt: skip
    found = []
    for site in session.scalars(select(Site).where(Site.study == study_id).order_by(Site.code)):
        known = past.get(site.code, [])
        dated = [(one.effective_on or at_sites.ALWAYS, one.fingerprint) for one in known]
        today = at_sites.chosen(newest, dated, civil_date(at, site.zone))
        found.append(AtSite(site.code, site.state, today, tuple(known)))
    return found
