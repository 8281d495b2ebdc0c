"""Accountability: every kit of a site on one line, and the equation that must close to zero.

received = on the shelf + assigned + with participants + returned + held back + rejected
         + expired + lost + destroyed

The left side is counted from shipments and registrations, the right side from the states of
the kits: two books that were kept apart. What is on its way is in neither. At the depot what
lies there or is packed stands on the right side, too.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import Subquery, func, select
from sqlalchemy.orm import Session

from randomization.opened import Vault
from randomization.supply import DEPOT, State
from randomization.supplying import holds
from randomization.supplying.shipping import Stage
from randomization.supplying.tables import (
    Destroyed,
    Destruction,
    DispensationCheck,
    Replacement,
    Return,
    Shipment,
    Shipped,
)
from randomization.tables import Dispensation, Kit

SETTLED = (
    State.AVAILABLE, State.ASSIGNED, State.DISPENSED, State.RETURNED, State.QUARANTINED,
    State.REJECTED, State.EXPIRED, State.LOST, State.DESTROYED,
)  # fmt: skip
AT_DEPOT = (State.IN_DEPOT, State.PACKED)
GONE_OUT = (Stage.DISPATCHED, Stage.RECEIVED, Stage.CLOSED)
OUTSTANDING = (State.AVAILABLE, State.ASSIGNED, State.DISPENSED, State.QUARANTINED)
"""States nothing has been settled in: while there are such kits, a site cannot be closed."""


class Line(NamedTuple):
    """The whole way of one kit."""

    number: str
    batch: str
    expiry: date
    shipment: int | None
    sent_at: datetime | None
    received_at: datetime | None
    condition: str | None
    participant: str | None
    visit: str | None
    dispensed_at: datetime | None
    dispensed_by: str | None
    checked_by: str | None
    returned_on: date | None
    returned_units: int | None
    replaced_by: str | None
    destruction: int | None
    destroyed_on: date | None
    state: State


class Balance(NamedTuple):
    """The equation of one site."""

    received: int
    states: dict[State, int]

    @property
    def difference(self) -> int:
        """What is received and not accounted for; anything but zero is to be explained."""
        return self.received - sum(self.states[state] for state in (*AT_DEPOT, *SETTLED))

    @property
    def outstanding(self) -> int:
        """How many kits are still to be handed out, brought back or decided about."""
        return sum(self.states[state] for state in OUTSTANDING)


class Taken(NamedTuple):
    """What a participant took between a supply and the return of its kits, in percent."""

    participant: str
    visit: str
    dispensed: int
    returned: int
    days: int
    percent: int


def settled(site: str) -> tuple[State, ...]:
    """Return the states on the right side of the equation of a place."""
    return (*AT_DEPOT, *SETTLED) if site == DEPOT else SETTLED


def read(vault: Vault, study: str, site: str) -> list[Line]:
    """Return every kit of the site, in the order of the numbers. One statement."""
    other = Kit.__table__.alias("other")
    sent = _shipped((Stage.PICKED, *GONE_OUT))
    with vault.database.read() as session:
        rows = session.execute(
            select(
                Kit.number, Kit.batch, Kit.expiry, sent.c.number, sent.c.dispatched_at,
                sent.c.received_at, sent.c.condition, Kit.participant, Kit.visit,
                Dispensation.at, Dispensation.by_name, DispensationCheck.by_name, Return.on,
                Return.units, other.c.number, Destroyed.destruction_id, Destruction.on,
                Kit.state,
            )
            .outerjoin(sent, sent.c.kit_id == Kit.id)
            .outerjoin(Dispensation, Dispensation.kit_id == Kit.id)
            .outerjoin(DispensationCheck, DispensationCheck.kit_id == Kit.id)
            .outerjoin(Return, Return.kit_id == Kit.id)
            .outerjoin(Replacement, Replacement.kit_id == Kit.id)
            .outerjoin(other, other.c.id == Replacement.by_kit_id)
            .outerjoin(Destroyed, Destroyed.kit_id == Kit.id)
            .outerjoin(Destruction, Destruction.id == Destroyed.destruction_id)
            .where(
                Kit.study == study, Kit.site == site, Kit.environment == vault.environment
            )
            .order_by(Kit.number)
        ).all()  # fmt: skip
    return [Line._make(row)._replace(state=State(row.state)) for row in rows]


def balance(vault: Vault, study: str, site: str) -> Balance:
    """Return the equation of the site."""
    with vault.database.read() as session:
        return balanced(session, vault, study, site)


def balanced(session: Session, vault: Vault, study: str, site: str) -> Balance:
    """Return receipts and registrations against states, in the transaction given."""
    here = (Kit.study == study, Kit.environment == vault.environment, Kit.site == site)
    coming, come = _shipped((Stage.DISPATCHED,)), _shipped((Stage.RECEIVED, Stage.CLOSED))
    out = _shipped(GONE_OUT)
    counted = session.execute(
        select(Kit.state, func.count())
        .where(*here, Kit.id.not_in(select(coming.c.kit_id)))
        .group_by(Kit.state)
    )
    states = Counter({State(state): kits for state, kits in counted})
    arrived = session.scalar(
        select(func.count())
        .select_from(Kit)
        .join(come, come.c.kit_id == Kit.id)
        .where(*here, come.c.site == site)
    )
    direct = session.scalar(
        select(func.count()).select_from(Kit).where(*here, Kit.id.not_in(select(out.c.kit_id)))
    )
    return Balance((arrived or 0) + (direct or 0), {state: states[state] for state in State})


def _shipped(stages: Sequence[Stage]) -> Subquery:
    """Return the kits of shipments at these stages, each with its shipment."""
    return (
        select(
            Shipped.kit_id, Shipped.condition, Shipment.number, Shipment.site,
            Shipment.dispatched_at, Shipment.received_at,
        )
        .join(Shipment, Shipment.id == Shipped.shipment_id)
        .where(Shipment.stage.in_([stage.value for stage in stages]))
        .subquery()
    )  # fmt: skip


def taken(
    lines: Sequence[Line], per_kit: int, per_day: int, held: Sequence[holds.Held] = ()
) -> list[Taken]:
    """Return adherence by participant and visit, where every kit of the visit came back.

    It is 100 (dispensed - returned) / (units a day x days), without the days of a hold.
    """
    groups: dict[tuple[str, str], list[Line]] = {}
    for line in lines:
        if line.participant and line.visit and line.dispensed_at:
            groups.setdefault((line.participant, line.visit), []).append(line)
    return [
        _taken(key, some, per_kit, per_day, held)
        for key, some in sorted(groups.items())
        if all(line.returned_on is not None for line in some)
    ]


def _taken(
    key: tuple[str, str], some: Sequence[Line], per_kit: int, per_day: int,
    held: Sequence[holds.Held],
) -> Taken:  # fmt: skip
    dispensed = len(some) * per_kit
    returned = sum(line.returned_units or 0 for line in some)
    first = min(line.dispensed_at.date() for line in some if line.dispensed_at)
    last = max(line.returned_on for line in some if line.returned_on)
    days = (last - first).days - holds.without(held, key[0], first, last)
    due = days * per_day
    percent = round(100 * (dispensed - returned) / due) if due > 0 else 0
    return Taken(*key, dispensed, returned, days, percent)
