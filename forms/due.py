"""Whether a form may be filled in now: nothing above it is closed, its visit took place, and a
repeating form comes in turn.
"""

from datetime import datetime

from sqlalchemy.orm import Session

from ecrf.kernel.errors import Conflict
from ecrf.kernel.text import Message, T
from ecrf.study.model import VisitKind
from forms import ladder
from forms.lookup import Found


def require(session: Session, found: Found, at: datetime | None = None) -> None:
    """Refuse what is frozen or locked at `at`, not due, or out of turn."""
    ladder.require(session, found.place, ladder.OPEN, at)
    refusal = not_due(found)
    if refusal is not None:
        raise Conflict(refusal)


def twice(found: Found) -> bool:
    """Say whether the form waits for two people's entries; once settled it is like any."""
    return found.form.double and found.status != "complete"


def require_single(found: Found) -> None:
    """Refuse one person's answers for a form that is entered twice."""
    if twice(found):
        raise Conflict(
            T(
                "{form} is entered twice, by two people. Use its own page.",
                form=found.form.title,
            )
        )


def not_due(found: Found) -> Message | None:
    """Say why the form cannot be filled in yet, or None when it can. Logs are always due."""
    visit = found.visit
    label = found.study.visit[visit.plan].label
    if not in_turn(found):
        return T(
            "The next {form} is number {n}.", form=found.form.title, n=found.last_number + 1
        )
    if visit.kind == VisitKind.LOG:
        return None
    if visit.status == "missed":
        return T("{form} is not due: {visit} was missed.", form=found.form.title, visit=label)
    if visit.held_on is None:
        return T(
            "{form} is not due: {visit} has no date yet. Enter the date of the visit first.",
            form=found.form.title, visit=label,
        )  # fmt: skip
    return None


def in_turn(found: Found) -> bool:
    """Say whether a new number of a repeating form follows the participant's last one."""
    new = found.form.repeating and found.entry is None
    return not new or found.number == found.last_number + 1
