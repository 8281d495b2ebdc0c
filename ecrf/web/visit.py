"""The page of one visit: its date, or why it was missed, and its forms."""

from flask import g, redirect, render_template, request
from flask.typing import ResponseReturnValue

from ecrf.kernel.access import Right
from ecrf.kernel.errors import NotFound, Refused
from ecrf.kernel.text import T
from ecrf.study.model import VisitKind
from ecrf.web import formlist, prompts, where
from ecrf.web.dates import read_date
from ecrf.web.routes import Again, Pages
from forms import casebook, missed, progress
from forms.questions import asked
from visits import lookup, refusals, visits
from visits.lookup import Found
from visits.windows import civil_date, study_day

pages = Pages("visit", __name__)


@pages.page("/<study_id>/participants/<code>/visits/<key>", needs=Right.PARTICIPANT_READ)
def show(study_id: str, code: str, key: str) -> ResponseReturnValue:
    return _page(study_id, code, key, None)


@pages.page(
    "/<study_id>/participants/<code>/visits/<key>",
    needs=Right.ENTRY_WRITE,
    methods=("POST",),
)
def change(study_id: str, code: str, key: str) -> ResponseReturnValue:
    """Set the date, mark the visit as missed, or open it again, by the button pressed."""
    try:
        found = lookup.visit(g.session, g.actor, study_id, code, key, Right.ENTRY_WRITE)
        _change(found, request.form.get("act", ""))
    except Refused as refusal:
        wrong = refusal
        raise Again(refusal, lambda: _page(study_id, code, key, wrong)) from None
    return redirect(where.visit(study_id, code, key) + "?done=1", 303)


def _change(found: Found, act: str) -> None:
    reason = request.form.get(refusals.REASON, "")
    if act == "hold":
        today = civil_date(g.by.at, found.participant.zone)
        held_on = read_date(request.form.get(visits.DATE, ""), today)
        visits.hold(g.session, g.by, found, held_on, reason=reason)
    elif act == "miss":
        missed.miss(g.session, g.by, found, reason)
    elif act == "reopen":
        missed.reopen(g.session, g.by, found, reason)
    else:
        raise NotFound(T("A visit cannot be changed in this way."))


def _page(study_id: str, code: str, key: str, refusal: Refused | None) -> str:
    study = where.in_force(study_id, Right.PARTICIPANT_READ).study
    found = lookup.visit(g.session, g.actor, study_id, code, key, Right.PARTICIPANT_READ)
    who, visit = found.participant, found.visit
    entries = progress.of_participant(g.session, who.id)
    today = civil_date(g.by.at, who.zone)
    counts = formlist.counts(found.study, visit, entries)
    held, anchor = visit.held_on, who.randomized_on
    lock = found.lock_at(g.by.at)
    return render_template(
        "visit.html",
        refusal=refusal,
        sent=request.form,
        study=study,
        who=who,
        visit=visit,
        label=where.visit_label(found.plan.label, visit.plan, visit.key),
        standing=casebook.standing(study, visit, lock, counts, today),
        lock=lock,
        day=study_day(held, anchor) if held and anchor else None,
        out=visit.span.days_out(held) if held and anchor and visit.span else 0,
        forms=formlist.lines(
            found.study, visit, lock, entries, prompts.running(found.study, who.id)
        ),
        on_date=[q for q in asked.above_forms(g.session, who.id) if q.visit_id == visit.id],
        may_ask=g.actor.may(Right.QUERY_OPEN, study_id, who.site) and lock != "locked",
        log=visit.kind == VisitKind.LOG,
        fillable=visit.kind == VisitKind.LOG or visit.held_on is not None,
        writes=g.actor.may(Right.ENTRY_WRITE, study_id, who.site) and lock == "open",
    )
