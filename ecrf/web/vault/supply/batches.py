"""Packaging batches: described, extended, relabelled; kits registered to them; their labels."""

from datetime import date
from functools import partial

from flask import g, render_template, request
from flask.typing import ResponseReturnValue

from ecrf.kernel import accounts
from ecrf.kernel.access import Right
from ecrf.kernel.errors import NotFound, Refused
from ecrf.kernel.text import T
from ecrf.study.model import Arm
from ecrf.web.routes import Pages
from ecrf.web.vault.supply import label, room
from ecrf.web.vault.supply.room import Room
from randomization import api as vault_api
from randomization.supplying import api
from visits.windows import civil_date

pages = Pages("vault_batches", __name__)
PAGE = "/vault/<study_id>/batches"
MOST_KITS = 2000


@pages.page(PAGE, needs=Right.SUPPLY_READ)
def show(study_id: str) -> ResponseReturnValue:
    return _page(study_id, None, ())


@pages.page(PAGE, needs=Right.SUPPLY_READ, methods=("POST",))
def act(study_id: str) -> ResponseReturnValue:
    """Do what the button pressed says; reading the parts of a batch shows them once."""
    if room.typed("act") == "parts":
        return _parts(study_id)
    do = ACTS.get(room.typed("act"), _unknown)
    then = f"/vault/{study_id}/batches"
    show = partial(_page, study_id, parts=())
    return room.carry_out(partial(do, study_id), show, then)


@pages.page("/vault/<study_id>/labels.pdf", needs=Right.SUPPLY_READ)
def labels(study_id: str) -> ResponseReturnValue:
    """Send the labels of a batch's kits at one place, or of one kit; the print is noted."""
    found = room.enter(study_id)
    batch, site = request.args.get("batch", ""), request.args.get("site", "")
    one = vault_api.tidy(request.args.get("kit", ""))
    found.site(site)
    said = found.study.supply.label if found.study.supply else None
    if said is None:
        raise NotFound(T("The study does not say what stands on labels."))
    known = {line.code: line for line in api.standing(room.vault(), study_id, [])}
    kits = [
        line.number
        for line in api.accountability(room.vault(), study_id, site)
        if line.batch == batch and one in ("", line.number)
    ]
    if batch not in known or not kits:
        raise NotFound(T("There are no kits of batch {batch} here.", batch=batch))
    what = f"{batch} {one}".strip()
    api.printed(room.vault(), g.by, study_id, site, "labels", what)
    sheet = label.Sheet(found.study, said, batch, known[batch].expiry)
    drawn = label.draw(sheet, kits, single=bool(one) or "single" in request.args)
    return room.file(drawn, "application/pdf", f"{study_id}-{batch}-{site}-labels.pdf")


def _describe(study_id: str) -> None:
    found = room.enter(study_id)
    parts = [
        api.Part(arm.id, room.typed(f"product-{n}"), room.typed(f"lot-{n}"))
        for n, arm in enumerate(_arms(found), start=1)
    ]
    day = room.day("expiry")
    _require_later(found, day)
    api.describe(room.vault(), g.by, study_id, room.typed("batch"), day, parts)


def _register(study_id: str) -> None:
    found = room.enter(study_id)
    site, code = found.site(room.typed("site")), room.typed("batch")
    known = {line.code: line.expiry for line in api.standing(room.vault(), study_id, [])}
    if code not in known:
        raise room.wrong("batch", T("Describe the batch first."))
    each = room.whole("kits", MOST_KITS)
    rule = found.study.randomization
    contents = {arm: share * each for arm, share in (rule.ratio if rule else {}).items()}
    packing = vault_api.Packing(study_id, site, code, known[code], contents)
    api.stock_kits(room.vault(), g.by, packing)


def _extend(study_id: str) -> None:
    found = room.enter(study_id)
    day = room.day("expiry")
    _require_later(found, day)
    accounts.confirm(g.session, g.by, request.form.get("password", ""))
    api.extend(room.vault(), g.by, study_id, room.typed("batch"), day, room.typed("reason"))


def _relabel(study_id: str) -> None:
    found = room.enter(study_id)
    site, numbers = found.site(room.typed("site")), room.typed("numbers").split()
    api.relabelled(room.vault(), g.by, study_id, site, room.typed("batch"), numbers)


def _unknown(_study_id: str) -> None:
    raise room.wrong("act", T("Choose what to do."))


ACTS = {
    "describe": _describe, "register": _register, "extend": _extend, "relabel": _relabel,
}  # fmt: skip


def _parts(study_id: str) -> ResponseReturnValue:
    room.enter(study_id)
    code = room.typed("batch")
    return _page(study_id, None, api.parts_of(room.vault(), g.by, study_id, code), code)


def _require_later(found: Room, day: date) -> None:
    if day <= civil_date(g.by.at, found.zone):
        raise room.wrong("expiry", T("The expiry lies in the past."))


def _arms(found: Room) -> list[Arm]:
    """Return the arms in the order of their ids, in which a form asks for all of them."""
    return sorted(found.study.arms, key=lambda arm: arm.id)


def _page(
    study_id: str, refusal: Refused | None, parts: tuple[api.Part, ...], opened: str = ""
) -> str:
    found = room.enter(study_id)
    return render_template(
        "vault/batches.html", room=found, refusal=refusal, sent=request.form, parts=parts,
        opened=opened, arms=_arms(found), depot=api.DEPOT,
        lines=api.standing(room.vault(), study_id, found.codes),
        stock=api.stock(room.vault(), study_id, found.codes),
        labelled=bool(found.study.supply and found.study.supply.label),
        pharmacist=g.actor.may(Right.KIT_DISPENSE, study_id),
    )  # fmt: skip
