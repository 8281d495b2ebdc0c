"""Amendments: versions and their differences, tried dry, in force and applied site by site."""

import csv
import io
from collections.abc import Mapping
from datetime import date

from flask import g, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from ecrf.kernel import jobs
from ecrf.kernel.access import Right
from ecrf.kernel.errors import NotFound, Problem, Refused, Unacceptable
from ecrf.kernel.text import Message, T, say
from ecrf.study import at_sites
from ecrf.study import versions as definitions
from ecrf.study.diff import diff
from ecrf.web import where
from ecrf.web.routes import Again, Pages
from forms import dates
from forms.amending import applying, counting, listing, trying
from forms.amending.listing import Version
from forms.quality.everyone import Whole

pages = Pages("amendments", __name__)
SHOWN = 300
"""How many lines of a dry run a page lists; the file has all of them."""
COLUMNS = ("participant", "visit", "form", "number", "item", "label", "what", "text")
HAZARDS = ("=", "+", "-", "@", "\t", "\r")
IMPACTS: Mapping[str, Message] = {
    "wording": T("words only"),
    "plan": T("what is due, and when"),
    "answers": T("what answers are worth"),
    "signatures": T("what a signature means"),
}
KINDS: Mapping[str, Message] = {
    "participants": T("participants looked at"),
    "entries": T("forms looked at"),
    "moved": T("forms that would be moved to this version"),
    "kept": T("forms that would stay under their version"),
    "findings": T("new findings"),
    "required": T("required items that are blank"),
    "unfit": T("answers that are not possible any more"),
    "computed": T("computed values that change"),
    "strangers": T("answers without an item"),
    "signatures": T("signatures that would break"),
    "unverified": T("verified items that change"),
}
STATES: Mapping[str, Message] = {
    "waiting": T("waits for a worker"), "running": T("running"), "done": T("done"),
    "failed": T("failed"),
}  # fmt: skip


@pages.page("/<study_id>/amendments", needs=Right.STUDY_APPROVE)
def show(study_id: str) -> ResponseReturnValue:
    return _page(study_id)


@pages.page("/<study_id>/amendments/adopt", needs=Right.STUDY_APPROVE, methods=("POST",))
def adopt(study_id: str) -> ResponseReturnValue:
    """Put a version in force at a site."""
    where.in_force(study_id, Right.STUDY_APPROVE)
    sent = request.form
    try:
        at_sites.adopt(
            g.session, g.by, study_id, sent.get("site", ""), sent.get("version", ""),
            ethics_on=_day("ethics_on", T("Approved by the ethics committee on")),
            effective_on=_day("effective_on", T("In force from")),
            reference=sent.get("reference", ""),
        )  # fmt: skip
    except Refused as refusal:
        wrong = refusal
        raise Again(refusal, lambda: _page(study_id, wrong)) from None
    return redirect(f"/{study_id}/amendments?done=1#sites", 303)


@pages.page("/<study_id>/amendments/apply", needs=Right.STUDY_APPROVE, methods=("POST",))
def apply(study_id: str) -> ResponseReturnValue:
    """Ask for the open forms of a site to be moved."""
    where.in_force(study_id, Right.STUDY_APPROVE)
    sent = request.form
    try:
        applying.ask(g.session, g.by, study_id, sent.get("site", ""), sent.get("version", ""))
    except Refused as refusal:
        wrong = refusal
        raise Again(refusal, lambda: _page(study_id, wrong)) from None
    return redirect(f"/{study_id}/amendments?done=1#jobs", 303)


@pages.page("/<study_id>/amendments/<version>/<site>", needs=Right.STUDY_APPROVE)
def try_dry(study_id: str, version: str, site: str) -> ResponseReturnValue:
    """Show what applying a version would do at a site; nothing changes."""
    study, _ = where.in_force(study_id, Right.STUDY_APPROVE)
    chosen = _version(study_id, version, site)
    found = trying.run(g.session, study_id, site, chosen.fingerprint)
    counts, lines = trying.totals(found, SHOWN)
    return render_template(
        "amendment_try.html", study=study, version=chosen, site=site, kinds=KINDS,
        counts=counts, lines=lines, more=len(lines) == SHOWN, shown=SHOWN,
        path_of=lambda one: where.entry(
            study_id, one.participant, one.visit, one.form, one.number
        ),
    )  # fmt: skip


@pages.page("/<study_id>/amendments/<version>/<site>.csv", needs=Right.STUDY_APPROVE)
def download(study_id: str, version: str, site: str) -> ResponseReturnValue:
    """Hand out everything a dry run found."""
    where.in_force(study_id, Right.STUDY_APPROVE)
    chosen = _version(study_id, version, site)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for found in trying.run(g.session, study_id, site, chosen.fingerprint):
        if not isinstance(found, Whole):
            writer.writerow([_safe(say(getattr(found, name), g.locale)) for name in COLUMNS])
    response = make_response("\ufeff" + text.getvalue())
    response.headers["Content-Type"] = "text/csv; charset=utf-8"
    name = f"{study_id}-{site}-amendment.csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _page(study_id: str, refusal: Refused | None = None) -> str:
    study, _ = where.in_force(study_id, Right.STUDY_APPROVE)
    known = listing.versions(g.session, study_id)
    asked = request.args.get("version", "")
    chosen = next((one for one in known if one.fingerprint == asked), known[0])
    old = listing.before(known, chosen)
    differences = []
    if old is not None:
        was = definitions.model(g.session, old.fingerprint)
        now = definitions.model(g.session, chosen.fingerprint)
        found = diff(was, now)
        differences = list(zip(found, counting.count(g.session, was, now, found), strict=True))
    return render_template(
        "amendments.html", study=study, refusal=refusal, sent=request.form, known=known,
        chosen=chosen, old=old, differences=differences, impacts=IMPACTS, states=STATES,
        sites=listing.sites(g.session, study_id, g.by.at),
        labels={one.fingerprint: one.version for one in known},
        jobs=jobs.listing(g.session, study_id, applying.KIND),
        asked_by=listing.names(g.session),
    )  # fmt: skip


def _version(study_id: str, fingerprint: str, site: str) -> Version:
    known = listing.versions(g.session, study_id)
    chosen = next((one for one in known if one.fingerprint == fingerprint), None)
    codes = {one.code for one in listing.sites(g.session, study_id, g.by.at)}
    if chosen is None or site not in codes:
        raise NotFound(T("There is no such version or site."))
    return chosen


def _day(name: str, label: Message) -> date:
    read = dates.whole(label, request.form.get(name, "").strip())
    if isinstance(read, str):
        return date.fromisoformat(read)
    raise Unacceptable(T("The version was not put in force."), [Problem(name, read)])


def _safe(text: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(HAZARDS) else text
