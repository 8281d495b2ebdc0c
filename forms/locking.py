"""Freeze, lock and unlock: the ladder study, site, participant, visit, entry.

A lock holds the chain heads of everyone it covers before it looks, so that a save is wholly
before it or refused; it refuses while anything stands in its way and lists all of it. States
are set in one statement per table. Lifting gives back what the locks that still stand say.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, func, insert, literal, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from ecrf.kernel import checkpoints
from ecrf.kernel.access import Right, Role
from ecrf.kernel.chain import Change, Head
from ecrf.kernel.checkpoints import Desk
from ecrf.kernel.db import Base
from ecrf.kernel.errors import Conflict, NotAllowed, Problem
from ecrf.kernel.ledger import LEDGER, Act, By, participant_chain, study_chain
from ecrf.kernel.people import Site
from ecrf.kernel.signatures import Signature
from ecrf.kernel.text import T
from ecrf.study.tables import StudyRow
from forms.gates import Blocker, gates
from forms.scope import Level, Scope, stored
from forms.tables import Entry, Lock
from visits.refusals import require_reason
from visits.tables import Participant, Visit

STATE = "#state"


class Kind(StrEnum):
    """What was set: `freeze` stops the sites, `lock` stops everyone."""

    FREEZE = "freeze"
    LOCK = "lock"


MEANING = {
    "en": "I confirm that these data are complete and final, and lock them.",
    "zh": "我确认这些数据完整且为最终数据，并将其锁定。",
}
RIGHT = {Kind.FREEZE: Right.DATA_FREEZE, Kind.LOCK: Right.DATA_LOCK}
STATES = {Kind.FREEZE: "frozen", Kind.LOCK: "locked"}
BELOW = {Kind.FREEZE: ("open",), Kind.LOCK: ("open", "frozen")}


class NotReady(Conflict):
    """The lock's gates are not all open; `blockers` is everything in the way."""

    def __init__(self, scope: Scope, blockers: Sequence[Blocker]) -> None:
        message = T(
            "{name} is not locked: {n} thing(s) stand in the way.",
            name=scope.name, n=len(blockers),
        )  # fmt: skip
        super().__init__(message, [Problem(b.place, b.text) for b in blockers])
        self.blockers = tuple(blockers)


@dataclass(frozen=True, slots=True)
class Done:
    """A freeze or lock that was set: its id and, for a lock, its checkpoint."""

    id: int
    checkpoint: int | None


def freeze(session: Session, by: By, scope: Scope, reason: str) -> Done:
    """Stop the sites from changing anything in `scope`; queries and signatures still flow."""
    role = _role(by, Kind.FREEZE, scope)
    why = require_reason(reason)
    heads = _hold(session, scope)
    _refuse_standing(session, scope, Kind.FREEZE)
    lock_id = _insert(session, by, scope, Kind.FREEZE)
    _set(session, scope, Kind.FREEZE)
    _tell(session, by, role, scope, heads, "data:freeze", lock_id, ("open", "frozen"), why)
    return Done(lock_id, None)


def lock(session: Session, by: By, desk: Desk, scope: Scope, reason: str, zone: str) -> Done:
    """End all changes in `scope`, sign that, and make a checkpoint; or raise NotReady.

    The caller has had the password typed again. `zone` is printed with the signature.
    """
    role = _role(by, Kind.LOCK, scope)
    why = require_reason(reason)
    heads = _hold(session, scope)
    _refuse_standing(session, scope, Kind.LOCK)
    blockers = gates(session, scope, by.at, desk.signer.verifier)
    if blockers:
        raise NotReady(scope, blockers)
    lock_id = _insert(session, by, scope, Kind.LOCK)
    _set(session, scope, Kind.LOCK)
    _tell(session, by, role, scope, heads, "data:lock", lock_id, (None, "locked"), why)
    made = checkpoints.make(session, by, desk)
    session.execute(update(Lock).where(Lock.id == lock_id).values(checkpoint=made.number))
    _sign(session, by, role, lock_id, made.note, zone)
    return Done(lock_id, made.number)


def unlock(session: Session, by: By, scope: Scope, reason: str) -> Done:
    """Lift the newest freeze or lock set on exactly this scope.

    A lock is lifted by somebody else than the person who set it.
    """
    heads = _hold(session, scope)
    standing = _standing(session, scope)
    mine = [row for row in standing if (row.scope, row.target) == (scope.level, scope.key)]
    if not mine:
        raise Conflict(T("{name} itself is neither frozen nor locked.", name=scope.name))
    newest = mine[-1]
    kind = Kind(newest.kind)
    role = _role(by, kind, scope)
    why = require_reason(reason)
    _refuse_covered(standing, scope)
    if kind is Kind.LOCK and newest.by == by.actor.id:
        raise NotAllowed(T("You set this lock yourself; it is lifted by a second person."))
    session.execute(update(Lock).where(Lock.id == newest.id).values(lifted_at=by.at))
    _restore(session, scope)
    change = (STATES[kind], "frozen" if len(mine) > 1 else "open")
    _tell(session, by, role, scope, heads, f"data:un{kind}", newest.id, change, why)
    return Done(newest.id, None)


def standing(session: Session, study: str) -> list[Lock]:
    """Return the freezes and locks of a study that stand, oldest first."""
    query = select(Lock).where(Lock.study == study, Lock.lifted_at.is_(None))
    return list(session.scalars(query.order_by(Lock.id)))


def _role(by: By, kind: Kind, scope: Scope) -> Role:
    role = by.actor.role_for(RIGHT[kind], scope.study, scope.site)
    covers = by.actor.sites(RIGHT[kind], scope.study)
    if role is None or not (covers is None or scope.site in covers):
        raise NotAllowed(T("Your role does not include this."))
    return role


def _hold(session: Session, scope: Scope) -> dict[str, Head]:
    """Hold the study's or site's row, so that nobody is enrolled, then the chain heads."""
    if scope.level is Level.STUDY:
        session.execute(
            select(StudyRow.id).where(StudyRow.id == scope.study).with_for_update()
        ).one()
    elif scope.level is Level.SITE:
        session.execute(
            select(Site.id)
            .where(Site.study == scope.study, Site.code == scope.site)
            .with_for_update()
        ).one()
    c = LEDGER.chain.c
    covered = select(literal(participant_chain(scope.study, "")) + Participant.code).where(
        scope.participants()
    )
    rows = session.execute(
        select(c.name, c.size, c.link, c.last_at)
        .where(c.name.in_(covered))
        .order_by(c.name)
        .with_for_update()
    )
    heads = {row.name: Head(*row) for row in rows}
    if scope.level in (Level.STUDY, Level.SITE):
        name = study_chain(scope.study)
        heads[name] = LEDGER.head(session, name)
    return heads


def _standing(session: Session, scope: Scope) -> list[Lock]:
    return [row for row in standing(session, scope.study) if _over(scope, row)]


def _over(scope: Scope, row: Lock) -> bool:
    return scope.within(Level(row.scope), row.target)


def _refuse_standing(session: Session, scope: Scope, kind: Kind) -> None:
    """Refuse what stands already, here or above, and a freeze of what is locked."""
    for row in _standing(session, scope):
        if row.kind in (kind, Kind.LOCK):
            what = T("locked") if row.kind == Kind.LOCK else T("frozen")
            raise Conflict(T("{name} is {state} already.", name=scope.name, state=what))


def _refuse_covered(rows: Sequence[Lock], scope: Scope) -> None:
    above = [row for row in rows if (row.scope, row.target) != (scope.level, scope.key)]
    if any(row.kind == Kind.LOCK for row in above):
        raise Conflict(T("{name} is locked from above: unlock that first.", name=scope.name))


def _insert(session: Session, by: By, scope: Scope, kind: Kind) -> int:
    return session.scalars(
        insert(Lock)
        .values(
            study=scope.study, scope=scope.level.value, target=scope.key, kind=kind.value,
            at=by.at, by=by.actor.id,
        )
        .returning(Lock.id)
    ).one()  # fmt: skip


def _set(session: Session, scope: Scope, kind: Kind) -> None:
    """Move everything in the scope up to the state of `kind`; one statement per table."""
    _move(session, scope, BELOW[kind], STATES[kind])


def _move(session: Session, scope: Scope, old: Sequence[str], new: str) -> None:
    people = select(Participant.id).where(scope.participants()).scalar_subquery()
    for table, column, where in _tables(scope, people):
        session.connection().execute(
            update(table).where(where, column.in_(old)).values(state=new)
        )


def _tables(
    scope: Scope, people: ColumnElement[int]
) -> Iterator[tuple[type[Base], InstrumentedAttribute[str], ColumnElement[bool]]]:
    depth = list(Level).index(scope.level)
    if depth <= 0:
        yield StudyRow, StudyRow.state, StudyRow.id == scope.study
    if depth <= 1:
        at = Site.study == scope.study
        yield Site, Site.state, at if scope.site is None else at & (Site.code == scope.site)
    if depth <= 2:
        yield Participant, Participant.state, scope.participants()
    if depth <= 3:
        yield Visit, Visit.state, Visit.participant_id.in_(people) & scope.visits()
    yield Entry, Entry.state, _entries(scope, people)


def _entries(scope: Scope, people: ColumnElement[int]) -> ColumnElement[bool]:
    at = Entry.participant_id.in_(people) & scope.entries()
    return at if scope.visit_id is None else at & (Entry.visit_id == scope.visit_id)


def _restore(session: Session, scope: Scope) -> None:
    """Open everything in the scope, then set again what the standing locks say."""
    _move(session, scope, ("frozen", "locked"), "open")
    for row in standing(session, scope.study):
        inner = stored(session, row.study, Level(row.scope), row.target)
        covered = scope if _over(scope, row) else inner
        if covered.within(scope.level, scope.key):
            _set(session, covered, Kind(row.kind))


def _tell(
    session: Session,
    by: By,
    role: Role,
    scope: Scope,
    heads: dict[str, Head],
    action: str,
    lock_id: int,
    states: tuple[str | None, str],
    reason: str,
) -> None:
    """Write one act on every chain the scope touches."""
    refs: dict[str, object] = {
        "lock": lock_id, "scope": scope.level.value, "site": scope.site,
        "participant": scope.participant, "visit": scope.visit, "form": scope.form,
        "number": scope.number,
    }  # fmt: skip
    said = {name: value for name, value in refs.items() if value is not None}
    key = f"lock:{lock_id}"
    act = Act(
        action, role, scope.study, scope.site, key=key, refs=said, reason=reason,
        changes=[Change(STATE, *states)],
    )  # fmt: skip
    LEDGER.write(session, by, [(head, act) for head in heads.values()])


def _sign(session: Session, by: By, role: Role, lock_id: int, note: str, zone: str) -> None:
    session.execute(
        insert(Signature).values(
            target=f"lock:{lock_id}", version=1,
            content_hash=hashlib.sha256(note.encode()).hexdigest(), person_id=by.actor.id,
            printed_name=by.actor.name, role=role.value, meaning_en=MEANING["en"],
            meaning_zh=MEANING["zh"], at=by.at, zone=zone,
        )
    )  # fmt: skip


def ladder(session: Session, study: str) -> dict[str, dict[str, int]]:
    """Return, per site code, how many participants are open, frozen and locked."""
    rows = session.execute(
        select(Participant.site, Participant.state, func.count())
        .where(Participant.study == study)
        .group_by(Participant.site, Participant.state)
        .order_by(Participant.site, Participant.state)
    )
    found: dict[str, dict[str, int]] = {}
    for site, state, count in rows:
        found.setdefault(site, {"open": 0, "frozen": 0, "locked": 0})[state] = count
    return found
