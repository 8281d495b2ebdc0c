"""Which doses are to be prepared now: for the unblinded preparer's list. Never an arm."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ecrf.kernel.access import Actor, Right
from ecrf.kernel.errors import NotFound
from ecrf.kernel.people import Site
from ecrf.kernel.text import T
from ecrf.study.model import Study
from visits import participants
from visits.tables import Participant, Visit
from visits.windows import civil_date


class Dose(NamedTuple):
    """A visit with a dose: the day it was held on, else the day it is planned for."""

    code: str
    site: str
    visit: str
    plan: str
    on: date


def due(
    session: Session, actor: Actor, study: Study, sites: Sequence[Site], at: datetime
) -> tuple[Dose, ...]:
    """Return the doses of these sites whose day is today, or begins within the hours allowed.

    Nothing is due in a study that lets nobody prepare, or whose participant has left.
    """
    rule = study.supply.preparation if study.supply else None
    if rule is None:
        return ()
    held = actor.sites(Right.PREPARATION_READ, study.id)
    zones = {site.code: site.zone for site in sites if held is None or site.code in held}
    day = func.coalesce(Visit.held_on, Visit.target)
    rows = session.execute(
        select(Participant.code, Participant.site, Visit.key, Visit.plan, day)
        .join(Visit, Visit.participant_id == Participant.id)
        .where(
            Participant.study == study.id, Participant.site.in_(sorted(zones)),
            Participant.status == participants.RANDOMIZED, Visit.status != "missed",
            Visit.plan.in_(rule.visits),
        )
        .order_by(day, Participant.code, Visit.position)
    )  # fmt: skip
    doses = (Dose._make(row) for row in rows if row[-1] is not None)
    return tuple(dose for dose in doses if _now(dose, zones, at, rule.hours))


def one(doses: Sequence[Dose], code: str, visit: str) -> Dose:
    """Return one of the doses that are due; refuse any other in the same words."""
    for dose in doses:
        if (dose.code, dose.visit) == (code, visit):
            return dose
    raise NotFound(T("There is no dose of {code} to be prepared now.", code=code))


def _now(dose: Dose, zones: Mapping[str, str], at: datetime, hours: int) -> bool:
    """Say whether the day of the dose is today at the site, or begins soon enough."""
    zone = zones[dose.site]
    begins = datetime(dose.on.year, dose.on.month, dose.on.day, tzinfo=ZoneInfo(zone))
    return begins - timedelta(hours=hours) <= at and civil_date(at, zone) <= dose.on
