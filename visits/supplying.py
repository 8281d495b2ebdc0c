"""Which kits are to be handed out: for the unblinded pharmacist's list. Never an arm."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from ecrf.kernel.access import Actor, Right
from ecrf.study.model import Study
from visits import participants
from visits.randomized import ASSIGNED, GONE
from visits.tables import KitGiven, Participant, Visit

AHEAD = 7
"""How many days before the window opens a visit is listed."""


class Line(NamedTuple):
    """A visit that kits are for: numbers assigned, and how many are still to be assigned."""

    code: str
    site: str
    visit: str
    plan: str
    first: date | None
    last: date | None
    held_on: date | None
    assigned: tuple[str, ...]
    missing: int


def waiting(session: Session, actor: Actor, study: Study, today: date) -> tuple[Line, ...]:
    """Return the visits at the pharmacist's sites with kits to hand out. One statement."""
    if study.supply is None:
        return ()
    held = actor.sites(Right.KIT_DISPENSE, study.id)
    theirs = [] if held is None else [Participant.site.in_(sorted(held))]
    rows = session.execute(
        select(
            Participant.code, Participant.site, Visit.key, Visit.plan, Visit.first, Visit.last,
            Visit.held_on, KitGiven.number, KitGiven.status,
        )
        .join(Visit, Visit.participant_id == Participant.id)
        .outerjoin(KitGiven, KitGiven.visit_id == Visit.id)
        .where(
            Participant.study == study.id, *theirs,
            Participant.status == participants.RANDOMIZED,
            Visit.plan.in_(sorted(study.supply.dispense)),
            or_(
                KitGiven.status == ASSIGNED,
                and_(Visit.status != "missed", Visit.held_on.is_not(None)),
                and_(Visit.status == "planned", Visit.first <= today + timedelta(days=AHEAD)),
            ),
        )
        .order_by(Visit.last, Participant.code, Visit.position, KitGiven.number)
    )  # fmt: skip
    found: dict[tuple[str, str], list[Any]] = {}
    for row in rows:
        found.setdefault((row.code, row.key), []).append(row)
    lines = (_line(study.supply.dispense, given) for given in found.values())
    return tuple(line for line in lines if line.assigned or line.missing)


def _line(wanted: Mapping[str, int], rows: Sequence[Any]) -> Line:
    first = rows[0]
    kits = [row for row in rows if row.number is not None and row.status != GONE]
    return Line(
        first.code, first.site, first.key, first.plan, first.first, first.last, first.held_on,
        assigned=tuple(row.number for row in kits if row.status == ASSIGNED),
        missing=max(0, wanted[first.plan] - len(kits)),
    )  # fmt: skip
