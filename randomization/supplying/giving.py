"""After handing out: kits brought back are counted, kits lost or damaged are replaced."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from ecrf.kernel.access import Right, Role
from ecrf.kernel.errors import Conflict, Problem, Unacceptable
from ecrf.kernel.ledger import Act, By
from ecrf.kernel.text import T, Text
from randomization import kits, lists, shelf, supply
from randomization.opened import NotNow, Vault, one_message, permitted
from randomization.shelf import Place, Stock
from randomization.supply import Move
from randomization.supplying import books, moving
from randomization.supplying.moving import Found
from randomization.supplying.tables import Replacement, Return
from randomization.tables import Shelf

LONGEST = 1000


class Loss(StrEnum):
    """Why a kit does not serve any more."""

    LOST = "lost"
    DAMAGED = "damaged"


LOSSES: Mapping[str, Text] = {Loss.LOST: T("lost"), Loss.DAMAGED: T("damaged")}


@dataclass(frozen=True, slots=True)
class Counted:
    """A kit brought back: units counted in it, of at most `full`, on which day."""

    units: int
    full: int
    on: date
    note: str = ""


def take_back(vault: Vault, by: By, study: str, site: str, typed: str, counted: Counted) -> str:
    """Note that a participant brought a kit back, with what was left in it."""
    role = permitted(by, Right.KIT_DISPENSE, study, site)
    if not 0 <= counted.units <= counted.full:
        wrong = T("There are 0 to {n} units in a kit.", n=counted.full)
        raise Unacceptable(wrong, [Problem("units", wrong)])
    if counted.on > by.at.date():
        wrong = T("The day lies in the future.")
        raise Unacceptable(wrong, [Problem("on", wrong)])
    act = Act("kit:take-back", role, study, site, refs={"tried_kit": typed[:20]})

    def do(session: Session) -> tuple[str, Mapping[str, object]]:
        (kit,) = moving.find(session, vault, study, [site], [typed])
        moving.move(session, [kit], Move.TAKE_BACK)
        session.execute(
            insert(Return).values(
                kit_id=kit.id, units=counted.units, on=counted.on,
                note=counted.note[:LONGEST], by_id=by.actor.id, by_name=by.actor.name, at=by.at,
            )
        )  # fmt: skip
        return kit.number, {**_whose(kit), "units": counted.units, "on": counted.on.isoformat()}

    return books.enter(vault, by, act, do)


def whose(vault: Vault, study: str, site: str, typed: str) -> tuple[str, str]:
    """Return the participant and the visit a kit of the site is for."""
    with vault.database.read() as session:
        (kit,) = moving.find(session, vault, study, [site], [typed])
    if kit.participant is None or kit.visit is None:
        raise _for_nobody(kit)
    return kit.participant, kit.visit


def replace(
    vault: Vault, by: By, study: str, site: str, typed: str, loss: Loss, reason: str,
    usable_until: date,
) -> str:  # fmt: skip
    """Take a kit of the same arm for the same visit in place of one lost or damaged.

    Which arm that is is found in the vault; as always there must be kits of every arm.
    """
    role = permitted(by, Right.KIT_DISPENSE, study, site)
    said = reason.strip()
    if not 0 < len(said) <= LONGEST:
        wrong = T("Say in 1 to {n} characters what happened.", n=LONGEST)
        raise Unacceptable(wrong, [Problem("reason", wrong)])
    act = _replacing(role, study, site, typed, said)
    place = Place(study, site, vault.environment, usable_until)

    def do(session: Session) -> tuple[str, Mapping[str, object]]:
        (kit,) = moving.find(session, vault, study, [site], [typed])
        step = _step(kit, loss)
        if kit.participant is None or kit.visit is None:
            raise _for_nobody(kit)
        new = _another(session, vault, place, kit.participant)
        moving.move(session, [kit], step)
        shelf.assign(session, [new], kit.participant, kit.visit)
        session.execute(
            insert(Replacement).values(
                kit_id=kit.id, by_kit_id=new.id, cause=loss.value, reason=said,
                by_id=by.actor.id, at=by.at,
            )
        )  # fmt: skip
        return new.number, {**_whose(kit), "by": new.number, "cause": loss}

    with one_message(vault, by, act):
        return books.enter(vault, by, act, do)


def _step(kit: Found, loss: Loss) -> Move:
    """Return the move of the old kit; a damaged one that was handed out comes back broken."""
    if loss is Loss.LOST:
        return Move.LOSE
    return Move.RETURN_DAMAGED if kit.state is supply.State.DISPENSED else Move.REJECT


def _another(session: Session, vault: Vault, place: Place, participant: str) -> shelf.Sealed:
    wrapped = session.scalar(
        select(Shelf.key).where(
            Shelf.study == place.study, Shelf.environment == vault.environment
        )
    )
    if wrapped is None:
        raise NotNow(shelf.FEW)
    row, slot = kits.allocation(session, place.study, place.site, participant)
    opened = shelf.open_(vault, place, wrapped, shelf.read(session, place))
    every = lists.spec_of(vault, row).arms
    (new,) = Stock(opened).take(every, lists.arm_on(vault, row, slot), 1)
    return new


def _for_nobody(kit: Found) -> Conflict:
    wrong = T("Kit {number} is for nobody; hold it back instead.", number=kit.number)
    return Conflict(wrong, [Problem("number", wrong)])


def _whose(kit: Found) -> Mapping[str, object]:
    return {"kit": kit.number, "participant": kit.participant, "visit": kit.visit}


def _replacing(role: Role, study: str, site: str, typed: str, reason: str) -> Act:
    return Act("kit:replace", role, study, site, refs={"tried_kit": typed[:20]}, reason=reason)
