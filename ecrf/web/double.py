"""The pages of double entry: one's own copy, the comparison, and what waits."""

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from flask import g, redirect, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from ecrf.kernel.access import Right
from ecrf.kernel.errors import NotFound, Problem, Refused, Unacceptable
from ecrf.kernel.text import T, Text
from ecrf.web import changes, entries, sheet, where
from ecrf.web.conflict import TAKE
from ecrf.web.routes import Again, Pages
from ecrf.web.sheet import Field
from ecrf.web.spot import NUMBERED, Spot
from forms import due, html, ladder
from forms.answers import Given, called
from forms.double import comparing, copies, settling, waiting
from forms.double.comparing import Difference
from forms.double.copies import Pair
from forms.html import EntryForm
from forms.lookup import Found
from forms.plan import plan

pages = Pages("double", __name__)
AT = f"{NUMBERED}/double"
Sent = MultiDict[str, str]


class Line(NamedTuple):
    """One item answered differently: what each said, and the input for another answer."""

    key: str
    name: Text
    first: str
    second: str
    taken: str
    field: Field


@pages.page("/<study_id>/double", needs=Right.ENTRY_READ)
def waits(study_id: str) -> ResponseReturnValue:
    """List the forms that wait for a second entry or for somebody who settles them."""
    study = where.in_force(study_id, Right.ENTRY_READ).study
    return render_template(
        "double_list.html", study=study, me=g.actor.id,
        lines=waiting.listing(g.session, g.actor, study_id),
        forms=[form for form in study.forms.values() if form.double],
        path=lambda line: f"{_spot(study_id, line).numbered}/double",
    )  # fmt: skip


@pages.page(AT, needs=Right.ENTRY_READ)
def show(study_id: str, code: str, key: str, form: str, number: int) -> ResponseReturnValue:
    return _page(Spot(study_id, code, key, form, number))


@pages.page(AT, needs=Right.ENTRY_WRITE, methods=("POST",))
def save(study_id: str, code: str, key: str, form: str, number: int) -> ResponseReturnValue:
    """Save one's own copy, or hand it in."""
    spot = Spot(study_id, code, key, form, number)
    found = spot.find(Right.ENTRY_WRITE, lock=True)
    sent = request.form
    if "fill" in sent:
        return _page(spot, sent=entries.filled(found.form, sent))
    try:
        typed = _typed(found, sent)
        complete = sent.get("act") == "complete"
        copies.save(
            g.session, g.by, found, typed.given(), seen_version=typed.seen_version,
            complete=complete,
        )  # fmt: skip
    except Refused as refusal:
        wrong = refusal
        raise Again(refusal, lambda: _page(spot, sent=sent, refusal=wrong)) from None
    return redirect(f"{spot.numbered}/double?done=1", 303)


@pages.page(f"{AT}/settle", needs=Right.DOUBLE_SETTLE, methods=("POST",))
def settle(study_id: str, code: str, key: str, form: str, number: int) -> ResponseReturnValue:
    """Make the entry of both copies, as chosen."""
    spot = Spot(study_id, code, key, form, number)
    found = spot.find(Right.DOUBLE_SETTLE, lock=True)
    sent = request.form
    try:
        chosen = _chosen(found, copies.pair(g.session, found), sent)
        settling.settle(g.session, g.by, found, chosen, sent.get("reason", ""))
    except Refused as refusal:
        wrong = refusal
        raise Again(refusal, lambda: _page(spot, sent=sent, refusal=wrong)) from None
    return redirect(f"{spot.path}?done=1", 303)


def _page(spot: Spot, *, sent: Sent | None = None, refusal: Refused | None = None) -> str:
    found = spot.find(Right.ENTRY_READ)
    if not found.form.double:
        raise NotFound(T("This form is entered once."))
    pair = copies.pair(g.session, found)
    who = found.participant
    barred = ladder.closed(found.place, ladder.OPEN) or due.not_due(found)
    waits = due.twice(found) and barred is None
    mine = pair.of(g.actor.id)
    writes = g.actor.may(Right.ENTRY_WRITE, who.study, who.site)
    settles = g.actor.may(Right.DOUBLE_SETTLE, who.study, who.site) and mine is None
    enters = waits and writes and not (mine.complete if mine else pair.full)
    problems = refusal.problems if refusal else ()
    return render_template(
        "double.html", spot=spot, found=found, pair=pair, mine=mine, barred=barred,
        refusal=refusal, enters=enters, waits=waits, sent=sent or {},
        settles=settles and waits and pair.complete,
        parts=_own(found, pair, sent, problems) if enters else (),
        lines=_lines(found, pair, sent, problems) if pair.complete else (),
        seen=mine.row.version if mine else 0, zone=found.site.zone,
        said=lambda key: changes.words(found, key, found.answers.get(key)),
    )  # fmt: skip


def _own(
    found: Found, pair: Pair, sent: Sent | None, problems: tuple[Problem, ...]
) -> tuple[sheet.Part, ...]:
    """Draw the person's own copy, with what was typed in its inputs."""
    mine = pair.of(g.actor.id)
    alone = replace(found, entry=None, answers=mine.answers if mine else {})
    form = html.build(found.study, found.form, alone.answers, sent)
    given = form.given() if sent is not None else {}
    decided = plan(found.study, found.form, alone.answers, given, found.context)
    findings = [f for f in decided.findings if f.item in decided.answers]
    return sheet.draw(alone, form, decided, problems=problems, findings=findings)


def _lines(
    found: Found, pair: Pair, sent: Sent | None, problems: tuple[Problem, ...]
) -> list[Line]:
    form = html.build(found.study, found.form, {}, sent if sent is not None else MultiDict())
    decided = plan(found.study, found.form, {}, {}, found.context)
    drawn = {
        f.key: f for f in sheet.fields(sheet.draw(found, form, decided, problems=problems))
    }
    chosen: Mapping[str, str] = sent if sent is not None else {}
    return [_line(found, d, chosen, drawn[d.key]) for d in pair.differences(found)]


def _line(found: Found, d: Difference, chosen: Mapping[str, str], drawn: Field) -> Line:
    name = called(found.form.cells[d.key])
    return Line(
        d.key, name, changes.words(found, d.key, d.first),
        changes.words(found, d.key, d.second), chosen.get(TAKE + d.key, ""),
        replace(drawn, label=name, applies=True, required=False),
    )  # fmt: skip


def _chosen(found: Found, pair: Pair, sent: Sent) -> dict[str, Given]:
    """Return what was chosen for each difference; what was not chosen is left out."""
    if not pair.complete:
        return {}
    typed = html.build(found.study, found.form, {}, sent)
    typed.validate()
    chosen: dict[str, Given] = {}
    wrong: list[Problem] = []
    for d in pair.differences(found):
        taken = sent.get(TAKE + d.key)
        if taken == "first":
            chosen[d.key] = comparing.given(d.first)
        elif taken == "second":
            chosen[d.key] = comparing.given(d.second)
        elif taken == "other":
            chosen[d.key] = typed.given_for(d.key)
            wrong += [problem for problem in typed.problems() if problem.item == d.key]
    if wrong:
        raise _unreadable(wrong)
    return chosen


def _typed(found: Found, sent: Sent) -> EntryForm:
    mine = copies.pair(g.session, found).of(g.actor.id)
    typed = html.build(found.study, found.form, mine.answers if mine else {}, sent)
    if not typed.validate():
        raise _unreadable(typed.problems())
    return typed


def _unreadable(wrong: list[Problem]) -> Unacceptable:
    return Unacceptable(
        T("Nothing was saved: {n} answer(s) cannot be taken.", n=len(wrong)), wrong
    )


def _spot(study_id: str, line: waiting.Waiting) -> Spot:
    return Spot(study_id, line.participant, line.visit, line.form, line.number)
