"""The page of protocol deviations: what the system noticed, and what people reported."""

from collections.abc import Mapping

from flask import g, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from ecrf.kernel.access import Right
from ecrf.kernel.text import Message, T
from ecrf.study.consequences import Reported
from ecrf.study.model import Study, Words
from ecrf.web import where
from ecrf.web.routes import Pages
from forms import answers
from forms.tables import Entry
from visits import departed, lookup
from visits.departed import Line
from visits.tables import Participant, Visit

pages = Pages("deviations", __name__)
SHOWN = 50
CATEGORIES: dict[str, Message] = {
    "visit window": T("visit window"),
    "eligibility": T("eligibility"),
    "compliance": T("compliance"),
    "safety": T("safety reporting"),
    "medication": T("prohibited medication"),
    "dosing": T("dosing"),
    "unblinding": T("unblinding"),
    "randomization": T("randomization"),
    "stratification": T("stratification"),
}
SEVERITIES: dict[str, Message] = {
    "minor": T("minor"), "major": T("major"), "critical": T("critical"),
}  # fmt: skip


@pages.page("/<study_id>/deviations", needs=Right.ENTRY_READ)
def listing(study_id: str) -> ResponseReturnValue:
    study = where.in_force(study_id, Right.ENTRY_READ).study
    site, after = request.args.get("site") or None, request.args.get("after", "")
    lines = departed.standing(
        g.session, g.actor, study_id, site=site, limit=SHOWN + 1,
        after=int(after) if after.isdecimal() and len(after) < 12 else 0,
    )  # fmt: skip
    rule = study.consequences.reported
    sites = lookup.sites(g.session, g.actor, study_id, Right.ENTRY_READ)
    return render_template(
        "deviations.html",
        lines=lines[:SHOWN],
        after=lines[SHOWN - 1].id if len(lines) > SHOWN else None,
        reported=_reported(study, rule, site) if rule and rule.form in study.forms else (),
        sites=sites,
        zone=next((one.zone for one in sites), "UTC"),
        site=site,
        path=_path,
        categories=CATEGORIES,
        severities=SEVERITIES,
    )


def _path(study_id: str, line: Line) -> str:
    """Return the page of what departs: an entry, else a visit, else the participant."""
    form = line.form or ""
    return where.asked(study_id, line.code, line.visit or "", form, line.number or 1, "")


def _reported(study: Study, rule: Reported, site: str | None) -> list[dict[str, object]]:
    """Return the deviations people reported, the newest first."""
    rows = g.session.execute(
        select(Participant.code, Visit.key, Entry.number, Entry.answers, Entry.saved_at)
        .join(Participant, Participant.id == Entry.participant_id)
        .join(Visit, Visit.id == Entry.visit_id)
        .where(*lookup.wanted(g.actor, study.id, site=site), Entry.form == rule.form)
        .order_by(Entry.saved_at.desc(), Entry.id.desc())
        .limit(SHOWN)
    )
    return [
        {
            "code": row.code,
            "visit": row.key,
            "path": where.entry(study.id, row.code, row.key, rule.form, row.number),
            "category": _said(study, rule, rule.category, row.answers),
            "severity": _said(study, rule, rule.severity, row.answers),
            "text": _said(study, rule, rule.text, row.answers),
            "at": row.saved_at,
        }
        for row in rows
    ]


def _said(
    study: Study, rule: Reported, key: str, stored: Mapping[str, Mapping[str, str]]
) -> Words | str:
    """Return an answer as people read it: the label of its code, or its text."""
    answer = answers.load(stored).get(key)
    if answer is None:
        return "–"
    codes = study.forms[rule.form].cells[key].question.codes
    label = study.codelists[codes].label(answer.value) if codes else None
    return label or answer.text
