"""Kits: registered with numbers that tell nothing, assigned to visits, dispensed once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from ecrf.kernel.access import Right, Role
from ecrf.kernel.chain import stamp
from ecrf.kernel.errors import Conflict, NotFound, Problem, Unacceptable
from ecrf.kernel.ledger import Act, By
from ecrf.kernel.text import T, Text
from randomization import commit, lists, numbers, receipts, seal, shelf, supply
from randomization.arm import Arm
from randomization.asking import Visit
from randomization.commit import Packed
from randomization.opened import NotNow, Vault, lock, one_message, permitted
from randomization.shelf import Place
from randomization.supply import Move, State
from randomization.tables import (
    LEDGER,
    Allocation,
    Dispensation,
    Kit,
    ListRow,
    PackingNote,
    Shelf,
    Slot,
)

SEQUENCE_BYTES = 7


@dataclass(frozen=True, slots=True)
class Packing:
    """A packaging batch for a site, or for the depot: how many kits of each arm, one expiry."""

    study: str
    site: str
    batch: str
    expiry: date
    contents: Mapping[str, int]


def register(vault: Vault, by: By, packing: Packing) -> tuple[str, ...]:
    """Put kits on the site's shelf; return their numbers in order, which tells no arm.

    Kits are mixed before they get numbers, so neither numbers nor rows follow the arms.
    """
    with vault.database.write() as session:
        head = lock(session, packing.study)
        _require_arms(session, vault, packing)
        key = _shelf_key(session, vault, by, packing.study)
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
        act = Act("kit:register", None, packing.study, packing.site, refs=refs)
        LEDGER.write(session, by, [(head, act)])
    return tuple(sorted(drawn))


def assign(
    vault: Vault, by: By, visit: Visit, count: int, usable_until: date
) -> tuple[str, ...]:
    """Take kits for a later visit; asked again, return the same numbers."""
    role = permitted(by, Right.KIT_DISPENSE, visit.study, visit.site)
    refused = _act("kit:refuse", role, visit, {"move": Move.ASSIGN})
    with one_message(vault, by, refused), vault.database.write() as session:
        head = lock(session, visit.study)
        former = _assigned(session, visit)
        if former:
            return former
        place = Place(visit.study, visit.site, vault.environment, usable_until)
        wrapped = session.scalar(
            select(Shelf.key).where(
                Shelf.study == visit.study, Shelf.environment == vault.environment
            )
        )
        if wrapped is None:
            raise NotNow(shelf.FEW)
        row, slot = allocation(session, visit.study, visit.site, visit.participant)
        opened = shelf.open_(vault, place, wrapped, shelf.read(session, place))
        every = lists.spec_of(vault, row).arms
        kits = opened.choose(every, lists.arm_on(vault, row, slot), count)
        shelf.assign(session, kits, visit.participant, visit.visit)
        given = tuple(sorted(kit.number for kit in kits))
        act = _act("kit:assign", role, visit, {"kits": list(given)})
        LEDGER.write(session, by, [(head, act)])
        return given


def dispense(vault: Vault, by: By, visit: Visit, typed: str) -> str:
    """Hand out the kit whose number was typed, if it is assigned to this visit.

    A kit that is not, or not any more, is refused, and the attempt is an act too.
    """
    role = permitted(by, Right.KIT_DISPENSE, visit.study, visit.site)
    number = numbers.tidy(typed)
    with vault.database.write() as session:
        head = lock(session, visit.study)
        kit = session.scalars(
            select(Kit).where(Kit.number == number, Kit.environment == vault.environment)
        ).one_or_none()
        wrong = _wrong(kit, visit, number)
        if kit is not None and wrong is None:
            _hand_out(session, by, kit, visit)
        action = "kit:refuse" if wrong else "kit:dispense"
        refs = {"kit": number[:12], "move": Move.DISPENSE}
        LEDGER.write(session, by, [(head, _act(action, role, visit, refs))])
    if wrong is not None:
        raise Conflict(wrong, [Problem("number", wrong)])
    return number


def allocation(
    session: Session, study: str, site: str, participant: str
) -> tuple[ListRow, Slot]:
    """Return the list and the slot the participant stands on; NotFound at another site."""
    row = session.execute(
        select(ListRow, Slot)
        .join(Allocation, Allocation.list_id == ListRow.id)
        .join(Slot, Slot.id == Allocation.slot_id)
        .where(
            Allocation.study == study, Allocation.site == site,
            Allocation.participant == participant,
        )
    ).one_or_none()  # fmt: skip
    if row is None:
        raise not_randomized(participant, site)
    return row.ListRow, row.Slot


def not_randomized(participant: str, site: str) -> NotFound:
    return NotFound(
        T("{code} is no randomized participant of site {site}.", code=participant, site=site)
    )


def _hand_out(session: Session, by: By, kit: Kit, visit: Visit) -> None:
    after = supply.after(State(kit.state), Move.DISPENSE)
    session.execute(
        update(Kit)
        .where(Kit.id == kit.id)
        .values(state=after)
        .execution_options(synchronize_session=False)
    )
    session.execute(
        insert(Dispensation).values(
            kit_id=kit.id, study=visit.study, participant=visit.participant,
            visit=visit.visit, by_id=by.actor.id, by_name=by.actor.name, at=by.at,
        )
    )  # fmt: skip


def _wrong(kit: Kit | None, visit: Visit, number: str) -> Text | None:
    """Say what speaks against handing this kit out, if anything does."""
    if not numbers.valid(number):
        return T("{number} is not a kit number: one of its digits is wrong.", number=number)
    if kit is None or (kit.study, kit.site) != (visit.study, visit.site):
        return T("There is no kit {number} at this site. Do not hand it out.", number=number)
    if (kit.participant, kit.visit) != (visit.participant, visit.visit):
        return T(
            "Kit {number} is not for {code} at visit {visit}. Do not hand it out.",
            number=number, code=visit.participant, visit=visit.visit,
        )  # fmt: skip
    if supply.after(State(kit.state), Move.DISPENSE) is None:
        return T("Kit {number} cannot be handed out: it is {state}.",
                 number=number, state=supply.STATES[State(kit.state)])  # fmt: skip
    return None


def _assigned(session: Session, visit: Visit) -> tuple[str, ...]:
    return tuple(
        session.scalars(
            select(Kit.number)
            .where(
                Kit.study == visit.study, Kit.site == visit.site,
                Kit.participant == visit.participant, Kit.visit == visit.visit,
            )
            .order_by(Kit.number)
        )
    )  # fmt: skip


def _require_arms(session: Session, vault: Vault, packing: Packing) -> None:
    """Refuse kits before there is a list, and contents that are not the arms of the list."""
    row = session.scalars(
        select(ListRow)
        .where(ListRow.study == packing.study, ListRow.environment == vault.environment)
        .order_by(ListRow.version.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        raise Conflict(T("Make the randomization list before registering kits."))
    given = {Arm(arm) for arm in packing.contents}
    if given != lists.spec_of(vault, row).arms or min(packing.contents.values()) < 1:
        raise Unacceptable(T("Kits are registered for all arms of the list, and no other."))


def _shelf_key(session: Session, vault: Vault, by: By, study: str) -> bytes:
    context = shelf.key_context(study, vault.environment)
    wrapped = session.scalar(
        select(Shelf.key).where(Shelf.study == study, Shelf.environment == vault.environment)
    )
    if wrapped is not None:
        return seal.unwrap(vault.keys.wrapping, context, wrapped)
    key = by.draw(seal.KEY_BYTES)
    wrapped = seal.wrap(vault.keys.wrapping, context, key, by.draw(seal.NONCE_BYTES))
    session.execute(
        insert(Shelf).values(study=study, environment=vault.environment, key=wrapped)
    )
    return key


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


def _act(action: str, role: Role, visit: Visit, refs: Mapping[str, object]) -> Act:
    named = {"participant": visit.participant, "visit": visit.visit, **refs}
    key = f"participant:{visit.participant}"
    return Act(action, role, visit.study, visit.site, key, named)
