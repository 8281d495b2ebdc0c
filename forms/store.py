"""The row of an entry: written on condition that it is still what was seen, and still open."""

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import func, literal, select, update
from sqlalchemy.orm import Session

from ecrf.kernel.ledger import By
from forms import ladder
from forms.lookup import Found
from forms.tables import Entry
from forms.upsert import insert_or


class Row(NamedTuple):
    """What a save makes of an entry."""

    status: str
    answers: Mapping[str, object]
    version: int


def write(session: Session, by: By, found: Found, row: Row) -> int | None:
    """Insert or update the entry and return its id; None when somebody was first."""
    kept = {**row._asdict(), "saved_at": by.at, "saved_by": by.actor.id}
    return _change(session, found, kept) if found.entry else _add(session, found, kept)


def _change(session: Session, found: Found, kept: Mapping[str, object]) -> int | None:
    return session.connection().scalar(
        update(Entry)
        .where(
            Entry.id == found.place.entry_id,
            Entry.version == found.version,
            Entry.state == "open",
            ladder.still(found.place, ladder.OPEN),
        )
        .values(kept)
        .returning(Entry.id)
    )


def _add(session: Session, found: Found, kept: Mapping[str, object]) -> int | None:
    row = {
        **kept,
        "participant_id": found.participant.id,
        "visit_id": found.visit.id,
        "form": found.form.id,
        "number": found.number,
        "protocol": found.fingerprint,
        "state": "open",
    }
    columns = Entry.__table__.c
    source = select(
        *(literal(value, columns[name].type).label(name) for name, value in row.items())
    ).where(ladder.still(found.place, ladder.OPEN))
    if found.form.repeating:
        last = select(func.coalesce(func.max(Entry.number), 0)).where(
            Entry.participant_id == found.participant.id, Entry.form == found.form.id
        )
        source = source.where(last.scalar_subquery() == found.number - 1)
    return session.connection().scalar(
        insert_or(session, Entry)
        .from_select(list(row), source)
        .on_conflict_do_nothing()
        .returning(Entry.id)
    )
