"""The blinded side's rows of a randomization: numbers, dates, kit numbers. Never an arm."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import NamedTuple

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from ecrf.kernel.access import Right
from ecrf.kernel.chain import Change, Head
from ecrf.kernel.errors import NotFound
from ecrf.kernel.ledger import LEDGER, Act, By, participant_chain
from ecrf.kernel.text import T
from ecrf.study.model import Study
from visits import participants, refusals, schedule, visits
from visits.allocating import exceptions
from visits.rows import ParticipantRow
from visits.schedule import Anchors
from visits.tables import KitGiven, Participant, Visit

ASSIGNED = "assigned"
DISPENSED = "dispensed"
GONE = "gone"


class Drawn(NamedTuple):
    """What the vault answered: an opaque number, kit numbers, the signed receipt, its day.

    `forced`: the receipt says that a precondition was set aside.
    """

    random_number: str
    kits: tuple[str, ...]
    receipt: str
    on: date
    forced: bool = False


class Late(NamedTuple):
    """Why an answer is stored after the fact. It is true whatever happened meanwhile, so it is
    stored whatever is locked and whether or not the screening was given up.
    """

    cause: str


class Known(NamedTuple):
    """A kit as the vault knows it: its visit, whether it was handed out, whether it is gone."""

    number: str
    visit: str
    dispensed: bool
    gone: bool = False


def store(
    session: Session, by: By, study: Study, who: ParticipantRow, head: Head, visit_id: int,
    drawn: Drawn, late: Late | None = None,
) -> None:  # fmt: skip
    """Write down that the participant is randomized, and place the visits that follow."""
    fits = [] if late else [
        Participant.status == participants.SCREENING, Participant.state == "open",
    ]  # fmt: skip
    done = session.execute(
        update(Participant)
        .where(Participant.id == who.id, Participant.random_number.is_(None), *fits)
        .values(
            status=participants.RANDOMIZED, random_number=drawn.random_number,
            randomized_on=drawn.on, receipt=drawn.receipt,
        )
        .returning(Participant.id)
        .execution_options(synchronize_session=False)
    ).all()  # fmt: skip
    if not done:
        raise refusals.changed_meanwhile(who.code)
    placed = visits.place(session, by, who, study, drawn.on)
    if drawn.kits:
        rows = [_row(by, who.id, visit_id, number, ASSIGNED) for number in drawn.kits]
        session.execute(insert(KitGiven), rows)
    changes = [
        Change("status", who.status, participants.RANDOMIZED),
        Change("random_number", None, drawn.random_number),
        Change("randomized_on", None, drawn.on.isoformat()),
        Change("kits", None, list(drawn.kits)),
        *placed,
        *(exceptions.raised(session, by, who.id, visit_id) if drawn.forced else ()),
    ]
    act = _act(by, Right.PARTICIPANT_RANDOMIZE, who, "participant:randomize", changes)
    text = drawn.receipt.partition("\n")[0]
    refs = {**act.refs, "receipt": hashlib.sha256(text.encode()).hexdigest()}
    told = replace(act, refs=refs, reason=late.cause if late else None)
    LEDGER.write(session, by, [(head, told)])


def follow(session: Session, by: By, who: ParticipantRow, kits: Sequence[Known]) -> None:
    """Bring the kit numbers of a participant to what the vault knows; write an act if any."""
    head = LEDGER.head(session, participant_chain(who.study, who.code))
    held = {
        row.number: row.status
        for row in session.execute(
            select(KitGiven.number, KitGiven.status).where(KitGiven.participant_id == who.id)
        )
    }
    new = [kit for kit in kits if kit.number not in held]
    if new:
        places = _places(session, who, {kit.visit for kit in new})
        session.execute(
            insert(KitGiven),
            [_row(by, who.id, places[kit.visit], kit.number, _status(kit)) for kit in new],
        )
    changes = [Change(f"kit {kit.number}", None, _status(kit)) for kit in new]
    for status in (DISPENSED, GONE):
        wanted = [kit.number for kit in kits if _status(kit) == status]
        moved = [n for n in wanted if held.get(n, status) not in (status, GONE)]
        if moved:
            session.execute(
                update(KitGiven)
                .where(KitGiven.number.in_(moved))
                .values(status=status, at=by.at)
                .execution_options(synchronize_session=False)
            )
        changes += [Change(f"kit {number}", held[number], status) for number in moved]
    if changes:
        act = _act(by, Right.KIT_DISPENSE, who, "participant:kits", changes)
        LEDGER.write(session, by, [(head, act)])


def covered_until(study: Study, visit: str, randomized_on: date) -> date:
    """Return the last day a kit given at `visit` must be usable: the supply's end and margin.

    The supply ends with the next supply's window, the last one with the last visit counted
    from the randomization.
    """
    margin = study.supply.stocking.margin if study.supply else 0
    return _supplied_until(study, visit, randomized_on) + timedelta(days=margin)


def _supplied_until(study: Study, visit: str, randomized_on: date) -> date:
    spans = schedule.spans(study, Anchors(randomized_on=randomized_on))
    order = [plan.id for plan in study.visits if plan.id in spans]
    later = order[order.index(visit) + 1 :] if visit in order else []
    supplied: Mapping[str, int] = study.supply.dispense if study.supply else {}
    following = next((plan for plan in later if plan in supplied), None)
    if following is not None:
        return spans[following].last
    return max((spans[plan].last for plan in later), default=randomized_on)


def _places(session: Session, who: ParticipantRow, keys: Collection[str]) -> Mapping[str, int]:
    rows = session.execute(
        select(Visit.key, Visit.id).where(
            Visit.participant_id == who.id, Visit.key.in_(sorted(keys))
        )
    )
    found = {row.key: row.id for row in rows}
    for key in keys - found.keys():
        raise NotFound(T("Participant {code} has no visit {visit}.", code=who.code, visit=key))
    return found


def _row(
    by: By, participant_id: int, visit_id: int, number: str, status: str
) -> dict[str, object]:
    return {
        "participant_id": participant_id, "visit_id": visit_id, "number": number,
        "status": status, "at": by.at,
    }  # fmt: skip


def _status(kit: Known) -> str:
    if kit.gone:
        return GONE
    return DISPENSED if kit.dispensed else ASSIGNED


def _act(
    by: By, right: Right, who: ParticipantRow, action: str, changes: Sequence[Change]
) -> Act:
    return Act(
        action, by.actor.role_for(right, who.study, who.site), who.study, who.site,
        key=f"participant:{who.id}", refs={"participant": who.code}, changes=changes,
    )  # fmt: skip
