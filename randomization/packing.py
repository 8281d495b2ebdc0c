"""Packing: kits of all arms are mixed, numbered together, and signed for before they leave."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from ecrf.kernel.access import Right, Role
from ecrf.kernel.chain import stamp
from ecrf.kernel.errors import Unacceptable
from ecrf.kernel.ledger import Act, By
from randomization import commit, numbers, receipts, seal, shelf, supply
from randomization.arm import Arm
from randomization.commit import Packed
from randomization.opened import Vault, lock, permitted
from randomization.supply import State
from randomization.supplying import batches
from randomization.supplying.batches import EVERY_ARM, require_arms
from randomization.tables import LEDGER, Kit, PackingNote

SEQUENCE_BYTES = 7


@dataclass(frozen=True, slots=True)
class Packing:
    """A packaging batch for a site, or for the depot: how many kits of each arm, one expiry."""

    study: str
    site: str
    batch: str
    expiry: date
    contents: Mapping[str, int]


def register(
    vault: Vault, by: By, packing: Packing, role: Role | None = None
) -> tuple[str, ...]:
    """Put kits on the site's shelf; return their numbers in order, which tells no arm.

    Kits are mixed before they get numbers, so neither numbers nor rows follow the arms.
    """
    with vault.database.write() as session:
        head = lock(session, packing.study)
        require_arms(session, vault, packing.study, packing.contents.keys())
        if min(packing.contents.values()) < 1:
            raise Unacceptable(EVERY_ARM)
        batches.expiring(session, vault, by, packing.study, packing.batch, packing.expiry)
        key = shelf.data_key(session, vault, by, packing.study)
        arms = [Arm(arm) for arm, count in packing.contents.items() for _ in range(count)]
        mixed = [arms[place] for place in numbers.order(by.draw, len(arms))]
        taken = session.scalars(select(Kit.number)).all()
        drawn = numbers.fresh(by.draw, numbers.KIT, len(mixed), taken)
        packed = [
            Packed(number, arm, by.draw(seal.SALT_BYTES))
            for number, arm in zip(drawn, mixed, strict=True)
        ]
        note_id, root = _note(session, vault, by, packing, packed)
        session.execute(
            insert(Kit), [_row(vault, by, packing, key, note_id, kit) for kit in packed]
        )
        refs = {
            "batch": packing.batch, "expiry": str(packing.expiry), "kits": sorted(drawn),
            "root": root,
        }  # fmt: skip
        act = Act("kit:register", role, packing.study, packing.site, refs=refs)
        LEDGER.write(session, by, [(head, act)])
    return tuple(sorted(drawn))


def stock(vault: Vault, by: By, packing: Packing) -> tuple[str, ...]:
    """Register kits as the supply manager of the study."""
    role = permitted(by, Right.SUPPLY_MANAGE, packing.study, packing.site)
    return register(vault, by, packing, role)


def _note(
    session: Session, vault: Vault, by: By, packing: Packing, packed: Sequence[Packed]
) -> tuple[int, str]:
    """Sign what was packed before the first kit leaves; return the note's id and its root."""
    root = commit.kit_root(packed)
    facts = {
        "study": packing.study, "environment": vault.environment, "site": packing.site,
        "batch": packing.batch, "expiry": str(packing.expiry), "kits": len(packed),
        "root": root, "at": stamp(by.at), "signed_by": vault.keys.signer.verifier.text(),
    }  # fmt: skip
    text, signature = receipts.signed(vault.keys.signer, facts)
    note_id = session.scalars(
        insert(PackingNote)
        .values(
            study=packing.study, environment=vault.environment, note=text,
            signature=signature, at=by.at,
        )
        .returning(PackingNote.id)
    ).one()  # fmt: skip
    return note_id, root


def _row(
    vault: Vault, by: By, packing: Packing, key: bytes, note_id: int, kit: Packed
) -> dict[str, object]:
    nonce = by.draw(seal.NONCE_BYTES)
    context = shelf.kit_context(packing.study, vault.environment, kit.number)
    return {
        "study": packing.study, "environment": vault.environment, "number": kit.number,
        "site": packing.site, "batch": packing.batch, "expiry": packing.expiry,
        "note_id": note_id,
        "state": State.IN_DEPOT if packing.site == supply.DEPOT else State.AVAILABLE,
        "nonce": nonce, "participant": None, "visit": None,
        "ciphertext": seal.seal_arm(key, context, kit.arm, kit.salt, nonce),
        "sequence": int.from_bytes(by.draw(SEQUENCE_BYTES), "big"),
    }  # fmt: skip
