"""The unblinded preparer's pages: one participant, one dose, on its day, after the password."""

from functools import partial

from flask import g, render_template, request
from flask.typing import ResponseReturnValue

from ecrf.kernel import accounts
from ecrf.kernel.access import Right
from ecrf.kernel.errors import Refused
from ecrf.study.model import Study, Words
from ecrf.web import where
from ecrf.web.routes import Again, Pages
from ecrf.web.vault import arms
from ecrf.web.vault.supply import room
from randomization import api
from visits import dosing, lookup
from visits.dosing import Dose

pages = Pages("vault_preparing", __name__)
LIST = "/vault/<study_id>/preparations"
ONE = "/vault/<study_id>/preparations/<code>/<key>"


@pages.page(LIST, needs=Right.PREPARATION_READ)
def listing(study_id: str) -> ResponseReturnValue:
    """List the doses that may be prepared now; nothing is opened for it."""
    study = where.in_force(study_id, Right.PREPARATION_READ).study
    doses = _due(study)
    return render_template("vault/preparations.html", study=study, doses=doses, label=_label)


@pages.page(ONE, needs=Right.PREPARATION_READ)
def ask(study_id: str, code: str, key: str) -> ResponseReturnValue:
    """Ask for the password."""
    return _ask(study_id, code, key, None)


@pages.page(ONE, needs=Right.PREPARATION_READ, methods=("POST",), reads=True)
def show(study_id: str, code: str, key: str) -> ResponseReturnValue:
    """Show the arm and the kits of this dose; that they were is on the books before."""
    try:
        study = where.in_force(study_id, Right.PREPARATION_READ).study
        dose = dosing.one(_due(study), code, key)
        accounts.confirm(g.session, g.by, request.form.get("password", ""))
        found = api.for_dose(room.vault(), g.by, study_id, dose.site, dose.code, dose.visit)
    except Refused as refusal:
        again = partial(_ask, study_id, code, key, refusal)
        raise Again(refusal, again) from None
    return render_template(
        "vault/preparation.html", study=study, dose=dose, label=_label(study, dose),
        found=found, arm=arms.said(study, found), states=api.STATES, refusal=None,
    )  # fmt: skip


def _ask(study_id: str, code: str, key: str, refusal: Refused | None) -> str:
    study = where.in_force(study_id, Right.PREPARATION_READ).study
    dose = dosing.one(_due(study), code, key)
    return render_template(
        "vault/preparation.html", study=study, dose=dose, label=_label(study, dose),
        found=None, refusal=refusal,
    )  # fmt: skip


def _due(study: Study) -> tuple[Dose, ...]:
    sites = lookup.sites(g.session, g.actor, study.id, Right.PREPARATION_READ)
    return dosing.due(g.session, g.actor, study, sites, g.by.at)


def _label(study: Study, dose: Dose) -> Words:
    plan = study.visit.get(dose.plan)
    return where.visit_label(plan.label if plan else None, dose.plan, dose.visit)
