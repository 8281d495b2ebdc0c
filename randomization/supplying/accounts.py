"""Accountability: every kit of a site on one line, and the equation that must close to zero.

received = on the shelf + assigned + with participants + returned + held back + rejected
         + expired + lost + destroyed

The left side is counted from shipments and registrations, the right side from the states of
the kits: two books that were kept apart. Pure but for `read`.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from randomization.opened import Vault
from randomization.supply import State
from randomization.supplying.shipping import Stage
from randomization.supplying.tables import (
    Destroyed,
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
OUTSTANDING = (State.AVAILABLE, State.ASSIGNED, State.DISPENSED, State.QUARANTINED)
"""States nothing has been settled in: while there are such kits, a site cannot be closed."""


class Line(NamedTuple):
    """The whole way of one kit."""

    number: str
    batch: str
    expiry: date
    shipment: int | None
    received_at: datetime | None
    participant: str | None
    visit: str | None
    dispensed_at: datetime | None
    dispensed_by: str | None
    returned_on: date | None
    returned_units: int | None
    replaced_by: str | None
    destruction: int | None
    state: State


class Balance(NamedTuple):
    """The equation of one site."""

    received: int
    states: dict[State, int]

    @property
    def difference(self) -> int:
        """What is received and not accounted for; anything but zero is to be explained."""
        return self.received - sum(self.states[state] for state in SETTLED)

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


def read(vault: Vault, study: str, site: str) -> list[Line]:
    """Return every kit of the site, in the order of the numbers. One statement."""
    other = Kit.__table__.alias("other")
    with vault.database.read() as session:
        rows = session.execute(
            select(
                Kit.number, Kit.batch, Kit.expiry, Shipment.number, Shipment.received_at,
                Kit.participant, Kit.visit, Dispensation.at, Dispensation.by_name, Return.on,
                Return.units, other.c.number, Destroyed.destruction_id, Kit.state,
            )
            .outerjoin(Shipped, Shipped.kit_id == Kit.id)
            .outerjoin(Shipment, Shipment.id == Shipped.shipment_id)
            .outerjoin(Dispensation, Dispensation.kit_id == Kit.id)
            .outerjoin(Return, Return.kit_id == Kit.id)
            .outerjoin(Replacement, Replacement.kit_id == Kit.id)
            .outerjoin(other, other.c.id == Replacement.by_kit_id)
            .outerjoin(Destroyed, Destroyed.kit_id == Kit.id)
            .where(
                Kit.study == study, Kit.site == site, Kit.environment == vault.environment,
                (Shipment.stage.is_(None)) | (Shipment.stage != Stage.CANCELLED.value),
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
    counted = session.execute(select(Kit.state, func.count()).where(*here).group_by(Kit.state))
    states = Counter({State(state): kits for state, kits in counted})
    sent = session.scalar(
        select(func.count())
        .select_from(Shipped)
        .join(Shipment, Shipment.id == Shipped.shipment_id)
        .where(
            Shipment.study == study, Shipment.environment == vault.environment,
            Shipment.site == site,
            Shipment.stage.in_((Stage.RECEIVED.value, Stage.CLOSED.value)),
        )
    )  # fmt: skip
    shipped = select(Shipped.kit_id).scalar_subquery()
    direct = session.scalar(
        select(func.count()).select_from(Kit).where(*here, Kit.id.not_in(shipped))
    )
    return Balance((sent or 0) + (direct or 0), {state: states[state] for state in State})


def taken(lines: Sequence[Line], per_kit: int, per_day: int) -> list[Taken]:
    """Return adherence by participant and visit, where every kit of the visit came back."""
    groups: dict[tuple[str, str], list[Line]] = {}
    for line in lines:
        if line.participant and line.visit and line.dispensed_at:
            groups.setdefault((line.participant, line.visit), []).append(line)
    return [
        _taken(key, some, per_kit, per_day)
        for key, some in sorted(groups.items())
        if all(line.returned_on is not None for line in some)
    ]


def _taken(key: tuple[str, str], some: Sequence[Line], per_kit: int, per_day: int) -> Taken:
    dispensed = len(some) * per_kit
    returned = sum(line.returned_units or 0 for line in some)
    first = min(line.dispensed_at.date() for line in some if line.dispensed_at)
    days = max((line.returned_on - first).days for line in some if line.returned_on)
    due = days * per_day
    percent = round(100 * (dispensed - returned) / due) if due > 0 else 0
    return Taken(*key, dispensed, returned, days, percent)
