"""Quarantine: kits held back for a cause until the supply manager releases or rejects them."""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from sqlalchemy import ColumnElement, func, insert, select, update
from sqlalchemy.orm import Session

from ecrf.kernel.access import Right
from ecrf.kernel.errors import Conflict, NotFound
from ecrf.kernel.ledger import Act, By
from ecrf.kernel.text import T, Text
from randomization.opened import Vault, permitted
from randomization.supply import DEPOT, Move, State
from randomization.supplying import books, moving
from randomization.supplying.moving import Found
from randomization.supplying.said import said
from randomization.supplying.shipping import Stage
from randomization.supplying.tables import Held, Quarantine, Shipment, Shipped
from randomization.tables import Kit


class Cause(StrEnum):
    """Why kits are held back."""

    EXCURSION = "excursion"
    DAMAGE = "damage"
    RECALL = "recall"
    OTHER = "other"


CAUSES: Mapping[str, Text] = {
    Cause.EXCURSION: T("temperature excursion"),
    Cause.DAMAGE: T("damage"),
    Cause.RECALL: T("recall"),
    Cause.OTHER: T("other"),
}


class Outcome(StrEnum):
    """What was decided."""

    RELEASED = "released"
    REJECTED = "rejected"


RECALLABLE = (State.IN_DEPOT, State.PACKED, State.IN_TRANSIT, State.AVAILABLE, State.ASSIGNED)
ON_SITE = (State.IN_DEPOT, State.PACKED, State.AVAILABLE, State.ASSIGNED)


def put(
    vault: Vault, by: By, study: str, site: str, cause: Cause, text: str, typed: Sequence[str]
) -> int:
    """Hold back kits of a site; without numbers, every kit on its shelf and for its visits.

    At the depot it is the supply manager who does, and it is every kit that lies there.
    """
    right = Right.SUPPLY_MANAGE if site == DEPOT else Right.KIT_DISPENSE
    role = permitted(by, right, study, site)
    why = said(text, "text")
    act = Act("quarantine:put", role, study, site, refs={"cause": cause}, reason=why)

    def do(session: Session) -> tuple[int, Mapping[str, object]]:
        if any(number.strip() for number in typed):
            kits = moving.find(session, vault, study, [site], typed)
        else:
            kits = _in(session, vault, study, ON_SITE, Kit.site == site)
        if not kits:
            raise Conflict(T("There is nothing to hold back."))
        made = hold(session, vault, by, site, study, cause, why, kits)
        return made, {"quarantine": made, "kits": [kit.number for kit in kits]}

    return books.enter(vault, by, act, do)


def decide(
    vault: Vault, by: By, study: str, site: str, number: int, outcome: Outcome, reason: str
) -> None:
    """Release or reject everything held in a quarantine, for a reason."""
    role = permitted(by, Right.SUPPLY_MANAGE, study, site)
    why = said(reason, "reason")
    refs = {"quarantine": number, "outcome": outcome}
    act = Act("quarantine:decide", role, study, site, refs=refs, reason=why)

    def do(session: Session) -> tuple[None, Mapping[str, object]]:
        _require_open(session, vault, study, site, number)
        kits = _kits_of(session, number)
        if outcome is Outcome.RELEASED:
            _require_arrived(session, kits)
        for step, some in _ways(kits, outcome).items():
            moving.move(session, some, step)
        session.execute(
            update(Quarantine)
            .where(Quarantine.id == number)
            .values(outcome=outcome.value, reason=why, decided_by=by.actor.id,
                    decided_at=by.at)
            .execution_options(synchronize_session=False)
        )  # fmt: skip
        return None, {"kits": [kit.number for kit in kits]}

    books.enter(vault, by, act, do)


def recall(vault: Vault, by: By, study: str, batch: str, text: str) -> tuple[str, ...]:
    """Hold back a batch wherever it is; return the kits that are with participants."""
    role = permitted(by, Right.SUPPLY_MANAGE, study, DEPOT)
    why = said(text, "text")
    act = Act("batch:recall", role, study, refs={"batch": batch}, reason=why)

    def do(session: Session) -> tuple[tuple[str, ...], Mapping[str, object]]:
        every = _in(session, vault, study, (*RECALLABLE, State.DISPENSED), Kit.batch == batch)
        if not every:
            raise NotFound(T("There is no kit of batch {batch} to call back.", batch=batch))
        out = tuple(kit.number for kit in every if kit.state is State.DISPENSED)
        for site in sorted({kit.site for kit in every}):
            here = [k for k in every if k.site == site and k.state is not State.DISPENSED]
            if here:
                hold(session, vault, by, site, study, Cause.RECALL, why, here)
        return out, {"with_participants": list(out), "kits": len(every)}

    return books.enter(vault, by, act, do)


def hold(
    session: Session, vault: Vault, by: By, site: str, study: str, cause: Cause, text: str,
    kits: Sequence[Found],
) -> int:  # fmt: skip
    """Write down a quarantine and put the kits into it; return its number."""
    moving.move(session, kits, Move.QUARANTINE)
    number: int = session.scalars(
        insert(Quarantine)
        .values(
            study=study, environment=vault.environment, site=site, cause=cause.value, text=text,
            by_id=by.actor.id, at=by.at,
        )
        .returning(Quarantine.id)
    ).one()  # fmt: skip
    session.execute(insert(Held), [{"quarantine_id": number, "kit_id": kit.id} for kit in kits])
    return number


def _ways(kits: Sequence[Found], outcome: Outcome) -> Mapping[Move, list[Found]]:
    """Return by which move each kit leaves quarantine: back to where it was, or rejected."""
    ways: dict[Move, list[Found]] = {}
    for kit in kits:
        step = Move.REJECT
        if outcome is Outcome.RELEASED:
            step = Move.RELEASE_TO_VISIT if kit.participant else Move.RELEASE
            step = Move.RELEASE_TO_DEPOT if kit.site == DEPOT else step
        ways.setdefault(step, []).append(kit)
    return ways


def _require_open(session: Session, vault: Vault, study: str, site: str, number: int) -> None:
    row = session.scalars(
        select(Quarantine).where(
            Quarantine.id == number, Quarantine.study == study, Quarantine.site == site,
            Quarantine.environment == vault.environment,
        )
    ).one_or_none()  # fmt: skip
    if row is None:
        raise NotFound(T("There is no such quarantine here."))
    if row.outcome:
        raise Conflict(T("This quarantine has been decided."))


def _require_arrived(session: Session, kits: Sequence[Found]) -> None:
    """Refuse to release what was called back on its way and is not there yet."""
    on_the_way = session.scalar(
        select(func.count())
        .select_from(Shipped)
        .join(Shipment, Shipment.id == Shipped.shipment_id)
        .where(
            Shipped.kit_id.in_([kit.id for kit in kits]),
            Shipment.stage.in_((Stage.PICKED.value, Stage.DISPATCHED.value)),
        )
    )
    if on_the_way:
        raise Conflict(T("Some of these kits are still on their way; receive them first."))


def _kits_of(session: Session, number: int) -> list[Found]:
    rows = session.execute(
        select(*moving.COLUMNS)
        .join(Held, Held.kit_id == Kit.id)
        .where(Held.quarantine_id == number)
        .order_by(Kit.number)
    )
    return [moving.read(row) for row in rows]


def _in(
    session: Session,
    vault: Vault,
    study: str,
    states: Sequence[State],
    *where: ColumnElement[bool],
) -> list[Found]:
    rows = session.execute(
        select(*moving.COLUMNS)
        .where(
            Kit.study == study, Kit.environment == vault.environment,
            Kit.state.in_([state.value for state in states]), *where,
        )
        .order_by(Kit.number)
    )  # fmt: skip
    return [moving.read(row) for row in rows]
