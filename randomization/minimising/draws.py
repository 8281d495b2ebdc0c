"""Draws of a minimised list in the vault: made under the study's lock, sealed, and reread.

The counts come from the record of the draw before, so that a draw costs the same however many
came before it; arms are sealed one by one, and no question to the database could count them.
`randomization.verify` counts them all again.
"""

from collections.abc import Iterator

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from ecrf.kernel.ledger import By
from randomization import lists, minimise, seal
from randomization.arm import Arm
from randomization.design import Spec
from randomization.minimise import Draw
from randomization.minimising.tables import DrawRow
from randomization.opened import NotNow, Vault
from randomization.seal import Context
from randomization.tables import ListRow, Slot

STEP = 256


def arm(
    session: Session, vault: Vault, by: By, row: ListRow, spec: Spec, slot: Slot, number: int
) -> Arm:
    """Return the arm of the slot that is next, deciding it now when the list is minimised."""
    if spec.scheme != minimise.NAME:
        return lists.arm_on(vault, row, slot)
    return _decide(session, vault, by, row, spec, slot, number)


def _decide(
    session: Session, vault: Vault, by: By, row: ListRow, spec: Spec, slot: Slot, number: int
) -> Arm:
    """Decide the arm of the slot, seal it there and record the draw: three statements.

    The chain's head is locked, so nobody else draws; `number` is the serial of the receipt.
    """
    key = lists.data_key(vault, row)
    counts = _counts(session, row, spec, key, number)
    made = minimise.draw(spec, lists.seed_of(vault, row), number, counts, slot.stratum)
    _fill(session, by, row, key, slot, made.arm)
    _record(session, by, row, spec, key, slot, made)
    return made.arm


def _counts(
    session: Session, row: ListRow, spec: Spec, key: bytes, number: int
) -> minimise.Counts:
    """Return the counts after the draw before this one."""
    if number == 1:
        return minimise.none_yet(spec)
    last = session.scalars(
        select(DrawRow).where(DrawRow.list_id == row.id, DrawRow.number == number - 1)
    ).one_or_none()
    if last is None:
        raise NotNow("the draw before this one is missing")
    return opened(row, key, last).after(spec)


def _fill(session: Session, by: By, row: ListRow, key: bytes, slot: Slot, made: Arm) -> None:
    """Seal the arm where nobody's stood, with the salt the slot has had from the beginning."""
    context = lists.slot_context(row, slot.id, slot.stratum, slot.position)
    _, salt = seal.unseal_arm(key, context, slot.ciphertext, slot.nonce)
    nonce = by.draw(seal.NONCE_BYTES)
    session.execute(
        update(Slot)
        .where(Slot.id == slot.id)
        .values(ciphertext=seal.seal_arm(key, context, made, salt, nonce), nonce=nonce)
        .execution_options(synchronize_session=False)
    )


def _record(
    session: Session, by: By, row: ListRow, spec: Spec, key: bytes, slot: Slot, made: Draw
) -> None:
    nonce = by.draw(seal.NONCE_BYTES)
    text = made.text().encode().ljust(room(spec))
    session.execute(
        insert(DrawRow).values(
            list_id=row.id, slot_id=slot.id, number=made.number, config=row.spec_hash,
            engine=minimise.ENGINE, nonce=nonce, at=by.at,
            record=seal.seal(key, _context(row, made.number, slot.id), text, nonce),
        )
    )  # fmt: skip


def records(session: Session, row: ListRow) -> list[DrawRow]:
    """Return the list's draws in their order, closed."""
    query = select(DrawRow).where(DrawRow.list_id == row.id).order_by(DrawRow.number)
    return list(session.scalars(query))


def opened(row: ListRow, key: bytes, drawn: DrawRow) -> Draw:
    """Open the record of a draw; raise InvalidTag when it is not the one that was sealed."""
    context = _context(row, drawn.number, drawn.slot_id)
    return minimise.read(seal.unseal(key, context, drawn.record, drawn.nonce).decode())


def disclosed(session: Session, vault: Vault, row: ListRow) -> Iterator[str]:
    """Yield the text of every draw, for the planned unblinding of the list."""
    key = lists.data_key(vault, row)
    for drawn in records(session, row):
        yield opened(row, key, drawn).text()


def room(spec: Spec) -> int:
    """Return how long every record of the list is: its length tells nothing of the draw."""
    counts = minimise.none_yet(spec)
    fixed = len(
        Draw(0, max(spec.strata, key=_bytes), counts, (), (), 0, Arm("")).text().encode()
    )
    numbers = sum(map(len, counts.values())) + 2 * len(spec.ratio) + 2
    names = max(_bytes(name) for name, _ in spec.ratio)
    return -(-(fixed + 20 * numbers + names) // STEP) * STEP


def _bytes(text: str) -> int:
    return len(text.encode())


def _context(row: ListRow, number: int, slot_id: str) -> Context:
    return ("draw", row.study, row.environment, row.version, number, slot_id)
