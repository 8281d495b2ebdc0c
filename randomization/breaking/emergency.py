"""Breaking a code from the vault alone, while the main database does not answer.

Who asks is known by user name and password from the vault's own copy; the participant's site by
the vault's allocation. Everything else is the code break as always: written down first, shown
once, in the vault's ledger.
"""

from sqlalchemy import select

from ecrf.kernel import passwords
from ecrf.kernel.access import Right, Role
from ecrf.kernel.accounts import NOBODY
from ecrf.kernel.errors import NotAllowed, NotFound, Problem
from ecrf.kernel.ledger import Act, By
from ecrf.kernel.text import T
from randomization import reveal
from randomization.breaking import guesses, mirror
from randomization.breaking.mirror import Copy
from randomization.opened import Vault, lock
from randomization.reveal import Call, Disclosure, Why
from randomization.tables import LEDGER, Allocation


def identify(vault: Vault, by: By, study: str, username: str, password: str) -> tuple[By, Copy]:
    """Return the person as the one who acts, and the words of the study; else refuse.

    `by` is nobody yet. Unknown people and wrong passwords give the same answer and take as
    long.
    """
    found = mirror.read(vault, study)
    with vault.database.read() as session:
        guesses.require_free(session, username, by.at)
    name = username.strip().lower()
    holders = found.copy.holders if found else ()
    holder = next((one for one in holders if one.username.lower() == name), None)
    right = passwords.verify(holder.password if holder else None, password)
    if holder is None or found is None or not right:
        _failed(vault, by, study, username)
        wrong = T("The user name or the password is not right.")
        raise NotAllowed(wrong, [Problem("password", wrong)])
    with vault.database.write() as session:
        guesses.forget(session, username)
    return By(holder.actor(study, by.at), by.at, by.origin, by.draw), found.copy


def code_break(
    vault: Vault, by: By, study: str, code: str, why: Why, reason: str, call: Call, to: str
) -> Disclosure | None:
    """Break the code of one participant; None when the answer waits for the role `to`.

    The safety officer, to whom answers are sent, is shown it.
    """
    site = _site(vault, by, study, code)
    if to and by.actor.role_for(Right.BREAK_RECEIVE, study, site) is None:
        reveal.send_code(vault, by, study, site, code, why, reason, call, Role(to))
        return None
    return reveal.code_break(vault, by, study, site, code, why, reason, call)


def role(by: By, study: str) -> Role | None:
    """Return the role under which the person breaks codes in the study."""
    return by.actor.role_for(Right.CODE_BREAK, study)


def _site(vault: Vault, by: By, study: str, code: str) -> str:
    """Return the participant's site, if the person may break codes there."""
    with vault.database.read() as session:
        site = session.scalar(
            select(Allocation.site).where(
                Allocation.study == study, Allocation.participant == code
            )
        )
    if site is None or not by.actor.may(Right.CODE_BREAK, study, site):
        wrong = T("There is no participant {code} at your sites.", code=code)
        raise NotFound(wrong, [Problem("code", wrong)])
    return site


def _failed(vault: Vault, by: By, study: str, username: str) -> None:
    """Write a wrong password down, where the vault's people see it."""
    guesses.note(vault, username, by.at)
    refs = {"username": username.strip()[:64]}
    nobody = By(NOBODY, by.at, by.origin, by.draw)
    with vault.database.write() as session:
        act = Act("emergency:refused", None, study, refs=refs)
        LEDGER.write(session, nobody, [(lock(session, study), act)])
