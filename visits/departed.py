"""The standing deviations of a study, as one list. One statement, a page at a time."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from ecrf.kernel.access import Actor
from visits.lookup import wanted
from visits.tables import Deviation, Participant, Visit


class Line(NamedTuple):
    """One deviation with where it is: a visit, or an entry of a form."""

    id: int
    code: str
    site: str
    visit: str | None
    form: str | None
    number: int | None
    category: str
    severity: str
    text_en: str
    text_zh: str
    raised_at: datetime

    def in_(self, locale: str) -> str:
        return self.text_zh if locale == "zh" else self.text_en


def standing(
    session: Session, actor: Actor, study_id: str, *, site: str | None, after: int, limit: int
) -> tuple[Line, ...]:
    """Return up to `limit` deviations the actor may see, the newest first, before `after`."""
    rows = session.execute(
        select(
            Deviation.id, Participant.code, Participant.site, Visit.key, Deviation.form,
            Deviation.number, Deviation.category, Deviation.severity, Deviation.text_en,
            Deviation.text_zh, Deviation.raised_at,
        )
        .join(Participant, Participant.id == Deviation.participant_id)
        .outerjoin(Visit, Visit.id == Deviation.visit_id)
        .where(
            *wanted(actor, study_id, site=site),
            Deviation.withdrawn_at.is_(None),
            *([Deviation.id < after] if after else []),
        )
        .order_by(Deviation.id.desc())
        .limit(limit)
    )  # fmt: skip
    return tuple(Line(*row) for row in rows)
