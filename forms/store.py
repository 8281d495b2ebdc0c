"""The row of an entry: written on condition that it is still what was seen, and still open."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import and_, bindparam, func, or_, select, update
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningInsert, ReturningUpdate
from sqlalchemy.sql.elements import BindParameter

from ecrf.kernel.db import Instant
from ecrf.kernel.ledger import By
from forms import ladder
from forms.lookup import Found
from forms.review import verified
from forms.tables import Entry
from forms.upsert import insert_for

KEPT = ("status", "answers", "verified", "version", "saved_at", "saved_by")
ADDED = (
    *KEPT, "participant_id", "visit_id", "form", "number", "protocol", "state", "open_until",
)  # fmt: skip


class Row(NamedTuple):
    """What a save makes of an entry."""

    status: str
    answers: Mapping[str, object]
    version: int


def write(session: Session, by: By, found: Found, row: Row) -> int | None:
    """Insert or update the entry and return its id; None when somebody was first."""
    kept: dict[str, Any] = {
        **row._asdict(), "saved_at": by.at, "saved_by": by.actor.id,
        "verified": verified.after(found.entry, row.answers),
    }  # fmt: skip
    return _change(session, found, kept) if found.entry else _add(session, found, kept)


def _change(session: Session, found: Found, kept: Mapping[str, Any]) -> int | None:
    values = {_new(name): value for name, value in kept.items()}
    seen = {
        "seen_id": found.place.entry_id, "seen_version": found.version,
        ladder.AT_VISIT: found.visit.id,
    }  # fmt: skip
    return session.connection().scalar(_update(), {**values, **seen})


def _add(session: Session, found: Found, kept: Mapping[str, Any]) -> int | None:
    row = {
        **kept,
        "participant_id": found.participant.id, "visit_id": found.visit.id,
        "form": found.form.id, "number": found.number, "protocol": found.fingerprint,
        "state": "locked" if found.place.unlocked(kept["saved_at"]) else "open",
        "open_until": found.visit.open_until,
    }  # fmt: skip
    values = {_new(name): value for name, value in row.items()}
    dialect = session.connection().dialect.name
    statement = _insert(dialect, found.form.repeating)
    return session.connection().scalar(statement, {**values, ladder.AT_VISIT: found.visit.id})


# The two statements are made once: making one costs more than running it.


@cache
def _update() -> ReturningUpdate[int]:
    columns = Entry.__table__.c
    return (
        update(Entry)
        .where(
            Entry.id == bindparam("seen_id"),
            Entry.version == bindparam("seen_version"),
            or_(
                and_(Entry.state == "open", ladder.standing(ladder.OPEN)),
                Entry.open_until > _saved_at(),
            ),
        )
        .values({name: bindparam(_new(name), type_=columns[name].type) for name in KEPT})
        .returning(Entry.id)
    )


@cache
def _insert(dialect: str, repeating: bool) -> ReturningInsert[int]:
    columns = Entry.__table__.c
    source = select(
        *(bindparam(_new(name), type_=columns[name].type).label(name) for name in ADDED)
    ).where(or_(ladder.standing(ladder.OPEN), ladder.unlocked_visit(_saved_at())))
    if repeating:
        last = select(func.coalesce(func.max(Entry.number), 0)).where(
            Entry.participant_id == bindparam(_new("participant_id")),
            Entry.form == bindparam(_new("form")),
        )
        before = bindparam(_new("number"), type_=columns["number"].type) - 1
        source = source.where(last.scalar_subquery() == before)
    return (
        insert_for(dialect, Entry)
        .from_select(list(ADDED), source)
        .on_conflict_do_nothing()
        .returning(Entry.id)
    )


def _saved_at() -> BindParameter[datetime]:
    return bindparam(_new("saved_at"), type_=Instant)


def _new(name: str) -> str:
    """Return the name of the parameter that carries a column's new value."""
    return f"new_{name}"
