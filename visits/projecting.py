"""How many kits the visits of each site may need: plain numbers, counted without an arm."""

from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ecrf.study.model import Study
from visits import participants
from visits.randomized import GONE
from visits.tables import KitGiven, Participant, Visit


def needed(session: Session, study: Study, today: date, days: int) -> Mapping[str, int]:
    """Return kits by site for planned visits that open within `days`, less those assigned.

    Whoever is being screened may be randomized meanwhile, and counts with the kits of that
    visit. Two statements.
    """
    if study.supply is None:
        return {}
    kits = _placed(session, study, today + timedelta(days=days))
    start = study.randomization.visit if study.randomization else ""
    for site, people in _screened(session, study).items():
        kits[site] += people * study.supply.dispense.get(start, 0)
    return {site: max(0, count) for site, count in sorted(kits.items())}


def _placed(session: Session, study: Study, until: date) -> Counter[str]:
    dispense = study.supply.dispense if study.supply else {}
    rows = session.execute(
        select(
            Participant.site, Visit.plan, func.count(Visit.id.distinct()).label("visits"),
            func.count(KitGiven.id).label("given"),
        )
        .join(Visit, Visit.participant_id == Participant.id)
        .outerjoin(KitGiven, (KitGiven.visit_id == Visit.id) & (KitGiven.status != GONE))
        .where(
            Participant.study == study.id, Participant.status == participants.RANDOMIZED,
            Visit.status == "planned", Visit.first <= until,
            Visit.plan.in_(sorted(dispense)),
        )
        .group_by(Participant.site, Visit.plan)
    )  # fmt: skip
    kits: Counter[str] = Counter()
    for row in rows:
        kits[row.site] += max(0, row.visits * dispense[row.plan] - row.given)
    return kits


def _screened(session: Session, study: Study) -> Mapping[str, int]:
    rows = session.execute(
        select(Participant.site, func.count().label("people"))
        .where(Participant.study == study.id, Participant.status == participants.SCREENING)
        .group_by(Participant.site)
    )
    return {row.site: row.people for row in rows}
