"""Shipments: the list with the order form, one shipment with its next steps, receiving."""

from functools import partial

from flask import g, render_template, request
from flask.typing import ResponseReturnValue

from ecrf.kernel.access import Right
from ecrf.kernel.errors import Refused
from ecrf.kernel.text import Message, T
from ecrf.web.routes import Pages
from ecrf.web.vault.supply import room
from ecrf.web.vault.supply.room import Room
from randomization.supplying import api
from randomization.supplying.api import Condition, Goods, Stage, Step

pages = Pages("vault_shipments", __name__)
LIST = "/vault/<study_id>/shipments"
ONE = "/vault/<study_id>/shipments/<int:number>"
ACTS = {
    Step.APPROVE: api.approve,
    Step.PICK: api.pick,
    Step.DISPATCH: api.dispatch,
    Step.CLOSE: api.close,
    Step.CANCEL: api.cancel,
}
BUTTONS: dict[Step, Message] = {
    Step.APPROVE: T("Approve"),
    Step.PICK: T("Pick whole sets from the depot"),
    Step.DISPATCH: T("Hand over to the carrier"),
    Step.CLOSE: T("Close"),
    Step.CANCEL: T("Cancel the shipment"),
}


@pages.page(LIST, needs=Right.SUPPLY_READ)
def listing(study_id: str) -> ResponseReturnValue:
    return _list(study_id, None)


@pages.page(LIST, needs=Right.SUPPLY_READ, methods=("POST",))
def order(study_id: str) -> ResponseReturnValue:
    """Ask for whole sets for a site."""

    def do() -> None:
        site = room.enter(study_id).site(room.typed("site"))
        api.order(room.vault(), g.by, study_id, site, room.whole("sets"))

    return room.carry_out(do, partial(_list, study_id), f"/vault/{study_id}/shipments")


@pages.page(ONE, needs=Right.SUPPLY_READ)
def show(study_id: str, number: int) -> ResponseReturnValue:
    return _one(study_id, number, None)


@pages.page(ONE, needs=Right.SUPPLY_READ, methods=("POST",))
def step(study_id: str, number: int) -> ResponseReturnValue:
    """Take the step of the button that was pressed."""

    def do() -> None:
        line, _ = api.shipment(room.vault(), study_id, room.enter(study_id).codes, number)
        _take(room.enter(study_id), api.goods(line, study_id), room.typed("act"))

    then = f"/vault/{study_id}/shipments/{number}"
    return room.carry_out(do, partial(_one, study_id, number), then)


def _take(found: Room, goods: Goods, act: str) -> None:
    if act == Step.SCAN:
        state = room.typed("condition")
        if state not in (Condition.INTACT, Condition.DAMAGED):
            raise room.wrong("condition", T("Say how the kit arrived."))
        api.scan(room.vault(), g.by, goods, room.typed("number"), Condition(state))
    elif act == Step.RECEIVE:
        allowed = (found.stocking.lowest, found.stocking.highest)
        reading = api.Reading(
            room.typed("logger")[:40], room.typed("low")[:8], room.typed("high")[:8], allowed
        )
        if not reading.logger:
            raise room.wrong("logger", T("Write the number on the temperature logger."))
        api.receive(room.vault(), g.by, goods, reading)
    elif act in set(ACTS):
        ACTS[Step(act)](room.vault(), g.by, goods)
    else:
        raise room.wrong("act", T("Choose what to do."))


def _list(study_id: str, refusal: Refused | None) -> str:
    found = room.enter(study_id)
    lines = api.all_shipments(room.vault(), study_id, found.codes)
    return render_template(
        "vault/shipments.html", room=found, lines=lines, stages=api.STAGES, refusal=refusal,
        sent=request.form,
    )  # fmt: skip


def _one(study_id: str, number: int, refusal: Refused | None) -> str:
    found = room.enter(study_id)
    line, kits = api.shipment(room.vault(), study_id, found.codes, number)
    here = Stage(line.stage)
    may_receive = g.actor.may(Right.KIT_DISPENSE, study_id, line.site)
    return render_template(
        "vault/shipment.html", room=found, line=line, kits=kits, refusal=refusal,
        sent=request.form, stage=api.STAGES[here], states=api.STATES,
        conditions=api.CONDITIONS, scanned=sum(bool(kit.condition) for kit in kits),
        steps=[
            (one, BUTTONS[one]) for one in BUTTONS if found.manager and api.after(here, one)
        ],
        receiving=may_receive and here is Stage.DISPATCHED,
    )  # fmt: skip
