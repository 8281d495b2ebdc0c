"""The turns of an unlock: asked for, approved or refused by another person, closed.

What is unlocked keeps its lock and carries a moment beside it (`open_until`), so that whoever
knows nothing of unlocking finds it locked, and so does everybody once the moment has come.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from ecrf.kernel.access import Actor, Right
from ecrf.kernel.checkpoints import Desk
from ecrf.kernel.errors import Conflict, NotAllowed, NotFound
from ecrf.kernel.ledger import By
from ecrf.kernel.text import T
from ecrf.study import versions
from forms import locking
from forms.closing import covering
from forms.closing.covering import Kind
from forms.scope import Level, Scope, stored
from forms.tables import Entry, Lock
from forms.unlocking import changes
from forms.unlocking.tables import Unlock
from visits.refusals import require_reason, unacceptable
from visits.tables import Participant, Visit

LONGEST = timedelta(days=31)
UNTIL = "until"
LIVE = ("asked", "approved")


class Closed(NamedTuple):
    """A re-lock: what was changed, the digest of it, and the locks that are new."""

    changed: int
    summary: str
    locks: tuple[int, ...]


def ask(
    session: Session, by: By, scope: Scope, reason: str, until: datetime, items: Sequence[str]
) -> int:
    """Ask for something locked to be unlocked until a moment; return the request's id.

    `items` are those of one entry that may change; none named: all of them.
    """
    role = covering.role_for(by, Kind.LOCK, scope)
    why = require_reason(reason)
    heads = covering.hold(session, scope)
    _require_locked(session, scope)
    _require_end(by.at, until)
    _require_items(session, scope, items)
    made = session.scalars(
        insert(Unlock)
        .values(
            study=scope.study, scope=scope.level.value, target=scope.key,
            items=sorted(set(items)) or None, reason=why, until=until, asked_by=by.actor.id,
            asked_at=by.at,
        )
        .returning(Unlock.id)
    ).one()  # fmt: skip
    refs = {"unlock": made, "until": until.isoformat(), "items": sorted(set(items))}
    covering.tell(
        session, by, role, scope, heads, "data:unlock-ask", f"unlock:{made}", None, why, refs
    )
    return made


def approve(session: Session, by: By, scope: Scope, row: Unlock) -> None:
    """Unlock what somebody else has asked for, from now until the moment they named."""
    role = covering.role_for(by, Kind.LOCK, scope)
    heads = covering.hold(session, scope)
    now = _again(session, row, "asked")
    if now.asked_by == by.actor.id:
        raise NotAllowed(T("You asked for this yourself; a second person approves it."))
    locks = _require_locked(session, scope)
    _require_end(by.at, now.until)
    _refuse_overlap(session, by.at, scope)
    _open(session, scope, now)
    ids = [lock.id for lock in locks]
    session.execute(update(Lock).where(Lock.id.in_(ids)).values(reopened_at=by.at))
    _decide(session, by, now, "approved")
    refs = {"unlock": now.id, "until": now.until.isoformat(), "items": now.items or []}
    covering.tell(
        session, by, role, scope, heads, "data:unlock", f"unlock:{now.id}",
        ("locked", "unlocked"), now.reason, refs,
    )  # fmt: skip


def refuse(session: Session, by: By, scope: Scope, row: Unlock, reason: str) -> None:
    """Refuse a request, or take one's own back, and say why."""
    role = covering.role_for(by, Kind.LOCK, scope)
    why = require_reason(reason)
    heads = covering.hold(session, scope)
    now = _again(session, row, "asked")
    session.connection().execute(
        update(Unlock).where(Unlock.id == now.id).values(status="refused", decided_at=by.at)
    )
    covering.tell(
        session, by, role, scope, heads, "data:unlock-refuse", f"unlock:{now.id}", None, why,
        {"unlock": now.id},
    )  # fmt: skip


def close(
    session: Session, by: By, desk: Desk, scope: Scope, row: Unlock, reason: str, zone: str
) -> Closed:
    """Lock again what was unlocked, before or after its end, and sign what it is now.

    The gates are asked as for any lock. The locks that had been opened are replaced by new
    ones as soon as nothing else of them is unlocked.
    """
    role = covering.role_for(by, Kind.LOCK, scope)
    why = require_reason(reason)
    heads = covering.hold(session, scope)
    now = _again(session, row, "approved")
    passed = locking.pass_gates(session, by, desk, scope)
    found = changes.of(session, now, scope)
    summary = changes.digest(found)
    covering.set_(session, scope, Kind.LOCK)
    _shut(session, scope)
    session.connection().execute(
        update(Unlock)
        .where(Unlock.id == now.id)
        .values(
            status="closed",
            closed_by=by.actor.id,
            closed_at=by.at,
            changed=len(found),
            summary=summary,
        )
    )
    refs = {"unlock": now.id, "changes": len(found), "summary": summary}
    covering.tell(
        session, by, role, scope, heads, "data:relock", f"unlock:{now.id}",
        ("unlocked", "locked"), why, refs,
    )  # fmt: skip
    made = [
        locking.renew(session, by, desk, old, passed, why, zone)
        for old in _opened(session, scope)
    ]
    return Closed(len(found), summary, tuple(made))


def find(session: Session, actor: Actor, study: str, number: int) -> tuple[Unlock, Scope]:
    """Return an unlock with its scope, for who may lock there; else NotFound."""
    row = session.get(Unlock, number)
    if row is None or row.study != study:
        raise NotFound(T("There is no such unlock."))
    scope = stored(session, study, Level(row.scope), row.target)
    held = actor.sites(Right.DATA_LOCK, study)
    if not (held is None or scope.site in held):
        raise NotFound(T("There is no such unlock."))
    return row, scope


def listing(session: Session, study: str) -> list[Unlock]:
    """Return the unlocks of a study, the newest first."""
    query = select(Unlock).where(Unlock.study == study).order_by(Unlock.id.desc())
    return list(session.scalars(query))


def _require_locked(session: Session, scope: Scope) -> list[Lock]:
    """Return the locks over the scope; what is not locked is not unlocked."""
    locks = [row for row in covering.over(session, scope) if row.kind == Kind.LOCK]
    if not locks:
        raise Conflict(T("{name} is not locked.", name=scope.name))
    return locks


def _require_end(at: datetime, until: datetime) -> None:
    if until <= at:
        raise unacceptable(UNTIL, T("The end must lie in the future."))
    if until - at > LONGEST:
        raise unacceptable(UNTIL, T("At most {n} days are unlocked at a time.", n=LONGEST.days))


def _require_items(session: Session, scope: Scope, items: Sequence[str]) -> None:
    if not items:
        return
    if scope.entry_id is None:
        raise unacceptable("items", T("Items are named for one form at one visit."))
    entry = session.execute(
        select(Entry.form, Entry.protocol).where(Entry.id == scope.entry_id)
    ).one()
    form = versions.model(session, entry.protocol).forms[entry.form]
    for key in sorted(set(items) - form.cells.keys()):
        wrong = T("{form} has no item {item}.", form=form.title, item=key)
        raise unacceptable("items", wrong)


def _again(session: Session, row: Unlock, status: str) -> Unlock:
    """Return the row as it is now that the chains are held."""
    session.refresh(row, with_for_update=True)
    if row.status != status:
        raise Conflict(T("This unlock was decided or closed a moment ago."))
    return row


def _refuse_overlap(session: Session, at: datetime, scope: Scope) -> None:
    """Refuse a second unlock of what is unlocked: each has one end and one list of changes."""
    query = select(Unlock).where(
        Unlock.study == scope.study, Unlock.status == "approved", Unlock.until > at
    )
    for row in session.scalars(query):
        other = stored(session, scope.study, Level(row.scope), row.target)
        if scope.within(other.level, other.key) or other.within(scope.level, scope.key):
            raise Conflict(T("{name} is unlocked already.", name=other.name))


def _open(session: Session, scope: Scope, row: Unlock) -> None:
    """Mark the visits and entries of the scope, but for what has a lock of its own in it."""
    _mark(session, scope, row.until, row.items)
    for lock in covering.standing(session, scope.study):
        if lock.kind != Kind.LOCK or scope.within(Level(lock.scope), lock.target):
            continue
        inner = stored(session, scope.study, Level(lock.scope), lock.target)
        if inner.within(scope.level, scope.key):
            _shut(session, inner)


def _shut(session: Session, scope: Scope) -> None:
    _mark(session, scope, None, None)


def _mark(
    session: Session, scope: Scope, until: datetime | None, items: list[str] | None
) -> None:
    people = select(Participant.id).where(scope.participants()).scalar_subquery()
    connection = session.connection()
    if scope.level is not Level.ENTRY:
        visits = Visit.participant_id.in_(people) & scope.visits()
        connection.execute(update(Visit).where(visits).values(open_until=until))
    entries = covering.entries_of(scope, people)
    values = {"open_until": until, "open_items": items}
    connection.execute(update(Entry).where(entries).values(values))


def _decide(session: Session, by: By, row: Unlock, status: str) -> None:
    session.connection().execute(
        update(Unlock)
        .where(Unlock.id == row.id)
        .values(status=status, decided_by=by.actor.id, decided_at=by.at)
    )


def _opened(session: Session, scope: Scope) -> list[Lock]:
    """Return the opened locks over the scope of which nothing else is still unlocked."""
    query = select(Unlock).where(Unlock.study == scope.study, Unlock.status == "approved")
    others = [
        stored(session, scope.study, Level(row.scope), row.target)
        for row in session.scalars(query)
    ]
    return [
        lock
        for lock in covering.over(session, scope)
        if lock.reopened_at is not None
        and not any(other.within(Level(lock.scope), lock.target) for other in others)
    ]
