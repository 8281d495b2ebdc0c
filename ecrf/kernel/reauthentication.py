"""Who signs says so again: with user name and password the first time in a session, with the
password from then on (21 CFR 11.200(a)(1)), or with a PIN where the study allows it. A session
that ended begins anew with both.
"""

from typing import NamedTuple

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ecrf.kernel import accounts, pins
from ecrf.kernel.accounts import Present, WrongPassword
from ecrf.kernel.errors import Problem, Refused, Unacceptable
from ecrf.kernel.ledger import By
from ecrf.kernel.people import SignIn
from ecrf.kernel.text import T


class WrongSigner(WrongPassword):
    """The two components do not belong to the person who is signed in."""

    def __init__(self, person_id: int | None) -> None:
        message = T("The user name or the password is not right.")
        Refused.__init__(self, message, [Problem("password", message)])
        self.person_id = person_id


class Means(NamedTuple):
    """What the next signature of a session is made with.

    `both`: user name and password; else the password alone, or, with `pin`, the PIN in its
    place. `settable`: the study allows a PIN and the person has none yet.
    """

    both: bool = False
    pin: bool = False
    settable: bool = False


def both_needed(session: Session, present: Present) -> bool:
    """Say whether nothing has been signed in this session yet."""
    signed = select(SignIn.signed_at).where(SignIn.token_hash == present.token_hash)
    return session.scalar(signed) is None


def means(session: Session, present: Present, *, pin: bool) -> Means:
    """Return what the person may sign with; `pin` says whether the study allows PINs."""
    both = both_needed(session, present)
    if not pin:
        return Means(both)
    stands = pins.standing(session, present)
    return Means(both, stands.usable and not both, not stands.known)


def confirm(
    session: Session,
    by: By,
    present: Present,
    username: str,
    password: str,
    pin: str | None = None,
) -> None:
    """Check what the person typed before signing, and note that the session has signed.

    `pin` is None in a study that does not allow PINs; one counts where no password is given.
    """
    if pin and not password:
        _confirm_pin(session, by, present, pin)
        return
    if not both_needed(session, present):
        accounts.confirm(session, by, password)
        return
    try:
        known = accounts.check(session, username.strip(), password, by.at)
    except WrongPassword:
        raise WrongSigner(by.actor.id) from None
    if known != by.actor.id:
        raise WrongSigner(by.actor.id)
    session.execute(
        update(SignIn).where(SignIn.token_hash == present.token_hash).values(signed_at=by.at)
    )


def _confirm_pin(session: Session, by: By, present: Present, pin: str) -> None:
    if both_needed(session, present):
        first = T("The first signature of a session is made with user name and password.")
        raise Unacceptable(first, [Problem("password", first)])
    pins.check(session, by, present, pin)
