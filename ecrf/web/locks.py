"""Freeze and lock: the ladder with its gates, each thing in the way a link."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from flask import g, redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from ecrf.kernel import accounts, checkpoints
from ecrf.kernel.access import Right
from ecrf.kernel.errors import NotFound, Refused
from ecrf.kernel.people import Person, Site
from ecrf.kernel.text import Message, T
from ecrf.web import where
from ecrf.web.routes import Again, Pages
from ecrf.web.services import services
from forms import gates, locking, scope
from forms.gates import Blocker, Gate
from forms.scope import Scope
from forms.tables import Lock
from visits.tables import Participant

pages = Pages("locks", __name__)
SHOWN = 200
"""How many blockers of one gate a page lists; the number of all of them is always said."""
GATES: Mapping[Gate, Message] = {
    Gate.FORM: T("Forms required and not complete"),
    Gate.QUERY: T("Queries open or not closed"),
    Gate.SIGNATURE: T("Signatures missing or broken"),
    Gate.VISIT: T("Visits neither held nor missed"),
    Gate.STATUS: T("Participants still in screening"),
    Gate.RECEIPT: T("Randomizations without a receipt"),
    Gate.ADJUDICATION: T("Cases not settled"),
    Gate.LEDGER: T("Ledger not as written"),
}


class GateLine(NamedTuple):
    """One gate: what it asks, and what stands in it."""

    gate: Gate
    label: Message
    blockers: Sequence[Blocker]


class Rung(NamedTuple):
    """One site of the ladder."""

    code: str
    state: str
    counts: Mapping[str, int]


class Standing(NamedTuple):
    """A freeze or lock that stands."""

    row: Lock
    name: str
    by: str


@pages.page("/<study_id>/locks", needs=Right.DATA_FREEZE)
def show(study_id: str) -> ResponseReturnValue:
    return _page(study_id, request.args, None)


def _page(study_id: str, named: Mapping[str, str], refusal: Refused | None) -> str:
    study = where.in_force(study_id, Right.DATA_FREEZE).study
    target = _scope(study_id, named, Right.DATA_FREEZE)
    found = list(gates.open_ends(g.session, target, g.by.at))
    checked = bool(named.get("ledger"))
    if checked:
        verifier = checkpoints.desk(services().config).signer.verifier
        found += gates.ledger_flaws(g.session, target, verifier)
    standing = _standing(study_id)
    return render_template(
        "locks.html",
        study=study,
        target=target,
        refusal=refusal,
        sent=request.form,
        named={key: value for key, value in _named(named).items() if value},
        gates=_lines(found, checked=checked),
        total=len(found),
        shown=SHOWN,
        checked=checked,
        link=lambda blocker: link(study_id, blocker),
        state=_state(target),
        rungs=_rungs(study_id),
        people=_people(target),
        standing=standing,
        liftable=any(
            (line.row.scope, line.row.target) == (target.level, target.key) for line in standing
        ),
        may_lock=g.actor.may(Right.DATA_LOCK, study_id, target.site),
    )


@pages.page("/<study_id>/locks", needs=Right.DATA_FREEZE, methods=("POST",))
def act(study_id: str) -> ResponseReturnValue:
    """Freeze, lock or unlock what the page was about."""
    sent = request.form
    try:
        accounts.confirm(g.session, g.by, sent.get("password", ""))
        target = _scope(study_id, sent, Right.DATA_FREEZE)
        _do(sent.get("act", ""), target, sent.get("reason", ""))
    except Refused as refusal:
        wrong = refusal
        raise Again(refusal, lambda: _page(study_id, sent, wrong)) from None
    query = "&".join(f"{key}={value}" for key, value in _named(sent).items() if value)
    return redirect(f"/{study_id}/locks?{query}{'&' if query else ''}done=1", 303)


def _do(what: str, target: Scope, reason: str) -> None:
    if what == "freeze":
        locking.freeze(g.session, g.by, target, reason)
    elif what == "unlock":
        locking.unlock(g.session, g.by, target, reason)
    elif what == "lock":
        desk = checkpoints.desk(services().config)
        locking.lock(g.session, g.by, desk, target, reason, _zone(target))
    else:
        raise NotFound(T("There is no such page."))


def _named(sent: Mapping[str, str]) -> dict[str, str | None]:
    names = ("site", "participant", "visit", "form", "number")
    return {name: (sent.get(name) or "").strip() or None for name in names}


def _scope(study_id: str, sent: Mapping[str, str], right: Right) -> Scope:
    named = _named(sent)
    number = named.pop("number") or "1"
    return scope.find(
        g.session, g.actor, right, study_id, **named,
        number=int(number) if number.isdecimal() else 0,
    )  # fmt: skip


def _zone(target: Scope) -> str:
    zone = g.session.scalar(
        select(Site.zone).where(Site.study == target.study, Site.code == target.site)
    )
    return zone or "UTC"


def _lines(found: Sequence[Blocker], *, checked: bool) -> list[GateLine]:
    return [
        GateLine(gate, label, [b for b in found if b.kind is gate])
        for gate, label in GATES.items()
        if gate is not Gate.LEDGER or checked
    ]


def link(study_id: str, blocker: Blocker) -> str | None:
    """Return the page on which a blocker is put right."""
    if blocker.participant is None:
        return None
    if blocker.visit is None:
        return where.participant(study_id, blocker.participant)
    if blocker.form is None:
        return where.visit(study_id, blocker.participant, blocker.visit)
    page = where.entry(
        study_id, blocker.participant, blocker.visit, blocker.form, blocker.number or 1
    )
    return f"{page}#{blocker.item}" if blocker.item else page


def _state(target: Scope) -> str:
    """Return how far up the ladder the thing itself is."""
    found = [row.kind for row in locking.standing(g.session, target.study)
             if target.within(scope.Level(row.scope), row.target)]  # fmt: skip
    if "lock" in found:
        return "locked"
    return "frozen" if found else "open"


def _rungs(study_id: str) -> list[Rung]:
    counts = locking.ladder(g.session, study_id)
    held = g.actor.sites(Right.DATA_FREEZE, study_id)
    rows = g.session.execute(
        select(Site.code, Site.state).where(Site.study == study_id).order_by(Site.code)
    )
    return [
        Rung(row.code, row.state, counts.get(row.code, {}))
        for row in rows
        if held is None or row.code in held
    ]


def _people(target: Scope) -> list[tuple[str, str]]:
    """Return the participants of the site that is shown, with their states."""
    if target.level is not scope.Level.SITE:
        return []
    rows = g.session.execute(
        select(Participant.code, Participant.state)
        .where(target.participants())
        .order_by(Participant.number)
    )
    return [(row.code, row.state) for row in rows]


def _standing(study_id: str) -> list[Standing]:
    held = g.actor.sites(Right.DATA_FREEZE, study_id)
    rows = locking.standing(g.session, study_id)
    who = select(Person.id, Person.name).where(Person.id.in_({row.by for row in rows}))
    names = {row.id: row.name for row in g.session.execute(who)}
    found = []
    for row in rows:
        covered = scope.stored(g.session, study_id, scope.Level(row.scope), row.target)
        if held is None or covered.site in held:
            found.append(Standing(row, covered.name, names[row.by]))
    return found
