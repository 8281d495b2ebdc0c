"""Checking a whole vault from the inside: lists from their seeds, receipts in their order.

What it reports tells no arm, so that it may be read by anyone.
"""

from collections import defaultdict
from collections.abc import Iterator
from itertools import zip_longest
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from sqlalchemy import select
from sqlalchemy.orm import Session

from ecrf.kernel.text import Message, T
from randomization import commit, lists, minimise, receipts
from randomization.commit import Committed
from randomization.minimise import Draw
from randomization.minimising import draws
from randomization.minimising.tables import DrawRow
from randomization.opened import Vault
from randomization.receipts import FIRST, Receipt
from randomization.tables import Allocation, ListRow, Slot


class Verification(NamedTuple):
    """How much was checked, and everything that is not as it must be.

    `slots` are those asked for, of all lists that could be opened.
    """

    slots: int
    allocations: int
    flaws: tuple[Message, ...]


def verify(vault: Vault, study: str) -> Verification:
    """Make every list again from its seed, and follow every receipt."""
    flaws: list[Message] = []
    slots = allocations = 0
    with vault.database.read() as session:
        rows = session.scalars(
            select(ListRow)
            .where(ListRow.study == study, ListRow.environment == vault.environment)
            .order_by(ListRow.version)
        ).all()
        for row in rows:
            given = _allocations(session, row)
            drawn = _drawn(session, vault, row, given)
            found, size = _list_flaws(session, vault, row, given, drawn)
            flaws += found
            flaws += _draw_flaws(session, vault, row, given, drawn)
            flaws += _order_flaws(row, given)
            flaws += _receipt_flaws(session, vault, row, given)
            slots += size
            allocations += len(given)
    return Verification(slots, allocations, tuple(flaws))


def _drawn(session: Session, vault: Vault, row: ListRow, given: list[Allocation]) -> list[Draw]:
    """Make the draws of a minimised list again; as far as the strata are the list's own."""
    spec = lists.spec_of(vault, row)
    if spec.scheme != minimise.NAME:
        return []
    strata = [allocation.stratum for allocation in given]
    known = next((n for n, name in enumerate(strata) if name not in spec.strata), len(strata))
    seed = lists.mixed_seed(session, vault, row)
    return list(minimise.again(spec, seed, strata[:known]))


def _list_flaws(
    session: Session, vault: Vault, row: ListRow, given: list[Allocation], drawn: list[Draw]
) -> tuple[list[Message], int]:
    """Return what is wrong with the list, and how many slots were asked for."""
    flaws = [*_commitment_flaws(vault, row)]
    try:
        derived = commit.committed(lists.derived(session, vault, row))
        if derived.root != row.root:
            flaws.append(T("List {n}: the seed does not give the published root.",
                           n=row.version))  # fmt: skip
        flaws += _slot_flaws(session, row, derived)
        arms = {a.slot_id: made.arm for a, made in zip(given, drawn, strict=False)}
        now = [
            leaf._replace(arm=arms[leaf.slot_id]) if leaf.slot_id in arms else leaf
            for leaf in derived.leaves
        ]
        if lists.opened_leaves(session, vault, row) != now:
            flaws.append(T("List {n}: what is sealed is not what the seed gives.",
                           n=row.version))  # fmt: skip
    except InvalidTag:
        return [*flaws, T("List {n}: a slot cannot be opened.", n=row.version)], 0
    return flaws, lists.spec_of(vault, row).asked


def _commitment_flaws(vault: Vault, row: ListRow) -> Iterator[Message]:
    spec, seed = lists.spec_of(vault, row), lists.seed_of(vault, row)
    if commit.spec_hash(spec.canonical()) != row.spec_hash:
        yield T("List {n}: the specification is not the published one.", n=row.version)
    committed = commit.NO_SEED if spec.imported else commit.seed_commitment(seed)
    if committed != row.seed_commitment:
        yield T("List {n}: the seed is not the one committed to.", n=row.version)


def _slot_flaws(session: Session, row: ListRow, derived: Committed) -> Iterator[Message]:
    rows = session.execute(select(Slot.id, Slot.leaf).where(Slot.list_id == row.id))
    stored = {slot.id: slot.leaf for slot in rows}
    made = zip(derived.leaves, derived.hashes, strict=True)
    if stored != {leaf.slot_id: known.hex() for leaf, known in made}:
        yield T("List {n}: the slots are not those of the seed.", n=row.version)


def _draw_flaws(
    session: Session, vault: Vault, row: ListRow, given: list[Allocation], drawn: list[Draw]
) -> Iterator[Message]:
    """Every draw on record is the one made again, for the receipt of the same number."""
    key = lists.data_key(vault, row)
    stored = draws.records(session, row)
    slots = [allocation.slot_id for allocation in given] if drawn else []
    for number, (was, slot, made) in enumerate(zip_longest(stored, slots, drawn), start=1):
        if was is None or was.slot_id != slot or not _same(row, key, was, made):
            yield T("List {n}: draw {number} is not the one the seed gives.",
                    n=row.version, number=number)  # fmt: skip


def _same(row: ListRow, key: bytes, was: DrawRow, made: Draw | None) -> bool:
    try:
        whole = (was.config, was.engine) == (row.spec_hash, minimise.ENGINE)
        return whole and draws.opened(row, key, was) == made
    except InvalidTag:
        return False


def _order_flaws(row: ListRow, given: list[Allocation]) -> Iterator[Message]:
    """In each stratum, the positions in the order of the receipts are 1, 2, 3, …"""
    reached: dict[str, int] = defaultdict(int)
    for place, allocation in enumerate(given, start=1):
        reached[allocation.stratum] += 1
        if allocation.serial != place or allocation.position != reached[allocation.stratum]:
            yield T("List {n}: {code} is not on the slot that was next.",
                    n=row.version, code=allocation.participant)  # fmt: skip


def _receipt_flaws(
    session: Session, vault: Vault, row: ListRow, given: list[Allocation]
) -> Iterator[Message]:
    slots = _taken(session, row)
    previous = FIRST
    for allocation in given:
        receipt = receipts.reread(allocation.receipt, allocation.signature)
        slot = slots.get(allocation.slot_id)
        stated = receipts.stated(receipt.text)
        fits = slot is not None and stated == {
            **stated, "study": row.study, "environment": row.environment,
            "list": row.version, "slot": slot.id, "stratum": slot.stratum,
            "site": allocation.site, "participant": allocation.participant,
            "random_number": slot.random_number, "previous": previous,
        }  # fmt: skip
        if not fits or not _signed(vault, receipt, allocation):
            yield T("List {n}: the receipt of {code} is not what was signed.",
                    n=row.version, code=allocation.participant)  # fmt: skip
        previous = allocation.receipt_hash


def _taken(session: Session, row: ListRow) -> dict[str, Slot]:
    """Return the slots of the list that somebody stands on."""
    slots = session.scalars(
        select(Slot)
        .join(Allocation, Allocation.slot_id == Slot.id)
        .where(Slot.list_id == row.id, Allocation.list_id == row.id)
    )
    return {slot.id: slot for slot in slots}


def _signed(vault: Vault, receipt: Receipt, allocation: Allocation) -> bool:
    whole = receipts.receipt_hash(receipt.text) == allocation.receipt_hash
    return whole and receipts.accepts(vault.keys.signer.verifier, receipt)


def _allocations(session: Session, row: ListRow) -> list[Allocation]:
    return list(
        session.scalars(
            select(Allocation).where(Allocation.list_id == row.id).order_by(Allocation.serial)
        )
    )
