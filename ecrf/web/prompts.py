"""What a person who looks at an entry is led to next: the forms that its answers call for."""

from typing import NamedTuple

from flask import g
from sqlalchemy import func, select

from ecrf.study.consequences import Prompt
from ecrf.study.model import VisitKind, Words
from ecrf.web import where
from forms import consequences
from forms.lookup import Found
from forms.tables import Entry


class Led(NamedTuple):
    """One reminder: why, which form, and its page; None when it is planned nowhere near."""

    message: Words
    form: Words
    path: str | None


def led(found: Found) -> tuple[Led, ...]:
    """Return the reminders of a stored entry."""
    if found.entry is None:
        return ()
    return tuple(_led(found, rule) for rule in consequences.prompts(found, found.answers))


def _led(found: Found, rule: Prompt) -> Led:
    form, key = found.study.forms[rule.opens], _visit(found, rule.opens)
    path = None
    if key is not None:
        who = found.participant
        number = _next(who.id, rule.opens) if form.repeating else 1
        path = where.entry(who.study, who.code, key, rule.opens, number)
    return Led(rule.message, form.title, path)


def _visit(found: Found, form: str) -> str | None:
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
