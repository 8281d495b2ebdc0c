"""Passwords: argon2id through argon2-cffi, and what a new password must be like.

OWASP's floor (19 MiB, 2 passes) is used; at most two hashes run at once, so that a storm of
sign-ins cannot take the memory of everybody else.
"""

from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from ecrf.kernel.errors import Problem, Unacceptable
from ecrf.kernel.text import T

SHORTEST, LONGEST = 12, 128
SALT_BYTES = 16

_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_AT_ONCE = BoundedSemaphore(2)
_NOBODY = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$" + "A" * 43


def hashed(password: str, salt: bytes) -> str:
    """Return the argon2id hash to store; `salt` is SALT_BYTES of fresh randomness."""
    with _AT_ONCE:
        return _HASHER.hash(password, salt=salt)


def verify(stored: str | None, password: str) -> bool:
    """Say whether `password` is the one stored; takes as long when there is no account."""
    with _AT_ONCE:
        try:
            return _HASHER.verify(stored or _NOBODY, password) and stored is not None
        except (VerificationError, InvalidHashError):
            return False


def require_good(password: str, username: str) -> None:
    """Refuse a password that is too short, too long, or made of the user name."""
    if not SHORTEST <= len(password) <= LONGEST:
        wrong = T(
            "A password has {low} to {high} characters; this one has {given}.",
            low=SHORTEST, high=LONGEST, given=len(password),
        )  # fmt: skip
    elif username.lower() in password.lower():
        wrong = T("A password may not contain the user name.")
    elif len(set(password)) < 5:
        wrong = T("A password needs at least five different characters.")
    else:
        return
    raise Unacceptable(wrong, [Problem("password", wrong)])
