"""Allocation: the one locked write that puts a participant on the next slot of a stratum.

The lock is the study's chain head in the vault; what was read before the lock was had is read
again. Participants are put on slots strictly in order, once each, whatever is asked twice, at
the same time, or again after a crash.
"""

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import (
    Row,
    insert,
)
from sqlalchemy.orm import Session

from ecrf.kernel.access import Right, Role
from ecrf.kernel.chain import Head, canonical
from ecrf.kernel.errors import Conflict
from ecrf.kernel.ledger import Act, By
from ecrf.kernel.text import T
from randomization import lists, receipts, shelf
from randomization.next_slot import COUNTING, QUERY
from randomization.opened import NotNow, Vault, one_message, permitted, vault_chain
from randomization.receipts import FIRST, Facts, Receipt
from randomization.shelf import GROWTH, WINDOW, Sealed
from randomization.tables import LEDGER, Allocation, ListRow, Slot


@dataclass(frozen=True, slots=True)
class Request:
    """What the blinded side asks: a participant, the stratum, kits for the first visit.

    `kits` may be 0. A kit must be usable until `usable_until`, that day included. `most_…` are
    how many may be randomized in the study, at the site, in the stratum; None: any number.
    """

    study: str
    site: str
    participant: str
    stratum: str
    visit: str
    kits: int
    usable_until: date
    most_study: int | None = None
    most_site: int | None = None
    most_stratum: int | None = None

    @property
    def capped(self) -> bool:
        return (self.most_study, self.most_site, self.most_stratum) != (None, None, None)

    def asked(self) -> str:
        """Return the hash of what may not differ when it is asked again."""
        parts = [self.study, self.site, self.participant, self.stratum]
        return hashlib.sha256(canonical(parts).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Forced:
    """What two people set aside. Without kits, whoever is put on a slot gets none while there
    are too few of any arm: whether there are does not depend on the arm they are given.
    """

    without_kits: bool


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
    counts: tuple[int, int, int] | None


def randomize(vault: Vault, by: By, request: Request) -> Receipt:
    """Put the participant on the next slot, or say again what was said the first time.

    Refuses with one message, whether the list is used up, kits are missing or the database
    does not answer. Three statements; one more when another allocation was waited for.
    """
    role = permitted(by, Right.PARTICIPANT_RANDOMIZE, request.study, request.site)
    refused = _act("randomization:refuse", role, request, {})
    with one_message(vault, by, refused), vault.database.write() as session:
        return put(session, vault, by, role, request)


def put(
    session: Session, vault: Vault, by: By, role: Role, request: Request,
    forced: Forced | None = None,
) -> Receipt:  # fmt: skip
    """Put the participant on the next slot within the transaction `session`.

    With `forced` the receipt says that a precondition was set aside; the slot is the next one
    all the same.
    """
    ready = _under_lock(session, vault, request)
    if ready.done is not None:
        return _again(ready.done, request)
    _require_room(request, ready)
    if ready.slot is None:
        raise NotNow("no free slot in this stratum")
    return _allocate(session, vault, by, role, request, ready, ready.slot, forced)


def _require_room(request: Request, ready: Ready) -> None:
    """Refuse whoever would be one too many. How many there are tells nothing of an arm."""
    most = (request.most_study, request.most_site, request.most_stratum)
    for where, cap, count in zip(FULL, most, ready.counts or (0, 0, 0), strict=True):
        if cap is not None and count >= cap:
            raise Conflict(T("{cap} are randomized {where}; there may be no more.",
                             cap=cap, where=where))  # fmt: skip


def _allocate(
    session: Session, vault: Vault, by: By, role: Role, request: Request, ready: Ready,
    slot: Slot, forced: Forced | None,
) -> Receipt:  # fmt: skip
    kits: Sequence[Sealed] = ()
    if request.kits:
        with suppress(shelf.TooFew) if forced and forced.without_kits else nullcontext():
            kits = _choose(session, vault, request, ready, slot)
    receipt = receipts.sign(
        vault.keys.signer,
        Facts(
            request.study, vault.environment, ready.row.version, slot.id, request.stratum,
            request.site, request.participant, slot.random_number,
            tuple(kit.number for kit in kits), by.at, ready.previous,
            forced is not None,
        ),
    )  # fmt: skip
    _store(session, by, request, ready, slot, receipt, kits)
    refs = {
        "list": ready.row.version, "slot": slot.id, "random_number": receipt.random_number,
        "kits": list(receipt.kit_numbers), "receipt": receipts.receipt_hash(receipt.text),
        **({"forced": True} if forced else {}),
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
        raise shelf.TooFew
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
    query = COUNTING if request.capped else QUERY
    while True:
        rows = session.execute(query, parameters).all()
        if not rows:
            raise NotNow("no active list")
        if rows[0].size == rows[0].seen_size:
            return _ready(rows, capped=request.capped)


def _ready(rows: Sequence[Row[Any]], *, capped: bool) -> Ready:
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
        counts=(first.in_study, first.at_site, first.in_stratum) if capped else None,
    )


FULL = (T("in the study"), T("at this site"), T("in this stratum"))


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
