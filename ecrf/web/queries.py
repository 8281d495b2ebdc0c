"""Queries: the list, one query beside its item, its turns, and asking a new one."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from flask import g, redirect, render_template, request
from flask.typing import ResponseReturnValue

from ecrf.kernel.access import Right
from ecrf.kernel.errors import Refused
from ecrf.kernel.text import Message, T, Text
from ecrf.study.model import Form
from ecrf.web import sheet, where
from ecrf.web.routes import Again, Pages
from ecrf.web.sheet import Field
from ecrf.web.spot import NUMBERED, Spot
from forms import html, ladder, queries, queue
from forms.answers import called
from forms.lookup import Found
from forms.plan import plan
from forms.queries import Asked
from forms.queue import Filters, Line

pages = Pages("queries", __name__)
STATUSES: Mapping[str, Message] = {
    "live": T("Open or answered"),
    "open": T("Open"),
    "answered": T("Answered"),
    "closed": T("Closed"),
    "all": T("All"),
}
ORIGINS: Mapping[str, Message] = {
    "": T("Anybody"),
    "rule": T("A rule"),
    "person": T("A person"),
}
TURNS: Mapping[str, Message] = {
    "open": T("asked"),
    "answer": T("answered"),
    "close": T("closed"),
    "reopen": T("asked again"),
}


class Turn(NamedTuple):
    """A turn a person may take in a thread: its right, the states it follows, its service."""

    right: Right
    after: tuple[str, ...]
    label: Message
    take: Callable[..., None]


ACTS: Mapping[str, Turn] = {
    "answer": Turn(Right.QUERY_ANSWER, ("open", "answered"), T("Answer"), queries.answer),
    "close": Turn(Right.QUERY_CLOSE, ("open", "answered"), T("Close"), queries.close),
    "reopen": Turn(Right.QUERY_OPEN, ("answered", "closed"), T("Ask again"), queries.reopen),
}


@pages.page("/<study_id>/queries", needs=Right.ENTRY_READ)
def listing(study_id: str) -> ResponseReturnValue:
    study = where.in_force(study_id, Right.ENTRY_READ).study
    filters = _filters()
    after = request.args.get("after", "")
    page = queue.listing(
        g.session,
        g.actor,
        study_id,
        filters,
        after=int(after) if after.isdecimal() and len(after) < 10 else 0,
    )
    return render_template(
        "queries.html", study=study, page=page, filters=filters, statuses=STATUSES,
        origins=ORIGINS, keep=filters.query_string(), now=g.by.at,
        name_of=lambda line: _item_name(study.forms.get(line.form), line),
        path_of=lambda line: where.entry(
            study_id, line.participant, line.visit, line.form, line.number
        ),
    )  # fmt: skip


@pages.page("/<study_id>/queries/<int(max=2147483647):query_id>", needs=Right.ENTRY_READ)
def show(study_id: str, query_id: int) -> ResponseReturnValue:
    return _page(study_id, query_id)


@pages.page(
    "/<study_id>/queries/<int(max=2147483647):query_id>/<act>",
    needs=Right.ENTRY_READ,
    methods=("POST",),
)
def turn(study_id: str, query_id: int, act: str) -> ResponseReturnValue:
    wanted = ACTS.get(act)
    asked = queries.find(g.session, g.actor, study_id, query_id, Right.ENTRY_READ, lock=True)
    path = f"/{study_id}/queries/{query_id}"
    if wanted is None:
        return redirect(path, 303)
    try:
        wanted.take(g.session, g.by, asked, request.form.get("text", ""))
    except Refused as refusal:
        wrong = refusal
        raise Again(refusal, lambda: _page(study_id, query_id, wrong)) from None
    return redirect(f"{path}?done=1", 303)


@pages.page(f"{NUMBERED}/ask", needs=Right.QUERY_OPEN)
def ask(study_id: str, code: str, key: str, form: str, number: int) -> ResponseReturnValue:
    return _ask_page(Spot(study_id, code, key, form, number), request.args.get("item", ""))


@pages.page(f"{NUMBERED}/ask", needs=Right.QUERY_OPEN, methods=("POST",))
def ask_sent(study_id: str, code: str, key: str, form: str, number: int) -> ResponseReturnValue:
    spot = Spot(study_id, code, key, form, number)
    found = spot.find(Right.QUERY_OPEN, lock=True)
    item, text = request.form.get("item", ""), request.form.get("text", "")
    try:
        queries.open_(g.session, g.by, found, item, text)
    except Refused as refusal:
        wrong = refusal
        raise Again(refusal, lambda: _ask_page(spot, item, text, wrong)) from None
    return redirect(f"{spot.path}?done=1#{item}", 303)


def _page(study_id: str, query_id: int, refusal: Refused | None = None) -> ResponseReturnValue:
    asked = queries.find(g.session, g.actor, study_id, query_id, Right.ENTRY_READ)
    spot = Spot(
        study_id, asked.participant.code, asked.visit.key, asked.entry.form, asked.entry.number
    )
    found = spot.find(Right.ENTRY_READ)
    filters = _filters()
    before, behind = queue.neighbours(g.session, g.actor, study_id, filters, query_id)
    cell = found.form.cells.get(asked.query.item)
    return render_template(
        "query.html", asked=asked, spot=spot, found=found, refusal=refusal,
        name=called(cell) if cell else asked.query.item, turns=TURNS,
        thread=queries.thread(g.session, query_id), near=_near(found, asked.query.item),
        acts=_acts(asked), before=before, behind=behind, keep=filters.query_string(),
        text=request.form.get("text", ""), zone=found.site.zone,
    )  # fmt: skip


def _acts(asked: Asked) -> list[tuple[str, Turn]]:
    """Return the turns this person can take now."""
    if ladder.closed(asked.place, ladder.UNLOCKED) is not None:
        return []
    who = asked.participant
    return [
        (name, act)
        for name, act in ACTS.items()
        if asked.query.status in act.after and g.actor.may(act.right, who.study, who.site)
    ]


def _near(found: Found, item: str) -> list[Field]:
    """Return the item with what stands beside it: its row of the grid, or its section."""
    form = html.build(found.study, found.form, found.answers, None)
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


def _ask_page(
    spot: Spot, item: str, text: str = "", refusal: Refused | None = None
) -> ResponseReturnValue:
    found = spot.find(Right.QUERY_OPEN)
    names = [(key, called(cell)) for key, cell in found.form.cells.items()]
    return render_template(
        "ask.html", spot=spot, found=found, item=item, text=text, names=names, refusal=refusal
    )


def _filters() -> Filters:
    args = request.args
    return Filters(
        status=args.get("status", "live"),
        site=args.get("site", ""),
        participant=args.get("participant", ""),
        form=args.get("form", ""),
        origin=args.get("origin", ""),
    )


def _item_name(form: Form | None, line: Line) -> Text | str:
    cell = form.cells.get(line.item) if form else None
    return called(cell) if cell else line.item
