"""Planned unblinding: two people sign, then the whole randomization is laid open.

A bundle holds the published facts, the specification and seed, every receipt, every draw of a
minimised list, and every kit. A stranger checks it with `verify_bundle.py`, which travels
beside it. Nothing is opened before both signatures, and the act that lays it open is written
down before.
"""

import json

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from ecrf.kernel.access import Right
from ecrf.kernel.chain import canonical
from ecrf.kernel.errors import Conflict, NotAllowed, NotFound
from ecrf.kernel.ledger import Act, By
from ecrf.kernel.text import T
from randomization import lists, receipts, seal, shelf
from randomization.ceremony import origin
from randomization.minimising import draws
from randomization.opened import Vault, lock
from randomization.tables import (
    LEDGER,
    Allocation,
    Kit,
    ListRow,
    PackingNote,
    Shelf,
    Unblinding,
)
from randomization.verify_bundle import FORMAT

SIGNERS = 2


def sign(vault: Vault, by: By, study: str, number: int, locked: str) -> int:
    """Sign the unblinding of a list whose study is locked; return how many have signed.

    `locked` says by which lock the study's data were closed. The same person signs once.
    """
    role = by.actor.role_for(Right.DATA_LOCK, study)
    if role is None:
        raise NotAllowed(T("Your role does not sign the unblinding of {study}.", study=study))
    with vault.database.write() as session:
        head = lock(session, study)
        row = _row(session, vault, study, number)
        signers = _signers(session, row)
        if by.actor.id in signers:
            raise Conflict(T("You have signed already; a second, different person has to."))
        values = {"locked": locked, "by_id": by.actor.id, "by_name": by.actor.name}
        session.execute(insert(Unblinding).values(list_id=row.id, at=by.at, **values))
        refs = {"list": number, "locked": locked, "signature": len(signers) + 1}
        LEDGER.write(session, by, [(head, Act("list:unblinding sign", role, study, refs=refs))])
    return len(signers) + 1


def bundle(vault: Vault, by: By, study: str, number: int) -> str:
    """Return the bundle of a list that two people have signed the unblinding of."""
    with vault.database.write() as session:
        head = lock(session, study)
        row = _row(session, vault, study, number)
        if len(_signers(session, row)) < SIGNERS:
            raise Conflict(
                T("List {n} is unblinded when two different people have signed.", n=number)
            )
        act = Act("list:reveal", None, study, refs={"list": number, "root": row.root})
        LEDGER.write(session, by, [(head, act)])
    with vault.database.read() as session:
        return _sealed(vault, _content(session, vault, _row(session, vault, study, number)))


def _sealed(vault: Vault, content: dict[str, object]) -> str:
    _, signature = receipts.signed(vault.keys.signer, content)
    return canonical({**content, "signature": signature})


def _content(session: Session, vault: Vault, row: ListRow) -> dict[str, object]:
    given = session.execute(
        select(Allocation.receipt, Allocation.signature)
        .where(Allocation.list_id == row.id)
        .order_by(Allocation.serial)
    )
    return {
        "format": FORMAT,
        "public": {
            "study": row.study, "list": row.version, "environment": row.environment,
            "root": row.root, "seed_commitment": row.seed_commitment,
            "spec_hash": row.spec_hash, "software": row.software,
            "key": vault.keys.signer.verifier.text(), **_origin(session, row),
        },
        "spec": lists.spec_of(vault, row).canonical(),
        "seed": lists.seed_of(vault, row).hex(),
        "leaves": _leaves(session, vault, row),
        "receipts": [{"text": text, "signature": signature} for text, signature in given],
        "draws": list(draws.disclosed(session, vault, row)),
        **_supply(session, vault, row),
    }  # fmt: skip


def _origin(session: Session, row: ListRow) -> dict[str, str]:
    """Return what else was made known: a beacon, or the file of an imported list."""
    made = origin.of(session, row.study, row.environment, row.version)
    told = {"beacon": made.beacon, "beacon_value": made.value, "file": made.file}
    return {name: value for name, value in told.items() if value}


def _leaves(session: Session, vault: Vault, row: ListRow) -> list[object]:
    """Return every slot of an imported list; of others the seed gives them."""
    if not lists.spec_of(vault, row).imported:
        return []
    leaves = lists.opened_leaves(session, vault, row)
    return [json.loads(leaf.content()) for leaf in leaves]


def _supply(session: Session, vault: Vault, row: ListRow) -> dict[str, object]:
    """Return what was packed, opened, and who got which kit at which visit."""
    of_study = (Kit.study == row.study, Kit.environment == row.environment)
    kits = session.execute(
        select(Kit.number, Kit.ciphertext, Kit.nonce, Kit.note_id, Kit.participant, Kit.visit)
        .where(*of_study)
        .order_by(Kit.number)
    ).all()
    wrapped = session.scalar(
        select(Shelf.key).where(Shelf.study == row.study, Shelf.environment == row.environment)
    )
    if wrapped is None:
        return {"packings": [], "assigned": []}
    context = shelf.key_context(row.study, row.environment)
    key = seal.unwrap(vault.keys.wrapping, context, wrapped)
    packed: dict[int | None, list[list[str]]] = {}
    for kit in kits:
        context = shelf.kit_context(row.study, row.environment, kit.number)
        arm, salt = seal.unseal_arm(key, context, kit.ciphertext, kit.nonce)
        packed.setdefault(kit.note_id, []).append([kit.number, arm.opened(), salt.hex()])
    notes = session.execute(
        select(PackingNote.id, PackingNote.note, PackingNote.signature)
        .where(PackingNote.study == row.study, PackingNote.environment == row.environment)
        .order_by(PackingNote.id)
    )
    return {
        "packings": [
            {"text": note.note, "signature": note.signature, "kits": packed.get(note.id, [])}
            for note in notes
        ],
        "assigned": [[k.number, k.participant, k.visit] for k in kits if k.participant],
    }


def _signers(session: Session, row: ListRow) -> frozenset[int]:
    found = session.scalars(select(Unblinding.by_id).where(Unblinding.list_id == row.id))
    return frozenset(found)


def _row(session: Session, vault: Vault, study: str, number: int) -> ListRow:
    row = session.scalars(
        select(ListRow).where(
            ListRow.study == study, ListRow.environment == vault.environment,
            ListRow.version == number,
        )
    ).one_or_none()  # fmt: skip
    if row is None:
        raise NotFound(T("There is no list {n} of this study here.", n=number))
    return row
