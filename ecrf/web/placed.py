"""What lock pages call a place: the words of the study instead of its keys."""

from collections.abc import Mapping
from typing import Any

from flask import g
from sqlalchemy import select

from ecrf.kernel.people import Site
from ecrf.kernel.text import Text
from ecrf.study.model import Study, Words
from ecrf.web import where
from forms.answers import called
from forms.gates import Blocker
from forms.scope import Scope


def _visit(study: Study, key: str) -> Words:
    plan = key if key in study.visit else key.rpartition("-")[0]
    known = study.visit.get(plan)
    return where.visit_label(known.label if known else None, plan or key, key)


def _join(*parts: Text | str | None) -> Words:
    given = [part for part in parts if part is not None]
    en, zh = (
        " · ".join(part if isinstance(part, str) else part.in_(locale) for part in given)
        for locale in ("en", "zh")
    )
    return Words(en=en or "–", zh=zh or "–")


def _place(
    study: Study, who: str | None, visit: str | None, form: str | None, number: int | None
) -> Words:
    title: Text | None = None
    if form is not None:
        known = study.forms.get(form)
        title = known.title if known else Words(en=form, zh=form)
    again = str(number) if number is not None and number > 1 else None
    return _join(who, None if visit is None else _visit(study, visit), title, again)


def blocker(study: Study, found: Blocker) -> Words:
    """Return where a blocker is, in the words of the study."""
    return _place(study, found.participant, found.visit, found.form, found.number)


def scope(study: Study, target: Scope) -> Words:
    """Return what a scope is called, in the words of the study."""
    first = target.participant or target.site or target.study
    return _place(study, first, target.visit, target.form, target.number)


def deed(study: Study, refs: Mapping[str, Any]) -> Words:
    """Return where an act was done."""
    return _place(
        study, refs.get("participant"), refs.get("visit"), refs.get("form"), refs.get("number")
    )


def item(study: Study, refs: Mapping[str, Any], key: str) -> Text:
    """Return what an item of an act's form is called."""
    form = study.forms.get(refs.get("form", ""))
    cell = form.cells.get(key) if form else None
    return called(cell) if cell else Words(en=key, zh=key)


def link(study_id: str, found: Blocker) -> str | None:
    """Return the page on which a blocker is put right."""
    if found.participant is None:
        return None
    if found.visit is None:
        return where.participant(study_id, found.participant)
    if found.form is None:
        return where.visit(study_id, found.participant, found.visit)
    page = where.entry(study_id, found.participant, found.visit, found.form, found.number or 1)
    return f"{page}#{found.item}" if found.item else page


def zone(target: Scope) -> str:
    """Return the time zone of the scope's site; UTC for more than one."""
    known = g.session.scalar(
        select(Site.zone).where(Site.study == target.study, Site.code == target.site)
    )
    return known or "UTC"
