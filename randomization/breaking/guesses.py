"""Wrong passwords on the emergency page: counted in the vault, each further one waits longer.

The wait is a delay and never a lock: nobody can keep an investigator out for long by typing
their name (ASVS 2.4.1, 6.1.1). Names are counted alike whether somebody has them or not.
"""

import hashlib
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from ecrf.kernel.errors import TooMany
from ecrf.kernel.text import T
from randomization.breaking.tables import Guess
from randomization.opened import Vault

FREE = 5
LONGEST = timedelta(minutes=10)


def require_free(session: Session, username: str, at: datetime) -> None:
    """Refuse while the name waits because of wrong passwords."""
    until = session.scalar(select(Guess.blocked_until).where(Guess.name == _key(username)))
    if until is not None and until > at:
        minutes = int((until - at).total_seconds() // 60) + 1
        raise TooMany(T("Too many wrong passwords. Try again in {n} min.", n=minutes))


def note(vault: Vault, username: str, at: datetime) -> None:
    """Count one more wrong password for the name."""
    key = _key(username)
    with vault.database.write() as session:
        failures = session.scalar(
            update(Guess)
            .where(Guess.name == key)
            .values(failures=Guess.failures + 1)
            .returning(Guess.failures)
        )
        if failures is None:
            failures = 1
            session.execute(insert(Guess).values(name=key, failures=1))
        if failures >= FREE:
            wait = min(timedelta(minutes=2 ** min(failures - FREE, 10)), LONGEST)
            session.execute(
                update(Guess).where(Guess.name == key).values(blocked_until=at + wait)
            )


def forget(session: Session, username: str) -> None:
    """Begin anew after the right password."""
    session.execute(delete(Guess).where(Guess.name == _key(username)))


def _key(username: str) -> str:
    return hashlib.sha256(username.strip().lower().encode()).hexdigest()
