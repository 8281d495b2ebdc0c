"""Marks of medical review and of data review: this person has looked at the entry as it is.

A mark is set on one entry, or on all complete ones of a visit or a participant at once. It is
stale as soon as the entry is changed. Marks go on while things are frozen or locked: they
change nothing.
"""

import unicodedata
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from ecrf.kernel.access import Actor, Right, Role
from ecrf.kernel.errors import Conflict, NotAllowed
from ecrf.kernel.ledger import LEDGER, Act, By, participant_chain
from ecrf.kernel.text import Message, T
from forms.review.tables import ReviewMark
from forms.scope import Level, Scope
from forms.tables import Entry
from forms.upsert import insert_for
from visits import refusals
from visits.tables import Participant, Visit

LONGEST_NOTE = 400


class Kind(StrEnum):
    DATA = "data"
    MEDICAL = "medical"


RIGHT: Mapping[Kind, Right] = {
    Kind.DATA: Right.REVIEW_DATA,
    Kind.MEDICAL: Right.REVIEW_MEDICAL,
}
LABELS: Mapping[str, Message] = {
    Kind.DATA: T("Data review"),
    Kind.MEDICAL: T("Medical review"),
}


class Mark(NamedTuple):
    """A mark as shown."""

    kind: str
    name: str
    at: Any
    version: int
    note: str
    stale: bool


def of_entry(session: Session, entry: Entry) -> list[Mark]:
    """Return the marks on an entry, by kind."""
    rows = session.scalars(
        select(ReviewMark).where(ReviewMark.entry_id == entry.id).order_by(ReviewMark.kind)
    )
    return [
        Mark(row.kind, row.name, row.at, row.version, row.note, row.version != entry.version)
        for row in rows
    ]


def set_(session: Session, by: By, target: Scope, kind: Kind, note: str = "") -> int:
    """Mark what `target` covers and is complete; return how many entries were not marked."""
    role = _require(by.actor, target, kind)
    note = _note(note)
    head = LEDGER.head(session, participant_chain(target.study, target.participant or ""))
    rows = [row for row in _entries(session, target, kind) if row.marked != row.version]
    if not rows:
        raise Conflict(T("Nothing here waits for this review."))
    statement = insert_for(session.get_bind().dialect.name, ReviewMark)
    kept = {name: statement.excluded[name] for name in ("version", "by", "name", "at", "note")}
    session.execute(
        statement.on_conflict_do_update(index_elements=["entry_id", "kind"], set_=kept),
        [
            {
                "entry_id": row.id, "kind": kind, "version": row.version, "by": by.actor.id,
                "name": by.actor.name, "at": by.at, "note": note,
            }
            for row in rows
        ],
    )  # fmt: skip
    acts = [_act("entry:review", role, target, kind, row, note or None) for row in rows]
    LEDGER.write(session, by, [(head, act) for act in acts])
    return len(rows)


def withdraw(session: Session, by: By, target: Scope, kind: Kind, reason: str) -> None:
    """Take the mark off one entry, and say why."""
    role = _require(by.actor, target, kind)
    why = refusals.require_reason(reason)
    head = LEDGER.head(session, participant_chain(target.study, target.participant or ""))
    rows = [row for row in _entries(session, target, kind) if row.marked is not None]
    if target.level is not Level.ENTRY or not rows:
        raise Conflict(T("There is no such mark on this form."))
    session.execute(
        delete(ReviewMark).where(
            ReviewMark.entry_id == target.entry_id, ReviewMark.kind == kind
        )
    )
    act = _act("entry:unreview", role, target, kind, rows[0], why)
    LEDGER.write(session, by, [(head, act)])


def _require(actor: Actor, target: Scope, kind: Kind) -> Role:
    role = actor.role_for(RIGHT[kind], target.study, target.site)
    if role is None or target.participant is None:
        raise NotAllowed(T("Your role does not include this."))
    return role


def _note(note: str) -> str:
    note = note.strip()
    if any(unicodedata.category(sign) == "Cc" and sign not in "\r\n\t" for sign in note):
        wrong = T("There is a sign in it that is no text. Type it anew.")
    elif len(note) > LONGEST_NOTE:
        wrong = T(
            "The text has {n} characters; at most {most} are kept.",
            n=len(note), most=LONGEST_NOTE,
        )  # fmt: skip
    else:
        return note
    raise refusals.unacceptable("note", wrong)


def _entries(session: Session, target: Scope, kind: Kind) -> list[Any]:
    mark = (ReviewMark.entry_id == Entry.id) & (ReviewMark.kind == kind)
    query = (
        select(
            Entry.id, Entry.form, Entry.number, Entry.version, Visit.key,
            ReviewMark.version.label("marked"),
        )
        .join(Participant, Participant.id == Entry.participant_id)
        .join(Visit, Visit.id == Entry.visit_id)
        .outerjoin(ReviewMark, mark)
        .where(
            target.participants(), target.visits(), target.entries(), Entry.status != "draft"
        )
        .order_by(Visit.position, Entry.form, Entry.number)
    )  # fmt: skip
    return list(session.execute(query).all())


def _act(
    action: str, role: Role, target: Scope, kind: Kind, row: Any, reason: str | None
) -> Act:
    refs = {
        "participant": target.participant, "visit": row.key, "form": row.form,
        "number": row.number, "version": row.version, "kind": str(kind),
    }  # fmt: skip
    return Act(
        action, role, target.study, target.site, key=f"entry:{row.id}", refs=refs,
        reason=reason,
    )  # fmt: skip
