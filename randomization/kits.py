"""Kits: registered with numbers that tell nothing, assigned to visits, dispensed once."""

from collections.abc import Mapping
from datetime import date

from sqlalchemy import Select, and_, insert, select, update
from sqlalchemy.orm import Session

from ecrf.kernel.access import Actor, Right, Role
from ecrf.kernel.errors import Conflict, NotAllowed, NotFound, Problem
from ecrf.kernel.ledger import Act, By
from ecrf.kernel.text import T, Text
from randomization import lists, numbers, shelf, supply
from randomization.asking import Visit
from randomization.opened import NotNow, Vault, lock, one_message, permitted
from randomization.shelf import Place, Stock
from randomization.supply import Move, State
from randomization.supplying import incidents
from randomization.supplying.tables import DispensationCheck
from randomization.tables import (
    LEDGER,
    Allocation,
    Dispensation,
    Kit,
    ListRow,
    Shelf,
    Slot,
)


def assign(
    vault: Vault, by: By, visit: Visit, count: int, usable_until: date
) -> tuple[str, ...]:
    """Take kits for a later visit, none if it gives none; asked again, the same numbers."""
    role = permitted(by, Right.KIT_DISPENSE, visit.study, visit.site)
    if count < 1:
        return ()
    refused = _act("kit:refuse", role, visit, {"move": Move.ASSIGN})
    with one_message(vault, by, refused), vault.database.write() as session:
        head = lock(session, visit.study)
        former = _assigned(session, visit)
        if former:
            return former
        place = Place(visit.study, visit.site, vault.environment, usable_until)
        row, slot, wrapped = _standing(session, vault, visit)
        if wrapped is None:
            raise NotNow(shelf.FEW)
        opened = shelf.open_(vault, place, wrapped, shelf.read(session, place))
        every = lists.spec_of(vault, row).arms
        kits = Stock(opened).take(every, lists.arm_on(vault, row, slot), count)
        shelf.assign(session, kits, visit.participant, visit.visit)
        given = tuple(sorted(kit.number for kit in kits))
        act = _act("kit:assign", role, visit, {"kits": list(given)})
        LEDGER.write(session, by, [(head, act)])
        return given


def dispense(
    vault: Vault, by: By, visit: Visit, typed: str, second: Actor | None = None
) -> str:
    """Hand out the kit whose number was typed, if it is assigned to this visit.

    A kit that is not, or not any more, is refused, and the attempt is an act too. When it is
    another kit, an incident stops the visit until the pharmacy has explained it. `second` is
    who checked number and participant, where the study wants that.
    """
    role = permitted(by, Right.KIT_DISPENSE, visit.study, visit.site)
    _require_second(by, visit, second)
    number = numbers.tidy(typed)
    with vault.database.write() as session:
        head = lock(session, visit.study)
        kit = session.scalars(
            select(Kit).where(Kit.number == number, Kit.environment == vault.environment)
        ).one_or_none()
        wrong, refs = _judged(session, vault, by, kit, visit, number)
        if kit is not None and wrong is None:
            _hand_out(session, by, kit, visit, second)
            refs = {"checked_by": second.id} if second else {}
        action = "kit:refuse" if wrong else "kit:dispense"
        refs = {"kit": number[:12], "move": Move.DISPENSE, **refs}
        LEDGER.write(session, by, [(head, _act(action, role, visit, refs))])
    if wrong is not None:
        raise Conflict(wrong, [Problem("number", wrong)])
    return number


def allocation(
    session: Session, study: str, site: str, participant: str
) -> tuple[ListRow, Slot]:
    """Return the list and the slot the participant stands on; NotFound at another site."""
    row = session.execute(_on_slot(study, site, participant)).one_or_none()
    if row is None:
        raise not_randomized(participant, site)
    return row.ListRow, row.Slot


def _standing(
    session: Session, vault: Vault, visit: Visit
) -> tuple[ListRow, Slot, bytes | None]:
    """Return the participant's list and slot, and the wrapped key of the study's kits."""
    row = session.execute(
        _on_slot(visit.study, visit.site, visit.participant)
        .add_columns(Shelf.key)
        .outerjoin(
            Shelf,
            and_(Shelf.study == visit.study, Shelf.environment == vault.environment),
        )
    ).one_or_none()
    if row is None:
        raise not_randomized(visit.participant, visit.site)
    return row.ListRow, row.Slot, row.key


def _on_slot(study: str, site: str, participant: str) -> Select[ListRow, Slot]:
    return (
        select(ListRow, Slot)
        .join(Allocation, Allocation.list_id == ListRow.id)
        .join(Slot, Slot.id == Allocation.slot_id)
        .where(
            Allocation.study == study, Allocation.site == site,
            Allocation.participant == participant,
        )
    )  # fmt: skip


def not_randomized(participant: str, site: str) -> NotFound:
    return NotFound(
        T("{code} is no randomized participant of site {site}.", code=participant, site=site)
    )


def _hand_out(session: Session, by: By, kit: Kit, visit: Visit, second: Actor | None) -> None:
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
    if second is not None:
        session.execute(
            insert(DispensationCheck).values(
                kit_id=kit.id, by_id=second.id, by_name=second.name, at=by.at
            )
        )


def _require_second(by: By, visit: Visit, second: Actor | None) -> None:
    """Refuse a second person who is the first one, or may not hand out kits at the site."""
    if second is None:
        return
    if second.id == by.actor.id:
        same = T("Somebody else must check the kit; you are the one who hands it out.")
        raise Conflict(same, [Problem("second_username", same)])
    if not second.may(Right.KIT_DISPENSE, visit.study, visit.site):
        no = T("The second person may not hand out kits at this site.")
        raise NotAllowed(no, [Problem("second_username", no)])


def _judged(
    session: Session, vault: Vault, by: By, kit: Kit | None, visit: Visit, number: str
) -> tuple[Text | None, Mapping[str, object]]:
    """Say what speaks against handing this kit out, if anything; make an incident of it."""
    stop = incidents.stopping(session, vault, visit.study, visit.participant, visit.visit)
    if stop is not None:
        wrong = T("Incident {n} stops this visit: a wrong kit was scanned. Explain it before "
                  "anything is handed out.", n=stop)  # fmt: skip
        return wrong, {"incident": stop}
    if not numbers.valid(number):
        slip = T("{number} is not a kit number: one of its digits is wrong.", number=number)
        return slip, {}
    other = _another(kit, visit, number)
    if other is not None:
        place = (visit.study, visit.site, visit.participant, visit.visit)
        return other, {"incident": incidents.happened(session, vault, by, place, number)}
    if kit is not None and supply.after(State(kit.state), Move.DISPENSE) is None:
        state = supply.STATES[State(kit.state)]
        wrong = T("Kit {number} cannot be handed out: it is {state}.",
                  number=number, state=state)  # fmt: skip
        return wrong, {}
    return None, {}


def _another(kit: Kit | None, visit: Visit, number: str) -> Text | None:
    """Say that the kit is not the one for this visit, if so."""
    if kit is None or (kit.study, kit.site) != (visit.study, visit.site):
        return T("There is no kit {number} at this site. Do not hand it out.", number=number)
    if (kit.participant, kit.visit) != (visit.participant, visit.visit):
        return T(
            "Kit {number} is not for {code} at visit {visit}. Do not hand it out.",
            number=number, code=visit.participant, visit=visit.visit,
        )  # fmt: skip
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


def _act(action: str, role: Role, visit: Visit, refs: Mapping[str, object]) -> Act:
    named = {"participant": visit.participant, "visit": visit.visit, **refs}
    key = f"participant:{visit.participant}"
    return Act(action, role, visit.study, visit.site, key, named)
