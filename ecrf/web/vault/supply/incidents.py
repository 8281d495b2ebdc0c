"""Incidents: a wrong kit was scanned. Explained by the pharmacy, closed by the manager."""

from functools import partial

from flask import g, render_template, request
from flask.typing import ResponseReturnValue

from ecrf.kernel.access import Right
from ecrf.kernel.errors import Refused
from ecrf.kernel.text import T
from ecrf.web.routes import Pages
from ecrf.web.vault.supply import room
from randomization.supplying import api
from randomization.supplying.api import Word

pages = Pages("vault_incidents", __name__)
PAGE = "/vault/<study_id>/incidents"


@pages.page(PAGE, needs=Right.SUPPLY_READ)
def show(study_id: str) -> ResponseReturnValue:
    return _page(study_id, None)


@pages.page(PAGE, needs=Right.SUPPLY_READ, methods=("POST",))
def act(study_id: str) -> ResponseReturnValue:
    """Explain an incident or close it, by the button pressed."""
    then = f"/vault/{study_id}/incidents"
    return room.carry_out(partial(_say, study_id), partial(_page, study_id), then)


def _say(study_id: str) -> None:
    site, word = room.enter(study_id).site(room.typed("site")), room.typed("act")
    if word not in set(Word):
        raise room.wrong("act", T("Choose what to do."))
    number = room.whole("incident", 10**9)
    text = room.typed("text")
    api.say_of_incident(room.vault(), g.by, study_id, site, number, Word(word), text)


def _page(study_id: str, refusal: Refused | None) -> str:
    found = room.enter(study_id)
    return render_template(
        "vault/incidents.html", room=found, refusal=refusal, sent=request.form,
        lines=api.incidents(room.vault(), study_id, found.codes), words=api.WORDS,
        pharmacist=g.actor.may(Right.KIT_DISPENSE, study_id),
    )  # fmt: skip
