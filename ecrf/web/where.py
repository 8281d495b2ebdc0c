"""The addresses of participants, visits and entries, and finding the study of an address."""

from typing import NamedTuple
from urllib.parse import quote

from flask import g

from ecrf.kernel.access import Right
from ecrf.kernel.errors import NotFound
from ecrf.kernel.text import T
from ecrf.study import versions
from ecrf.study.model import Study, Words


class InForce(NamedTuple):
    """The study of an address as it is in force."""

    study: Study
    fingerprint: str


def in_force(study_id: str, right: Right) -> InForce:
    """Return the study in force if the person holds `right` at some site; else NotFound."""
    if not g.actor.may(right, study_id):
        raise NotFound(T("There is no study {study} here.", study=study_id))
    return InForce(*versions.in_force(g.session, study_id))


def participants(study_id: str) -> str:
    return f"/{quote(study_id)}/participants"


def participant(study_id: str, code: str) -> str:
    return f"{participants(study_id)}/{quote(code)}"


def visit(study_id: str, code: str, key: str) -> str:
    return f"{participant(study_id, code)}/visits/{quote(key)}"


def entry(study_id: str, code: str, key: str, form: str, number: int) -> str:
    """Return the page of an entry; the first one of a form has no number in its address."""
    last = f"/{number}" if number > 1 else ""
    return f"{visit(study_id, code, key)}/{quote(form)}{last}"


def asked(study_id: str, code: str, key: str, form: str, number: int, item: str) -> str:
    """Return the page of what a query is about; `key` and `form` may be empty."""
    if form:
        return entry(study_id, code, key, form, number) + (f"#{quote(item)}" if item else "")
    return visit(study_id, code, key) if key else participant(study_id, code)


def visit_label(label: Words | None, plan: str, key: str) -> Words:
    """Return what a visit is called: by its plan, and by its key when it is one of several."""
    label = label or Words(en=plan, zh=plan)
    if key == plan:
        return label
    return Words(en=f"{label.en} {key}", zh=f"{label.zh} {key}")
