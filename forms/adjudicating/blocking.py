"""Cases in the way of a lock: those nobody has finished, and those whose data have changed."""

from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from ecrf.kernel.text import T
from forms.adjudicating import assembling, cases
from forms.adjudicating.states import NAMES, State
from forms.adjudicating.tables import Case
from forms.scope import Barring, Scope
from forms.tables import Entry
from visits.tables import Participant, Visit


def unsettled(session: Session, scope: Scope) -> Iterator[Barring]:
    """Yield what is not finished among the cases of the scope."""
    numbers = session.scalars(
        select(Case.number)
        .join(Participant, Participant.id == Case.participant_id)
        .join(Entry, Entry.id == Case.entry_id)
        .join(Visit, Visit.id == Entry.visit_id)
        .where(scope.participants(), scope.visits(), scope.entries())
        .order_by(Case.number)
    ).all()
    for number in numbers:
        found = cases.load(session, scope.study, number, lock=False)
        if found is None or assembling.settled(session, found):
            continue
        text = T(
            "Case {case} is not settled: {state}.",
            case=found.case.name,
            state=NAMES[found.state],
        )
        if found.state is State.FINAL:
            text = T("The data of case {case} changed after the vote.", case=found.case.name)
        entry = found.entry
        yield Barring(text, found.participant.code, found.visit.key, entry.form, entry.number)
