"""What was asked of the vault: signed and committed before it is asked, so that a crash leaves
a question without an answer and never an answer nobody asked for.
"""

import hashlib
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from ecrf.kernel.access import Right
from ecrf.kernel.chain import Change, Head, canonical
from ecrf.kernel.ledger import LEDGER, Act, By
from ecrf.kernel.text import Text
from ecrf.study.parts import Words
from visits.allocating.tables import Asking
from visits.rows import ParticipantRow

SPACE = uuid.UUID("5b0a3f0e-6d0b-5a52-9d0c-6f0a2f1f7a11")
LONGEST = 400


class Question(NamedTuple):
    """What is asked: the stratum, its levels by factor, and what asking means."""

    stratum: str
    levels: Mapping[str, str]
    meaning: Words


class Asked(NamedTuple):
    """The last thing that was asked for a participant, or what came of it."""

    kind: str
    by_name: str
    role: str
    meaning: Words
    text: Words | None
    at: datetime
    zone: str
    stratum: str


def key(who: ParticipantRow) -> str:
    """Return the one key of a participant's randomization, however often it is asked."""
    return str(uuid.uuid5(SPACE, f"{who.study}/{who.code}"))


def payload(who: ParticipantRow, stratum: str) -> str:
    """Return the hash of what may not differ when it is asked again."""
    parts = [who.study, who.site, who.code, stratum]
    return hashlib.sha256(canonical(parts).encode()).hexdigest()


def ask(session: Session, by: By, who: ParticipantRow, head: Head, question: Question) -> Head:
    """Write down who asks and what they sign; return the chain's new head. Two statements."""
    session.execute(insert(Asking).values(**_row(by, who, "asked", question), text_en="",
                                          text_zh=""))  # fmt: skip
    changes = [
        Change("randomization", None, "asked"),
        Change("meaning", None, question.meaning.en),
        Change("meaning_zh", None, question.meaning.zh),
    ]
    act = _act(by, who, "randomization:ask", question, changes)
    return LEDGER.write(session, by, [(head, act)])[head.chain]


def refused(
    session: Session, by: By, who: ParticipantRow, head: Head, question: Question, why: Text
) -> None:
    """Write down that the question was refused, in the words the person reads."""
    said = {"text_en": why.in_("en")[:LONGEST], "text_zh": why.in_("zh")[:LONGEST]}
    session.execute(insert(Asking).values(**_row(by, who, "refused", question), **said))
    changes = [Change("randomization", "asked", "refused"), Change("refusal", None, str(why))]
    act = _act(by, who, "randomization:refused", question, changes)
    LEDGER.write(session, by, [(head, act)])


def last(session: Session, participant_id: int) -> Asked | None:
    """Return what was asked last, or what came of it; None when nobody asked."""
    return _last(session, participant_id)


def signed(session: Session, participant_id: int) -> Asked | None:
    """Return the signature under the randomization: the last time it was asked."""
    return _last(session, participant_id, "asked")


def _last(session: Session, participant_id: int, kind: str | None = None) -> Asked | None:
    query = select(Asking).where(Asking.participant_id == participant_id)
    if kind is not None:
        query = query.where(Asking.kind == kind)
    row = session.scalars(query.order_by(Asking.id.desc()).limit(1)).one_or_none()
    if row is None:
        return None
    text = Words(en=row.text_en, zh=row.text_zh) if row.text_en else None
    return Asked(
        row.kind, row.by_name, row.role, Words(en=row.meaning_en, zh=row.meaning_zh), text,
        row.at, row.zone, row.stratum,
    )  # fmt: skip


def _row(by: By, who: ParticipantRow, kind: str, question: Question) -> dict[str, object]:
    return {
        "participant_id": who.id, "kind": kind, "key": key(who),
        "payload": payload(who, question.stratum), "stratum": question.stratum,
        "levels": dict(question.levels), "by_id": by.actor.id, "by_name": by.actor.name,
        "role": _role(by, who) or "", "meaning_en": question.meaning.en[:LONGEST],
        "meaning_zh": question.meaning.zh[:LONGEST], "at": by.at, "zone": who.zone,
    }  # fmt: skip


def _role(by: By, who: ParticipantRow) -> str | None:
    return by.actor.role_for(Right.PARTICIPANT_RANDOMIZE, who.study, who.site)


def _act(
    by: By, who: ParticipantRow, action: str, question: Question, changes: list[Change]
) -> Act:
    refs = {
        "participant": who.code, "stratum": question.stratum, "key": key(who),
        "payload": payload(who, question.stratum), "printed": by.actor.name, "zone": who.zone,
    }  # fmt: skip
    role = by.actor.role_for(Right.PARTICIPANT_RANDOMIZE, who.study, who.site)
    return Act(
        action, role, who.study, who.site, key=f"participant:{who.id}", refs=refs,
        changes=changes,
    )  # fmt: skip
