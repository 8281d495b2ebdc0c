"""Stock in totals of all arms, kits near their expiry, and what is held back."""

from datetime import timedelta
from functools import partial

from flask import g, render_template, request
from flask.typing import ResponseReturnValue

from ecrf.kernel.access import Right
from ecrf.kernel.errors import Refused
from ecrf.kernel.text import T
from ecrf.web.routes import Pages
from ecrf.web.vault.supply import room
from randomization.supplying import api
from randomization.supplying.api import Cause, Outcome
from visits.windows import civil_date

pages = Pages("vault_stock", __name__)
PAGE = "/vault/<study_id>/stock"
SOON = timedelta(days=60)
EXPIRING = (api.State.IN_DEPOT, api.State.AVAILABLE, api.State.ASSIGNED)


@pages.page(PAGE, needs=Right.SUPPLY_READ)
def show(study_id: str) -> ResponseReturnValue:
    return _page(study_id, None)


@pages.page(PAGE, needs=Right.SUPPLY_READ, methods=("POST",))
def act(study_id: str) -> ResponseReturnValue:
    """Hold kits back, decide about what is held, or call a batch back."""
    do = ACTS.get(room.typed("act"), _unknown)
    then = f"/vault/{study_id}/stock"
    return room.carry_out(partial(do, study_id), partial(_page, study_id), then)


def _put(study_id: str) -> None:
    site, cause = room.enter(study_id).site(room.typed("site")), room.typed("cause")
    if cause not in (Cause.EXCURSION, Cause.DAMAGE, Cause.OTHER):
        raise room.wrong("cause", T("Say why the kits are held back."))
    numbers = room.typed("numbers").split()
    api.put(room.vault(), g.by, study_id, site, Cause(cause), room.typed("text"), numbers)


def _decide(study_id: str) -> None:
    site, outcome = room.enter(study_id).site(room.typed("site")), room.typed("outcome")
    if outcome not in set(Outcome):
        raise room.wrong("outcome", T("Choose what to do."))
    number = room.whole("quarantine", 10**9)
    reason = room.typed("reason")
    api.decide(room.vault(), g.by, study_id, site, number, Outcome(outcome), reason)


def _recall(study_id: str) -> None:
    room.enter(study_id)
    batch = room.typed("batch")[:64]
    api.recall(room.vault(), g.by, study_id, batch, room.typed("recall_text"))


def _expire(study_id: str) -> None:
    found = room.enter(study_id)
    today = civil_date(g.by.at, found.zone)
    api.expire(room.vault(), g.by, study_id, found.site(room.typed("site")), today)


def _unknown(_study_id: str) -> None:
    raise room.wrong("act", T("Choose what to do."))


ACTS = {"put": _put, "decide": _decide, "recall": _recall, "expire": _expire}


def _page(study_id: str, refusal: Refused | None) -> str:
    found = room.enter(study_id)
    today = civil_date(g.by.at, found.zone)
    lines = api.stock(room.vault(), study_id, found.codes)
    return render_template(
        "vault/stock.html", room=found, lines=lines, states=api.STATES, causes=api.CAUSES,
        held=api.quarantined(room.vault(), study_id, found.codes), refusal=refusal,
        sent=request.form, soon=today + SOON, today=today, depot=api.DEPOT,
        expired=sorted({
            line.site for line in lines if line.expiry < today and line.state in EXPIRING
        }),
        batches=sorted({line.batch for line in lines}),
        pharmacist=g.actor.may(Right.KIT_DISPENSE, study_id),
    )  # fmt: skip
