"""Shipments from the depot: ordered, approved by another person, picked, sent, cancelled."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from ecrf.kernel.access import Right, Role
from ecrf.kernel.errors import Conflict, NotFound, Problem, Unacceptable
from ecrf.kernel.ledger import Act, By
from ecrf.kernel.text import T
from randomization import lists, shelf
from randomization.arm import Arm
from randomization.opened import NotNow, Vault, one_message, permitted
from randomization.shelf import Place, Sealed
from randomization.supply import DEPOT, Move, State
from randomization.supplying import books, moving, sets, shipping
from randomization.supplying.sets import Lying
from randomization.supplying.shipping import Stage, Step
from randomization.supplying.tables import Shipment, Shipped
from randomization.tables import Kit, ListRow, Shelf

MOST_SETS = 500


@dataclass(frozen=True, slots=True)
class Goods:
    """A shipment as it is addressed: its study, its site, its number there."""

    study: str
    site: str
    number: int


def order(vault: Vault, by: By, study: str, site: str, count: int, cause: str = "") -> Goods:
    """Ask for `count` whole sets. An order with the same `cause` is the same order."""
    right = Right.SUPPLY_MANAGE if by.actor.may(Right.SUPPLY_MANAGE, study, site) else None
    role = permitted(by, right or Right.KIT_DISPENSE, study, site)
    if not 1 <= count <= MOST_SETS:
        wrong = T("Order 1 to {n} sets.", n=MOST_SETS)
        raise Unacceptable(wrong, [Problem("sets", wrong)])
    act = Act("shipment:order", role, study, site, refs={"sets": count})
    return books.enter(
        vault,
        by,
        act,
        lambda session: insert_order(session, vault, by, study, site, count, cause),
    )


def insert_order(
    session: Session, vault: Vault, by: By, study: str, site: str, count: int, cause: str
) -> tuple[Goods, Mapping[str, object]]:
    """Write the order down under the lock already held; the number follows the last one."""
    here = (Shipment.study == study, Shipment.environment == vault.environment)
    former = session.scalar(
        select(Shipment.number).where(*here, Shipment.site == site, Shipment.cause == cause)
    )
    if cause and former is not None:
        return Goods(study, site, former), {"shipment": former}
    number = (session.scalar(select(func.max(Shipment.number)).where(*here)) or 0) + 1
    session.execute(
        insert(Shipment).values(
            study=study, environment=vault.environment, site=site, number=number,
            cause=cause or f"order {number}", sets=count, stage=Stage.REQUESTED,
            requested_by=by.actor.id, requested_at=by.at,
        )
    )  # fmt: skip
    return Goods(study, site, number), {"shipment": number}


def approve(vault: Vault, by: By, goods: Goods) -> None:
    """Approve an order somebody else made."""
    _step(vault, by, goods, Step.APPROVE)


def pick(vault: Vault, by: By, goods: Goods) -> None:
    """Take whole sets from the depot; they are opened for choosing, and never shown."""
    act = _act(by, goods, Step.PICK)

    def do(session: Session) -> tuple[None, Mapping[str, object]]:
        row = find(session, vault, goods, Step.PICK)
        ids = _chosen(session, vault, goods.study, row.sets)
        kits = _kits(session, ids)
        moving.move(session, kits, Move.PACK)
        session.execute(
            insert(Shipped), [{"shipment_id": row.id, "kit_id": kit.id} for kit in kits]
        )
        advance(session, row, Step.PICK)
        return None, {"kits": sorted(kit.number for kit in kits)}

    with one_message(vault, by, act):
        books.enter(vault, by, act, do)


def dispatch(vault: Vault, by: By, goods: Goods) -> None:
    """Hand the picked kits to the carrier; from now on they are the site's to receive."""
    act = _act(by, goods, Step.DISPATCH)

    def do(session: Session) -> tuple[None, Mapping[str, object]]:
        row = find(session, vault, goods, Step.DISPATCH)
        kits = _still(session, row.id, State.PACKED)
        left = _leave_behind(session, row.id, [kit.id for kit in kits])
        moving.move(session, kits, Move.SEND, site=goods.site)
        advance(session, row, Step.DISPATCH, dispatched_at=by.at)
        return None, {"kits": [kit.number for kit in kits], "left": left}

    books.enter(vault, by, act, do)


def cancel(vault: Vault, by: By, goods: Goods) -> None:
    """Give up a shipment that has not left; its kits go back to the depot."""
    act = _act(by, goods, Step.CANCEL)

    def do(session: Session) -> tuple[None, Mapping[str, object]]:
        row = find(session, vault, goods, Step.CANCEL)
        kits = _still(session, row.id, State.PACKED)
        moving.move(session, kits, Move.UNPACK)
        advance(session, row, Step.CANCEL)
        return None, {"kits": [kit.number for kit in kits]}

    books.enter(vault, by, act, do)


def close(vault: Vault, by: By, goods: Goods) -> None:
    """File a shipment whose receipt is settled."""
    _step(vault, by, goods, Step.CLOSE)


def find(session: Session, vault: Vault, goods: Goods, step: Step) -> Shipment:
    """Return the shipment if the step may be taken from where it is; else refuse."""
    row = session.scalars(
        select(Shipment).where(
            Shipment.study == goods.study, Shipment.environment == vault.environment,
            Shipment.site == goods.site, Shipment.number == goods.number,
        )
    ).one_or_none()  # fmt: skip
    if row is None:
        raise NotFound(T("There is no shipment {number} here.", number=goods.number))
    if shipping.after(Stage(row.stage), step) is None:
        raise Conflict(
            T("Shipment {number} is {stage}; this cannot be done with it.",
              number=goods.number, stage=shipping.STAGES[Stage(row.stage)])
        )  # fmt: skip
    return row


def carried(session: Session, shipment_id: int) -> list[tuple[moving.Found, str]]:
    """Return the kits of a shipment in the order of their numbers, each with its condition."""
    rows = session.execute(
        select(*moving.COLUMNS, Shipped.condition)
        .join(Shipped, Shipped.kit_id == Kit.id)
        .where(Shipped.shipment_id == shipment_id)
        .order_by(Kit.number)
    )
    return [(moving.read(row[:-1]), row[-1]) for row in rows]


def _still(session: Session, shipment_id: int, state: State) -> list[moving.Found]:
    """Return the kits of a shipment nothing happened to meanwhile, such as a recall."""
    return [kit for kit, _ in carried(session, shipment_id) if kit.state is state]


def _leave_behind(session: Session, shipment_id: int, going: Sequence[int]) -> int:
    """Take off the shipment what was called back while it was packed; return how many."""
    left = session.execute(
        delete(Shipped)
        .where(Shipped.shipment_id == shipment_id, Shipped.kit_id.not_in(going))
        .returning(Shipped.kit_id)
        .execution_options(synchronize_session=False)
    ).all()
    return len(left)


def advance(session: Session, row: Shipment, step: Step, **values: object) -> None:
    session.execute(
        update(Shipment)
        .where(Shipment.id == row.id)
        .values(stage=shipping.STEPS[Stage(row.stage), step].value, **values)
        .execution_options(synchronize_session=False)
    )


def _step(vault: Vault, by: By, goods: Goods, step: Step) -> None:
    act = _act(by, goods, step)

    def do(session: Session) -> tuple[None, Mapping[str, object]]:
        row = find(session, vault, goods, step)
        if step is Step.APPROVE:
            _by_another(by, row)
        advance(session, row, step)
        return None, {}

    books.enter(vault, by, act, do)


def _by_another(by: By, row: Shipment) -> None:
    if row.requested_by == by.actor.id:
        raise Conflict(T("Somebody other than who ordered it must approve a shipment."))


def _act(by: By, goods: Goods, step: Step) -> Act:
    return act_of(permitted(by, Right.SUPPLY_MANAGE, goods.study, goods.site), goods, step)


def act_of(role: Role, goods: Goods, step: Step) -> Act:
    refs = {"shipment": goods.number}
    key = f"shipment:{goods.number}"
    return Act(f"shipment:{step}", role, goods.study, goods.site, key, refs)


def _chosen(session: Session, vault: Vault, study: str, count: int) -> list[int]:
    """Open what lies in the depot and return the ids of `count` whole sets."""
    row = session.scalars(
        select(ListRow)
        .where(ListRow.study == study, ListRow.environment == vault.environment)
        .order_by(ListRow.version.desc())
        .limit(1)
    ).one_or_none()
    wrapped = session.scalar(
        select(Shelf.key).where(Shelf.study == study, Shelf.environment == vault.environment)
    )
    if row is None or wrapped is None:
        raise NotNow(shelf.FEW)
    lying = session.execute(
        select(*shelf.COLUMNS, Kit.batch, Kit.expiry, Kit.sequence).where(
            Kit.study == study, Kit.environment == vault.environment, Kit.site == DEPOT,
            Kit.state == State.IN_DEPOT.value,
        )
    ).all()  # fmt: skip
    place = Place(study, DEPOT, vault.environment, date.min)
    opened = shelf.open_(vault, place, wrapped, [Sealed(*kit[:4]) for kit in lying])
    kits = [
        Lying(kit.kit_id, (kit.expiry.isoformat(), kit.batch), kit.sequence, arm)
        for kit, arm in zip(lying, opened.held, strict=True)
    ]
    ratio = {Arm(arm): each for arm, each in lists.spec_of(vault, row).ratio}
    return sets.choose(kits, ratio, count)


def _kits(session: Session, ids: list[int]) -> list[moving.Found]:
    rows = session.execute(select(*moving.COLUMNS).where(Kit.id.in_(ids)).order_by(Kit.number))
    return [moving.read(row) for row in rows]
