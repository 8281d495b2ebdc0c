"""What a person who looks at an entry is led to next: the forms that its answers call for."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from flask import g
from sqlalchemy import func, select

from ecrf.kernel.text import Text
from ecrf.study.consequences import Prompt
from ecrf.study.model import Study, VisitKind, Words
from ecrf.web import where
from ecrf.web.countdown import Countdown, countdown
from forms import consequences
from forms.lookup import Found
from forms.reminding import listing
from forms.reminding.standing import standing
from forms.tables import Entry


class Led(NamedTuple):
    """One reminder: why, and what is opened: the form, or the participant where the form is
    planned at no visit near.
    """

    message: Words
    opens: Text
    path: str


class Running(NamedTuple):
    """A clock that runs on the entry."""

    message: Words
    clock: Countdown


def led(found: Found) -> tuple[Led, ...]:
    """Return the reminders of a stored entry."""
    if found.entry is None:
        return ()
    return tuple(_led(found, rule) for rule in consequences.prompts(found, found.answers))


def _led(found: Found, rule: Prompt) -> Led:
    form, key = found.study.forms[rule.opens], visit_for(found, rule.opens)
    who = found.participant
    if key is None:
        name = Words(en=who.code, zh=who.code)
        return Led(rule.message, name, where.participant(who.study, who.code))
    number = _next(who.id, rule.opens) if form.repeating else 1
    return Led(
        rule.message, form.title, where.entry(who.study, who.code, key, rule.opens, number)
    )


def clocks(found: Found, now: datetime) -> tuple[Running, ...]:
    """Return the clocks that run on a stored entry, the first end first."""
    if found.entry is None:
        return ()
    rules = {rule.id: rule for rule in found.study.consequences.clocks_of(found.form.id)}
    holds = standing(found.study, found.form, found.answers, found.context, found.site.zone)
    ends = sorted((s.due_at, s.rule) for s in holds if s.due_at is not None)
    return tuple(Running(rules[name].message, countdown(end, now)) for end, name in ends)


def visit_for(found: Found, form: str) -> str | None:
    """Return where the form is filled in: at the same visit, or among the running forms."""
    planned = {cell.visit for cell in found.study.matrix if cell.form == form}
    if found.visit.plan in planned:
        return found.visit.key
    logs = (plan.id for plan in found.study.visits if plan.kind is VisitKind.LOG)
    return next((log for log in logs if log in planned), None)


def _next(participant_id: int, form: str) -> int:
    last = select(func.max(Entry.number)).where(
        Entry.participant_id == participant_id, Entry.form == form
    )
    return (g.session.scalar(last) or 0) + 1


def running(study: Study, participant_id: int) -> Mapping[tuple[str, int], Countdown]:
    """Return the clocks that run for a participant, by form and number."""
    found = listing.of_participant(g.session, study, participant_id)
    return {key: countdown(end, g.by.at) for key, end in found.items()}
