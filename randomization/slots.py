"""The slots of a list: sealed into rows, and opened again, all of them in one go."""

from collections.abc import Iterator, Sequence

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from ecrf.kernel import bulk
from ecrf.kernel.errors import Conflict
from ecrf.kernel.ledger import By
from ecrf.kernel.text import T
from randomization import numbers, seal
from randomization.commit import Committed, Leaf
from randomization.design import Spec
from randomization.seal import Context
from randomization.tables import SLOTS, ListRow, Slot, Stratum


def context(row: ListRow, slot_id: str, stratum: str, position: int) -> Context:
    return ("slot", row.study, row.environment, row.version, slot_id, stratum, position)


def store(
    session: Session, by: By, row: ListRow, key: bytes, spec: Spec, made: Committed,
    given: Sequence[str],
) -> None:  # fmt: skip
    """Store the list's strata and sealed slots; `given` are random numbers it brings along."""
    taken = session.scalars(select(Slot.random_number).where(Slot.study == row.study)).all()
    if not set(given).isdisjoint(taken):
        raise Conflict(T("A random number of this list is on another list of the study."))
    drawn = given or numbers.fresh(by.draw, numbers.RANDOM, len(made.leaves), taken)
    nonces = [by.draw(seal.NONCE_BYTES) for _ in made.leaves]
    _store_strata(session, row, spec, made.leaves)
    bulk.load(session, SLOTS, _rows(row, key, made, drawn, nonces))


def opened(row: ListRow, key: bytes, slot: Slot) -> Leaf:
    """Open one slot with the list's data key."""
    place = (slot.id, slot.stratum, slot.position)
    arm = seal.unseal_arm(key, context(row, *place), slot.ciphertext, slot.nonce)
    return Leaf(*place, *arm)


def all_opened(session: Session, row: ListRow, key: bytes) -> list[Leaf]:
    """Open every slot with the list's data key; return them in list order."""
    slots = session.execute(
        select(Slot.id, Slot.stratum, Slot.position, Slot.ciphertext, Slot.nonce)
        .join(Stratum, (Stratum.list_id == Slot.list_id) & (Stratum.name == Slot.stratum))
        .where(Slot.list_id == row.id)
        .order_by(Stratum.place, Slot.position)
    ).all()
    sealed = (
        (context(row, id_, stratum, position), ciphertext, nonce)
        for id_, stratum, position, ciphertext, nonce in slots
    )
    held = seal.unseal_arms(key, sealed)
    return [Leaf(*slot[:3], *arm) for slot, arm in zip(slots, held, strict=True)]


def _store_strata(session: Session, row: ListRow, spec: Spec, leaves: Sequence[Leaf]) -> None:
    sizes = dict.fromkeys(spec.strata, 0)
    for leaf in leaves:
        sizes[leaf.stratum] += 1
    session.execute(
        insert(Stratum),
        [
            {"list_id": row.id, "name": name, "place": place, "size": size}
            for place, (name, size) in enumerate(sizes.items())
        ],
    )


def _rows(
    row: ListRow, key: bytes, made: Committed, drawn: Sequence[str], nonces: Sequence[bytes]
) -> Iterator[dict[str, object]]:
    """Yield the rows of the slots, each sealed when it is asked for."""
    arms = (
        (context(row, leaf.slot_id, leaf.stratum, leaf.position), leaf.arm, leaf.salt, nonce)
        for leaf, nonce in zip(made.leaves, nonces, strict=True)
    )
    sealed, of = seal.seal_arms(key, arms), {"list_id": row.id, "study": row.study}
    for leaf, known, number, nonce, ciphertext in zip(
        made.leaves, made.hashes, drawn, nonces, sealed, strict=True
    ):
        yield {
            **of, "id": leaf.slot_id, "stratum": leaf.stratum, "position": leaf.position,
            "ciphertext": ciphertext, "nonce": nonce, "leaf": known.hex(),
            "random_number": number,
        }  # fmt: skip
