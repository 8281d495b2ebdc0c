"""Double entry in the way of a lock: copies nobody has settled would be lost from sight."""

from collections.abc import Iterator

from sqlalchemy.orm import Session

from ecrf.kernel.text import T
from forms.double import waiting
from forms.scope import Barring, Level, Scope


def unsettled(session: Session, scope: Scope) -> Iterator[Barring]:
    """Yield the forms of the scope whose two entries did not become one yet."""
    if scope.level is Level.ENTRY:
        return
    for line in waiting.of(session, scope.participants(), scope.visits()):
        people = ", ".join(name for _, name in line.people)
        text = T("Double entry is not settled. Begun by: {names}.", names=people)
        yield Barring(text, line.participant, line.visit, line.form, line.number)
