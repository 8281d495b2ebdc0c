"""Who was to be randomized and is not: asked without an answer, or refused."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ecrf.kernel.access import Actor, Right
from ecrf.study.parts import Words
from visits.allocating.tables import Asking
from visits.participants import SCREENING
from visits.tables import Participant


class Line(NamedTuple):
    """Somebody who waits: what came of it last, who asked, when."""

    code: str
    site: str
    kind: str
    stratum: str
    text: Words | None
    by_name: str
    at: datetime
    zone: str


def lines(session: Session, actor: Actor, study_id: str) -> list[Line]:
    """Return who waits at the sites where the actor may force, the longest first."""
    sites = actor.sites(Right.ALLOCATION_FORCE, study_id)
    mine = [] if sites is None else [Participant.site.in_(sorted(sites))]
    newest = select(func.max(Asking.id)).group_by(Asking.participant_id)
    rows = session.execute(
        select(Participant.code, Participant.site, Asking)
        .join(Participant, Participant.id == Asking.participant_id)
        .where(
            Asking.id.in_(newest), Participant.study == study_id, *mine,
            Participant.random_number.is_(None), Participant.status == SCREENING,
        )
        .order_by(Asking.id)
    )  # fmt: skip
    return [
        Line(
            row.code, row.site, row.Asking.kind, row.Asking.stratum,
            Words(en=row.Asking.text_en, zh=row.Asking.text_zh) if row.Asking.text_en else None,
            row.Asking.by_name, row.Asking.at, row.Asking.zone,
        )
        for row in rows
    ]  # fmt: skip
