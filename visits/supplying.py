"""Which kits are to be handed out: for the unblinded pharmacist's list. Never an arm."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from ecrf.kernel.access import Actor, Right
from ecrf.study.model import Study
from visits import participants
from visits.randomized import ASSIGNED
from visits.tables import KitGiven, Participant, Visit

AHEAD = 7
"""How many days before the window opens a visit is listed."""


class Line(NamedTuple):
    """A visit that kits are for: the numbers assigned, and how many are still to be assigned."""

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
    found: dict[tuple[str, str], list[Sequence[object]]] = {}
    for row in rows:
        found.setdefault((row.code, row.key), []).append(row)
    lines = (_line(study, given) for given in found.values())
    return tuple(line for line in lines if line.assigned or line.missing)


def _line(study: Study, rows: Sequence[Sequence[object]]) -> Line:
    *who, _, _ = rows[0]
    kits = [(row[-2], row[-1]) for row in rows if row[-2] is not None]
    wanted = study.supply.dispense[str(rows[0][3])] if study.supply else 0
    assigned = tuple(str(number) for number, status in kits if status == ASSIGNED)
    return Line(*who, assigned, max(0, wanted - len(kits)))  # type: ignore[arg-type]
