"""Freeze and lock: the ladder study, site, participant, visit, entry.

A lock holds the chain heads of everyone it covers before it looks, so that a save is wholly
before it or refused; it refuses while anything stands in its way that nobody has waived, and
lists all of it. States are set in one statement per table. A freeze is lifted by who may
freeze; a lock is only ever unlocked for a while (`forms.unlocking`).
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from ecrf.kernel import checkpoints
from ecrf.kernel.access import Role
from ecrf.kernel.chain import Head
from ecrf.kernel.checkpoints import Desk, Made
from ecrf.kernel.errors import Conflict, Problem
from ecrf.kernel.ledger import LEDGER, By, study_chain
from ecrf.kernel.signatures import Signature
from ecrf.kernel.text import T
from forms.closing import manifest, requests, waivers
from forms.closing.covering import (
    Kind,
    hold,
    over,
    restore,
    role_for,
    set_,
    tell,
)
from forms.closing.tables import Waiver
from forms.gates import Blocker, gates
from forms.scope import Level, Scope, stored
from forms.tables import Lock
from visits.refusals import require_reason
from visits.tables import Participant

MEANING = {
    "en": "I confirm that these data are complete and final, and lock them.",
    "zh": "我确认这些数据完整且为最终数据，并将其锁定。",
}


class NotReady(Conflict):
    """The lock's gates are not all open; `blockers` is everything in the way."""

    def __init__(self, scope: Scope, blockers: Sequence[Blocker]) -> None:
        message = T(
            "{name} is not locked: {n} thing(s) stand in the way.",
            name=scope.name, n=len(blockers),
        )  # fmt: skip
        super().__init__(message, [Problem(b.place, b.text) for b in blockers])
        self.blockers = tuple(blockers)


class Signer(NamedTuple):
    """Who signs a lock, and when they typed their password."""

    id: int
    name: str
    role: str
    at: datetime
    zone: str


@dataclass(frozen=True, slots=True)
class Done:
    """A freeze or lock that was set: its id and, for a lock, its checkpoint."""

    id: int
    checkpoint: int | None


def freeze(session: Session, by: By, scope: Scope, reason: str) -> Done:
    """Stop the sites from changing anything in `scope`; queries and signatures still flow."""
    role = role_for(by, Kind.FREEZE, scope)
    why = require_reason(reason)
    heads = hold(session, scope)
    _refuse_standing(session, scope, Kind.FREEZE)
    lock_id = _insert(session, by, scope, Kind.FREEZE, why)
    set_(session, scope, Kind.FREEZE)
    tell(
        session, by, role, scope, heads, "data:freeze", f"lock:{lock_id}",
        ("open", "frozen"), why, {"lock": lock_id},
    )  # fmt: skip
    return Done(lock_id, None)


def lock(session: Session, by: By, desk: Desk, scope: Scope, reason: str, zone: str) -> Done:
    """End all changes in `scope`, sign that, and make a checkpoint; or raise NotReady.

    The caller has had the password typed again. `zone` is printed with the signature. A whole
    study is locked when somebody else has asked for it: both have signed.
    """
    role = role_for(by, Kind.LOCK, scope)
    why = require_reason(reason)
    heads = hold(session, scope)
    _refuse_standing(session, scope, Kind.LOCK)
    asked = requests.settle(session, by, scope.study) if scope.level is Level.STUDY else None
    passed = pass_gates(session, by, desk, scope)
    lock_id = _insert(session, by, scope, Kind.LOCK, why)
    set_(session, scope, Kind.LOCK)
    made = close(session, by, desk, role, scope, heads, lock_id, passed, "data:lock", why)
    signers = [Signer(by.actor.id, by.actor.name, role.value, by.at, zone)]
    if asked is not None:
        requests.done(session, by, asked, lock_id)
        signers.insert(0, Signer(asked.by, asked.name, asked.role, asked.at, asked.zone))
    sign(session, lock_id, made.note, signers)
    return Done(lock_id, made.number)


def ask(session: Session, by: By, desk: Desk, scope: Scope, reason: str, zone: str) -> int:
    """Ask for the lock of a whole study, as its first signature; return the request's id."""
    role = role_for(by, Kind.LOCK, scope)
    why = require_reason(reason)
    if scope.level is not Level.STUDY:
        raise Conflict(T("Only the lock of a whole study takes two people."))
    head = LEDGER.head(session, study_chain(scope.study))
    _refuse_standing(session, scope, Kind.LOCK)
    pass_gates(session, by, desk, scope)
    return requests.make(session, by, role, head, why, zone)


def pass_gates(session: Session, by: By, desk: Desk, scope: Scope) -> tuple[Waiver, ...]:
    """Return what is waived of the scope's gates; raise NotReady while anything else is."""
    found = gates(session, scope, by.at, desk.signer.verifier)
    left, passed = waivers.split(session, scope.study, found)
    if left:
        raise NotReady(scope, left)
    return passed


def close(
    session: Session,
    by: By,
    desk: Desk,
    role: Role,
    scope: Scope,
    heads: dict[str, Head],
    lock_id: int,
    passed: Sequence[Waiver],
    action: str,
    reason: str,
    refs: Mapping[str, object] = MappingProxyType({}),
    before: Mapping[str, Any] | None = None,
) -> Made:
    """Write what was locked into the lock and its act, and make the checkpoint over both."""
    content = manifest.make(session, scope, passed, before)
    told = {"lock": lock_id, "manifest": manifest.digest(content), **refs}
    states = (None, "locked")
    tell(session, by, role, scope, heads, action, f"lock:{lock_id}", states, reason, told)
    made = checkpoints.make(session, by, desk)
    session.execute(
        update(Lock).where(Lock.id == lock_id).values(checkpoint=made.number, manifest=content)
    )
    return made


def renew(
    session: Session, by: By, desk: Desk, old: Lock, passed: Sequence[Waiver], reason: str,
    zone: str,
) -> int:  # fmt: skip
    """Put a new lock in the place of one that had been opened, and sign it; return its id."""
    scope = stored(session, old.study, Level(old.scope), old.target)
    role = role_for(by, Kind.LOCK, scope)
    heads = hold(session, scope)
    session.connection().execute(update(Lock).where(Lock.id == old.id).values(lifted_at=by.at))
    lock_id = _insert(session, by, scope, Kind.LOCK, reason)
    made = close(
        session, by, desk, role, scope, heads, lock_id, passed, "data:lock", reason,
        {"instead": old.id}, old.manifest,
    )  # fmt: skip
    sign(session, lock_id, made.note, [Signer(by.actor.id, by.actor.name, role, by.at, zone)])
    return lock_id


def lift(session: Session, by: By, scope: Scope, reason: str) -> Done:
    """Lift the newest freeze set on exactly this scope."""
    heads = hold(session, scope)
    standing = over(session, scope)
    mine = [row for row in standing if (row.scope, row.target) == (scope.level, scope.key)]
    if not mine:
        raise Conflict(T("{name} itself is neither frozen nor locked.", name=scope.name))
    newest = mine[-1]
    role = role_for(by, Kind.FREEZE, scope)
    why = require_reason(reason)
    if any(row.kind == Kind.LOCK for row in standing):
        raise Conflict(
            T(
                "{name} is locked. A lock is not lifted; ask to have it unlocked for a while.",
                name=scope.name,
            )
        )
    session.execute(update(Lock).where(Lock.id == newest.id).values(lifted_at=by.at))
    restore(session, scope)
    change = ("frozen", "open")
    tell(
        session, by, role, scope, heads, "data:unfreeze", f"lock:{newest.id}", change, why,
        {"lock": newest.id},
    )  # fmt: skip
    return Done(newest.id, None)


def _refuse_standing(session: Session, scope: Scope, kind: Kind) -> None:
    """Refuse what stands already, here or above, and a freeze of what is locked."""
    for row in sorted(over(session, scope), key=lambda row: row.kind != Kind.LOCK):
        if row.kind in (kind, Kind.LOCK):
            what = T("locked") if row.kind == Kind.LOCK else T("frozen")
            raise Conflict(T("{name} is {state} already.", name=scope.name, state=what))


def _insert(session: Session, by: By, scope: Scope, kind: Kind, reason: str) -> int:
    return session.scalars(
        insert(Lock)
        .values(
            study=scope.study, scope=scope.level.value, target=scope.key, kind=kind.value,
            at=by.at, by=by.actor.id, reason=reason,
        )
        .returning(Lock.id)
    ).one()  # fmt: skip


def sign(session: Session, lock_id: int, note: str, signers: Sequence[Signer]) -> None:
    """Sign a lock: each signature binds the note of its checkpoint."""
    session.execute(
        insert(Signature),
        [
            {
                "target": f"lock:{lock_id}", "version": 1,
                "content_hash": hashlib.sha256(note.encode()).hexdigest(),
                "person_id": who.id, "printed_name": who.name, "role": who.role,
                "meaning_en": MEANING["en"], "meaning_zh": MEANING["zh"], "at": who.at,
                "zone": who.zone,
            }
            for who in signers
        ],
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
