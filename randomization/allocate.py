"""Allocation: the one locked write that puts participants on the next slots of their strata.

The lock is the study's chain head in the vault. Participants are put on slots strictly in
order, once each, whatever is asked twice, at the same time, or again after a crash. Those who
wait for the lock in one process are served together, one after the other, each with a receipt
and an act of its own, in one commit.
"""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, cast

from sqlalchemy import Table, insert
from sqlalchemy.orm import Session

from ecrf.kernel.access import Right, Role
from ecrf.kernel.chain import canonical
from ecrf.kernel.errors import Conflict, Refused
from ecrf.kernel.ledger import Act, By
from ecrf.kernel.text import T
from randomization import receipts, under_lock
from randomization.asking import Request
from randomization.desk import Desk, Former, Wish
from randomization.opened import NotNow, Vault, one_message, permitted
from randomization.receipts import Facts, Receipt
from randomization.shelf import Place, Sealed, TooFew
from randomization.tables import LEDGER, Allocation

FULL = (T("in the study"), T("at this site"), T("in this stratum"))
STORE = insert(cast("Table", Allocation.__table__))


@dataclass(frozen=True, slots=True)
class Forced:
    """What two people set aside. Without kits, whoever is put on a slot gets none while there
    are too few of any arm: whether there are does not depend on the arm they are given.
    """

    without_kits: bool


class Ask(NamedTuple):
    """A request with the person who asks, and the role they do it in."""

    by: By
    role: Role
    request: Request
    forced: Forced | None = None


class Made(NamedTuple):
    """An allocation that is decided: its receipt, its row, its act."""

    receipt: Receipt
    row: Mapping[str, object]
    by: By
    act: Act


def randomize(vault: Vault, by: By, request: Request) -> Receipt:
    """Put the participant on the next slot, or say again what was said the first time.

    Refuses with one message, whether the list is used up, kits are missing or the database
    does not answer. Five statements for all who ask together, eight when the list is
    minimised, whatever its length; one less without kits, one more when another process was
    waited for, and one for each further shelf.
    """
    role = permitted(by, Right.PARTICIPANT_RANDOMIZE, request.study, request.site)
    refused = _act("randomization:refuse", role, request, {})
    with one_message(vault, by, refused):
        ask = Ask(by, role, request)
        return vault.together.ask(request.study, ask, partial(_serve, vault))


def put(
    session: Session, vault: Vault, by: By, role: Role, request: Request, forced: Forced
) -> Receipt:
    """Put the participant on the next slot within the transaction `session`.

    The receipt says that a precondition was set aside; the slot is the next one all the same.
    """
    (found,) = _carry_out(session, vault, [Ask(by, role, request, forced)])
    if isinstance(found, Exception):
        raise found
    return found


def _serve(vault: Vault, asks: Sequence[Ask]) -> list[Receipt | Exception]:
    """Answer everyone in one transaction; a refusal of one changes nothing for the others."""
    with vault.database.write() as session:
        return _carry_out(session, vault, asks)


def _carry_out(
    session: Session, vault: Vault, asks: Sequence[Ask]
) -> list[Receipt | Exception]:
    study, capped = asks[0].request.study, any(ask.request.capped for ask in asks)
    wishes = [_wish(vault, ask) for ask in asks]
    at = under_lock.desk(session, vault, study, wishes, counting=capped)
    found = [_answer(vault, at, ask) for ask in asks]
    _store(session, at, [one for one in found if isinstance(one, Made)])
    return [one.receipt if isinstance(one, Made) else one for one in found]


def _answer(vault: Vault, at: Desk, ask: Ask) -> Made | Receipt | Exception:
    try:
        former = at.former.get(ask.request.participant)
        if former is not None:
            return _again(former, ask.request)
        _require_room(at, ask.request)
        return _allocate(vault, at, ask)
    except (NotNow, Refused) as no:
        return no


def _require_room(at: Desk, request: Request) -> None:
    """Refuse whoever would be one too many. How many there are tells nothing of an arm."""
    most = (request.most_study, request.most_site, request.most_stratum)
    counts = at.counts(request.site, request.stratum)
    for where, cap, count in zip(FULL, most, counts, strict=True):
        if cap is not None and count >= cap:
            raise Conflict(T("{cap} are randomized {where}; there may be no more.",
                             cap=cap, where=where))  # fmt: skip


def _allocate(vault: Vault, at: Desk, ask: Ask) -> Made:
    request = ask.request
    slot = at.slot(request.stratum)
    held, kits = at.arm(ask.by, slot), list[Sealed]()
    with suppress(TooFew) if ask.forced and ask.forced.without_kits else nullcontext():
        kits = at.choose(_place(vault, request), held.arm, request.kits)
    facts = Facts(
        request.study, vault.environment, at.row.version, slot.id, request.stratum,
        request.site, request.participant, slot.random_number,
        tuple(kit.number for kit in kits), ask.by.at, at.previous,
        ask.forced is not None,
    )  # fmt: skip
    receipt = receipts.sign(vault.keys.signer, facts)
    known = receipts.receipt_hash(receipt.text)
    serial = at.take(request.site, slot, held)
    row = {
        "study": request.study, "list_id": at.row.id, "slot_id": slot.id,
        "stratum": slot.stratum, "position": slot.position, "serial": serial,
        "site": request.site, "participant": request.participant,
        "random_number": receipt.random_number, "visit": request.visit,
        "kits": canonical([kit.id for kit in kits]), "asked": request.asked(),
        "receipt": receipt.text, "receipt_hash": known, "signature": receipt.signature,
        "at": ask.by.at,
    }  # fmt: skip
    refs = {
        "list": at.row.version, "slot": slot.id, "random_number": receipt.random_number,
        "kits": list(receipt.kit_numbers), "receipt": known,
        **({"forced": True} if ask.forced else {}),
    }  # fmt: skip
    at.previous = known
    at.former[request.participant] = Former(request.asked(), receipt.text, receipt.signature)
    act = _act("randomization:allocate", ask.role, request, refs)
    return Made(receipt, row, ask.by, act)


def _store(session: Session, at: Desk, made: Sequence[Made]) -> None:
    """Insert the allocations; their kits leave the shelf with them (`Allocation.kits`)."""
    if made:
        at.store()
        session.connection().execute(STORE, [dict(one.row) for one in made])
        LEDGER.write_all(session, [(one.by, at.head, one.act) for one in made])


def _again(former: Former, request: Request) -> Receipt:
    """Say again what was said; refuse without details when something else is asked now."""
    if former.asked != request.asked():
        raise Conflict(T("This participant was randomized already, and not on this request."))
    return receipts.reread(former.receipt, former.signature)


def _wish(vault: Vault, ask: Ask) -> Wish:
    request = ask.request
    return Wish(request.participant, request.stratum, _place(vault, request), request.kits)


def _place(vault: Vault, request: Request) -> Place:
    return Place(request.study, request.site, vault.environment, request.usable_until)


def _act(action: str, role: Role, request: Request, refs: Mapping[str, object]) -> Act:
    named = {"participant": request.participant, "stratum": request.stratum, **refs}
    key = f"participant:{request.participant}"
    return Act(action, role, request.study, request.site, key, named)
