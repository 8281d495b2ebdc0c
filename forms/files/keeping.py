"""Keep files that were sent for a form, and make them answers when the form is saved.

A file that was sent is no answer yet: like a draft it is kept without an act, for who sent it,
so that a refused save loses nothing. The save makes it the answer, and its act names it with
its hash. Nothing here is asked of the database for a form without such an item.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, update
from sqlalchemy.orm import Session

from ecrf.kernel.access import Actor
from ecrf.kernel.errors import NotFound, Problem, Unacceptable
from ecrf.kernel.ledger import By
from ecrf.kernel.people import Person
from ecrf.kernel.text import T
from ecrf.study.model import ItemType
from forms.answers import called
from forms.files import naming
from forms.files.naming import Named
from forms.files.tables import FileContent, FileVersion
from forms.lookup import Found
from forms.plan import Plan
from forms.upsert import insert_or

KEPT = timedelta(days=30)
"""A file that was sent and never saved is deleted after this long."""


class Sent(NamedTuple):
    """A file as it was sent for an item."""

    item: str
    name: str
    kind: str
    content: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @property
    def answer(self) -> str:
        return Named(self.name, self.sha256).answer


class Version(NamedTuple):
    """A file that is or was the answer of an item."""

    item: str
    name: str
    sha256: str
    saved_at: datetime
    by: str


class Stored(NamedTuple):
    """A file with its bytes, to be handed out."""

    name: str
    kind: str
    content: bytes


def put(session: Session, by: By, found: Found, files: Sequence[Sent]) -> None:
    """Keep files that were sent; the same file sent again is kept once."""
    if not files:
        return
    for one in files:
        session.execute(
            insert_or(session, FileContent)
            .values(sha256=one.sha256, size=len(one.content), content=one.content)
            .on_conflict_do_nothing()
        )
        session.execute(
            insert_or(session, FileVersion)
            .values(
                participant_id=found.participant.id, **_place(found), item=one.item,
                sha256=one.sha256, name=one.name, kind=one.kind, sent_at=by.at,
                sent_by=by.actor.id,
            )
            .on_conflict_do_nothing()
        )  # fmt: skip
    _purge(session, by.at)


def follow(session: Session, by: By, found: Found, decided: Plan) -> None:
    """Make the files that `decided` names answers; refuse one that was never sent here."""
    cells = found.form.cells
    for edit in decided.edits:
        cell = cells.get(edit.key)
        if cell is None or cell.question.type is not ItemType.FILE:
            continue
        one = naming.named(edit.new.text) if edit.new else None
        if one is None:
            continue
        kept = session.scalars(
            update(FileVersion)
            .where(_here(found), _of(edit.key, one), _seen_by(by.actor))
            .values(saved_at=func.coalesce(FileVersion.saved_at, by.at))
            .returning(FileVersion.id)
        ).all()
        if not kept:
            never = T(
                "{label}: the file {name} was not sent here. Choose it again.",
                label=called(cell), name=one.name,
            )  # fmt: skip
            raise Unacceptable(never, [Problem(edit.key, never)])


def versions(session: Session, found: Found) -> Mapping[str, Sequence[Version]]:
    """Return every file each item of a form was ever answered by, the oldest first."""
    items = naming.items(found.form)
    if not items:
        return {}
    rows = session.execute(
        select(
            FileVersion.item, FileVersion.name, FileVersion.sha256, FileVersion.saved_at,
            Person.name.label("by"),
        )
        .join(Person, Person.id == FileVersion.sent_by)
        .where(_here(found), FileVersion.saved_at.is_not(None))
        .order_by(FileVersion.saved_at, FileVersion.id)
    )  # fmt: skip
    told: dict[str, list[Version]] = {item: [] for item in items}
    for item, name, sha256, saved_at, by in rows:
        if saved_at is not None:
            told.setdefault(item, []).append(Version(item, name, sha256, saved_at, by))
    return told


def content(session: Session, actor: Actor, found: Found, item: str, sha256: str) -> Stored:
    """Return a file of an item; one that is not saved only to who sent it."""
    row = session.execute(
        select(FileVersion.name, FileVersion.kind, FileContent.content)
        .join(FileContent, FileContent.sha256 == FileVersion.sha256)
        .where(
            _here(found), FileVersion.item == item, FileVersion.sha256 == sha256,
            _seen_by(actor),
        )
        .order_by(FileVersion.id.desc())
    ).first()  # fmt: skip
    if row is None:
        raise NotFound(T("There is no such file here."))
    require_whole(row.content, sha256)
    return Stored(row.name, row.kind, row.content)


def require_whole(content: bytes, sha256: str) -> None:
    """Refuse to hand out bytes that are not those that were saved."""
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ValueError(f"the stored file {sha256} was changed")


def _place(found: Found) -> dict[str, Any]:
    return {"visit_id": found.visit.id, "form": found.form.id, "number": found.number}


def _here(found: Found) -> ColumnElement[bool]:
    return and_(*(getattr(FileVersion, name) == it for name, it in _place(found).items()))


def _of(item: str, one: Named) -> ColumnElement[bool]:
    return and_(
        FileVersion.item == item,
        FileVersion.sha256 == one.sha256,
        FileVersion.name == one.name,
    )


def _seen_by(actor: Actor) -> ColumnElement[bool]:
    return or_(FileVersion.saved_at.is_not(None), FileVersion.sent_by == actor.id)


def _purge(session: Session, at: datetime) -> None:
    """Delete what was sent and never saved, and contents nobody names any more."""
    gone = session.scalars(
        delete(FileVersion)
        .where(FileVersion.saved_at.is_(None), FileVersion.sent_at < at - KEPT)
        .returning(FileVersion.sha256)
    ).all()
    if gone:
        named = select(FileVersion.sha256).where(FileVersion.sha256 == FileContent.sha256)
        session.execute(
            delete(FileContent).where(FileContent.sha256.in_(gone), ~named.exists())
        )
