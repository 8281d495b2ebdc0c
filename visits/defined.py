"""Under which version of the definition a visit stands.

A visit with a date is under the version in force at its site on that day; one without, such as
a log, is under the version its participant is under.
"""

from typing import Any

from sqlalchemy import ScalarSelect, func, select
from sqlalchemy.orm import Session

from ecrf.study.tables import SiteVersion
from visits.tables import Participant, Visit


def fingerprint() -> Any:
    """Return the fingerprint of a visit's version, as part of a question about visits."""
    who = Participant.__table__.alias("who_has_it")
    dated: ScalarSelect[str] = (
        select(SiteVersion.fingerprint)
        .join(who, (who.c.study == SiteVersion.study) & (who.c.site == SiteVersion.site))
        .where(who.c.id == Visit.participant_id, SiteVersion.effective_on <= Visit.held_on)
        .order_by(SiteVersion.effective_on.desc(), SiteVersion.id.desc())
        .limit(1)
        .correlate(Visit)
        .scalar_subquery()
    )
    theirs = Participant.__table__.alias("under")
    own: ScalarSelect[str] = (
        select(theirs.c.protocol)
        .where(theirs.c.id == Visit.participant_id)
        .correlate(Visit)
        .scalar_subquery()
    )
    return func.coalesce(dated, own)


def of_participant(session: Session, participant_id: int) -> dict[int, str]:
    """Return the version of each visit of a participant, by the visit's id."""
    rows = session.execute(
        select(Visit.id, fingerprint()).where(Visit.participant_id == participant_id)
    )
    return {row[0]: row[1] for row in rows}
