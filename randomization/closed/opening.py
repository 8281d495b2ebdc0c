"""Arms of many participants for one closed report: written down and committed, then opened.

No record means no answer: when the act cannot be written, nothing is opened and whoever asked
gets the one message of the vault.
"""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from ecrf.kernel.access import Right
from ecrf.kernel.errors import NotAllowed, Problem, Unacceptable
from ecrf.kernel.ledger import Act, By
from ecrf.kernel.text import T
from randomization import lists
from randomization.arm import Arm
from randomization.opened import NotNow, Vault, lock, one_message
from randomization.tables import LEDGER, Allocation, ListRow, Slot

LONGEST = 400


class Wanted(NamedTuple):
    """For what arms are opened: the participants, the day up to which, and why."""

    study: str
    cut_off: date
    purpose: str
    participants: tuple[str, ...]


class Opened(NamedTuple):
    """The arms by participant, and the newest list they stand on."""

    arms: Mapping[str, Arm]
    list_version: int


def arms(vault: Vault, by: By, wanted: Wanted) -> Opened:
    """Return the arms of the participants, for the unblinded statistician alone."""
    role = by.actor.role_for(Right.CLOSED_MAKE, wanted.study)
    if role is None:
        raise NotAllowed(T("Your role does not include this."))
    purpose = wanted.purpose.strip()
    if not 0 < len(purpose) <= LONGEST:
        wrong = T("Say in 1 to {n} characters what the report is for.", n=LONGEST)
        raise Unacceptable(wrong, [Problem("purpose", wrong)])
    refs = {"cut_off": wanted.cut_off.isoformat(), "participants": len(wanted.participants)}
    act = Act("closed:open", role, wanted.study, refs=refs, reason=purpose)
    with one_message(vault, by, act):
        with vault.database.write() as session:
            LEDGER.write(session, by, [(lock(session, wanted.study), act)])
        with vault.database.read() as session:
            return _open(session, vault, wanted)


def _open(session: Session, vault: Vault, wanted: Wanted) -> Opened:
    asked = frozenset(wanted.participants)
    rows = session.execute(
        select(ListRow, Slot, Allocation.participant)
        .join(Allocation, Allocation.list_id == ListRow.id)
        .join(Slot, Slot.id == Allocation.slot_id)
        .where(Allocation.study == wanted.study, ListRow.environment == vault.environment)
        .order_by(Allocation.serial)
    ).all()
    mine = [row for row in rows if row.participant in asked]
    if len(mine) != len(asked):
        raise NotNow("participants of the report who are not on a list")
    found = {row.participant: lists.arm_on(vault, row.ListRow, row.Slot) for row in mine}
    return Opened(found, max((row.ListRow.version for row in mine), default=0))
