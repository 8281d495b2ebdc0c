"""Keep reminders by what a save makes of them, in its transaction.

A save that changes nothing about reminders sends no statement for them. A form that rules of
other forms look at, such as the one a prompt opens, has the participant's other entries looked
at again.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from ecrf.kernel.ledger import By
from forms.answers import Answer
from forms.following import standing as entries_of
from forms.lookup import Found
from forms.reminding.standing import Standing, readers, standing
from forms.reminding.tables import Reminder
from forms.upsert import insert_or
from visits.tables import Participant


def follow(
    session: Session, by: By, found: Found, entry_id: int, now: Mapping[str, Answer]
) -> None:
    """Keep the reminders of an entry that now has the answers `now`, and of those beside it."""
    zone = found.site.zone
    then = standing(found.study, found.form, found.answers, found.context, zone)
    holds = standing(found.study, found.form, now, found.context, zone)
    move(session, by, found.participant, entry_id, then, holds)
    rules = readers(found.study, found.fingerprint).get(found.form.id)
    if rules and found.beside:
        _beside(session, by, found, entry_id, rules)


def move(
    session: Session,
    by: By,
    who: Participant,
    entry_id: int,
    then: Collection[Standing],
    now: Collection[Standing],
) -> None:
    """Store what differs."""
    gone = {one.rule for one in then} - {one.rule for one in now}
    if gone:
        session.execute(
            delete(Reminder).where(Reminder.entry_id == entry_id, Reminder.rule.in_(gone))
        )
    new = [one for one in now if one not in then]
    if new:
        rows = [
            {
                "study": who.study, "site": who.site, "participant_id": who.id,
                "entry_id": entry_id, "rule": one.rule, "due_at": one.due_at,
                "raised_at": by.at,
            }
            for one in sorted(new, key=lambda one: one.rule)
        ]  # fmt: skip
        statement = insert_or(session, Reminder).values(rows)
        session.execute(
            statement.on_conflict_do_update(
                index_elements=["entry_id", "rule"],
                set_={"due_at": statement.excluded["due_at"]},
            )
        )


def _beside(
    session: Session, by: By, found: Found, entry_id: int, rules: Collection[str]
) -> None:
    """Look again at the participant's other entries, for the rules that read this form."""
    entries = entries_of.load(
        session, found.participant.id, found.context, lambda _study, _form: {}, {}
    )
    kept: dict[int, set[Standing]] = {}
    for row in session.execute(
        select(Reminder.entry_id, Reminder.rule, Reminder.due_at).where(
            Reminder.participant_id == found.participant.id, Reminder.rule.in_(sorted(rules))
        )
    ):
        kept.setdefault(row.entry_id, set()).add(Standing(row.rule, row.due_at))
    for entry in entries:
        if entry.id == entry_id:
            continue
        others = [other.entered(other.answers) for other in entries if other.id != entry.id]
        context = replace(entry.context, entries=others)
        holds = standing(entry.study, entry.form, entry.answers, context, found.site.zone)
        now = {one for one in holds if one.rule in rules}
        move(session, by, found.participant, entry.id, kept.get(entry.id, set()), now)
