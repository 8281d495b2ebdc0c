"""Reading the books of supply: shipments, stock in totals, quarantines. Never an arm."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import func, select

from ecrf.kernel.errors import NotFound
from ecrf.kernel.text import T
from randomization.opened import Vault
from randomization.supply import State
from randomization.supplying import shipments
from randomization.supplying.shipments import Goods
from randomization.supplying.tables import Held, Quarantine, Shipment
from randomization.tables import Kit


class Line(NamedTuple):
    """A shipment in a list."""

    number: int
    site: str
    stage: str
    sets: int
    cause: str
    requested_by: int
    requested_at: datetime
    dispatched_at: datetime | None
    received_at: datetime | None
    logger: str
    low: str
    high: str


class Carried(NamedTuple):
    """A kit in a shipment."""

    number: str
    state: State
    condition: str


class OnHand(NamedTuple):
    """How many kits of a batch at a site are in a state: of all arms together."""

    site: str
    batch: str
    expiry: date
    state: State
    kits: int


class Waiting(NamedTuple):
    """A quarantine, decided or not, with the numbers of its kits."""

    number: int
    site: str
    cause: str
    text: str
    outcome: str
    reason: str
    at: datetime
    kits: tuple[str, ...]


COLUMNS = (
    Shipment.number, Shipment.site, Shipment.stage, Shipment.sets, Shipment.cause,
    Shipment.requested_by, Shipment.requested_at, Shipment.dispatched_at, Shipment.received_at,
    Shipment.logger, Shipment.low, Shipment.high,
)  # fmt: skip


def all_shipments(vault: Vault, study: str, sites: Sequence[str]) -> list[Line]:
    """Return the shipments to these sites, the newest first."""
    with vault.database.read() as session:
        rows = session.execute(
            select(*COLUMNS)
            .where(
                Shipment.study == study, Shipment.environment == vault.environment,
                Shipment.site.in_(sites),
            )
            .order_by(Shipment.number.desc())
        )  # fmt: skip
        return [Line._make(row) for row in rows]


def shipment(
    vault: Vault, study: str, sites: Sequence[str], number: int
) -> tuple[Line, list[Carried]]:
    """Return one shipment to one of these sites with its kits."""
    with vault.database.read() as session:
        row = session.execute(
            select(Shipment.id, *COLUMNS).where(
                Shipment.study == study, Shipment.environment == vault.environment,
                Shipment.site.in_(sites), Shipment.number == number,
            )
        ).one_or_none()  # fmt: skip
        if row is None:
            raise NotFound(T("There is no shipment {number} here.", number=number))
        kits = [Carried(k.number, k.state, c) for k, c in shipments.carried(session, row.id)]
        return Line._make(row[1:]), kits


def goods(line: Line, study: str) -> Goods:
    return Goods(study, line.site, line.number)


def stock(vault: Vault, study: str, sites: Sequence[str]) -> list[OnHand]:
    """Return what there is at these sites, by batch and state."""
    with vault.database.read() as session:
        rows = session.execute(
            select(Kit.site, Kit.batch, Kit.expiry, Kit.state, func.count())
            .where(
                Kit.study == study, Kit.environment == vault.environment, Kit.site.in_(sites)
            )
            .group_by(Kit.site, Kit.batch, Kit.expiry, Kit.state)
            .order_by(Kit.site, Kit.expiry, Kit.batch, Kit.state)
        )
        return [OnHand(*row[:3], State(row.state), row[4]) for row in rows]


def quarantined(vault: Vault, study: str, sites: Sequence[str]) -> list[Waiting]:
    """Return the quarantines of these sites, the newest first."""
    with vault.database.read() as session:
        rows = session.execute(
            select(
                Quarantine.id, Quarantine.site, Quarantine.cause, Quarantine.text,
                Quarantine.outcome, Quarantine.reason, Quarantine.at, Kit.number,
            )
            .join(Held, Held.quarantine_id == Quarantine.id)
            .join(Kit, Kit.id == Held.kit_id)
            .where(
                Quarantine.study == study, Quarantine.environment == vault.environment,
                Quarantine.site.in_(sites),
            )
            .order_by(Quarantine.id.desc(), Kit.number)
        ).all()  # fmt: skip
    found: dict[int, Waiting] = {}
    for row in rows:
        former = found.get(row.id)
        kits = (*former.kits, row.number) if former else (row.number,)
        found[row.id] = Waiting(*row[:-1], kits)
    return list(found.values())


def by_state(lines: Sequence[OnHand]) -> Mapping[State, int]:
    """Return the totals of a stock."""
    totals: dict[State, int] = {}
    for line in lines:
        totals[line.state] = totals.get(line.state, 0) + line.kits
    return totals
