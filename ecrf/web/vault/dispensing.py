"""The pharmacist's pages: what is to be handed out, arm and kits of one visit, handing out."""

from flask import current_app, g, redirect, render_template, request
from flask.typing import ResponseReturnValue

from ecrf.kernel.access import Right
from ecrf.kernel.errors import NotFound, Refused
from ecrf.kernel.text import T
from ecrf.study.model import Study, Words
from ecrf.web import where
from ecrf.web.routes import Again, Pages
from ecrf.web.vault import arms
from ecrf.web.vault.supply import second
from ecrf.web.vault.supply.room import EXTENSION, follow, kit_numbers
from randomization import api
from randomization.supplying import api as supplies
from visits import lookup, randomized, supplying
from visits.rows import ParticipantRow
from visits.windows import civil_date

pages = Pages("vault", __name__)
LIST = "/vault/<study_id>/"
VISIT = "/vault/<study_id>/participants/<code>/<key>"


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
        arm=arms.said(study, found), states=api.STATES, missing=max(0, wanted - here),
        incidents=stop, words=supplies.WORDS,
        second=bool(study.supply and study.supply.second_person),
    )  # fmt: skip


def _who(study_id: str, code: str, right: Right) -> ParticipantRow:
    return lookup.participant(g.session, g.actor, study_id, code, right)


def _plan(who: ParticipantRow, key: str) -> str:
    """Return the plan of one of the participant's visits."""
    for visit in lookup.visits(g.session, who.id):
        if visit.key == key:
            return visit.plan
    raise NotFound(T("Participant {code} has no visit {visit}.", code=who.code, visit=key))


def _label(study: Study, plan: str, key: str) -> Words:
    known = study.visit.get(plan)
    return where.visit_label(known.label if known else None, plan, key)


def _vault() -> api.Vault:
    vault: api.Vault = current_app.extensions[EXTENSION]
    return vault
