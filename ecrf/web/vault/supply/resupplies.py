"""Resupply: what each site has, what its visits may need, what would be ordered today."""

from functools import partial

from flask import g, render_template, request
from flask.typing import ResponseReturnValue

from ecrf.kernel.access import Right
from ecrf.kernel.errors import Refused
from ecrf.kernel.text import Message, T
from ecrf.web.routes import Pages
from ecrf.web.vault.supply import needs, room
from randomization.supplying import api
from visits.windows import civil_date

pages = Pages("vault_resupply", __name__)
PAGE = "/vault/<study_id>/resupply"
MODES: dict[str, Message] = {
    "none": T("Nothing is ordered by itself; the study says nothing about it."),
    "levels": T("When at most {low} sets are there or coming, up to {high} are filled up."),
    "predictive": T(
        "When the sets that are there or coming are at most what the visits of the next {soon} "
        "days may need and {low} more, sets for the next {later} days and {high} more are "
        "filled up."
    ),
}


@pages.page(PAGE, needs=Right.SUPPLY_MANAGE)
def show(study_id: str) -> ResponseReturnValue:
    return _page(study_id, None)


@pages.page(PAGE, needs=Right.SUPPLY_MANAGE, methods=("POST",))
def order(study_id: str) -> ResponseReturnValue:
    """Order today what the table says; again on the same day, nothing more."""

    def do() -> None:
        found = room.enter(study_id)
        today = civil_date(g.by.at, found.zone)
        plan = needs.plan(g.session, found.study, found.sites, today)
        api.resupply(room.vault(), g.by, plan)

    then = f"/vault/{study_id}/resupply"
    return room.carry_out(do, partial(_page, study_id), then)


def _page(study_id: str, refusal: Refused | None) -> str:
    found = room.enter(study_id)
    rule = found.stocking
    plan = needs.plan(g.session, found.study, found.sites, civil_date(g.by.at, found.zone))
    how = MODES[rule.mode]
    values = {"low": rule.low, "high": rule.high, "soon": rule.trigger_days,
              "later": rule.resupply_days}  # fmt: skip
    return render_template(
        "vault/resupply.html", room=found, refusal=refusal, sent=request.form,
        lines=api.foresee(room.vault(), g.by, plan), rule=rule, today=plan.today,
        how=Message(how.wording, values),
    )  # fmt: skip
