"""Draws of a minimised list in the vault: made under the study's lock, sealed, and reread.

The counts come from the record of the draw before, so that a draw costs the same however many
came before it; arms are sealed one by one, and no question to the database could count them.
`randomization.verify` counts them all again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

from sqlalchemy import Select, Table, and_, bindparam, insert, select, update
from sqlalchemy.orm import Session

from ecrf.kernel.ledger import By
from randomization import design, lists, minimise, seal, slots
from randomization.arm import Arm
from randomization.ceremony import origin
from randomization.ceremony.steps import Step
from randomization.ceremony.tables import Ceremony, CeremonyStep
from randomization.design import Spec
from randomization.minimise import Counts, Draw
from randomization.minimising.tables import DrawRow
from randomization.opened import NotNow, Vault
from randomization.seal import Context
from randomization.tables import SLOTS, ListRow, Slot

STEP = 256
RECORD = insert(cast("Table", DrawRow.__table__))
FILL = (
    update(SLOTS)
    .where(SLOTS.c.id == bindparam("of_slot"))
    .values(ciphertext=bindparam("sealed"), nonce=bindparam("by_nonce"))
)


@dataclass(frozen=True, slots=True)
class Decided:
    """A draw for a slot, and who asked for it; `store` writes it down."""

    slot: Slot
    draw: Draw
    by: By


class Minimised:
    """A minimised list while the study's lock is held: its counts move on with every draw."""

    def __init__(
        self, vault: Vault, row: ListRow, spec: Spec, seed: bytes, counts: Counts
    ) -> None:
        self._row, self._spec, self._seed = row, spec, seed
        self._counts = counts
        self._key = lists.data_key(vault, row)

    def decide(self, by: By, slot: Slot, number: int) -> Decided:
        """Return the draw for the slot; `number` is the serial of the receipt."""
        made = minimise.draw(self._spec, self._seed, number, self._counts, slot.stratum)
        return Decided(slot, made, by)

    def keep(self, decided: Decided) -> None:
        """Count the participant: the next draw is made with them."""
        self._counts = decided.draw.after(self._spec)

    def store(self, session: Session, decided: Sequence[Decided]) -> None:
        """Seal the arms where nobody's stood, and record the draws: two statements."""
        if decided:
            session.connection().execute(FILL, [self._filled(one) for one in decided])
            session.connection().execute(RECORD, [self._recorded(one) for one in decided])

    def _filled(self, one: Decided) -> dict[str, object]:
        """Keep the salt the slot has had from the beginning."""
        slot = one.slot
        context = slots.context(self._row, slot.id, slot.stratum, slot.position)
        _, salt = seal.unseal_arm(self._key, context, slot.ciphertext, slot.nonce)
        nonce = one.by.draw(seal.NONCE_BYTES)
        sealed = seal.seal_arm(self._key, context, one.draw.arm, salt, nonce)
        return {"of_slot": slot.id, "sealed": sealed, "by_nonce": nonce}

    def _recorded(self, one: Decided) -> dict[str, object]:
        row, nonce = self._row, one.by.draw(seal.NONCE_BYTES)
        text = one.draw.text().encode().ljust(room(self._spec))
        context = _context(row, one.draw.number, one.slot.id)
        return {
            "list_id": row.id, "slot_id": one.slot.id, "number": one.draw.number,
            "config": row.spec_hash, "engine": minimise.ENGINE, "nonce": nonce,
            "at": one.by.at, "record": seal.seal(self._key, context, text, nonce),
        }  # fmt: skip


def begin(
    session: Session, vault: Vault, row: ListRow, spec: Spec, number: int
) -> Minimised | None:
    """Return the list as it stands before the draw of that number; None for other schemes.

    One statement: the draw before it, with its counts, and the beacon.
    """
    if spec.scheme != minimise.NAME:
        return None
    rows = session.execute(_before(row, number)).all()
    last = rows[0].DrawRow
    beacon = origin.told(line.content for line in rows if line.content).value
    seed = design.mixed(lists.seed_of(vault, row), beacon)
    counts = minimise.none_yet(spec)
    if number > 1:
        if last is None:
            raise NotNow("the draw before this one is missing")
        counts = opened(row, lists.data_key(vault, row), last).after(spec)
    return Minimised(vault, row, spec, seed, counts)


def _before(row: ListRow, number: int) -> Select[DrawRow, str]:
    here = (
        Ceremony.study == row.study, Ceremony.environment == row.environment,
        Ceremony.version == row.version,
    )  # fmt: skip
    of_beacon = CeremonyStep.step == Step.BEACON.value
    return (
        select(DrawRow, CeremonyStep.content)
        .select_from(ListRow)
        .outerjoin(DrawRow, and_(DrawRow.list_id == ListRow.id, DrawRow.number == number - 1))
        .outerjoin(Ceremony, and_(*here))
        .outerjoin(CeremonyStep, and_(CeremonyStep.ceremony_id == Ceremony.id, of_beacon))
        .where(ListRow.id == row.id)
    )


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
