"""Keep what is typed until it is saved, and know who has a form open.

A draft belongs to one person and one form. It is raw text on its way and not data: it is
written without an act, read by nobody else, and deleted by the save, by discarding it, or by
age. Writing one is one statement, and no lock of the participant's chain is taken for it.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, case, delete, select, update
from sqlalchemy.orm import Session

from ecrf.kernel.ledger import By
from ecrf.kernel.people import Person
from forms.drafts.tables import Draft
from forms.lookup import Found
from forms.upsert import insert_or

KEPT = timedelta(days=30)
"""A draft nobody came back to for this long is deleted."""

THERE = timedelta(seconds=100)
"""A screen that was not heard of for this long counts as gone; it speaks every 40 seconds."""

Typed = tuple[tuple[str, str], ...]


class Place(NamedTuple):
    """The form a draft is of."""

    visit_id: int
    form: str
    number: int


class Mine(NamedTuple):
    """What the person typed earlier and did not save; empty when only the form is open."""

    typed: Typed
    seen_version: int
    kept_at: datetime
    opened_at: datetime


class Other(NamedTuple):
    """Somebody else who has the form open."""

    name: str
    since: datetime


class Around(NamedTuple):
    """The person's own draft, and the others at the same form, the first comer first."""

    mine: Mine | None = None
    others: tuple[Other, ...] = ()

    @property
    def second(self) -> bool:
        """Say whether somebody else was here before."""
        return bool(self.others) and (
            self.mine is None or self.others[0].since < self.mine.opened_at
        )


def place(found: Found) -> Place:
    return Place(found.visit.id, found.form.id, found.number)


def around(session: Session, person_id: int, where: Place, at: datetime) -> Around:
    """Return the person's draft of a form and who else has it open. One statement."""
    rows = session.execute(
        select(Draft, Person.name)
        .join(Person, Person.id == Draft.person_id)
        .where(_of(where), (Draft.person_id == person_id) | (Draft.there_until > at))
        .order_by(Draft.opened_at, Draft.person_id)
    ).all()
    mine = next((row.Draft for row in rows if row.Draft.person_id == person_id), None)
    return Around(
        None if mine is None else _mine(mine),
        tuple(
            Other(row.name, row.Draft.opened_at)
            for row in rows
            if row.Draft.person_id != person_id
        ),
    )


def keep(
    session: Session, by: By, where: Place, seen_version: int, typed: Typed | None = None
) -> None:
    """Keep what is typed and say that the form is open; None leaves what was kept before."""
    statement = insert_or(session, Draft).values(
        person_id=by.actor.id, **where._asdict(), seen_version=seen_version,
        typed=None if typed is None else [list(pair) for pair in typed],
        opened_at=by.at, kept_at=by.at, there_until=by.at + THERE,
    )  # fmt: skip
    new = statement.excluded
    still_there = Draft.there_until > by.at
    changed: dict[str, object] = {
        "there_until": new.there_until,
        "opened_at": case((still_there, Draft.opened_at), else_=new.opened_at),
    }
    if typed is not None:
        changed |= {name: new[name] for name in ("typed", "seen_version", "kept_at")}
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["person_id", "visit_id", "form", "number"], set_=changed
        )
    )


def leave(session: Session, by: By, where: Place) -> None:
    """Say that the form is no longer open; what was typed is kept."""
    mine = and_(_of(where), Draft.person_id == by.actor.id)
    session.execute(delete(Draft).where(mine, Draft.typed.is_(None)))
    session.execute(update(Draft).where(mine).values(there_until=by.at))


def drop(session: Session, by: By, where: Place) -> None:
    """Delete the person's draft: it was saved, or is not wanted."""
    session.execute(delete(Draft).where(_of(where), Draft.person_id == by.actor.id))


def purge(session: Session, at: datetime) -> None:
    """Delete the drafts nobody came back to."""
    session.execute(delete(Draft).where(Draft.kept_at < at - KEPT))


def known(pairs: Iterable[tuple[str, str]], names: Iterable[str], most: int) -> Typed:
    """Return what was sent into inputs the form has, none of it longer than can be typed."""
    wanted = frozenset(names)
    return tuple((name, text[:most]) for name, text in pairs if name in wanted)


def _of(where: Place) -> ColumnElement[bool]:
    return and_(
        Draft.visit_id == where.visit_id,
        Draft.form == where.form,
        Draft.number == where.number,
    )


def _mine(row: Draft) -> Mine:
    typed = tuple((name, text) for name, text in row.typed or ())
    return Mine(typed, row.seen_version, row.kept_at, row.opened_at)
