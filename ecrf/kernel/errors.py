"""Refusals: what the system says no to, each with the HTTP status the web layer sends.

A *finding* (a doubtful answer) is data and lives in `forms.plan`. A *refusal* ends the request
and rolls it back. Its message names the thing, what was wrong and what would be right, and
never names a treatment.
"""

from collections.abc import Sequence
from typing import NamedTuple

from ecrf.kernel.text import Text


class Problem(NamedTuple):
    """One thing wrong with what was sent: the item (form key) it concerns, and the message."""

    item: str
    message: Text


class Refused(Exception):
    """The act breaks a rule of the system; nothing was changed."""

    status = 400

    def __init__(self, message: Text, problems: Sequence[Problem] = ()) -> None:
        super().__init__(message.in_("en"))
        self.message = message
        self.problems = tuple(problems)


class SignInNeeded(Refused):
    status = 401


class NotAllowed(Refused):
    """The person's role does not include the act."""

    status = 403


class NotFound(Refused):
    """Also raised for things that exist but lie outside the person's sites."""

    status = 404


class Conflict(Refused):
    """The act does not fit the present state: locked, already done, not due."""

    status = 409


class Stale(Conflict):
    """Somebody saved first."""


class Unacceptable(Refused):
    """What was sent cannot be taken; `problems` names each item."""

    status = 422


class TooMany(Refused):
    """Tried too often; wait."""

    status = 429


class Unavailable(Refused):
    """A part the act needs does not answer. The message never depends on an arm."""

    status = 503
