"""Pages of those who look after the data: verify, review, see what is left, set the plan."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from flask import Response, g, redirect, render_template, request
from flask.typing import ResponseReturnValue

from ecrf.kernel.access import Right
from ecrf.kernel.errors import NotFound, Problem, Refused, Unacceptable
from ecrf.kernel.text import T, Text, say
from ecrf.study.reviewing import Extents
from ecrf.web import where, words
from ecrf.web.routes import Again, Pages
from ecrf.web.spot import NUMBERED, Spot
from forms import scope
from forms.answers import called
from forms.review import listing, marks, progress, siteplans, verifying
from forms.review.listing import Filters, Line
from forms.review.marks import Kind
from forms.review.plan import Stand, verifiable
from reports.writers import csv
from visits import lookup

pages = Pages("review", __name__)
CHANGED = Stand.CHANGED
MARKS = ("reviewed", "changed since", "not reviewed")
CHOICES: Mapping[str, tuple[str, ...]] = {
    "verification": ("remaining", *Stand),
    "data": MARKS,
    "medical": MARKS,
    "signature": listing.SIGNATURES,
    "lock": ("open", "frozen", "locked"),
}
"""What each filter can be set to."""

EXTENTS: Mapping[str, Text] = {
    "all": T("all items"),
    "critical": T("critical items"),
    "none": T("no item"),
}
HEAD = (
    "site", "participant", "visit", "form", "number", "status", "version", "verification",
    "to_verify", "verified", "changed_since_verified", "data_review", "medical_review",
    "signature", "lock",
)  # fmt: skip
LEFT = (
    "site", "participant", "visit", "form", "number", "version", "item", "label", "state",
)  # fmt: skip


@pages.page("/<study_id>/review", needs=Right.ENTRY_READ)
def show(study_id: str) -> ResponseReturnValue:
    study = where.in_force(study_id, Right.ENTRY_READ).study
    filters = _filters()
    return render_template(
        "review.html", study=study, filters=filters, choices=CHOICES,
        page=listing.page(g.session, g.actor, study, filters, request.args.get("after", "")),
        sites=lookup.sites(g.session, g.actor, study_id, Right.ENTRY_READ),
        keep=filters.query_string(), path_of=lambda line: _path(study_id, line),
        verifies=g.actor.may(Right.DATA_VERIFY, study_id),
        plans=g.actor.may(Right.VERIFICATION_PLAN, study_id),
    )  # fmt: skip


@pages.page("/<study_id>/review.csv", needs=Right.ENTRY_READ)
def show_csv(study_id: str) -> ResponseReturnValue:
    """Hand out the whole list that fits the filters."""
    study = where.in_force(study_id, Right.ENTRY_READ).study
    found = listing.every(g.session, g.actor, study, _filters())
    return _file("review.csv", HEAD, (_row(line) for line in found))


@pages.page("/<study_id>/review/remaining.csv", needs=Right.DATA_VERIFY)
def remaining(study_id: str) -> ResponseReturnValue:
    """Hand out what is left to verify, item by item, for the report of a visit to the site."""
    study = where.in_force(study_id, Right.DATA_VERIFY).study
    found = listing.every(g.session, g.actor, study, _filters())
    return _file("remaining.csv", LEFT, (_left(each) for each in progress.remaining(found)))


@pages.page("/<study_id>/review/progress", needs=Right.ENTRY_READ)
def show_progress(study_id: str) -> ResponseReturnValue:
    """Show how far one site is: as a whole, by participant and by visit."""
    study = where.in_force(study_id, Right.ENTRY_READ).study
    sites = lookup.sites(g.session, g.actor, study_id, Right.ENTRY_READ)
    codes = [site.code for site in sites]
    asked = request.args.get("site", "")
    site = asked if asked in codes else next(iter(codes), "")
    found = listing.every(g.session, g.actor, study, Filters(site=site))
    return render_template(
        "review_progress.html", study=study, sites=sites, site=site,
        report=progress.report(found),
    )  # fmt: skip


@pages.page("/<study_id>/review/plan", needs=Right.ENTRY_READ)
def show_plan(study_id: str) -> ResponseReturnValue:
    return _plan_page(study_id)


@pages.page("/<study_id>/review/plan", needs=Right.VERIFICATION_PLAN, methods=("POST",))
def change_plan(study_id: str) -> ResponseReturnValue:
    """Let a site have its own plan, or the study's again."""
    study = where.in_force(study_id, Right.VERIFICATION_PLAN).study
    sent = request.form
    place = (sent.get("site", ""), sent.get("form", ""))
    reason = sent.get("reason", "")
    try:
        if sent.get("act") == "drop":
            siteplans.drop(g.session, g.by, study, *place, reason)
        else:
            siteplans.set_(g.session, g.by, study, *place, _extents(sent), reason)
    except Refused as refusal:
        wrong = refusal
        raise Again(refusal, lambda: _plan_page(study_id, wrong)) from None
    return redirect(f"/{study_id}/review/plan?done=1", 303)


@pages.page(f"{NUMBERED}/verify", needs=Right.DATA_VERIFY, methods=("POST",))
def verify(study_id: str, code: str, key: str, form: str, number: int) -> ResponseReturnValue:
    """Verify the items ticked, or all that are left; or take ticked ones back."""
    spot = Spot(study_id, code, key, form, number)
    found = spot.find(Right.DATA_VERIFY, lock=True)
    sent, seen = request.form, _number(request.form.get("seen_version", ""))
    items = sent.getlist("item")
    if sent.get("act") == "unverify":
        verifying.unverify(
            g.session, g.by, found, items, sent.get("reason", ""), seen_version=seen
        )
    else:
        if sent.get("act") == "remaining":
            items = sorted(set(sent.getlist("remaining")) & verifiable(found.form))
        verifying.verify(g.session, g.by, found, items, seen_version=seen)
    return redirect(f"{spot.path}?done=1#review", 303)


@pages.page("/<study_id>/participants/<code>/review", needs=Right.ENTRY_READ, methods=("POST",))
def mark(study_id: str, code: str) -> ResponseReturnValue:
    """Mark a form, a visit or a participant as reviewed, or take the mark off a form."""
    sent = request.form
    named = {name: sent.get(name) or None for name in ("visit", "form")}
    target = scope.find(
        g.session, g.actor, Right.ENTRY_READ, study_id, participant=code, **named,
        number=_number(sent.get("number", "1")),
    )  # fmt: skip
    if sent.get("kind") not in list(Kind):
        raise NotFound(T("There is no such review."))
    kind = Kind(sent["kind"])
    if sent.get("act") == "withdraw":
        marks.withdraw(g.session, g.by, target, kind, sent.get("reason", ""))
    else:
        marks.set_(g.session, g.by, target, kind, sent.get("note", ""))
    return redirect(f"{_of(target)}?done=1", 303)


def _of(target: scope.Scope) -> str:
    place = (target.study, target.participant or "")
    if target.form and target.visit:
        return where.entry(*place, target.visit, target.form, target.number or 1)
    return where.visit(*place, target.visit) if target.visit else where.participant(*place)


def _plan_page(study_id: str, refusal: Refused | None = None) -> str:
    study = where.in_force(study_id, Right.ENTRY_READ).study
    return render_template(
        "review_plan.html", study=study, refusal=refusal, sent=request.form,
        own=siteplans.listing(g.session, study_id),
        sites=lookup.sites(g.session, g.actor, study_id, Right.ENTRY_READ),
        may=g.actor.may(Right.VERIFICATION_PLAN, study_id), extents=EXTENTS,
    )  # fmt: skip


def _extents(sent: Mapping[str, str]) -> Extents:
    share, first = _number(sent.get("sample", "")), _number(sent.get("first", "") or "0")
    known = {name: sent.get(name, "") for name in ("items", "otherwise")}
    if not 0 <= share <= 100 or first < 0 or not set(known.values()) <= set(EXTENTS):
        wrong = T("Give the share as a whole number from 0 to 100.")
        raise Unacceptable(wrong, [Problem("sample", wrong)])
    return Extents.model_validate({**known, "sample": share, "first": first})


def _filters() -> Filters:
    given: dict[str, Any] = {
        name: request.args.get(name, "").strip() for name in Filters.__slots__
    }
    return Filters(**given)


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 9 else -1


def _path(study_id: str, line: Line) -> str:
    return where.entry(study_id, line.code, line.visit, line.form.id, line.number)


def _row(line: Line) -> list[str]:
    tally = line.tally
    return [
        line.site, line.code, line.visit, line.form.id, str(line.number), line.status,
        str(line.version), tally.stand, str(len(tally.due)), str(len(tally.done)),
        str(len(tally.changed)), line.data, line.medical, line.signature, line.lock,
    ]  # fmt: skip


def _left(each: progress.Remaining) -> list[str]:
    line = each.line
    return [
        line.site, line.code, line.visit, line.form.id, str(line.number), str(line.version),
        each.item, say(called(line.form.cells[each.item]), g.locale),
        say(words.sign(CHANGED if each.changed else Stand.OPEN).word, g.locale),
    ]  # fmt: skip


def _file(name: str, head: Iterable[str], rows: Iterator[list[str]]) -> Response:
    """Answer with a CSV file; it is made in full while the transaction lasts."""
    content = "".join(csv.lines([list(head), *rows]))
    response = Response(content, mimetype="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
