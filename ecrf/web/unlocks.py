"""Unlocking for a while: what is asked for, decided, unlocked; what was changed meanwhile."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from flask import g, redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from ecrf.kernel import accounts, checkpoints
from ecrf.kernel.access import Right
from ecrf.kernel.errors import NotFound, Refused
from ecrf.kernel.people import Person
from ecrf.kernel.text import T
from ecrf.web import placed, where
from ecrf.web.acts import ACTIONS
from ecrf.web.routes import Again, Pages
from ecrf.web.services import services
from forms.closing import covering
from forms.closing.covering import Kind
from forms.scope import Level, Scope, stored
from forms.unlocking import changes, turns
from forms.unlocking.tables import Unlock
from visits.refusals import unacceptable

pages = Pages("unlocks", __name__)
SHOWN = 500


class Line(NamedTuple):
    """An unlock as it is listed; `state` says whether its end has come."""

    row: Unlock
    scope: Scope
    state: str
    asked_by: str
    decided_by: str


def lines(study_id: str) -> list[Line]:
    """Return the unlocks of the study at the person's sites, the newest first."""
    held = g.actor.sites(Right.DATA_LOCK, study_id)
    rows = turns.listing(g.session, study_id)
    names = _names(rows)
    found = []
    for row in rows:
        scope = stored(g.session, study_id, Level(row.scope), row.target)
        if held is None or scope.site in held:
            found.append(_line(row, scope, names))
    return found


def _line(row: Unlock, scope: Scope, names: Mapping[int | None, str]) -> Line:
    ended = row.status == "approved" and row.until <= g.by.at
    state = "unlock ended" if ended else f"unlock {row.status}"
    return Line(row, scope, state, names[row.asked_by], names.get(row.decided_by, ""))


def _names(rows: Sequence[Unlock]) -> dict[int | None, str]:
    ids = {one for row in rows for one in (row.asked_by, row.decided_by) if one is not None}
    people = select(Person.id, Person.name).where(Person.id.in_(sorted(ids)))
    return {row.id: row.name for row in g.session.execute(people)}


@pages.page("/<study_id>/unlocks/<int:number>", needs=Right.DATA_LOCK)
def show(study_id: str, number: int) -> ResponseReturnValue:
    return _page(study_id, number, None)


def _page(study_id: str, number: int, refusal: Refused | None) -> str:
    study = where.in_force(study_id, Right.DATA_LOCK).study
    row, target = turns.find(g.session, g.actor, study_id, number)
    deeds = changes.of(g.session, row, target)
    return render_template(
        "unlock.html",
        line=_line(row, target, _names([row])),
        target=target,
        name=placed.scope(study, target),
        deeds=deeds[:SHOWN],
        more=max(len(deeds) - SHOWN, 0),
        digest=row.summary or changes.digest(deeds),
        actions=ACTIONS,
        place=lambda deed: placed.deed(study, deed.refs),
        said=_said,
        item=lambda deed, edit: placed.item(study, deed.refs, edit.item),
        refusal=refusal,
        link=lambda blocker: placed.link(study_id, blocker),
        words=lambda blocker: placed.blocker(study, blocker),
        sent=request.form,
        mine=row.asked_by == g.actor.id,
        may=covering.may(g.actor, Kind.LOCK, target),
    )


def _said(stored_answer: object) -> str:
    """Return an answer as it was given: with its unit, or why it is missing."""
    if not isinstance(stored_answer, dict):
        return str(stored_answer) if stored_answer is not None else "–"
    given = f"{stored_answer.get('text', '')} {stored_answer.get('unit', '')}".strip()
    return stored_answer.get("missing") or given or "–"


@pages.page("/<study_id>/unlocks/<int:number>", needs=Right.DATA_LOCK, methods=("POST",))
def act(study_id: str, number: int) -> ResponseReturnValue:
    """Approve or refuse a request, or lock again what was unlocked."""
    sent = request.form
    try:
        accounts.confirm(g.session, g.by, sent.get("password", ""))
        row, target = turns.find(g.session, g.actor, study_id, number)
        _do(sent.get("act", ""), row, target, sent.get("reason", ""))
    except Refused as refusal:
        wrong = refusal
        raise Again(refusal, lambda: _page(study_id, number, wrong)) from None
    return redirect(f"/{study_id}/unlocks/{number}?done=1", 303)


def _do(what: str, row: Unlock, target: Scope, reason: str) -> None:
    if what == "approve":
        turns.approve(g.session, g.by, target, row)
    elif what == "refuse":
        turns.refuse(g.session, g.by, target, row, reason)
    elif what == "relock":
        desk = checkpoints.desk(services().config)
        zone = placed.zone(target)
        turns.close(g.session, g.by, desk, target, row, reason, zone)
    else:
        raise NotFound(T("There is no such page."))


def ask(target: Scope, sent: Mapping[str, str]) -> int:
    """Ask for the unlock a form describes: its end is in the time of the site."""
    until = _moment(sent.get("until", ""), placed.zone(target))
    items = [part for part in sent.get("items", "").replace(",", " ").split() if part]
    return turns.ask(g.session, g.by, target, sent.get("reason", ""), until, items)


def _moment(given: str, zone: str) -> datetime:
    try:
        local = datetime.fromisoformat(given.strip())
    except ValueError:
        wrong = T("Give the end as date and time, such as 2026-03-05 18:00.")
        raise unacceptable(turns.UNTIL, wrong) from None
    return local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
