"""Disclosure of arms: written down and committed first, then opened. No act, no answer."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from ecrf.kernel.access import Right
from ecrf.kernel.errors import Problem, Unacceptable
from ecrf.kernel.ledger import Act, By
from ecrf.kernel.text import Message, T
from randomization import kits, lists
from randomization.arm import Arm
from randomization.opened import Vault, lock, permitted
from randomization.tables import LEDGER, Allocation, Kit, ListRow, Reveal, Slot

LONGEST = 1000


class Why(StrEnum):
    """The class of reason for breaking the code."""

    LIFE_THREATENING = "life-threatening"
    OVERDOSE = "overdose"
    PREGNANCY = "pregnancy"
    OTHER_PERSON = "other person exposed"
    SAFETY = "safety reporting"
    OTHER = "other"


REASONS: dict[Why, Message] = {
    Why.LIFE_THREATENING: T("Life-threatening event whose treatment depends on the arm"),
    Why.OVERDOSE: T("Overdose"),
    Why.PREGNANCY: T("Exposure during pregnancy"),
    Why.OTHER_PERSON: T("Another person took the study drug"),
    Why.SAFETY: T("Expedited safety reporting (SUSAR)"),
    Why.OTHER: T("Other medical emergency"),
}


@dataclass(frozen=True, slots=True)
class PreparedKit:
    """A kit of a participant, as the unblinded pharmacist sees it."""

    number: str
    visit: str | None
    state: str
    batch: str
    expiry: date


@dataclass(frozen=True, slots=True)
class Disclosure:
    """A participant's arm and kits, for the one purpose that was written down."""

    participant: str
    random_number: str
    arm: Arm
    kits: tuple[PreparedKit, ...]


class _Ground(NamedTuple):
    """On what ground arms are disclosed."""

    right: Right
    purpose: str
    why: str = ""
    reason: str = ""


PREPARATION = _Ground(Right.TREATMENT_READ, "preparation")
DOSE = _Ground(Right.PREPARATION_READ, "preparation", "dose")


def for_preparation(
    vault: Vault, by: By, study: str, site: str, participants: Sequence[str]
) -> tuple[Disclosure, ...]:
    """Return the arms and kits of randomized participants of the pharmacist's own site."""
    return _disclose(vault, by, study, site, participants, PREPARATION)


def for_dose(
    vault: Vault, by: By, study: str, site: str, participant: str, visit: str
) -> Disclosure:
    """Return one participant's arm and the kits of one visit, to who prepares the dose."""
    (found,) = _disclose(vault, by, study, site, [participant], DOSE)
    return replace(found, kits=tuple(kit for kit in found.kits if kit.visit == visit))


def code_break(
    vault: Vault, by: By, study: str, site: str, participant: str, why: Why, reason: str
) -> Disclosure:
    """Break the code of one participant in an emergency. Nobody has to approve it."""
    said = reason.strip()
    if not 0 < len(said) <= LONGEST:
        wrong = T("Say in 1 to {n} characters why the code is broken.", n=LONGEST)
        raise Unacceptable(wrong, [Problem("reason", wrong)])
    ground = _Ground(Right.CODE_BREAK, "code break", why, said)
    (found,) = _disclose(vault, by, study, site, [participant], ground)
    return found


def _disclose(
    vault: Vault, by: By, study: str, site: str, participants: Sequence[str], ground: _Ground
) -> tuple[Disclosure, ...]:
    """Two transactions: what is to be disclosed is on the books before anything is opened."""
    role = permitted(by, ground.right, study, site)
    if not participants:
        return ()
    with vault.database.write() as session:
        head = lock(session, study)
        for participant in participants:
            kits.allocation(session, study, site, participant)
        _write_down(session, by, study, site, participants, ground)
        acts = [
            Act(
                f"reveal:{ground.purpose}", role, study, site, f"participant:{participant}",
                {"participant": participant, "reason_class": ground.why},
                ground.reason or None,
            )
            for participant in participants
        ]  # fmt: skip
        LEDGER.write(session, by, [(head, act) for act in acts])
    with vault.database.read() as session:
        return tuple(_open(session, vault, study, participant) for participant in participants)


def _write_down(
    session: Session, by: By, study: str, site: str, participants: Sequence[str],
    ground: _Ground,
) -> None:  # fmt: skip
    session.execute(
        insert(Reveal),
        [
            {
                "study": study, "site": site, "participant": participant,
                "purpose": ground.purpose, "reason_class": ground.why,
                "reason": ground.reason, "by_id": by.actor.id, "by_name": by.actor.name,
                "at": by.at,
            }
            for participant in participants
        ],
    )  # fmt: skip


def _open(session: Session, vault: Vault, study: str, participant: str) -> Disclosure:
    row = session.execute(
        select(ListRow, Slot, Allocation.random_number)
        .join(Allocation, Allocation.list_id == ListRow.id)
        .join(Slot, Slot.id == Allocation.slot_id)
        .where(Allocation.study == study, Allocation.participant == participant)
    ).one()
    given = session.execute(
        select(Kit.number, Kit.visit, Kit.state, Kit.batch, Kit.expiry)
        .where(Kit.study == study, Kit.participant == participant)
        .order_by(Kit.number)
    )
    arm = lists.arm_on(vault, row.ListRow, row.Slot)
    held = tuple(PreparedKit(*kit) for kit in given)
    return Disclosure(participant, row.random_number, arm, held)
