"""Where an answer that names an entry of another form leads: to it, or to a new one."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import NamedTuple

from flask import g
from sqlalchemy import select

from ecrf.kernel.text import T, Text
from ecrf.web import prompts, where
from forms.lookup import Found
from forms.tables import Entry
from visits.tables import Visit


class Referred(NamedTuple):
    """The page an answer leads to, and what the link says."""

    path: str
    said: Text
    new: bool


def referring(found: Found) -> Callable[[str, str], Referred | None]:
    """Return what finds the entry a number names; it asks the database at most once a form."""
    who = found.participant

    @cache
    def there(form: str) -> Mapping[int, str]:
        rows = g.session.execute(
            select(Entry.number, Visit.key)
            .join(Visit, Visit.id == Entry.visit_id)
            .where(Entry.participant_id == who.id, Entry.form == form)
        )
        return {row.number: row.key for row in rows}

    def refer(form: str, typed: str) -> Referred | None:
        known, number = there(form), int(typed) if typed.isdecimal() else 0
        title = found.study.forms[form].title
        if number in known:
            path = where.entry(who.study, who.code, known[number], form, number)
            return Referred(path, T("Open: {form} {n}", form=title, n=number), new=False)
        key = prompts.visit_for(found, form)
        if key is None:
            return None
        upcoming = max(known, default=0) + 1
        path = where.entry(who.study, who.code, key, form, upcoming)
        return Referred(path, T("Add: {form} {n}", form=title, n=upcoming), new=True)

    return refer
