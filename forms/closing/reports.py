"""Reports that answers call for and that nobody has begun, such as of a serious event.

The rules are the study's prompts. One statement reads the entries they look at.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ecrf.kernel.text import T
from ecrf.study import versions
from forms import answers
from forms.closing.checks import in_force
from forms.context import Context, Entered
from forms.context import scope as names
from forms.lookup import order_of
from forms.reading import forms_read
from forms.scope import Barring, Scope
from forms.tables import Entry
from visits.tables import Participant, Visit


def missing(session: Session, scope: Scope) -> Iterator[Barring]:
    """Yield the entries that ask for a form which was not begun."""
    known = in_force(session, scope)
    study = versions.model(session, known)
    asking = {prompt.form for prompt in study.consequences.prompts}
    if not asking:
        return
    read = {
        form
        for key in asking
        if key in study.forms
        for form in forms_read(study, known, study.forms[key])
    }
    people: dict[str, list[Any]] = defaultdict(list)
    for row in session.execute(_entries(scope, asking | read)):
        people[row.code].append(row)
    for rows in people.values():
        for row in rows:
            if row.form in asking and row.status == "complete" and _covered(scope, row):
                yield from _asked(session, row, rows)


def _entries(scope: Scope, forms: set[str]) -> Any:
    return (
        select(
            Participant.code, Participant.site, Participant.randomized_on, Visit.plan,
            Visit.key, Visit.id.label("visit_id"), Visit.held_on, Visit.position, Entry.id,
            Entry.form, Entry.number, Entry.answers, Entry.status, Entry.protocol,
        )
        .join(Participant, Participant.id == Entry.participant_id)
        .join(Visit, Visit.id == Entry.visit_id)
        .where(scope.participants(), Entry.form.in_(sorted(forms)))
        .order_by(Participant.code, Entry.id)
    )  # fmt: skip


def _covered(scope: Scope, row: Any) -> bool:
    at_visit = scope.visit_id in (None, row.visit_id)
    return at_visit and scope.entry_id in (None, row.id)


def _asked(session: Session, row: Any, rows: Sequence[Any]) -> Iterator[Barring]:
    study = versions.model(session, row.protocol)
    form = study.forms[row.form]
    rules = study.consequences.prompts_of(row.form)
    sheet = names(study, form, answers.load(row.answers), _context(row, rows))
    for rule in rules:
        if rule.opens in study.forms and sheet.holds(rule.when):
            text = T(
                "{form} {number} calls for {report}, which was not begun.",
                form=form.title, number=row.number, report=study.forms[rule.opens].title,
            )  # fmt: skip
            yield Barring(text, row.code, row.key, row.form, row.number)


def _context(row: Any, rows: Sequence[Any]) -> Context:
    return Context(
        visit=row.plan, visit_key=row.key, visit_date=row.held_on,
        order=order_of(row.held_on, row.position), number=row.number,
        randomized_on=row.randomized_on, site=row.site,
        entries=[
            Entered(
                other.plan, other.key, order_of(other.held_on, other.position), other.form,
                other.number, answers.load(other.answers), other.held_on,
            )
            for other in rows
            if other.id != row.id
        ],
    )  # fmt: skip
