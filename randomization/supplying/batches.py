"""Packaging batches: one expiry for all arms, and sealed what went into each arm's kits."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from ecrf.kernel.access import Right
from ecrf.kernel.chain import canonical
from ecrf.kernel.errors import Conflict, NotFound, Problem, Unacceptable
from ecrf.kernel.ledger import Act, By
from ecrf.kernel.text import T
from randomization import lists, numbers, seal, shelf
from randomization.arm import Arm
from randomization.opened import Vault, lock, permitted
from randomization.seal import Context
from randomization.supply import DEPOT
from randomization.supplying import books
from randomization.supplying.said import said
from randomization.supplying.tables import Batch, Component, Extension
from randomization.tables import LEDGER, ListRow

LONGEST = 60
PADDED = 1024
EVERY_ARM = T("Kits are registered for all arms of the list, and no other.")


@dataclass(frozen=True, slots=True)
class Part:
    """What one arm's kits of a batch are made of: the product's name and its own lot."""

    arm: str
    product: str
    lot: str


def require_arms(session: Session, vault: Vault, study: str, arms: Collection[str]) -> None:
    """Refuse before there is a list, and arms that are not exactly those of the list."""
    row = session.scalars(
        select(ListRow)
        .where(ListRow.study == study, ListRow.environment == vault.environment)
        .order_by(ListRow.version.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        raise Conflict(T("Make the randomization list before registering kits."))
    if {Arm(arm) for arm in arms} != lists.spec_of(vault, row).arms:
        raise Unacceptable(EVERY_ARM)


def expiring(
    session: Session, vault: Vault, by: By, study: str, code: str, expiry: date
) -> int:
    """Return the id of the batch, made if it is new; refuse a second expiry for it."""
    row = _find(session, vault, study, code)
    if row is None:
        return _insert(session, vault, by, study, code, expiry)
    if row.expiry != expiry:
        wrong = T("Batch {batch} expires on {day}; a batch has one expiry.",
                  batch=code, day=row.expiry.isoformat())  # fmt: skip
        raise Conflict(wrong, [Problem("expiry", wrong)])
    return row.id


def describe(
    vault: Vault, by: By, study: str, code: str, expiry: date, parts: Sequence[Part]
) -> None:
    """Write down a batch with what went into it for every arm, sealed; once."""
    role = permitted(by, Right.SUPPLY_MANAGE, study, DEPOT)
    named = code.strip()
    _require_named("batch", named)
    for part in parts:
        _require_named("product", part.product.strip())
        _require_named("lot", part.lot.strip())
    act = Act("batch:describe", role, study, key=f"batch:{named}", refs={"batch": named})

    def do(session: Session) -> tuple[None, Mapping[str, object]]:
        require_arms(session, vault, study, [part.arm for part in parts])
        batch = expiring(session, vault, by, study, named, expiry)
        known = select(func.count()).where(Component.batch_id == batch)
        if session.scalar(known):
            raise Conflict(T("Batch {batch} is described already.", batch=named))
        key = shelf.data_key(session, vault, by, study)
        mixed = [parts[place] for place in numbers.order(by.draw, len(parts))]
        session.execute(
            insert(Component),
            [
                _sealed(vault, by, study, named, key, batch, place, part)
                for place, part in enumerate(mixed)
            ],
        )
        return None, {"expiry": expiry.isoformat(), "parts": len(parts)}

    books.enter(vault, by, act, do)


def parts_of(vault: Vault, by: By, study: str, code: str) -> tuple[Part, ...]:
    """Return what a batch is made of, by arm; that it was read is on the books before."""
    role = permitted(by, Right.SUPPLY_MANAGE, study, DEPOT)
    with vault.database.write() as session:
        head = lock(session, study)
        row = require(session, vault, study, code)
        refs = {"batch": code}
        act = Act("batch:read", role, study, key=f"batch:{code}", refs=refs)
        LEDGER.write(session, by, [(head, act)])
        batch = row.id
    with vault.database.write() as session:
        key = shelf.data_key(session, vault, by, study)
        rows = session.execute(
            select(Component.place, Component.ciphertext, Component.nonce).where(
                Component.batch_id == batch
            )
        ).all()
    found = [
        seal.unseal(key, _context(vault, study, code, row.place), row.ciphertext, row.nonce)
        for row in rows
    ]
    return tuple(sorted((Part(**json.loads(one)) for one in found), key=lambda one: one.arm))


def extend(vault: Vault, by: By, study: str, code: str, expiry: date, reason: str) -> None:
    """Give a batch a later expiry; its kits have it when they are relabelled."""
    role = permitted(by, Right.SUPPLY_MANAGE, study, DEPOT)
    why = said(reason, "reason")
    refs = {"batch": code, "expiry": expiry.isoformat()}
    act = Act("batch:extend", role, study, key=f"batch:{code}", refs=refs, reason=why)

    def do(session: Session) -> tuple[None, Mapping[str, object]]:
        row = require(session, vault, study, code)
        if expiry <= row.expiry:
            wrong = T("The new expiry must be later than {day}; call the batch back to have "
                      "it used no longer.", day=row.expiry.isoformat())  # fmt: skip
            raise Conflict(wrong, [Problem("expiry", wrong)])
        session.execute(
            insert(Extension).values(
                batch_id=row.id, former=row.expiry, expiry=expiry, reason=why,
                by_id=by.actor.id, by_name=by.actor.name, at=by.at,
            )
        )  # fmt: skip
        former = row.expiry.isoformat()
        session.execute(
            update(Batch)
            .where(Batch.id == row.id)
            .values(expiry=expiry)
            .execution_options(synchronize_session=False)
        )
        return None, {"former": former}

    books.enter(vault, by, act, do)


def _find(session: Session, vault: Vault, study: str, code: str) -> Batch | None:
    return session.scalars(
        select(Batch).where(
            Batch.study == study, Batch.environment == vault.environment, Batch.code == code
        )
    ).one_or_none()


def require(session: Session, vault: Vault, study: str, code: str) -> Batch:
    """Return the batch; refuse when there is none of this number."""
    row = _find(session, vault, study, code)
    if row is None:
        raise NotFound(T("There is no batch {batch} here.", batch=code))
    return row


def _insert(session: Session, vault: Vault, by: By, study: str, code: str, expiry: date) -> int:
    made: int = session.scalars(
        insert(Batch)
        .values(study=study, environment=vault.environment, code=code, expiry=expiry,
                by_id=by.actor.id, at=by.at)
        .returning(Batch.id)
    ).one()  # fmt: skip
    return made


def _sealed(
    vault: Vault, by: By, study: str, code: str, key: bytes, batch: int, place: int, part: Part
) -> dict[str, object]:
    nonce = by.draw(seal.NONCE_BYTES)
    content = {"arm": part.arm, "product": part.product.strip(), "lot": part.lot.strip()}
    padded = canonical(content).encode().ljust(PADDED)
    context = _context(vault, study, code, place)
    ciphertext = seal.seal(key, context, padded, nonce)
    return {"batch_id": batch, "place": place, "nonce": nonce, "ciphertext": ciphertext}


def _context(vault: Vault, study: str, code: str, place: int) -> Context:
    return ("component", study, vault.environment, code, place)


def _require_named(item: str, text: str) -> None:
    if not 0 < len(text) <= LONGEST:
        wrong = T("Write 1 to {n} characters.", n=LONGEST)
        raise Unacceptable(wrong, [Problem(item, wrong)])
