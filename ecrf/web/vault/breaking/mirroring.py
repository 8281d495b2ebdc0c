"""Keep the vault's own copy of what an emergency needs as new as the main side."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from ecrf.kernel.access import RIGHTS, Right, Role
from ecrf.kernel.db import Database
from ecrf.kernel.ledger import By
from ecrf.kernel.people import GrantRow, Person
from ecrf.study import telling, versions
from ecrf.study.model import Study, Words
from ecrf.study.tables import StudyRow
from randomization.api import Vault
from randomization.breaking import api

BREAKERS = sorted(role for role in Role if Right.CODE_BREAK in RIGHTS[role])


def mirror(database: Database, vault: Vault, by: By) -> int:
    """Copy what every study in force needs into the vault; return how many had changed."""
    with database.read() as session:
        copies = list(_copies(session, by.at))
    return sum(api.keep(vault, by, study, copy) for study, copy in copies)


def _copies(session: Session, at: datetime) -> Iterable[tuple[str, api.Copy]]:
    for study_id in session.scalars(select(StudyRow.id).order_by(StudyRow.id)).all():
        study, _ = versions.in_force(session, study_id)
        if study.randomization is not None and study.blinded:
            yield study_id, copy(session, study, at)


def copy(session: Session, study: Study, at: datetime) -> api.Copy:
    """Return what is mirrored of one study."""
    rule = study.code_break
    return api.Copy(
        title=_two(study.short_title),
        arms={arm.id: _two(arm.label) for arm in study.arms},
        sites={site.code: _two(site.name) for site in study.sites},
        words=telling.words(study),
        answer_to=rule.to if rule.answer == "sent" else "",
        holders=_holders(session, study.id, at),
    )


def _holders(session: Session, study: str, at: datetime) -> tuple[api.Holder, ...]:
    """Return the people who may break codes now or later, with the end of each grant."""
    rows = session.execute(
        select(
            Person.id, Person.username, Person.name, Person.password, GrantRow.role,
            GrantRow.site, GrantRow.ends_at,
        )
        .join(GrantRow, GrantRow.person_id == Person.id)
        .where(
            GrantRow.study == study, GrantRow.role.in_(BREAKERS), Person.active,
            Person.password.is_not(None), GrantRow.starts_at <= at,
            GrantRow.ends_at.is_(None) | (GrantRow.ends_at > at),
        )
        .order_by(Person.id, GrantRow.id)
    )  # fmt: skip
    found: dict[int, api.Holder] = {}
    for row in rows:
        ends = row.ends_at.isoformat() if row.ends_at else None
        before = found[row.id].grants if row.id in found else ()
        found[row.id] = api.Holder(
            row.id, row.username, row.name, row.password, (*before, (row.role, row.site, ends))
        )
    return tuple(found.values())


def _two(words: Words) -> dict[str, str]:
    return {"en": words.en, "zh": words.zh}
