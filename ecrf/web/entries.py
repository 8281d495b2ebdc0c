"""The page of one entry: shown, saved, marked as not done, signed; its history."""

from collections.abc import Mapping, Sequence

from flask import g, jsonify, redirect, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from ecrf.kernel import reauthentication
from ecrf.kernel.access import Right
from ecrf.kernel.errors import Conflict, Problem, Refused, Unacceptable
from ecrf.kernel.text import Message, T
from ecrf.study.model import Form
from ecrf.web import (
    changes,
    conflict,
    drafts,
    files,
    pin,
    sheet,
    sign_in,
    surroundings,
    where,
)
from ecrf.web.routes import Again, Pages
from ecrf.web.spot import FIRST, NUMBERED, Spot
from forms import due, entries, html, queries, signing
from forms.drafts import keeping
from forms.entries import ReasonNeeded
from forms.finding import Finding
from forms.html import EntryForm
from forms.lookup import Found
from forms.plan import Plan, plan
from forms.unblinded import following as unblinded
from visits.lookup import next_at

pages = Pages("entries", __name__)
REASONS: Mapping[str, Message] = {
    "transcription": T("Transcription error"),
    "source": T("New source information"),
    "query": T("Answer to a query"),
    "other": T("Other reason"),
}


@pages.page(FIRST, needs=Right.ENTRY_READ)
def show_first(study_id: str, code: str, key: str, form: str) -> ResponseReturnValue:
    return _page(Spot(study_id, code, key, form, 1))


@pages.page(NUMBERED, needs=Right.ENTRY_READ)
def show(study_id: str, code: str, key: str, form: str, number: int) -> ResponseReturnValue:
    return _page(Spot(study_id, code, key, form, number))


@pages.page(NUMBERED, needs=Right.ENTRY_WRITE, methods=("POST",))
def save(study_id: str, code: str, key: str, form: str, number: int) -> ResponseReturnValue:
    spot = Spot(study_id, code, key, form, number)
    found = spot.find(Right.ENTRY_WRITE, lock=True)
    if "fill" in request.form:
        return _page(spot, sent=filled(found.form, request.form))
    taken = files.take(found)
    sent = taken.sent
    try:
        taken.put(g.session, g.by, found)
        sent = conflict.choose(found, sent)
        typed = html.build(found.study, found.form, found.answers, sent)
        if not typed.validate():
            wrong = typed.problems()
            raise Unacceptable(
                T("Nothing was saved: {n} answer(s) cannot be taken.", n=len(wrong)), wrong
            )
        entries.save(
            g.session, g.by, found, typed.given(), seen_version=typed.seen_version,
            reason=_reason(typed), complete=request.form.get("act") != "draft",
        )  # fmt: skip
        if "kept_draft" in request.form:
            keeping.drop(g.session, g.by, keeping.place(found))
    except Refused as refusal:
        wanted, typed_in = refusal, sent
        raise Again(
            refusal, lambda: _page(spot, sent=typed_in, refusal=wanted),
            taken.rescue(found, refusal),
        ) from None  # fmt: skip
    return redirect(_onward(spot, found), 303)


def _onward(spot: Spot, found: Found) -> str:
    """Return where a save leads: on, to where the person was going, or back to the form."""
    act, going = request.form.get("act"), request.form.get("going", "")
    if act == "next":
        return surroundings.after(spot, found)
    if act == "next participant":
        who = found.participant
        code = next_at(g.session, who.study, who.site, who.number, spot.key)
        return spot._replace(code=code).path if code else where.participants(spot.study_id)
    return sign_in.inside(going) if going else f"{spot.path}?done=1"


@pages.page(f"{NUMBERED}/preview", needs=Right.ENTRY_READ, methods=("POST",), reads=True)
def preview(study_id: str, code: str, key: str, form: str, number: int) -> ResponseReturnValue:
    """Say what the inputs as they stand would do: what applies, is computed, is odd."""
    found = Spot(study_id, code, key, form, number).find(Right.ENTRY_READ)
    typed = html.build(found.study, found.form, found.answers, request.form)
    decided = _plan(found, typed)
    typed.validate()
    parts = sheet.draw(
        found, typed, decided, problems=typed.problems(), findings=_asked(decided)
    )
    drawn = sheet.fields(parts)
    n, asked = sheet.progress(parts)
    return jsonify(
        progress=T("{n} of {all} answered", n=n, all=asked).in_(g.locale),
        applies={f.key: f.applies for f in drawn if f.kind != "note"},
        derived={f.key: f"{f.text} {f.unit}".strip() for f in drawn if f.kind == "derived"},
        was={
            key: T("was: {old}", old=old).in_(g.locale)
            for key, _, old, _ in changes.edits(found, decided)
        },
        canonical={f.key: f.canonical for f in drawn},
        findings={f.key: [s.in_(g.locale) for s in (*f.errors, *f.findings)] for f in drawn},
    )


@pages.page(f"{NUMBERED}/not-done", needs=Right.ENTRY_WRITE, methods=("POST",))
def not_done(study_id: str, code: str, key: str, form: str, number: int) -> ResponseReturnValue:
    spot = Spot(study_id, code, key, form, number)
    found = spot.find(Right.ENTRY_WRITE, lock=True)
    try:
        entries.not_done(g.session, g.by, found, request.form.get("not_done_reason", ""))
    except Refused as refusal:
        wanted = refusal
        raise Again(refusal, lambda: _page(spot, refusal=wanted)) from None
    return redirect(f"{spot.path}?done=1", 303)


@pages.page(f"{NUMBERED}/done-after-all", needs=Right.ENTRY_WRITE, methods=("POST",))
def done_after_all(
    study_id: str, code: str, key: str, form: str, number: int
) -> ResponseReturnValue:
    """Take back that the form was not done; it becomes a draft."""
    spot = Spot(study_id, code, key, form, number)
    found = spot.find(Right.ENTRY_WRITE, lock=True)
    try:
        if found.status != "not done":
            raise Conflict(T("This form is not marked as not done."))
        entries.save(
            g.session, g.by, found, {}, seen_version=found.version,
            reason=request.form.get("again_reason", ""), complete=False,
        )  # fmt: skip
    except Refused as refusal:
        wanted = refusal
        raise Again(refusal, lambda: _page(spot, refusal=wanted)) from None
    return redirect(f"{spot.path}?done=1", 303)


@pages.page(f"{NUMBERED}/sign", needs=Right.ENTRY_SIGN, methods=("POST",))
def sign(study_id: str, code: str, key: str, form: str, number: int) -> ResponseReturnValue:
    spot = Spot(study_id, code, key, form, number)
    found = spot.find(Right.ENTRY_SIGN, lock=True)
    seen = request.form.get("seen_version", "")
    try:
        reauthentication.confirm(
            g.session, g.by, g.present, request.form.get("username", ""),
            request.form.get("password", ""), pin.given(found.study),
        )  # fmt: skip
        signing.sign(
            g.session, g.by, found, zone=found.site.zone,
            seen_version=int(seen) if seen.isdecimal() and len(seen) < 9 else -1,
        )  # fmt: skip
    except Refused as refusal:
        wanted = refusal
        raise Again(refusal, lambda: _page(spot, refusal=wanted)) from None
    return redirect(f"{spot.path}?done=1", 303)


def _page(
    spot: Spot, *, sent: conflict.Sent | None = None, refusal: Refused | None = None
) -> ResponseReturnValue:
    """Draw the entry as it is now, with what was typed in its inputs."""
    found = spot.find(Right.ENTRY_READ)
    if due.twice(found) and refusal is None:
        return redirect(f"{spot.numbered}/double", 303)
    around = drafts.around(found)
    kept = drafts.unsaved(found, around) if sent is None else None
    sent = kept.sent if kept else sent
    laid = None if sent is None else conflict.lay(found, sent)
    typed = laid and html.build(found.study, found.form, found.answers, laid.sent)
    form = typed or html.build(found.study, found.form, found.answers, None)
    decided = _plan(found, typed)
    asked = queries.of_form(g.session, found.visit.id, found.form.id, found.number)
    complete = found.status == "complete" and typed is None
    problems: Sequence[Problem] = refusal.problems if refusal else ()
    parts = sheet.draw(
        found, form, decided, problems=problems, queries=asked,
        findings=decided.findings if complete else _asked(decided),
    )  # fmt: skip
    second = around.second and laid is None and "edit" not in request.args
    return render_template(
        "entry.html", spot=spot, found=found, parts=parts, progress=sheet.progress(parts),
        refusal=refusal, laid=laid, kept=kept, around=around, second=second,
        chosen=laid.sent if laid else {}, was=_was(found, decided, laid),
        edits=changes.edits(found, decided) if typed is not None else (),
        on_form=[query for query in asked if not query.item],
        telling=unblinded.warned(found, decided.answers), draft_every=drafts.EVERY,
        **_why(form, refusal, sent), **surroundings.allowed(found, second=second),
        **surroundings.signed(found),
        **surroundings.words(found), **surroundings.beside(spot, found),
    )  # fmt: skip


def _why(
    form: html.EntryForm, refusal: Refused | None, sent: conflict.Sent | None
) -> dict[str, object]:
    """Return what asks for the reason of a change, with the one that was given."""
    return {
        "needed": isinstance(refusal, ReasonNeeded), "reasons": REASONS,
        "given_code": sent.get("reason_code", "") if sent else "",
        "given_reason": form.reason, "act": request.form.get("act", "complete"),
    }  # fmt: skip


def _was(found: Found, decided: Plan, laid: conflict.Laid | None) -> Mapping[str, str]:
    """Return the stored answers, in words, that what was typed would change."""
    if laid is None:
        return {}
    return {key: old for key, _, old, _ in changes.edits(found, decided)}


def _plan(found: Found, typed: EntryForm | None) -> Plan:
    given = typed.given() if typed else {}
    return plan(found.study, found.form, found.answers, given, found.context)


def _asked(decided: Plan) -> list[Finding]:
    """Return the findings that are shown while a form is being filled in."""
    return [f for f in decided.findings if f.item in decided.answers]


def _reason(typed: EntryForm) -> str | None:
    """Return the reason chosen and written; the choice is kept in English in every language."""
    chosen = REASONS.get(request.form.get("reason_code", ""))
    if chosen is None or chosen is REASONS["other"]:
        return typed.reason
    return f"{chosen.in_('en')}: {typed.reason}".removesuffix(": ")


def filled(form: Form, sent: MultiDict[str, str]) -> MultiDict[str, str]:
    """Return what was sent with the untouched rows of one grid set as its button says."""
    made = MultiDict(sent)
    grid = form.grids.get(sent.get("fill", ""))
    if grid is None:
        raise Conflict(T("This form has no such grid."))
    for row in grid.rows:
        cells = {f"{row.id}.{column}": value for column, value in grid.fill.items()}
        if any(sent.get(key) or sent.get(f"{key}{html.MISSING}") for key in cells):
            continue
        for key in cells.keys() & form.cells.keys():
            made[key] = cells[key]
    return made
