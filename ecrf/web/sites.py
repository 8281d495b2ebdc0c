"""The page of sites: which may enrol, how many they have, and opening or closing one."""

from flask import g, redirect, render_template, request
from flask.typing import ResponseReturnValue

from ecrf.kernel.access import Right
from ecrf.kernel.errors import NotAllowed, Refused
from ecrf.kernel.text import T
from ecrf.web.routes import Again, Pages
from visits import sites

pages = Pages("sites", __name__)


@pages.page("/<study_id>/sites", needs=Right.SITE_OPEN)
def listing(study_id: str) -> ResponseReturnValue:
    return _page(study_id, None)


@pages.page("/<study_id>/sites/<code>", needs=Right.SITE_OPEN, methods=("POST",))
def change(study_id: str, code: str) -> ResponseReturnValue:
    """Open or close one site."""
    to, reason = request.form.get("act") == "open", request.form.get("reason", "")
    try:
        sites.set_open(g.session, g.by, study_id, code, reason, to=to)
    except Refused as refusal:
        wrong = refusal
        raise Again(refusal, lambda: _page(study_id, wrong, code)) from None
    return redirect(f"/{study_id}/sites?done=1", 303)


def _page(study_id: str, refusal: Refused | None, code: str = "") -> str:
    if not g.actor.may(Right.SITE_OPEN, study_id):
        raise NotAllowed(T("Your role does not include this page."))
    return render_template(
        "sites.html",
        refusal=refusal,
        typed={code: request.form.get("reason", "")},
        rows=sites.listing(g.session, g.actor, study_id),
    )
