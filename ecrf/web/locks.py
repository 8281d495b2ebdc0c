"""Freeze and lock: the ladder with its gates, each thing in the way a link; waivers.

Whoever lacks a right sees nothing of what it would let them do.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from flask import g, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from ecrf.kernel import accounts, checkpoints
from ecrf.kernel.access import Right
from ecrf.kernel.config import Environment
from ecrf.kernel.errors import NotFound, Refused
from ecrf.kernel.people import Person, Site
from ecrf.kernel.text import Message, T
from ecrf.study.model import Study, Words
from ecrf.web import placed, unlocks, where
from ecrf.web.routes import Again, Pages
from ecrf.web.services import services
from forms import gates, locking, scope
from forms.closing import covering, requests, waivers
from forms.closing.covering import Kind
from forms.closing.tables import LockRequest, Waiver
from forms.gates import FIRM, Blocker, Gate
from forms.scope import Level, Scope
from forms.tables import Lock
from visits.refusals import require_reason
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
    Gate.VERIFICATION: T("Items not verified as planned"),
    Gate.ADJUDICATION: T("Cases not settled"),
    Gate.ALERT: T("Safety alerts not acknowledged"),
    Gate.REPORT: T("Reports that answers call for"),
    Gate.JOB: T("Jobs waiting or running"),
    Gate.LEDGER: T("Ledger not as written"),
}


class GateLine(NamedTuple):
    """One gate: what it asks, and what stands in it."""

    gate: Gate
    label: Message
    blockers: Sequence[Blocker]
    waived: Sequence[Waiver]


class Rung(NamedTuple):
    """One site of the ladder."""

    code: str
    state: str
    counts: Mapping[str, int]


class Standing(NamedTuple):
    """A freeze or lock that stands."""

    row: Lock
    name: Words
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
    left, passed = waivers.split(g.session, study_id, found)
    state = _state(target)
    asked = requests.pending(g.session, study_id) if target.level is Level.STUDY else None
    return render_template(
        "locks.html",
        study=study,
        target=target,
        refusal=refusal,
        sent=request.form,
        named={key: value for key, value in _named(named).items() if value},
        gates=_lines(left, passed, checked=checked),
        total=len(left),
        name=placed.scope(study, target),
        shown=SHOWN,
        checked=checked,
        firm=FIRM,
        link=lambda blocker: placed.link(study_id, blocker),
        words=lambda blocker: placed.blocker(study, blocker),
        state=state,
        acts=_acts(target, state, asked, ready=not left),
        asked=asked,
        rungs=_rungs(study_id),
        people=_people(target),
        standing=_standing(study_id, study),
        unlocks=unlocks.lines(study_id) if g.actor.may(Right.DATA_LOCK, study_id) else [],
        names=lambda scope: placed.scope(study, scope),
        may_lock=covering.may(g.actor, Kind.LOCK, target),
    )


def _acts(
    target: Scope, state: str, asked: LockRequest | None, *, ready: bool
) -> list[tuple[str, Message]]:
    """Return what this person can do to the scope now, each with its words."""
    found: list[tuple[str, Message]] = []
    freezes = covering.may(g.actor, Kind.FREEZE, target)
    locks = covering.may(g.actor, Kind.LOCK, target)
    if state == "open" and freezes:
        found.append(("freeze", T("Freeze")))
    if state == "frozen" and freezes and _frozen_here(target):
        found.append(("lift", T("Lift the freeze")))
    if state == "locked" or not locks:
        return found
    if target.level is Level.STUDY and asked is None:
        return [*found, ("ask", T("Ask for the lock"))] if ready else found
    if ready and (asked is None or asked.by != g.actor.id):
        found.append(("lock", T("Lock")))
    if asked is not None:
        found.append(("withdraw", T("Withdraw the request to lock")))
    return found


def _frozen_here(target: Scope) -> bool:
    rows = covering.standing(g.session, target.study)
    return any((row.scope, row.target) == (target.level, target.key) for row in rows)


@pages.page("/<study_id>/locks", needs=Right.DATA_FREEZE, methods=("POST",))
def act(study_id: str) -> ResponseReturnValue:
    """Freeze, lock or unlock what the page was about."""
    sent = request.form
    try:
        accounts.confirm(g.session, g.by, sent.get("password", ""))
        target = _scope(study_id, sent, Right.DATA_FREEZE)
        _do(sent.get("act", ""), target, sent.get("reason", ""))
        number = unlocks.ask(target, sent) if sent.get("act") == "unlock" else None
    except Refused as refusal:
        wrong = refusal
        raise Again(refusal, lambda: _page(study_id, sent, wrong)) from None
    if number is not None:
        return redirect(f"/{study_id}/unlocks/{number}?done=1", 303)
    query = "&".join(f"{key}={value}" for key, value in _named(sent).items() if value)
    return redirect(f"/{study_id}/locks?{query}{'&' if query else ''}done=1", 303)


def _do(what: str, target: Scope, reason: str) -> None:
    if what == "freeze":
        locking.freeze(g.session, g.by, target, reason)
    elif what == "lift":
        locking.lift(g.session, g.by, target, reason)
    elif what == "lock":
        desk = checkpoints.desk(services().config)
        locking.lock(g.session, g.by, desk, target, reason, placed.zone(target))
    elif what == "ask":
        desk = checkpoints.desk(services().config)
        locking.ask(g.session, g.by, desk, target, reason, placed.zone(target))
    elif what == "withdraw":
        role = covering.role_for(g.by, Kind.LOCK, target)
        requests.withdraw(g.session, g.by, role, target.study, require_reason(reason))
    elif what == "waive":
        found = gates.open_ends(g.session, target, g.by.at)
        marks = request.form.getlist("mark")
        waivers.waive(g.session, g.by, target, found, marks, reason)
    elif what != "unlock":
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


def _lines(
    found: Sequence[Blocker], passed: Sequence[Waiver], *, checked: bool
) -> list[GateLine]:
    return [
        GateLine(
            gate, label, [b for b in found if b.kind is gate],
            [w for w in passed if w.kind == gate],
        )
        for gate, label in GATES.items()
        if gate is not Gate.LEDGER or checked
    ]  # fmt: skip


@pages.page("/<study_id>/locks/<int:number>/certificate.pdf", needs=Right.DATA_FREEZE)
def certificate(study_id: str, number: int) -> ResponseReturnValue:
    """Print what was locked, by whom, and what was waived, in the language of the page."""
    from reports import certificate as printed  # noqa: PLC0415 (slow to load)

    study = where.in_force(study_id, Right.DATA_FREEZE).study
    held = g.actor.sites(Right.DATA_FREEZE, study_id)
    row = g.session.get(Lock, number)
    if row is None or row.study != study_id or row.manifest is None:
        raise NotFound(T("There is no such lock."))
    covered = scope.stored(g.session, study_id, Level(row.scope), row.target)
    if not (held is None or covered.site in held):
        raise NotFound(T("There is no such lock."))
    training = services().config.environment is Environment.TRAINING
    name = placed.scope(study, covered).in_(g.locale)
    pdf = printed.draw(
        g.session, study, row, name, g.locale, g.actor.name, g.by.at, training=training
    )
    response = make_response(pdf)
    response.headers["Content-Type"] = "application/pdf"
    response.headers["Content-Disposition"] = f"inline; filename=lock-{study_id}-{number}.pdf"
    return response


def _state(target: Scope) -> str:
    """Return how far up the ladder the thing itself is."""
    found = [row.kind for row in covering.standing(g.session, target.study)
             if target.within(Level(row.scope), row.target)]  # fmt: skip
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
    if target.level is not Level.SITE:
        return []
    rows = g.session.execute(
        select(Participant.code, Participant.state)
        .where(target.participants())
        .order_by(Participant.number)
    )
    return [(row.code, row.state) for row in rows]


def _standing(study_id: str, study: Study) -> list[Standing]:
    held = g.actor.sites(Right.DATA_FREEZE, study_id)
    rows = covering.standing(g.session, study_id)
    who = select(Person.id, Person.name).where(Person.id.in_({row.by for row in rows}))
    names = {row.id: row.name for row in g.session.execute(who)}
    found = []
    for row in rows:
        covered = scope.stored(g.session, study_id, Level(row.scope), row.target)
        if held is None or covered.site in held:
            found.append(Standing(row, placed.scope(study, covered), names[row.by]))
    return found
