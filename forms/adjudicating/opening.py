"""Open a case when a site reports an event, in the transaction of the save itself.

Costs nothing for any other form. An event that no longer fits is noticed on its case; only a
person withdraws it.
"""

from collections.abc import Mapping
from datetime import date

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from ecrf.kernel.access import Role
from ecrf.kernel.chain import Change
from ecrf.kernel.ledger import LEDGER, Act, By, study_chain
from ecrf.study.adjudication import Adjudication
from forms.adjudicating.dossier import whole_day
from forms.adjudicating.states import State
from forms.adjudicating.tables import Case
from forms.answers import Answer
from forms.context import scope
from forms.lookup import Found


def follow(
    session: Session,
    by: By,
    role: Role,
    found: Found,
    answers: Mapping[str, Answer],
    entry_id: int,
) -> None:
    """Open the case of a complete event form that is to be judged, unless it has one.

    The participant's chain is locked; the study's is locked after it.
    """
    rule = found.study.adjudication
    if rule is None or found.form.id != rule.form:
        return
    if not scope(found.study, found.form, answers, found.context).holds(rule.when):
        return
    row = session.execute(
        select(Case.id, Case.number, Case.state).where(Case.entry_id == entry_id)
    ).one_or_none()
    if row is None:
        _open(session, by, role, found, _assessed(rule, found, answers), entry_id)
    elif row.state == State.WITHDRAWN:
        session.execute(
            update(Case)
            .where(Case.id == row.id)
            .values(state=State.SUSPECTED, changed_at=by.at)
        )
        _record(session, by, role, found, "case:resume", row.number, State.WITHDRAWN)


def _assessed(rule: Adjudication, found: Found, answers: Mapping[str, Answer]) -> date | None:
    return whole_day(answers.get(rule.assessed)) or found.visit.held_on


def _open(
    session: Session, by: By, role: Role, found: Found, day: date | None, entry_id: int
) -> None:
    study = found.participant.study
    head = LEDGER.head(session, study_chain(study))
    last = select(func.coalesce(func.max(Case.number), 0)).where(Case.study == study)
    number = session.scalars(
        insert(Case)
        .values(
            study=study, number=last.scalar_subquery() + 1,
            participant_id=found.participant.id, entry_id=entry_id, state=State.SUSPECTED,
            assessed_on=day, opened_at=by.at, changed_at=by.at,
        )
        .returning(Case.number)
    ).one()  # fmt: skip
    act = _act(role, found, "case:open", number, None)
    LEDGER.write(session, by, [(head, act)])


def _record(
    session: Session, by: By, role: Role, found: Found, action: str, number: int, was: State
) -> None:
    act = _act(role, found, action, number, was)
    LEDGER.record(session, by, study_chain(found.participant.study), act)


def _act(role: Role, found: Found, action: str, number: int, was: State | None) -> Act:
    who = found.participant
    refs = {
        "case": number, "participant": who.code, "visit": found.visit.key,
        "form": found.form.id, "number": found.number,
    }  # fmt: skip
    change = Change("#state", was, State.SUSPECTED)
    return Act(
        action, role, who.study, who.site, key=f"case:{number}", refs=refs, changes=[change]
    )
