"""Disclosure of arms: written down and committed first, then opened. No act, no answer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from functools import partial
from typing import NamedTuple

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from ecrf.kernel.access import Right, Role
from ecrf.kernel.errors import Conflict, Problem, Unacceptable
from ecrf.kernel.ledger import Act, By
from ecrf.kernel.text import Message, T
from randomization import kits, lists
from randomization.arm import Arm
from randomization.breaking.tables import BreakCall, BreakOpened
from randomization.opened import Vault, lock, permitted
from randomization.tables import LEDGER, Allocation, Kit, ListRow, Reveal, Slot

LONGEST = 1000
REF_BYTES = 8
CODE_BREAK, SAFETY_REPORTING = "code break", "safety reporting"


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
Beside = Callable[[Session, Sequence[int], Role], None]


@dataclass(frozen=True, slots=True)
class Call:
    """What is said with a code break: was the medical monitor contacted, where to call back."""

    ref: str
    way: str = "page"
    contacted: bool = False
    telephone: str = ""


ANSWER = _Ground(Right.BREAK_RECEIVE, "answer")


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
    vault: Vault, by: By, study: str, site: str, participant: str, why: Why, reason: str,
    call: Call | None = None,
) -> Disclosure:  # fmt: skip
    """Break the code of one participant in an emergency. Nobody has to approve it.

    What was asked with the same `call.ref` before is not shown again: Conflict.
    """
    ground = _break_ground(by, study, site, why, reason)
    found = _disclose(
        vault, by, study, site, [participant], ground,
        partial(_call, call=call or _drawn(by), to_role=""),
    )  # fmt: skip
    return found[0]


def send_code(
    vault: Vault, by: By, study: str, site: str, participant: str, why: Why, reason: str,
    call: Call, to: Role | None = None,
) -> None:  # fmt: skip
    """Break the code of one participant for the holders of role `to`; nothing is opened yet.

    Without a role only the fact is written down: a card was opened without the system.
    """
    ground = _break_ground(by, study, site, why, reason)
    role = permitted(by, ground.right, study, site)
    with vault.database.write() as session:
        _record(
            session, by, study, site, [participant], ground, role,
            partial(_call, call=call, to_role=to or ""),
        )  # fmt: skip


def open_answer(
    vault: Vault, by: By, study: str, site: str, participant: str, call_id: int, reason: str
) -> Disclosure:
    """Open an answer that waits, once; the caller has found it for this person."""
    ground = ANSWER._replace(reason=reason)

    def mark(session: Session, reveals: Sequence[int], _role: Role) -> None:
        done = select(BreakOpened.call_id).where(BreakOpened.call_id == call_id)
        if session.scalar(done) is not None:
            raise Conflict(T("This answer was opened already."))
        session.execute(insert(BreakOpened).values(call_id=call_id, reveal_id=reveals[0]))

    (found,) = _disclose(vault, by, study, site, [participant], ground, mark)
    return found


def _drawn(by: By) -> Call:
    return Call(by.draw(REF_BYTES).hex())


def reasons(role: Role | None) -> dict[Why, Message]:
    """Return the classes of reason a role may give: safety reporting is the safety officer's
    own purpose, everything else is care of the participant.
    """
    safety = role is Role.SAFETY_OFFICER
    return {why: words for why, words in REASONS.items() if (why is Why.SAFETY) == safety}


def _break_ground(by: By, study: str, site: str, why: Why, reason: str) -> _Ground:
    said = reason.strip()
    if not 0 < len(said) <= LONGEST:
        wrong = T("Say in 1 to {n} characters why the code is broken.", n=LONGEST)
        raise Unacceptable(wrong, [Problem("reason", wrong)])
    role = permitted(by, Right.CODE_BREAK, study, site)
    if why not in reasons(role):
        wrong = T("Choose a class of reason.")
        raise Unacceptable(wrong, [Problem("why", wrong)])
    purpose = SAFETY_REPORTING if role is Role.SAFETY_OFFICER else CODE_BREAK
    return _Ground(Right.CODE_BREAK, purpose, why, said)


def _call(
    session: Session, reveals: Sequence[int], role: Role, *, call: Call, to_role: str
) -> None:
    """Write down how the code was broken; a reference used before refuses the disclosure."""
    if session.scalar(select(BreakCall.reveal_id).where(BreakCall.ref == call.ref)):
        raise Conflict(
            T(
                "This answer was given already and is not shown again. To look once more, "
                "begin again: that is a new code break, and recorded as one."
            )
        )
    session.execute(
        insert(BreakCall).values(
            reveal_id=reveals[0], ref=call.ref, way=call.way, role=role,
            contacted=call.contacted, telephone=call.telephone, to_role=to_role,
        )
    )  # fmt: skip


def _disclose(
    vault: Vault, by: By, study: str, site: str, participants: Sequence[str], ground: _Ground,
    beside: Beside | None = None,
) -> tuple[Disclosure, ...]:  # fmt: skip
    """Two transactions: what is to be disclosed is on the books before anything is opened."""
    role = permitted(by, ground.right, study, site)
    if not participants:
        return ()
    with vault.database.write() as session:
        _record(session, by, study, site, participants, ground, role, beside)
    with vault.database.read() as session:
        return tuple(_open(session, vault, study, participant) for participant in participants)


def _record(
    session: Session, by: By, study: str, site: str, participants: Sequence[str],
    ground: _Ground, role: Role, beside: Beside | None,
) -> None:  # fmt: skip
    """Write rows and acts; `beside` writes what else belongs to them, in the same breath."""
    head = lock(session, study)
    for participant in participants:
        kits.allocation(session, study, site, participant)
    reveals = _write_down(session, by, study, site, participants, ground)
    if beside is not None:
        beside(session, reveals, role)
    acts = [
        Act(
            f"reveal:{ground.purpose}", role, study, site, f"participant:{participant}",
            {"participant": participant, "reason_class": ground.why},
            ground.reason or None,
        )
        for participant in participants
    ]  # fmt: skip
    LEDGER.write(session, by, [(head, act) for act in acts])


def _write_down(
    session: Session, by: By, study: str, site: str, participants: Sequence[str],
    ground: _Ground,
) -> Sequence[int]:  # fmt: skip
    made = session.scalars(
        insert(Reveal).returning(Reveal.id, sort_by_parameter_order=True),
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
    return made.all()


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
