"""Keeping what is typed before it is saved, and saying who else has the form open.

The page of an entry sends its inputs here while they change, and a sign of life while it is
open. Both only read: the one small statement that keeps them comes after, in a transaction of
its own, so that nobody's save waits for somebody's typing.
"""

from typing import NamedTuple
from zoneinfo import ZoneInfo

from flask import g, jsonify, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from ecrf.kernel.access import Right
from ecrf.kernel.errors import Conflict
from ecrf.web.conflict import TAKE, Sent
from ecrf.web.routes import Pages, leave, unattended
from ecrf.web.spot import NUMBERED, Spot
from forms import due, html, ladder
from forms.drafts import keeping
from forms.drafts.keeping import Around, Mine
from forms.html import EntryForm
from forms.lookup import Found
from forms.plan import plan

pages = Pages("drafts", __name__)
BESIDE = ("seen_version", "base_version", "reason", "reason_code", "clash")
EVERY = 40
"""How often, in seconds, an open form says that it is open."""


class Kept(NamedTuple):
    """What the person typed earlier and did not save, as if it had just been sent."""

    sent: Sent
    mine: Mine


@pages.page(f"{NUMBERED}/draft", needs=Right.ENTRY_WRITE, methods=("POST",), reads=True)
def keep(study_id: str, code: str, key: str, form: str, number: int) -> ResponseReturnValue:
    """Keep what is typed (`do=keep`), say that the form is open, is left, or drop the draft."""
    spot = Spot(study_id, code, key, form, number)
    found = spot.find(Right.ENTRY_WRITE)
    where, by = keeping.place(found), g.by
    do = request.args.get("do", "there")
    made = html.build(found.study, found.form, found.answers, request.form)
    if do == "discard":
        leave(lambda session: keeping.drop(session, by, where))
        return redirect(spot.path, 303)
    if do == "leave":
        unattended()
        leave(lambda session: keeping.leave(session, by, where))
        return jsonify({})
    typed = _typed(made) if do == "keep" else None
    if typed is None:
        unattended()
    _require_due(found)

    def write(session: Session) -> None:
        if do == "open":
            keeping.purge(session, by.at)
        keeping.keep(session, by, where, made.seen_version, typed)

    leave(write)
    others = keeping.around(g.session, by.actor.id, where, by.at).others
    local = by.at.astimezone(ZoneInfo(found.site.zone))
    return jsonify(
        kept=f"{local:%H:%M:%S}" if typed is not None else None,
        others=[other.name for other in others],
    )


def around(found: Found) -> Around:
    """Return the person's draft of the form shown and who else has it open."""
    who = found.participant
    if not g.actor.may(Right.ENTRY_WRITE, who.study, who.site):
        return Around()
    return keeping.around(g.session, g.actor.id, keeping.place(found), g.by.at)


def unsaved(found: Found, around: Around) -> Kept | None:
    """Return the draft if saving it would change or refuse something, else None."""
    mine = around.mine
    if mine is None or not mine.typed:
        return None
    sent = MultiDict(mine.typed)
    typed = html.build(found.study, found.form, found.answers, sent)
    decided = plan(found.study, found.form, found.answers, typed.given(), found.context)
    same = typed.validate() and not decided.edits and not decided.refusals
    return None if same else Kept(sent, mine)


def _typed(made: EntryForm) -> keeping.Typed:
    names = {*made._fields, *BESIDE, *(TAKE + key for key in made.cells)}
    return keeping.known(request.form.items(multi=True), names, html.LONGEST + 1)


def _require_due(found: Found) -> None:
    barred = ladder.closed(found.place, ladder.OPEN, g.by.at) or due.not_due(found)
    if barred is not None:
        raise Conflict(barred)
