"""Answers of code breaks that wait for the person they were sent to."""

from flask import current_app, g, render_template, request
from flask.typing import ResponseReturnValue

from ecrf.kernel import accounts
from ecrf.kernel.access import Right
from ecrf.kernel.errors import Refused
from ecrf.web import where
from ecrf.web.routes import Again, Pages
from ecrf.web.vault import arms
from ecrf.web.vault.supply.room import EXTENSION
from randomization.api import Vault
from randomization.breaking import api

pages = Pages("vault_answers", __name__)
PAGE = "/vault/<study_id>/answers"


@pages.page(PAGE, needs=Right.BREAK_RECEIVE)
def listing(study_id: str) -> ResponseReturnValue:
    return _page(study_id, None)


@pages.page(f"{PAGE}/<int(max=999999999):number>", needs=Right.BREAK_RECEIVE, methods=("POST",))
def receive(study_id: str, number: int) -> ResponseReturnValue:
    """Open one answer after the password was typed again; it is shown once."""
    study = where.in_force(study_id, Right.BREAK_RECEIVE).study
    try:
        accounts.confirm(g.session, g.by, request.form.get("password", ""))
        one, found = api.receive(_vault(), g.by, study_id, number)
    except Refused as refusal:
        wrong = refusal
        raise Again(refusal, lambda: _page(study_id, wrong)) from None
    return render_template(
        "vault/answer.html", one=one, found=found, arm=arms.said(study, found),
        why=api.REASONS[api.Why(one.why)],
    )  # fmt: skip


def _page(study_id: str, refusal: Refused | None) -> str:
    where.in_force(study_id, Right.BREAK_RECEIVE)
    found = api.listing(_vault(), g.actor, study_id)
    return render_template(
        "vault/answers.html", refusal=refusal, reasons=api.REASONS,
        waiting=[one for one in found if one.opened_at is None],
        past=[one for one in found if one.opened_at is not None],
    )  # fmt: skip


def _vault() -> Vault:
    vault: Vault = current_app.extensions[EXTENSION]
    return vault
