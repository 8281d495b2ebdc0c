"""PINs: six to twelve digits that stand for the password when somebody signs again.

A PIN is set by the person themselves, after the password, and is kept as an argon2id hash. It
is good for nothing but signing (`ecrf.kernel.reauthentication`), only in a study that allows it
and only after a first signature with user name and password in the same session. A wrong PIN
counts like a wrong password, and three of them end its use for the session.
"""

from typing import NamedTuple

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from ecrf.kernel import accounts, passwords
from ecrf.kernel.accounts import Present, WrongPassword
from ecrf.kernel.errors import NotAllowed, Problem, Refused, Unacceptable
from ecrf.kernel.ledger import LEDGER, SYSTEM, Act, By
from ecrf.kernel.people import Person, Pin, SignIn
from ecrf.kernel.text import T, Text

SHORTEST, LONGEST = 6, 12
DIFFERENT = 3
TRIES = 3
RUNS = "01234567890123456789", "98765432109876543210"


class WrongPin(WrongPassword):
    """A PIN is not right; the failure is written down after the roll-back."""

    def __init__(self, present: Present) -> None:
        message = T("The PIN is not right.")
        Refused.__init__(self, message, [Problem("pin", message)])
        self.person_id = present.actor.id
        self.token_hash = present.token_hash


class Standing(NamedTuple):
    """Whether the person has a PIN, and whether it still counts in the session."""

    known: bool
    usable: bool


def standing(session: Session, present: Present) -> Standing:
    """Say whether the person has a PIN, and whether it may be used in this session."""
    row = session.execute(
        select(Pin.person_id, SignIn.wrong_pins)
        .select_from(SignIn)
        .outerjoin(Pin, Pin.person_id == SignIn.person_id)
        .where(SignIn.token_hash == present.token_hash)
    ).one()
    known = row.person_id is not None
    return Standing(known, known and row.wrong_pins < TRIES)


def set_(session: Session, by: By, password: str, pin: str, again: str) -> None:
    """Give the person of `by` this PIN, in place of one they may have."""
    accounts.confirm(session, by, password)
    require_good(pin, again)
    digest = passwords.hashed(pin, by.draw(passwords.SALT_BYTES))
    session.execute(delete(Pin).where(Pin.person_id == by.actor.id))
    session.execute(insert(Pin).values(person_id=by.actor.id, hash=digest, set_at=by.at))
    LEDGER.record(session, by, SYSTEM, Act("pin:set", None, key=f"person:{by.actor.id}"))


def drop(session: Session, by: By, password: str) -> None:
    """Take the person's PIN away: from now on the password alone signs."""
    accounts.confirm(session, by, password)
    session.execute(delete(Pin).where(Pin.person_id == by.actor.id))
    LEDGER.record(session, by, SYSTEM, Act("pin:drop", None, key=f"person:{by.actor.id}"))


def check(session: Session, by: By, present: Present, pin: str) -> None:
    """Check the PIN of the person who is signed in; else WrongPin, or it has ended."""
    row = session.execute(
        select(Pin.hash, Person.blocked_until, SignIn.wrong_pins)
        .select_from(SignIn)
        .join(Person, Person.id == SignIn.person_id)
        .outerjoin(Pin, Pin.person_id == Person.id)
        .where(SignIn.token_hash == present.token_hash, Person.id == by.actor.id)
    ).one()
    accounts.require_free(row.blocked_until, by.at)
    if row.wrong_pins >= TRIES:
        ended = T("The PIN was wrong {n} times: in this session give your password.", n=TRIES)
        raise NotAllowed(ended, [Problem("password", ended)])
    if not passwords.verify(row.hash, pin.strip()):
        raise WrongPin(present)


def note_failure(session: Session, wrong: WrongPin) -> None:
    """Count a wrong PIN against the session it was given in."""
    session.execute(
        update(SignIn)
        .where(SignIn.token_hash == wrong.token_hash)
        .values(wrong_pins=SignIn.wrong_pins + 1)
    )


def require_good(pin: str, again: str) -> None:
    """Refuse a PIN that is no PIN, is typed differently twice, or is guessed at once."""
    wrong = _weakness(pin)
    if wrong is not None:
        raise Unacceptable(wrong, [Problem("pin", wrong)])
    if pin != again:
        differ = T("The two PINs are not the same.")
        raise Unacceptable(differ, [Problem("pin_again", differ)])


def _weakness(pin: str) -> Text | None:
    if not (pin.isascii() and pin.isdecimal() and SHORTEST <= len(pin) <= LONGEST):
        return T("A PIN has {low} to {high} digits.", low=SHORTEST, high=LONGEST)
    if len(set(pin)) < DIFFERENT or any(pin in run for run in RUNS):
        return T(
            "A PIN needs at least {n} different digits that do not simply count up or down.",
            n=DIFFERENT,
        )
    return None
