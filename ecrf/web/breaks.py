"""Code breaks on the blinded side: that they happened, their impact, how many there are."""

from flask import g, redirect, render_template, request
from flask.typing import ResponseReturnValue

from ecrf.kernel import reauthentication
from ecrf.kernel.access import Right
from ecrf.kernel.errors import Refused
from ecrf.kernel.text import Message, T
from ecrf.study.model import Study
from ecrf.web import where
from ecrf.web.groups import SHOWN, Group, Row
from ecrf.web.routes import Again, Pages
from forms.unblinded import assessing, events, listing
from forms.unblinded.assessing import Assessment
from visits import lookup
from visits.windows import civil_date

pages = Pages("breaks", __name__)
PAGE = "/<study_id>/code-breaks"
WHY: dict[str, Message] = {
    "life-threatening": T("Life-threatening event whose treatment depends on the arm"),
    "overdose": T("Overdose"),
    "pregnancy": T("Exposure during pregnancy"),
    "other person exposed": T("Another person took the study drug"),
    "safety reporting": T("Expedited safety reporting (SUSAR)"),
    "other": T("Other medical emergency"),
    "accidental": T("accidental unblinding"),
}
"""The words of the vault's classes of reason, which this side cannot ask the vault for."""


@pages.page(PAGE, needs=Right.BREAK_READ)
def show(study_id: str) -> ResponseReturnValue:
    return _page(study_id, None)


@pages.page(f"{PAGE}/<int(max=999999999):number>", needs=Right.BREAK_ASSESS, methods=("POST",))
def assess(study_id: str, number: int) -> ResponseReturnValue:
    """Close the task of one code break with a signature."""
    study = where.in_force(study_id, Right.BREAK_ASSESS).study
    said = Assessment(
        request.form.get("learned", ""), request.form.get("decision", ""),
        request.form.get("measures", ""),
    )  # fmt: skip
    try:
        reauthentication.confirm(
            g.session, g.by, g.present, request.form.get("username", ""),
            request.form.get("password", ""),
        )  # fmt: skip
        sure = bool(request.form.get("sure"))
        assessing.assess(g.session, g.by, study, number, said, sure=sure)
    except Refused as refusal:
        wrong = refusal
        raise Again(refusal, lambda: _page(study_id, wrong, number)) from None
    return redirect(f"/{study_id}/code-breaks?done=1", 303)


def _page(study_id: str, refusal: Refused | None, number: int = 0) -> str:
    where.in_force(study_id, Right.BREAK_READ)
    lines = listing.listing(g.session, g.actor, study_id)
    sites = lookup.sites(g.session, g.actor, study_id, Right.BREAK_READ)
    zone = next((site.zone for site in sites), "UTC")
    assesses = g.actor.may(Right.BREAK_ASSESS, study_id)
    return render_template(
        "code_breaks.html", refusal=refusal, number=number, sent=request.form,
        waiting=[line for line in lines if line.assessed_at is None],
        past=[line for line in lines if line.assessed_at is not None],
        counts=listing.counts(g.session, g.actor, study_id), kinds=events.KINDS,
        ways=events.WAYS, why=WHY, decisions=assessing.DECISIONS, assesses=assesses,
        meaning=assessing.MEANING, zone=zone, today=civil_date(g.by.at, zone),
        both=assesses and reauthentication.both_needed(g.session, g.present),
    )  # fmt: skip


def group(study: Study) -> Group:
    """Return the impact assessments that wait, as Today lists them."""
    found = listing.listing(g.session, g.actor, study.id, waiting=True)
    rows = [
        Row(
            f"/{study.id}/code-breaks#break-{line.id}", line.code, events.KINDS[line.kind],
            "overdue" if line.due_on < g.by.at.date() else "due", line.due_on, line.due_on,
        )
        for line in found[:SHOWN]
    ]  # fmt: skip
    more = f"/{study.id}/code-breaks"
    return Group("breaks", T("Unblindings to assess"), rows, len(found), more=more)
