"""Who signs says so again: with user name and password the first time in a session, with the
password from then on (21 CFR 11.200(a)(1)). A session that ended begins anew with both.
"""

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ecrf.kernel import accounts
from ecrf.kernel.accounts import Present, WrongPassword
from ecrf.kernel.errors import Problem, Refused
from ecrf.kernel.ledger import By
from ecrf.kernel.people import SignIn
from ecrf.kernel.text import T


class WrongSigner(WrongPassword):
    """The two components do not belong to the person who is signed in."""

    def __init__(self, person_id: int | None) -> None:
        message = T("The user name or the password is not right.")
        Refused.__init__(self, message, [Problem("password", message)])
        self.person_id = person_id


def both_needed(session: Session, present: Present) -> bool:
    """Say whether nothing has been signed in this session yet."""
    signed = select(SignIn.signed_at).where(SignIn.token_hash == present.token_hash)
    return session.scalar(signed) is None


def confirm(session: Session, by: By, present: Present, username: str, password: str) -> None:
    """Check what the person typed before signing, and note that the session has signed."""
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
