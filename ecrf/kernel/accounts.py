"""Accounts: people, their grants, signing in and out. Every act is on the system's chain."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, func, insert, select, update
from sqlalchemy.orm import Session

from ecrf.kernel import chain, passwords
from ecrf.kernel.access import Actor, Grant, Role, conflict
from ecrf.kernel.chain import Change
from ecrf.kernel.db import Instant
from ecrf.kernel.errors import Conflict, NotAllowed, NotFound, Problem, TooMany
from ecrf.kernel.ledger import LEDGER, SYSTEM, Act, By
from ecrf.kernel.people import GrantRow, Person, SignIn, Site
from ecrf.kernel.text import T

NOBODY = Actor(0, "system", frozenset())
IDLE = timedelta(minutes=15)
ABSOLUTE = timedelta(hours=12)
TOUCH = timedelta(minutes=1)
FREE_FAILURES = 5
TOKEN_BYTES = 32


class WrongPassword(NotAllowed):
    """A password is not right; the failure is written down after the roll-back."""

    def __init__(self, person_id: int | None, *, again: bool = False) -> None:
        """With `again`, the person is signed in and typed the password once more."""
        message = (
            T("The password is not right.")
            if again
            else T("The user name or the password is not right.")
        )
        super().__init__(message, [Problem("password", message)] if again else ())
        self.person_id = person_id


@dataclass(frozen=True, slots=True)
class Present:
    """Who sent a request: the person's account and the session it came in."""

    actor: Actor
    locale: str
    csrf: str
    token_hash: str
    seen_at: datetime


def set_up(session: Session, by: By) -> None:
    """Start the system's chain in a new database."""
    LEDGER.write(session, by, [(chain.start(SYSTEM), Act("system:start", None))])


def add(session: Session, by: By, username: str, name: str, password: str) -> int:
    """Make an account and return its id; user names are unique whatever their case."""
    passwords.require_good(password, username)
    taken = session.scalar(
        select(Person.id).where(func.lower(Person.username) == username.lower())
    )
    if taken is not None:
        raise Conflict(T("The user name {name} is or was somebody's.", name=username))
    person_id = session.scalars(
        insert(Person)
        .values(
            username=username,
            name=name,
            password=passwords.hashed(password, by.draw(passwords.SALT_BYTES)),
            created_at=by.at,
        )
        .returning(Person.id)
    ).one()
    changes = [Change("username", None, username), Change("name", None, name)]
    _record(session, by, "person:add", person_id, changes=changes)
    return person_id


def give(session: Session, by: By, person_id: int, grant: Grant, reason: str) -> None:
    """Give a role; refused when it would put one person on both sides of the blind."""
    rows = session.execute(
        select(GrantRow.role, GrantRow.site, GrantRow.ends_at)
        .where(GrantRow.person_id == person_id, GrantRow.study == grant.study)
        .with_for_update()
    ).all()
    if conflict([grant.role, *(Role(row.role) for row in rows)]):
        raise Conflict(
            T(
                "This person has or had a role on the other side of the blind in this study; "
                "nobody may hold a blinded and an unblinded role in one study, or judge events "
                "whose entries they can read."
            )
        )
    if any(r.role == grant.role and r.site == grant.site and r.ends_at is None for r in rows):
        raise Conflict(T("The person holds this role already."))
    session.execute(
        insert(GrantRow).values(
            person_id=person_id, study=grant.study, role=grant.role, site=grant.site,
            starts_at=by.at,
        )
    )  # fmt: skip
    change = Change("grant", None, [grant.study, grant.role, grant.site])
    _record(session, by, "grant:give", person_id, changes=[change], reason=reason)


def end(session: Session, by: By, person_id: int, grant: Grant, reason: str) -> None:
    """End a role now; it stays on the books."""
    ended = session.execute(
        update(GrantRow)
        .where(
            GrantRow.person_id == person_id, GrantRow.study == grant.study,
            GrantRow.role == grant.role, GrantRow.site.is_not_distinct_from(grant.site),
            GrantRow.ends_at.is_(None),
        )
        .values(ends_at=by.at)
        .returning(GrantRow.id)
    ).all()  # fmt: skip
    if not ended:
        raise NotFound(T("The person does not hold this role."))
    change = Change("grant", [grant.study, grant.role, grant.site], None)
    _record(session, by, "grant:end", person_id, changes=[change], reason=reason)


def check(session: Session, username: str, password: str, at: datetime) -> int:
    """Return the id of the person these belong to; raise WrongPassword or TooMany."""
    row = session.execute(
        select(Person.id, Person.password, Person.active, Person.blocked_until).where(
            func.lower(Person.username) == username.lower()
        )
    ).one_or_none()
    if row is not None:
        require_free(row.blocked_until, at)
    right = passwords.verify(row.password if row else None, password)
    if row is None or not right or not row.active:
        raise WrongPassword(row.id if row else None)
    return int(row.id)


def require_free(until: datetime | None, at: datetime) -> None:
    """Refuse while an account waits because of wrong passwords."""
    if until is not None and until > at:
        minutes = int((until - at).total_seconds() // 60) + 1
        raise TooMany(T("Too many wrong passwords. Try again in {n} min.", n=minutes))


def confirm(session: Session, by: By, password: str) -> None:
    """Check the password the person of `by` typed again (21 CFR 11.200); else WrongPassword."""
    username = session.scalar(select(Person.username).where(Person.id == by.actor.id))
    try:
        check(session, username or "", password, by.at)
    except WrongPassword as wrong:
        raise WrongPassword(wrong.person_id, again=True) from None


def note_failure(session: Session, by: By, person_id: int | None, username: str) -> None:
    """Write down a wrong password; from the fifth on the account waits, each time longer."""
    if person_id is not None:
        failures = (
            session.scalar(
                update(Person)
                .where(Person.id == person_id)
                .values(failures=Person.failures + 1)
                .returning(Person.failures)
            )
            or 0
        )
        if failures >= FREE_FAILURES:
            wait = timedelta(minutes=min(2 ** (failures - FREE_FAILURES), 60))
            session.execute(
                update(Person).where(Person.id == person_id).values(blocked_until=by.at + wait)
            )
    changes = [Change("username", None, username[:64])]
    _record(session, by, "sign-in:failed", person_id, changes=changes)


def sign_in(session: Session, by: By, person_id: int) -> tuple[str, str]:
    """Open a session for the person; return (token for the cookie, token for the forms)."""
    token, csrf = by.draw(TOKEN_BYTES).hex(), by.draw(TOKEN_BYTES).hex()
    session.execute(
        insert(SignIn).values(
            token_hash=_hash(token), person_id=person_id, csrf=csrf, started_at=by.at,
            seen_at=by.at,
        )
    )  # fmt: skip
    session.execute(
        update(Person).where(Person.id == person_id).values(failures=0, blocked_until=None)
    )
    name = session.scalar(select(Person.name).where(Person.id == person_id)) or ""
    who = By(Actor(person_id, name, frozenset()), by.at, by.origin, by.draw)
    _record(session, who, "sign-in", person_id)
    return token, csrf


def sign_out(session: Session, by: By, token_hash: str) -> None:
    session.execute(
        update(SignIn).where(SignIn.token_hash == token_hash).values(ended_at=by.at)
    )
    _record(session, by, "sign-out", by.actor.id)


def present(session: Session, token: str | None, at: datetime) -> Present | None:
    """Return who holds `token`, with the grants in force at `at`. One statement."""
    if not token:
        return None
    asked = {
        "token_hash": _hash(token), "at": at, "idle": at - IDLE, "absolute": at - ABSOLUTE,
    }  # fmt: skip
    rows = session.execute(_holder(), asked).all()
    if not rows:
        return None
    grants = frozenset(Grant(r.study, Role(r.role), r.site) for r in rows if r.study)
    first = rows[0]
    return Present(
        Actor(first.id, first.name, grants), first.locale, first.csrf, first.token_hash,
        first.seen_at,
    )  # fmt: skip


@cache
def _holder() -> Select[Any]:
    """Return the question who holds a token, made once: every request asks it."""
    at = bindparam("at", type_=Instant)
    columns: tuple[Any, ...] = (
        Person.id, Person.name, Person.locale, SignIn.csrf, SignIn.token_hash,
        SignIn.seen_at, GrantRow.study, GrantRow.role, GrantRow.site,
    )  # fmt: skip
    return (
        select(*columns)
        .join(Person, Person.id == SignIn.person_id)
        .outerjoin(
            GrantRow,
            (GrantRow.person_id == Person.id)
            & (GrantRow.starts_at <= at)
            & (GrantRow.ends_at.is_(None) | (GrantRow.ends_at > at)),
        )
        .where(
            SignIn.token_hash == bindparam("token_hash"), SignIn.ended_at.is_(None),
            SignIn.seen_at > bindparam("idle", type_=Instant),
            SignIn.started_at > bindparam("absolute", type_=Instant), Person.active,
        )
    )  # fmt: skip


def touch(session: Session, who: Present, at: datetime) -> None:
    """Note that the session is in use."""
    session.execute(
        update(SignIn).where(SignIn.token_hash == who.token_hash).values(seen_at=at)
    )


def actor(session: Session, username: str, at: datetime) -> Actor:
    """Return the person of that user name with the grants in force, for the command line."""
    row = session.execute(
        select(Person.id, Person.name).where(
            func.lower(Person.username) == username.lower(), Person.active
        )
    ).one_or_none()
    if row is None:
        raise NotFound(T("There is no account {name}.", name=username))
    held = session.execute(
        select(GrantRow.study, GrantRow.role, GrantRow.site).where(
            GrantRow.person_id == row.id,
            GrantRow.starts_at <= at,
            GrantRow.ends_at.is_(None) | (GrantRow.ends_at > at),
        )
    )
    return Actor(
        row.id, row.name, frozenset(Grant(g.study, Role(g.role), g.site) for g in held)
    )


def require_sites(session: Session, study: str, codes: Iterable[str]) -> None:
    """Refuse a grant at a site the study does not have."""
    known = set(session.scalars(select(Site.code).where(Site.study == study)))
    for code in codes:
        if code not in known:
            wanted = ", ".join(sorted(known))
            raise NotFound(T("Site {code} is not one of {known}.", code=code, known=wanted))


def _record(
    session: Session,
    by: By,
    action: str,
    person_id: int | None,
    *,
    changes: Iterable[Change] = (),
    reason: str | None = None,
) -> None:
    key = None if person_id is None else f"person:{person_id}"
    act = Act(action, None, key=key, reason=reason, changes=tuple(changes))
    LEDGER.record(session, by, SYSTEM, act)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
