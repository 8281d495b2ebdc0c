"""Resupply: what lies at each site against what its visits may need; one order a day at most.

Needs come in as plain numbers of kits, counted where nobody knows an arm. What is ordered is
whole sets of all arms.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ecrf.kernel.access import Right
from ecrf.kernel.ledger import Act, By
from randomization import lists, seal, shelf
from randomization.opened import Vault, permitted
from randomization.supply import DEPOT, State
from randomization.supplying import books, demand, shipments
from randomization.supplying.demand import Need, Rule, Shelf
from randomization.supplying.shipping import Stage
from randomization.supplying.tables import Shipment
from randomization.tables import Kit, ListRow
from randomization.tables import Shelf as ShelfRow

COMING = (Stage.REQUESTED, Stage.APPROVED, Stage.PICKED, Stage.DISPATCHED)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is reckoned with: the study, its rule, the needs of its sites, and for which day.

    Only kits count that can be used until `usable_until`, that day included.
    """

    study: str
    rule: Rule
    needs: Sequence[Need]
    today: date
    usable_until: date


class Line(NamedTuple):
    """A site: what there is, what may be needed, in sets; what is to be, or was, ordered."""

    site: str
    sets: int
    coming: int
    soon: int
    later: int
    order: int
    shipment: int | None = None


def foresee(vault: Vault, by: By, plan: Plan) -> list[Line]:
    """Return what a resupply of this day would order. Nothing is ordered."""
    permitted(by, Right.SUPPLY_MANAGE, plan.study, DEPOT)
    with vault.database.read() as session:
        return _lines(session, vault, plan)


def carry_out(vault: Vault, by: By, plan: Plan) -> list[Line]:
    """Order for every site what it lacks; done again on the same day, order nothing more."""
    role = permitted(by, Right.SUPPLY_MANAGE, plan.study, DEPOT)
    cause = f"resupply {plan.today.isoformat()}"
    act = Act("supply:resupply", role, plan.study, refs={"day": plan.today.isoformat()})

    def do(session: Session) -> tuple[list[Line], Mapping[str, object]]:
        done = _made(session, vault, plan.study, cause)
        lines = [
            line._replace(order=0) if line.site in done else line
            for line in _lines(session, vault, plan)
        ]
        found = [_ordered(session, vault, by, plan, line, cause, done) for line in lines]
        return found, {"orders": {line.site: line.order for line in found if line.order}}

    return books.enter(vault, by, act, do)


def _ordered(
    session: Session, vault: Vault, by: By, plan: Plan, line: Line, cause: str,
    done: Mapping[str, int],
) -> Line:  # fmt: skip
    if not line.order:
        return line._replace(shipment=done.get(line.site))
    count = min(line.order, shipments.MOST_SETS)
    goods, _ = shipments.insert_order(session, vault, by, plan.study, line.site, count, cause)
    return line._replace(order=count, shipment=goods.number)


def _lines(session: Session, vault: Vault, plan: Plan) -> list[Line]:
    """Reckon for all sites. The statements do not grow with sites or kits."""
    ratio = _ratio(session, vault, plan.study)
    sites = [need.site for need in plan.needs]
    held = _held(session, vault, plan, sites)
    coming, begun = _shipments(session, vault, plan.study, sites)
    lines = []
    for need in plan.needs:
        there = demand.complete(held.get(need.site, {}), ratio) if ratio else 0
        started = need.site in begun or need.site in held
        stands = Shelf(there, coming[need.site], started)
        soon, later = (
            demand.sets_for(kits, ratio) if ratio else 0 for kits in (need.soon, need.later)
        )
        order = demand.wanted(plan.rule, stands, soon, later) if ratio else 0
        lines.append(Line(need.site, there, stands.coming, soon, later, order))
    return lines


def _ratio(session: Session, vault: Vault, study: str) -> Mapping[str, int]:
    row = session.scalars(
        select(ListRow)
        .where(ListRow.study == study, ListRow.environment == vault.environment)
        .order_by(ListRow.version.desc())
        .limit(1)
    ).one_or_none()
    return dict(lists.spec_of(vault, row).ratio) if row else {}


def _held(
    session: Session, vault: Vault, plan: Plan, sites: Sequence[str]
) -> Mapping[str, Mapping[str, int]]:
    """Open what lies on the shelves, and count it. The counts do not leave this module."""
    wrapped = session.scalar(
        select(ShelfRow.key).where(
            ShelfRow.study == plan.study, ShelfRow.environment == vault.environment
        )
    )
    if wrapped is None:
        return {}
    rows = session.execute(
        select(Kit.site, Kit.state, Kit.expiry, *shelf.COLUMNS).where(
            Kit.study == plan.study, Kit.environment == vault.environment, Kit.site.in_(sites)
        )
    ).all()
    context = shelf.key_context(plan.study, vault.environment)
    key = seal.unwrap(vault.keys.wrapping, context, wrapped)
    found: dict[str, Counter[str]] = {row.site: Counter() for row in rows}
    lying = [
        row
        for row in rows
        if row.state == State.AVAILABLE.value and row.expiry >= plan.usable_until
    ]
    kits = (
        shelf.Sealed(row.kit_id, row.kit_number, row.ciphertext, row.nonce) for row in lying
    )
    held = shelf.held(key, plan.study, vault.environment, kits)
    for row, arm in zip(lying, held, strict=True):
        found[row.site][arm.opened()] += 1
    return found


def _shipments(
    session: Session, vault: Vault, study: str, sites: Sequence[str]
) -> tuple[Counter[str], set[str]]:
    """Return the sets that are coming to each site, and where anything was ever ordered."""
    rows = session.execute(
        select(Shipment.site, Shipment.stage, func.sum(Shipment.sets).label("sets"))
        .where(
            Shipment.study == study, Shipment.environment == vault.environment,
            Shipment.site.in_(sites), Shipment.stage != Stage.CANCELLED.value,
        )
        .group_by(Shipment.site, Shipment.stage)
    ).all()  # fmt: skip
    coming: Counter[str] = Counter()
    for row in rows:
        if row.stage in COMING:
            coming[row.site] += row.sets
    return coming, {row.site for row in rows}


def _made(session: Session, vault: Vault, study: str, cause: str) -> Mapping[str, int]:
    rows = session.execute(
        select(Shipment.site, Shipment.number).where(
            Shipment.study == study, Shipment.environment == vault.environment,
            Shipment.cause == cause,
        )
    )  # fmt: skip
    return {row.site: row.number for row in rows}
