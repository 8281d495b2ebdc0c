"""Versions of a definition: approved by two different people, and kept for ever.

The first one is in force at once; a later one comes into force site by site
(`ecrf.study.at_sites`).

Every entry names the fingerprint of the definition it was made under, so `model` gives any
version back. A definition never changes, so it is parsed once per process.
"""

import hashlib
from typing import NamedTuple

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ecrf.kernel import chain
from ecrf.kernel.access import Right, Role
from ecrf.kernel.chain import Change
from ecrf.kernel.errors import (
    Conflict,
    NotAllowed,
    NotFound,
    Problem,
    Unacceptable,
    Unavailable,
)
from ecrf.kernel.ledger import LEDGER, SYSTEM, Act, By, study_chain
from ecrf.kernel.people import Site
from ecrf.kernel.text import T
from ecrf.study import at_sites
from ecrf.study.canonical import canonical, from_canonical
from ecrf.study.check import check
from ecrf.study.findings import errors
from ecrf.study.model import Study
from ecrf.study.tables import ProtocolVersion, StudyRow

KEPT = 64
_KNOWN: dict[str, Study] = {}


class Approval(NamedTuple):
    """What an approval did: the fingerprint, and whether two people have approved it now.

    `first` says that it is the first version of its study, which is in force at once.
    """

    fingerprint: str
    in_force: bool
    first: bool = True


def approve(session: Session, by: By, study: Study) -> Approval:
    """Approve a definition; the second, different person makes it the newest of the study."""
    role = by.actor.role_for(Right.STUDY_APPROVE, study.id)
    if role is None:
        message = T("Your role does not approve the definition of {study}.", study=study.id)
        raise NotAllowed(message)
    _require_sound(study)
    content = canonical(study)
    fingerprint = _print(content)
    try:
        return _approve(session, by, role, study, fingerprint, content)
    except IntegrityError as error:
        raise Conflict(T("Somebody else approved at the same moment. Try again.")) from error


def in_force(session: Session, study_id: str) -> tuple[Study, str]:
    """Return the newest approved definition of a study, and its fingerprint."""
    fingerprint = session.scalar(select(StudyRow.fingerprint).where(StudyRow.id == study_id))
    if fingerprint is None:
        raise NotFound(T("There is no study {study} here.", study=study_id))
    return model(session, fingerprint), fingerprint


def model(session: Session, fingerprint: str) -> Study:
    """Return a version by its fingerprint; no statement is sent when it is known already."""
    known = _KNOWN.get(fingerprint)
    if known is not None:
        return known
    content = session.scalar(
        select(ProtocolVersion.content).where(ProtocolVersion.fingerprint == fingerprint)
    )
    if content is None:
        raise NotFound(T("There is no definition {fingerprint}.", fingerprint=fingerprint))
    if _print(content) != fingerprint:
        message = T("The stored definition {fingerprint} was altered.", fingerprint=fingerprint)
        raise Unavailable(message)
    study = from_canonical(content)
    while len(_KNOWN) >= KEPT:
        _KNOWN.pop(next(iter(_KNOWN)), None)
    _KNOWN[fingerprint] = study
    return study


def with_visit(session: Session, fingerprint: str, plan: str) -> tuple[Study, str]:
    """Return a version, or the newest approved one that knows the visit when it does not.

    An amendment may drop a visit that some participants have had.
    """
    found = model(session, fingerprint)
    if plan in found.visit:
        return found, fingerprint
    others = session.scalars(
        select(ProtocolVersion.fingerprint)
        .where(ProtocolVersion.study == found.id, ProtocolVersion.second_at.is_not(None))
        .order_by(ProtocolVersion.second_at.desc())
    ).all()
    for other in others:
        study = model(session, other)
        if plan in study.visit:
            return study, other
    return found, fingerprint


def _print(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()


def _require_sound(study: Study) -> None:
    wrong = errors(check(study))
    if wrong:
        problems = [Problem(finding.file, finding.message) for finding in wrong]
        raise Unacceptable(T("The definition has errors; it cannot be used."), problems)


def _approve(
    session: Session, by: By, role: Role, study: Study, fingerprint: str, content: str
) -> Approval:
    running = session.execute(
        select(StudyRow.fingerprint, StudyRow.state)
        .where(StudyRow.id == study.id)
        .with_for_update()
    ).one_or_none()
    if running is not None and running.state == "locked":
        raise Conflict(T("{study} is locked; its definition stays as it is.", study=study.id))
    version = session.execute(
        select(ProtocolVersion.first_by, ProtocolVersion.second_by)
        .where(ProtocolVersion.fingerprint == fingerprint)
        .with_for_update()
    ).one_or_none()
    if version is None:
        _require_new_version(session, study)
        _propose(session, by, study, fingerprint, content)
        action, changes = "study:approve", [Change("first approval", None, fingerprint)]
    elif version.second_by is not None:
        raise Conflict(T("This definition has been approved by two people already."))
    elif version.first_by == by.actor.id:
        raise Conflict(
            T("You have approved this definition; a second, different person has to.")
        )
    else:
        action = "study:put in force"
        old = running.fingerprint if running else None
        changes = [Change("fingerprint", old, fingerprint)]
        changes += _put_in_force(session, by, study, fingerprint, old)
    refs = {"study": study.id, "version": study.version, "fingerprint": fingerprint}
    act = Act(action, role, study.id, key=f"study:{study.id}", refs=refs, changes=changes)
    _record(session, by, act, study.id)
    return Approval(fingerprint, version is not None, running is None)


def _require_new_version(session: Session, study: Study) -> None:
    """One version label means one definition, once it has been in force."""
    taken = session.scalar(
        select(ProtocolVersion.fingerprint)
        .where(
            ProtocolVersion.study == study.id,
            ProtocolVersion.version == study.version,
            ProtocolVersion.second_by.is_not(None),
        )
        .limit(1)
    )
    if taken is not None:
        raise Conflict(
            T(
                "Version {version} was approved with other content. "
                "Give this one a version of its own.",
                version=study.version,
            )
        )


def _propose(session: Session, by: By, study: Study, fingerprint: str, content: str) -> None:
    session.execute(
        insert(ProtocolVersion).values(
            fingerprint=fingerprint, study=study.id, version=study.version, content=content,
            first_by=by.actor.id, first_at=by.at,
        )
    )  # fmt: skip


def _put_in_force(
    session: Session, by: By, study: Study, fingerprint: str, old: str | None
) -> list[Change]:
    session.execute(
        update(ProtocolVersion)
        .where(ProtocolVersion.fingerprint == fingerprint)
        .values(second_by=by.actor.id, second_at=by.at)
    )
    if old is None:
        session.execute(insert(StudyRow).values(id=study.id, fingerprint=fingerprint))
    else:
        at_sites.keep(session, by, study.id, old)
        session.execute(
            update(StudyRow).where(StudyRow.id == study.id).values(fingerprint=fingerprint)
        )
    return _sites(session, study)


def _sites(session: Session, study: Study) -> list[Change]:
    """Add the sites that are new, and keep names and zones as the definition has them."""
    known = {
        row.code: {"name_en": row.name_en, "name_zh": row.name_zh, "zone": row.zone}
        for row in session.execute(
            select(Site.code, Site.name_en, Site.name_zh, Site.zone).where(
                Site.study == study.id
            )
        )
    }
    changes = []
    for site in study.sites:
        wanted = {"name_en": site.name.en, "name_zh": site.name.zh, "zone": site.zone}
        old = known.get(site.code)
        if old == wanted:
            continue
        if old is None:
            session.execute(insert(Site).values(study=study.id, code=site.code, **wanted))
        else:
            session.execute(
                update(Site)
                .where(Site.study == study.id, Site.code == site.code)
                .values(**wanted)
            )
        changes.append(Change(f"site {site.code}", old, wanted))
    return changes


def _record(session: Session, by: By, act: Act, study_id: str) -> None:
    """Write the act; a new study's chain starts with it and is announced on the system's."""
    name = study_chain(study_id)
    begun = session.scalar(select(LEDGER.chain.c.name).where(LEDGER.chain.c.name == name))
    if begun is not None:
        LEDGER.record(session, by, name, act)
        return
    refs = {"study": study_id, "chain": name}
    told = Act("study:announce", act.role, study_id, refs=refs)
    system = LEDGER.head(session, SYSTEM)
    LEDGER.write(session, by, [(chain.start(name), act), (system, told)])
