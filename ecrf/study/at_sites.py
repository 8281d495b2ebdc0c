"""Which version is in force at which site, and from which day.

The first version of a study is in force everywhere once it is approved. A later one comes into
force site by site, from the day its ethics committee allows; until then a site stays as it is.
"""

from collections.abc import Iterable, Sequence
from datetime import date

from sqlalchemy import and_, insert, select
from sqlalchemy.orm import Session

from ecrf.kernel.access import Right
from ecrf.kernel.chain import Change
from ecrf.kernel.errors import Conflict, NotAllowed, NotFound, Problem, Unacceptable
from ecrf.kernel.ledger import LEDGER, Act, By, study_chain
from ecrf.kernel.people import Site
from ecrf.kernel.text import Message, T
from ecrf.study.tables import ProtocolVersion, SiteVersion, StudyRow

ALWAYS = date(1900, 1, 1)
"""From when the version a site began with is in force."""


def keep(session: Session, by: By, study_id: str, fingerprint: str) -> None:
    """Keep every site of a study under the version it has, now that a newer one is approved."""
    known = select(SiteVersion.site).where(SiteVersion.study == study_id)
    sites = session.scalars(
        select(Site.code).where(Site.study == study_id, Site.code.not_in(known))
    ).all()
    for site in sorted(sites):
        _insert(session, by, study_id, site, fingerprint, ALWAYS)


def at(session: Session, study_id: str, site: str, on: date) -> str:
    """Return the fingerprint in force at a site on a day."""
    rows = session.execute(
        select(StudyRow.fingerprint, SiteVersion.effective_on, SiteVersion.fingerprint)
        .outerjoin(
            SiteVersion, and_(SiteVersion.study == StudyRow.id, SiteVersion.site == site)
        )
        .where(StudyRow.id == study_id)
        .order_by(SiteVersion.effective_on, SiteVersion.id)
    ).all()
    if not rows:
        raise NotFound(T("There is no study {study} here.", study=study_id))
    return chosen(rows[0][0], ((row[1], row[2]) for row in rows), on)


def chosen(newest: str, dated: Iterable[tuple[date | None, str | None]], on: date) -> str:
    """Return the last version in force by the day; a site without any has the newest. Pure."""
    found = [fingerprint for day, fingerprint in dated if fingerprint and day and day <= on]
    return found[-1] if found else newest


def history(session: Session, study_id: str) -> Sequence[SiteVersion]:
    """Return what came into force at the sites, site by site, the oldest first."""
    return session.scalars(
        select(SiteVersion)
        .where(SiteVersion.study == study_id)
        .order_by(SiteVersion.site, SiteVersion.effective_on, SiteVersion.id)
    ).all()


def adopt(
    session: Session,
    by: By,
    study_id: str,
    site: str,
    fingerprint: str,
    *,
    ethics_on: date,
    effective_on: date,
    reference: str,
) -> None:
    """Put an approved version in force at a site from a day on.

    `ethics_on` is when the site's ethics committee approved it, `reference` the number of that
    approval.
    """
    role = by.actor.role_for(Right.STUDY_APPROVE, study_id)
    if role is None:
        raise NotAllowed(T("Your role does not put a version in force."))
    head = LEDGER.head(session, study_chain(study_id))
    version = _approved(session, study_id, fingerprint)
    _require_open(session, study_id, site)
    last = _last(session, study_id, site)
    if last is None or last.fingerprint == fingerprint:
        raise Conflict(T("This version is in force at {site} already.", site=site))
    number = reference.strip()
    wrong = _wrong(by, last, ethics_on, effective_on, number)
    if wrong:
        raise Unacceptable(T("The version was not put in force."), wrong)
    _insert(session, by, study_id, site, fingerprint, effective_on, ethics_on, number)
    act = Act(
        "study:adopt", role, study_id, site, key=f"site:{study_id}/{site}",
        refs={
            "study": study_id, "site": site, "version": version, "fingerprint": fingerprint,
            "ethics_on": ethics_on.isoformat(), "reference": number,
        },
        changes=[
            Change("definition", last.fingerprint, fingerprint),
            Change("effective_on", last.effective_on.isoformat(), effective_on.isoformat()),
        ],
    )  # fmt: skip
    LEDGER.write(session, by, [(head, act)])


def _approved(session: Session, study_id: str, fingerprint: str) -> str:
    found = session.execute(
        select(ProtocolVersion.version, ProtocolVersion.second_by).where(
            ProtocolVersion.fingerprint == fingerprint, ProtocolVersion.study == study_id
        )
    ).one_or_none()
    if found is None:
        raise NotFound(T("There is no definition {fingerprint}.", fingerprint=fingerprint))
    if found.second_by is None:
        raise Conflict(T("A second person has to approve this version first."))
    return str(found.version)


def _require_open(session: Session, study_id: str, site: str) -> None:
    state = session.execute(
        select(Site.state, StudyRow.state)
        .join(StudyRow, StudyRow.id == Site.study)
        .where(Site.study == study_id, Site.code == site)
    ).one_or_none()
    if state is None:
        raise NotFound(T("There is no site {site} in this study.", site=site))
    if "locked" in state:
        raise Conflict(T("{site} is locked; its version stays as it is.", site=site))


def _last(session: Session, study_id: str, site: str) -> SiteVersion | None:
    return session.scalars(
        select(SiteVersion)
        .where(SiteVersion.study == study_id, SiteVersion.site == site)
        .order_by(SiteVersion.effective_on.desc(), SiteVersion.id.desc())
        .limit(1)
    ).one_or_none()


def _wrong(
    by: By, last: SiteVersion, ethics_on: date, effective_on: date, reference: str
) -> list[Problem]:
    found: list[tuple[str, Message]] = []
    if ethics_on > by.at.date():
        text = T("{day} is to come. Give the day on which it was approved.", day=ethics_on)
        found.append(("ethics_on", text))
    if effective_on < ethics_on:
        text = T("In force before the approval of {day}? Give a later day.", day=ethics_on)
        found.append(("effective_on", text))
    elif effective_on <= last.effective_on:
        text = T(
            "The version before came into force on {day}. Give a later day.",
            day=last.effective_on,
        )
        found.append(("effective_on", text))
    if not reference or len(reference) > 120:
        text = T("Give the number of the approval, up to 120 signs.")
        found.append(("reference", text))
    return [Problem(*one) for one in found]


def _insert(
    session: Session,
    by: By,
    study_id: str,
    site: str,
    fingerprint: str,
    effective_on: date,
    ethics_on: date | None = None,
    reference: str = "",
) -> None:
    session.execute(
        insert(SiteVersion).values(
            study=study_id, site=site, fingerprint=fingerprint, effective_on=effective_on,
            ethics_on=ethics_on, reference=reference, put_at=by.at, put_by=by.actor.id,
        )
    )  # fmt: skip
