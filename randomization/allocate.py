"""Allocation: the one locked write that puts a participant on the next slot of a stratum.

The lock is the study's chain head in the vault; what was read before the lock was had is read
again. Participants are put on slots strictly in order, once each, whatever is asked twice, at
the same time, or again after a crash.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Row,
    ScalarSelect,
    Select,
    Subquery,
    and_,
    bindparam,
    func,
    insert,
    select,
    true,
)
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from ecrf.kernel.access import Right, Role
from ecrf.kernel.chain import Head, canonical
from ecrf.kernel.errors import Conflict
from ecrf.kernel.ledger import Act, By
from ecrf.kernel.text import T
from randomization import lists, receipts, shelf
from randomization.asking import Request
from randomization.opened import NotNow, Vault, one_message, permitted, vault_chain
from randomization.receipts import FIRST, Facts, Receipt
from randomization.shelf import GROWTH, WINDOW, Sealed
from randomization.tables import LEDGER, Allocation, Kit, ListRow, Shelf, Slot

Done = aliased(Allocation, name="done")
SEEN = LEDGER.chain.alias("seen")


class Ready(NamedTuple):
    """What stands under the lock: the head, the list, the next slot, kits that may serve."""

    head: Head
    row: ListRow
    slot: Slot | None
    done: Allocation | None
    serial: int
    previous: str
    shelf_key: bytes | None
    kits: list[Sealed]


def randomize(vault: Vault, by: By, request: Request) -> Receipt:
    """Put the participant on the next slot, or say again what was said the first time.

    Refuses with one message, whether the list is used up, kits are missing or the database
    does not answer. Three statements; one more when another allocation was waited for.
    """
    role = permitted(by, Right.PARTICIPANT_RANDOMIZE, request.study, request.site)
    refused = _act("randomization:refuse", role, request, {})
    with one_message(vault, by, refused), vault.database.write() as session:
        ready = _under_lock(session, vault, request)
        if ready.done is not None:
            return _again(ready.done, request)
        if ready.slot is None:
            raise NotNow("no free slot in this stratum")
        return _allocate(session, vault, by, role, request, ready, ready.slot)


def _allocate(
    session: Session, vault: Vault, by: By, role: Role, request: Request, ready: Ready,
    slot: Slot,
) -> Receipt:  # fmt: skip
    kits = _choose(session, vault, request, ready, slot) if request.kits else []
    receipt = receipts.sign(
        vault.keys.signer,
        Facts(
            request.study, vault.environment, ready.row.version, slot.id, request.stratum,
            request.site, request.participant, slot.random_number,
            tuple(kit.number for kit in kits), by.at, ready.previous,
        ),
    )  # fmt: skip
    _store(session, by, request, ready, slot, receipt, kits)
    refs = {
        "list": ready.row.version, "slot": slot.id, "random_number": receipt.random_number,
        "kits": list(receipt.kit_numbers), "receipt": receipts.receipt_hash(receipt.text),
    }  # fmt: skip
    act = _act("randomization:allocate", role, request, refs)
    LEDGER.write(session, by, [(ready.head, act)])
    return receipt


def _store(
    session: Session, by: By, request: Request, ready: Ready, slot: Slot, receipt: Receipt,
    kits: Sequence[Sealed],
) -> None:  # fmt: skip
    """Insert the allocation; its kits leave the shelf with it (`Allocation.kits`)."""
    session.execute(
        insert(Allocation).values(
            study=request.study, list_id=ready.row.id, slot_id=slot.id,
            stratum=slot.stratum, position=slot.position, serial=ready.serial,
            site=request.site, participant=request.participant,
            random_number=receipt.random_number, visit=request.visit,
            kits=canonical([kit.id for kit in kits]), asked=request.asked(),
            receipt=receipt.text,
            receipt_hash=receipts.receipt_hash(receipt.text), signature=receipt.signature,
            at=by.at,
        )
    )  # fmt: skip


def _choose(
    session: Session, vault: Vault, request: Request, ready: Ready, slot: Slot
) -> list[Sealed]:
    if ready.shelf_key is None:
        raise NotNow(shelf.FEW)
    place = shelf.Place(request.study, request.site, vault.environment, request.usable_until)
    opened = shelf.open_(vault, place, ready.shelf_key, ready.kits)
    every = lists.spec_of(vault, ready.row).arms
    looked = WINDOW
    while len(opened.kits) == looked and not opened.serves(every, request.kits):
        looked *= GROWTH
        kits = shelf.read(session, place, looked)
        opened = shelf.open_(vault, place, ready.shelf_key, kits)
    arm = lists.arm_on(vault, ready.row, slot)
    return opened.choose(every, arm, request.kits)


def _again(done: Allocation, request: Request) -> Receipt:
    """Say again what was said; refuse without details when something else is asked now."""
    if done.asked != request.asked():
        raise Conflict(T("This participant was randomized already, and not on this request."))
    return receipts.reread(done.receipt, done.signature)


def _under_lock(session: Session, vault: Vault, request: Request) -> Ready:
    """Read everything with the chain's head locked.

    PostgreSQL gives the locked row as it is now, and all others as they were when the
    statement began. So the head is read twice, once without the lock: when the two differ,
    somebody was waited for, and the statement is sent again, now holding the lock.
    """
    parameters = _parameters(vault, request)
    while True:
        rows = session.execute(QUERY, parameters).all()
        if not rows:
            raise NotNow("no active list")
        if rows[0].size == rows[0].seen_size:
            return _ready(rows)


def _ready(rows: Sequence[Row[Any]]) -> Ready:
    first = rows[0]
    return Ready(
        head=Head(first.name, first.size, first.link, first.last_at),
        row=first.ListRow,
        slot=first.Slot,
        done=first.done,
        serial=first.serial,
        previous=first.previous or FIRST,
        shelf_key=first.shelf_key,
        kits=[
            Sealed(row.kit_id, row.kit_number, row.ciphertext, row.nonce)
            for row in rows
            if row.kit_id is not None
        ],
    )


MINE = Allocation.list_id == ListRow.id


def _next(counted: InstrumentedAttribute[int], *of: ColumnElement[bool]) -> ScalarSelect[int]:
    """Return the number after the highest so far, 1 for the first."""
    last = func.coalesce(func.max(counted), 0)
    return select(last + 1).where(*of).correlate(ListRow).scalar_subquery()


def _previous() -> ScalarSelect[str]:
    """Return the hash of the list's last receipt."""
    return (
        select(Allocation.receipt_hash)
        .where(MINE)
        .correlate(ListRow)
        .order_by(Allocation.serial.desc())
        .limit(1)
        .scalar_subquery()
    )


def _few() -> Subquery:
    """Return the first kits of the shelf, by the random sequence."""
    return (
        select(*shelf.COLUMNS, Kit.sequence)
        .where(shelf.ON_SHELF)
        .order_by(Kit.sequence)
        .limit(bindparam("rows"))
        .subquery("few")
    )


def _query() -> Select[Any]:
    """Build the one question: lock, list, next slot, last receipt, former answer, kits.

    Its parameters are those of `_parameters`; it is built once, for building it takes longer
    than answering it.
    """
    study: BindParameter[str] = bindparam("study")
    stratum: BindParameter[str] = bindparam("stratum")
    environment: BindParameter[str] = bindparam("environment")
    chain, few = LEDGER.chain, _few()
    position = _next(Allocation.position, MINE, Allocation.stratum == stratum)
    return (
        select(
            chain.c.name, chain.c.size, chain.c.link, chain.c.last_at,
            SEEN.c.size.label("seen_size"), ListRow, Slot, Done,
            _next(Allocation.serial, MINE).label("serial"), _previous().label("previous"),
            Shelf.key.label("shelf_key"),
            few.c.kit_id, few.c.kit_number, few.c.ciphertext, few.c.nonce,
        )
        .select_from(ListRow)
        .join(chain, chain.c.name == bindparam("chain"))
        .join(SEEN, SEEN.c.name == chain.c.name)
        .outerjoin(
            Slot,
            and_(
                Slot.list_id == ListRow.id,
                Slot.stratum == stratum,
                Slot.position == position,
            ),
        )
        .outerjoin(
            Done,
            and_(Done.study == study, Done.participant == bindparam("participant")),
        )
        .outerjoin(
            Shelf,
            and_(Shelf.study == study, Shelf.environment == environment),
        )
        .outerjoin(few, true())
        .where(
            ListRow.study == study,
            ListRow.environment == environment,
            ListRow.state == "active",
        )
        .order_by(few.c.sequence)
        .with_for_update(of=chain)
    )  # fmt: skip


QUERY = _query()


def _parameters(vault: Vault, request: Request) -> dict[str, object]:
    return {
        "study": request.study, "environment": vault.environment, "site": request.site,
        "stratum": request.stratum, "participant": request.participant,
        "chain": vault_chain(request.study), "usable_until": request.usable_until,
        "rows": WINDOW if request.kits else 1,
    }  # fmt: skip


def _act(action: str, role: Role, request: Request, refs: Mapping[str, object]) -> Act:
    named = {"participant": request.participant, "stratum": request.stratum, **refs}
    key = f"participant:{request.participant}"
    return Act(action, role, request.study, request.site, key, named)
