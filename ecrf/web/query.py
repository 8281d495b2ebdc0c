"""One query beside its item: its thread, its turns, and correcting the value in place."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from flask import g, redirect, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from ecrf.kernel.access import TITLES, Right
from ecrf.kernel.errors import Refused, Unacceptable
from ecrf.kernel.text import Message, T
from ecrf.study.model import Study
from ecrf.web import queries as listed
from ecrf.web import sheet, where
from ecrf.web.routes import Again, Pages
from ecrf.web.sheet import Field
from ecrf.web.spot import Spot
from forms import due, entries, html, ladder, queries, queue
from forms.answers import Given, called
from forms.html import EntryForm
from forms.lookup import Found
from forms.plan import plan
from forms.queries import Asked
from forms.questions import ageing, assigning, places, readymade
from forms.questions.readymade import Said
from visits import refusals

pages = Pages("query", __name__)
ONE = "/<study_id>/queries/<int(max=2147483647):query_id>"
TEXT = "query-text"
"""No item can have this name, so it can stand in one form with items."""

TURNS: Mapping[str, Message] = {
    "open": T("asked"),
    "answer": T("answered"),
    "close": T("closed"),
    "reopen": T("asked again"),
    "cancel": T("cancelled"),
    "assign": T("assigned"),
}


class Turn(NamedTuple):
    """A turn a person may take in a thread: its right, the states it follows, its service."""

    right: Right
    after: tuple[str, ...]
    label: Message
    take: Callable[..., None]


DONE = ("answered", "closed", "cancelled")
ACTS: Mapping[str, Turn] = {
    "answer": Turn(Right.QUERY_ANSWER, queries.LIVE, T("Answer"), queries.answer),
    "close": Turn(Right.QUERY_CLOSE, queries.LIVE, T("Close"), queries.close),
    "reopen": Turn(Right.QUERY_OPEN, DONE, T("Ask again"), queries.reopen),
    "cancel": Turn(Right.QUERY_OPEN, queries.LIVE, T("Take back"), queries.cancel),
}


@pages.page(ONE, needs=Right.QUERY_READ)
def show(study_id: str, query_id: int) -> ResponseReturnValue:
    return _page(study_id, query_id)


@pages.page(f"{ONE}/<any(answer, close, reopen, cancel):act>", needs=Right.QUERY_READ,
            methods=("POST",))  # fmt: skip
def turn(study_id: str, query_id: int, act: str) -> ResponseReturnValue:
    """Take a turn; an answer may bring the corrected value with it."""
    asked = queries.find(g.session, g.actor, study_id, query_id, Right.QUERY_READ, lock=True)
    try:
        said = _said(asked)
        ACTS[act].take(g.session, g.by, asked, said)
        if act == "answer" and "seen_version" in request.form and asked.query.form:
            _correct(asked, said)
    except Refused as refusal:
        wrong = refusal
        raise Again(refusal, lambda: _page(study_id, query_id, wrong)) from None
    return redirect(_back(study_id, query_id), 303)


@pages.page(f"{ONE}/assign", needs=Right.QUERY_READ, methods=("POST",))
def assign(study_id: str, query_id: int) -> ResponseReturnValue:
    asked = queries.find(g.session, g.actor, study_id, query_id, Right.QUERY_READ, lock=True)
    possible = assigning.candidates(g.session, study_id, asked.participant.site, g.by.at)
    try:
        who = assigning.chosen(possible, request.form.get("assignee", ""))
        queries.assign(g.session, g.by, asked, who)
    except Refused as refusal:
        wrong = refusal
        raise Again(refusal, lambda: _page(study_id, query_id, wrong)) from None
    return redirect(_back(study_id, query_id), 303)


def _back(study_id: str, query_id: int) -> str:
    """Return the query's page within the same list."""
    kept = request.query_string.decode("ascii", "ignore")
    return f"/{study_id}/queries/{query_id}?{kept + '&' if kept else ''}done=1"


def _said(asked: Asked) -> Said:
    """Return the words sent, in both languages as far as they are ready-made."""
    study = where.in_force(asked.participant.study, Right.QUERY_READ).study
    code = request.form.get("query-template", "")
    words = {one.value: one.label for one in readymade.answers(study)}
    return readymade.both(request.form.get(TEXT, ""), code, words.get(code))


def _correct(asked: Asked, said: Said) -> None:
    """Save what was corrected beside the query, through the door of every save."""
    found = _spot(asked).find(Right.ENTRY_WRITE, lock=True)
    typed = html.build(found.study, found.form, found.answers, request.form)
    given = _given(found, typed, asked.query.item)
    if found.entry is None and all(one.blank for one in given.values()):
        return
    typed.validate()
    wrong = [problem for problem in typed.problems() if problem.item in given]
    if wrong:
        message = T("Nothing was saved: {n} answer(s) cannot be taken.", n=len(wrong))
        raise Unacceptable(message, wrong)
    reason = f"Query {asked.query.id}: {said.text}"
    if len(reason) > refusals.REASON_LENGTH:
        reason = f"Query {asked.query.id}"
    entries.save(
        g.session, g.by, found, given, seen_version=typed.seen_version, reason=reason,
        complete=found.status == "complete",
    )  # fmt: skip


def _given(found: Found, typed: EntryForm, item: str) -> dict[str, Given]:
    """Return what stands in the inputs that were on the page."""
    form = html.build(found.study, found.form, found.answers, None)
    shown = {drawn.key for drawn in _near(found, form, item) if _editable(drawn)}
    return {key: given for key, given in typed.given().items() if key in shown}


def _editable(drawn: Field) -> bool:
    return drawn.applies and drawn.kind not in ("note", "derived")


def _spot(asked: Asked) -> Spot:
    query, key = asked.query, asked.visit.key if asked.visit else ""
    return Spot(query.study, asked.participant.code, key, query.form, query.number)


def _page(study_id: str, query_id: int, refusal: Refused | None = None) -> ResponseReturnValue:
    asked = queries.find(g.session, g.actor, study_id, query_id, Right.QUERY_READ)
    query, filters = asked.query, listed.filters_sent()
    before, behind = queue.neighbours(
        g.session, g.actor, study_id, filters, query_id,
        before=listed.before(study_id, filters),
    )  # fmt: skip
    found = _spot(asked).find(Right.QUERY_READ) if query.form else None
    study = found.study if found else where.in_force(study_id, Right.QUERY_READ).study
    writes = found is not None and _may_correct(asked, found)
    acts, template = _acts(asked), _template(study)
    zone, may_assign = asked.site.zone, _may_assign(asked)
    return render_template(
        "query.html", asked=asked, found=found, refusal=refusal, study=study, turns=TURNS,
        name=_name(asked, found), path=_path(asked), near=_drawn(found, query.item, writes),
        thread=queries.thread(g.session, query_id), acts=acts, writes=writes,
        editable=_editable, before=before, behind=behind, keep=filters.query_string(),
        text=request.form.get(TEXT, template[1]), template=template[0], zone=zone,
        readymade=readymade.answers(study) if any(a == "answer" for a, _ in acts) else (),
        titles=TITLES, age=ageing.days(query.opened_at, query.closed_at or g.by.at, zone),
        waits=ageing.days(query.answered_at, g.by.at, zone) if query.answered_at else None,
        candidates=assigning.candidates(g.session, study_id, asked.site.code, g.by.at)
        if may_assign else (),
        assigned=f"{query.assigned_role}:{query.assigned_to or ''}",
    )  # fmt: skip


def _template(study: Study) -> tuple[str, str]:
    """Return the ready-made words the person chose: their code, and themselves."""
    code = request.form.get("query-template") or request.args.get("template", "")
    for one in readymade.answers(study):
        if one.value == code:
            return code, one.label.in_(g.locale)
    return "", ""


def _name(asked: Asked, found: Found | None) -> object:
    cell = found.form.cells.get(asked.query.item) if found else None
    return called(cell) if cell else places.NAMES.get(asked.about, asked.query.item)


def _path(asked: Asked) -> str:
    query, key = asked.query, asked.visit.key if asked.visit else ""
    code = asked.participant.code
    return where.asked(query.study, code, key, query.form, query.number, query.item)


def _acts(asked: Asked) -> list[tuple[str, Turn]]:
    """Return the turns this person can take now."""
    if ladder.closed(asked.place, ladder.UNLOCKED, g.by.at) is not None:
        return []
    who = asked.participant
    return [
        (name, act)
        for name, act in ACTS.items()
        if asked.query.status in act.after
        and g.actor.may(act.right, who.study, who.site)
        and (name != "cancel" or asked.query.opened_by == g.actor.id)
    ]


def _may_assign(asked: Asked) -> bool:
    who = asked.participant
    held = any(
        g.actor.may(right, who.study, who.site)
        for right in (Right.QUERY_OPEN, Right.QUERY_ANSWER)
    )
    unlocked = ladder.closed(asked.place, ladder.UNLOCKED, g.by.at) is None
    return held and unlocked and asked.query.status in queries.LIVE


def _may_correct(asked: Asked, found: Found) -> bool:
    who = asked.participant
    both = (Right.ENTRY_WRITE, Right.QUERY_ANSWER)
    return (
        asked.query.status in queries.LIVE
        and all(g.actor.may(right, who.study, who.site) for right in both)
        and ladder.closed(found.place, ladder.OPEN, g.by.at) is None
        and due.not_due(found) is None
    )


def _drawn(found: Found | None, item: str, writes: bool) -> Sequence[Field]:
    """Return the item and its neighbours, as stored or, sent and refused, as typed."""
    if found is None:
        return ()
    sent: MultiDict[str, str] | None = None
    if writes and "seen_version" in request.form:
        sent = request.form
    return _near(found, html.build(found.study, found.form, found.answers, sent), item)


def _near(found: Found, form: EntryForm, item: str) -> list[Field]:
    """Return the item with what stands beside it: its row of the grid, or its section."""
    decided = plan(found.study, found.form, found.answers, {}, found.context)
    for part in sheet.draw(found, form, decided, findings=decided.findings):
        for member in part.members:
            if isinstance(member, sheet.Table):
                for line in member.lines:
                    if any(drawn and drawn.key == item for drawn in line.fields):
                        return [drawn for drawn in line.fields if drawn]
        alone = [member for member in part.members if isinstance(member, Field)]
        if any(drawn.key == item for drawn in alone):
            return alone
    return []
