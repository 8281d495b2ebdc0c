"""Kits brought back, counted; kits lost or damaged, replaced."""

from functools import partial

from flask import g, render_template, request
from flask.typing import ResponseReturnValue

from ecrf.kernel.access import Right
from ecrf.kernel.errors import NotFound, Refused
from ecrf.kernel.text import T
from ecrf.study.model import Supply
from ecrf.web.routes import Pages
from ecrf.web.vault.supply import room
from ecrf.web.vault.supply.room import Room
from randomization.supplying import api
from randomization.supplying.api import Counted, Loss
from visits import lookup, randomized
from visits.windows import civil_date

pages = Pages("vault_returns", __name__)
PAGE = "/vault/<study_id>/returns"
LOW, HIGH = 80, 120
"""Percent of the units due; what was taken outside of them is marked."""


@pages.page(PAGE, needs=Right.KIT_DISPENSE)
def show(study_id: str) -> ResponseReturnValue:
    return _page(study_id, None)


@pages.page(PAGE, needs=Right.KIT_DISPENSE, methods=("POST",))
def act(study_id: str) -> ResponseReturnValue:
    """Take a kit back, replace one, or note days without a dose."""
    do = {"replace": _replace, "hold": _hold}.get(room.typed("act"), _take_back)
    then = f"/vault/{study_id}/returns"
    return room.carry_out(partial(do, study_id), partial(_page, study_id), then)


def _take_back(study_id: str) -> None:
    found = room.enter(study_id)
    counted = Counted(
        room.whole("units"), supply(found).units_per_kit, room.day("on"), room.typed("note")
    )
    site = found.site(room.typed("site"))
    api.take_back(room.vault(), g.by, study_id, site, room.typed("number"), counted)


def _replace(study_id: str) -> None:
    """Replace a kit; the blinded side learns the new number, as it learned the first."""
    found = room.enter(study_id)
    site, number, loss = (
        found.site(room.typed("site")),
        room.typed("number"),
        room.typed("loss"),
    )
    if loss not in set(Loss):
        raise room.wrong("loss", T("Say whether the kit is lost or damaged."))
    code, key = api.whose(room.vault(), study_id, site, number)
    who = lookup.participant(g.session, g.actor, study_id, code, Right.KIT_DISPENSE)
    plan = next((v.plan for v in lookup.visits(g.session, who.id) if v.key == key), None)
    if plan is None or who.randomized_on is None:
        raise NotFound(T("Participant {code} has no visit {visit}.", code=code, visit=key))
    until = randomized.covered_until(found.study, plan, who.randomized_on)
    reason = room.typed("reason")
    api.replace(room.vault(), g.by, study_id, site, number, Loss(loss), reason, until)
    room.follow(who)


def _hold(study_id: str) -> None:
    found = room.enter(study_id)
    site = found.site(room.typed("site"))
    code = room.typed("participant").upper()
    days = (room.day("first"), room.day("last"))
    api.hold(room.vault(), g.by, study_id, site, code, days, room.typed("hold_reason"))


def supply(found: Room) -> Supply:
    if found.study.supply is None:
        raise NotFound(T("This study has no kits."))
    return found.study.supply


def _page(study_id: str, refusal: Refused | None) -> str:
    found = room.enter(study_id)
    kits = supply(found)
    lines = [
        line
        for site in found.sites
        for line in api.accountability(room.vault(), study_id, site.code)
    ]
    held = api.holds(room.vault(), study_id, [site.code for site in found.sites])
    back = [line for line in lines if line.returned_on is not None]
    return render_template(
        "vault/returns.html", room=found, supply=kits, refusal=refusal, sent=request.form,
        back=sorted(back, key=lambda line: str(line.returned_on), reverse=True)[:100],
        taken=api.taken(lines, kits.units_per_kit, kits.units_per_day, held), held=held,
        replaced=[line for line in lines if line.replaced_by], losses=api.LOSSES,
        today=civil_date(g.by.at, found.zone), low=LOW, high=HIGH,
    )  # fmt: skip
