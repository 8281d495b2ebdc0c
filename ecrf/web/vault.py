"""The vault app: the unblinded pharmacist's pages and the emergency code break.

Everything here looks different from the blinded app, so that nobody mistakes where they are.
"""

from flask import Flask, current_app, g, redirect, render_template, request
from flask.typing import ResponseReturnValue

from ecrf.kernel import accounts
from ecrf.kernel.access import Right
from ecrf.kernel.errors import NotFound, Problem, Refused, Unacceptable
from ecrf.kernel.text import T, Text
from ecrf.study.model import Study, Words
from ecrf.web import vault_forced, where
from ecrf.web.app import make_app
from ecrf.web.routes import Again, Pages
from ecrf.web.services import Services
from ecrf.web.vault_lists import pages as lists
from ecrf.web.vault_oversight import closed, consorting, reads, unblinding
from ecrf.web.vault_supply import (
    batches,
    incidents,
    papers,
    preparing,
    resupplies,
    returns,
    second,
    shipments,
    stock,
)
from ecrf.web.vault_supply.room import EXTENSION, follow, kit_numbers
from randomization import api
from randomization.supplying import api as supplies
from visits import lookup, randomized, supplying
from visits.rows import ParticipantRow
from visits.windows import civil_date

pages = Pages("vault", __name__)
LIST = "/vault/<study_id>/"
VISIT = "/vault/<study_id>/participants/<code>/<key>"
BREAK = "/vault/<study_id>/code-break"


def create(given: Services, vault: api.Vault) -> Flask:
    """Return the vault app; it alone holds the opened vault."""
    app = make_app("ecrf.web", given)
    app.extensions[EXTENSION] = vault
    rooms = (shipments, stock, returns, papers, batches, incidents, resupplies, preparing)
    for some in (pages, *(room.pages for room in rooms), lists.pages, vault_forced.pages):
        app.register_blueprint(some)
    for some in (closed.pages, reads.pages, unblinding.pages, consorting.pages):
        app.register_blueprint(some)
    app.after_request(reads.watch)
    return app


@pages.page(LIST, needs=Right.KIT_DISPENSE)
def waiting(study_id: str) -> ResponseReturnValue:
    """List what is to be handed out at the pharmacist's sites; no arm is opened for it."""
    study = where.in_force(study_id, Right.KIT_DISPENSE).study
    sites = lookup.sites(g.session, g.actor, study_id, Right.KIT_DISPENSE)
    today = civil_date(g.by.at, next((site.zone for site in sites), "UTC"))
    lines = supplying.waiting(g.session, g.actor, study, today)
    return render_template(
        "vault/waiting.html", study=study, sites=sites, today=today, lines=lines,
        label=lambda line: _label(study, line.plan, line.visit),
    )  # fmt: skip


@pages.page(VISIT, needs=Right.TREATMENT_READ)
def show(study_id: str, code: str, key: str) -> ResponseReturnValue:
    return _visit_page(study_id, code, key, None)


@pages.page(VISIT, needs=Right.KIT_DISPENSE, methods=("POST",))
def hand_out(study_id: str, code: str, key: str) -> ResponseReturnValue:
    """Assign kits to the visit, or confirm one that is handed out, by the button pressed."""
    study = where.in_force(study_id, Right.KIT_DISPENSE).study
    try:
        who = _who(study_id, code, Right.KIT_DISPENSE)
        visit = api.Visit(study_id, who.site, who.code, key)
        if request.form.get("act") == "assign":
            _assign(study, who, visit)
        else:
            _dispense(study, who, visit)
        follow(who)
    except Refused as refusal:
        wrong = refusal
        raise Again(refusal, lambda: _visit_page(study_id, code, key, wrong)) from None
    return redirect(f"/vault/{study_id}/participants/{code}/{key}?done=1", 303)


def _assign(study: Study, who: ParticipantRow, visit: api.Visit) -> None:
    plan = _plan(who, visit.visit)
    count = study.supply.dispense.get(plan, 0) if study.supply else 0
    if count == 0 or who.randomized_on is None:
        raise NotFound(T("No kits are handed out at {visit}.", visit=visit.visit))
    until = randomized.covered_until(study, plan, who.randomized_on)
    api.assign_kits(_vault(), g.by, visit, count, until)


def _dispense(study: Study, who: ParticipantRow, visit: api.Visit) -> None:
    """Confirm a kit; one the vault knows as handed out is only caught up with on this side."""
    typed = request.form.get("number", "")
    behind = {kit.number for kit in lookup.kits(g.session, who.id) if kit.status != "dispensed"}
    known = {
        kit.number for kit in kit_numbers(who) if kit.dispensed and kit.visit == visit.visit
    }
    if api.tidy(typed) not in behind & known:
        other = second.person(study, typed)
        api.dispense(_vault(), g.by, visit, typed, other)


def _visit_page(study_id: str, code: str, key: str, refusal: Refused | None) -> str:
    """Show the arm and the kits; that they were looked at is on the vault's books first."""
    study = where.in_force(study_id, Right.TREATMENT_READ).study
    who = _who(study_id, code, Right.TREATMENT_READ)
    plan = _plan(who, key)
    (found,) = api.for_preparation(_vault(), g.by, study_id, who.site, [code])
    kits = [kit for kit in found.kits if kit.visit == key]
    stop = [
        line for line in supplies.incidents(_vault(), study_id, [who.site])
        if (line.participant, line.visit) == (code, key) and line.status != "closed"
    ]  # fmt: skip
    wanted = study.supply.dispense.get(plan, 0) if study.supply else 0
    here = sum(kit.state not in api.GONE for kit in kits)
    return render_template(
        "vault/visit.html", refusal=refusal, sent=request.form, study=study, who=who,
        key=key, label=_label(study, plan, key), found=found, kits=kits,
        arm=_arm(study, found), states=api.STATES, missing=max(0, wanted - here),
        incidents=stop, words=supplies.WORDS,
        second=bool(study.supply and study.supply.second_person),
    )  # fmt: skip


@pages.page("/vault/code-break", needs=Right.CODE_BREAK)
def choose_study() -> ResponseReturnValue:
    """Lead to the study, from the sign-in page."""
    studies = [s for s in sorted(g.actor.studies) if g.actor.may(Right.CODE_BREAK, s)]
    if len(studies) == 1:
        return redirect(f"/vault/{studies[0]}/code-break")
    return render_template("vault/studies.html", studies=studies)


@pages.page(BREAK, needs=Right.CODE_BREAK)
def begin(study_id: str) -> ResponseReturnValue:
    return _step(study_id, 1, None)


@pages.page(BREAK, needs=Right.CODE_BREAK, methods=("POST",))
def go_on(study_id: str) -> ResponseReturnValue:
    """Take one step: who, why, then password and disclosure. What was typed comes along."""
    step = request.form.get("step", "1")
    try:
        where.in_force(study_id, Right.CODE_BREAK)
        who = _who(study_id, request.form.get("code", "").strip().upper(), Right.CODE_BREAK)
        if who.random_number is None:
            raise _wrong("code", T("{code} was not randomized.", code=who.code))
        if step == "1":
            return _step(study_id, 2, None)
        why, reason = _reason()
        if step == "2":
            return _step(study_id, 3, None)
        return _break(study_id, who, why, reason)
    except Refused as refusal:
        wrong, at = refusal, int(step) if step in ("1", "2", "3") else 1
        raise Again(refusal, lambda: _step(study_id, at, wrong)) from None


def _break(study_id: str, who: ParticipantRow, why: api.Why, reason: str) -> str:
    """Check code and password once more, flag the participant, then disclose once."""
    if request.form.get("again", "").strip().upper() != who.code:
        raise _wrong("again", T("The code you typed is not {code}.", code=who.code))
    accounts.confirm(g.session, g.by, request.form.get("password", ""))
    study = where.in_force(study_id, Right.CODE_BREAK).study
    randomized.code_broken(g.session, g.by, who, why)
    found = api.code_break(_vault(), g.by, study_id, who.site, who.code, why, reason)
    return render_template(
        "vault/broken.html", study=study, who=who, found=found, arm=_arm(study, found),
        why=api.REASONS[why], reason=reason,
    )  # fmt: skip


def _reason() -> tuple[api.Why, str]:
    why, reason = request.form.get("why", ""), request.form.get("reason", "").strip()
    if why not in set(api.Why):
        raise _wrong("why", T("Choose a class of reason."))
    if not reason:
        raise _wrong("reason", T("Say why the code is broken."))
    return api.Why(why), reason


def _step(study_id: str, step: int, refusal: Refused | None) -> str:
    study = where.in_force(study_id, Right.CODE_BREAK).study
    return render_template(
        "vault/code_break.html", study=study, step=step, refusal=refusal, sent=request.form,
        reasons=api.REASONS,
    )  # fmt: skip


def _wrong(item: str, message: Text) -> Unacceptable:
    return Unacceptable(message, [Problem(item, message)])


def _who(study_id: str, code: str, right: Right) -> ParticipantRow:
    return lookup.participant(g.session, g.actor, study_id, code, right)


def _plan(who: ParticipantRow, key: str) -> str:
    """Return the plan of one of the participant's visits."""
    for visit in lookup.visits(g.session, who.id):
        if visit.key == key:
            return visit.plan
    raise NotFound(T("Participant {code} has no visit {visit}.", code=who.code, visit=key))


def _arm(study: Study, found: api.Disclosure) -> Text:
    """Return the treatment's name: the one place where an arm becomes text on a page."""
    opened = found.arm.opened()
    label = next((arm.label for arm in study.arms if arm.id == opened), None)
    if label is None:
        return Words(en=opened, zh=opened)
    return Words(en=f"{opened}: {label.en}", zh=f"{opened}：{label.zh}")


def _label(study: Study, plan: str, key: str) -> Words:
    known = study.visit.get(plan)
    return where.visit_label(known.label if known else None, plan, key)


def _vault() -> api.Vault:
    vault: api.Vault = current_app.extensions[EXTENSION]
    return vault
