"""The reminders that stand at a person's sites, the most urgent first."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ecrf.kernel.access import Actor
from ecrf.study.consequences import Clock, Prompt
from ecrf.study.model import Study
from forms.reminding.tables import Reminder
from forms.tables import Entry
from visits import lookup
from visits.tables import Participant, Visit

SHOWN = 20


class Line(NamedTuple):
    """A reminder: the entry it is about, the rule, and the end of its clock."""

    code: str
    visit: str
    plan: str
    form: str
    number: int
    rule: str
    due_at: datetime | None


class Reminders(NamedTuple):
    """The first reminders, and how many there are in all."""

    lines: tuple[Line, ...]
    total: int


def listing(session: Session, actor: Actor, study: Study) -> Reminders:
    """Return the reminders of the people the actor sees: clocks by their end, then prompts."""
    if not (study.consequences.prompts or study.consequences.clocks):
        return Reminders((), 0)
    rows = session.execute(
        select(
            Participant.code, Visit.key, Visit.plan, Entry.form, Entry.number, Reminder.rule,
            Reminder.due_at, func.count().over().label("total"),
        )
        .join(Participant, Participant.id == Reminder.participant_id)
        .join(Entry, Entry.id == Reminder.entry_id)
        .join(Visit, Visit.id == Entry.visit_id)
        .where(
            *lookup.wanted(actor, study.id), Participant.state == "open", Entry.state == "open"
        )
        .order_by(Reminder.due_at.is_(None), Reminder.due_at, Reminder.id)
        .limit(SHOWN)
    ).all()  # fmt: skip
    return Reminders(tuple(Line(*row[:-1]) for row in rows), rows[0].total if rows else 0)


def of_participant(
    session: Session, study: Study, participant_id: int
) -> dict[tuple[str, int], datetime]:
    """Return the ends of the clocks that run for a participant, by form and number."""
    if not study.consequences.clocks:
        return {}
    rows = session.execute(
        select(Entry.form, Entry.number, Reminder.due_at)
        .join(Entry, Entry.id == Reminder.entry_id)
        .where(Reminder.participant_id == participant_id, Reminder.due_at.is_not(None))
    )
    return {(row.form, row.number): row.due_at for row in rows}


def rule_of(study: Study, line: Line) -> Prompt | Clock | None:
    """Return the rule of a reminder; None when the version in force has it no more."""
    follow = study.consequences
    rules: list[Prompt | Clock] = [
        *follow.prompts_of(line.form), *follow.clocks_of(line.form)
    ]  # fmt: skip
    return next((rule for rule in rules if rule.id == line.rule), None)
