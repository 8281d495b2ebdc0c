"""The code break in three steps by somebody who is signed in: who, why, and the disclosure."""

from logging import getLogger

from flask import current_app, g, redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from ecrf.kernel import accounts
from ecrf.kernel.access import RIGHTS, Right, Role
from ecrf.kernel.errors import Refused
from ecrf.kernel.people import GrantRow, Person
from ecrf.kernel.text import T
from ecrf.study import telling
from ecrf.study.model import Study
from ecrf.web import where
from ecrf.web.routes import Again, Pages
from ecrf.web.services import services
from ecrf.web.vault import arms
from ecrf.web.vault.breaking import birth, mirroring, steps
from ecrf.web.vault.supply.room import EXTENSION
from forms.unblinded import events
from randomization.api import Vault
from randomization.breaking import api
from visits import lookup
from visits.rows import ParticipantRow

pages = Pages("vault_break", __name__)
BREAK = "/vault/<study_id>/code-break"
_LOG = getLogger("ecrf.vault")


@pages.page("/vault/code-break", needs=Right.CODE_BREAK)
def choose_study() -> ResponseReturnValue:
    """Lead to the study, from the sign-in page."""
    studies = [s for s in sorted(g.actor.studies) if g.actor.may(Right.CODE_BREAK, s)]
    if len(studies) == 1:
        return redirect(f"/vault/{studies[0]}/code-break")
    return render_template("vault/studies.html", studies=studies)


@pages.page(BREAK, needs=Right.CODE_BREAK)
def begin(study_id: str) -> ResponseReturnValue:
    page = _step(study_id, 1, None)
    _copy_in_passing()
    return page


@pages.page(BREAK, needs=Right.CODE_BREAK, methods=("POST",))
def go_on(study_id: str) -> ResponseReturnValue:
    """Take one step: who, why, then password and disclosure. What was typed comes along."""
    now = steps.step()
    try:
        study = where.in_force(study_id, Right.CODE_BREAK).study
        who = _participant(study)
        if now == 1:
            return _step(study_id, 2, None)
        why, reason, call = _reason(study, who)
        if now == 2:
            return _step(study_id, 3, None)
        return _break(study, who, why, reason, call)
    except Refused as refusal:
        wrong = refusal
        raise Again(refusal, lambda: _step(study_id, now, wrong)) from None


def _participant(study: Study) -> ParticipantRow:
    who = lookup.participant(g.session, g.actor, study.id, steps.code(), Right.CODE_BREAK)
    if who.random_number is None:
        raise steps.wrong("code", T("{code} was not randomized.", code=who.code))
    birth.compare(g.session, study, who)
    return who


def _reason(study: Study, who: ParticipantRow) -> tuple[api.Why, str, api.Call]:
    role = g.actor.role_for(Right.CODE_BREAK, study.id, who.site)
    words = telling.words(study)
    return steps.reason(api.reasons(role), words, sent=_sent_to(study, who.site) is not None)


def _break(study: Study, who: ParticipantRow, why: api.Why, reason: str, call: api.Call) -> str:
    """Check code and password once more, flag the participant, then disclose once.

    The rows of this side and the disclosure carry one reference: if this side fails after the
    disclosure, the worker carries it over, and not twice.
    """
    steps.confirmed(who.code)
    accounts.confirm(g.session, g.by, request.form.get("password", ""))
    to = _sent_to(study, who.site)
    role = g.actor.role_for(Right.CODE_BREAK, study.id, who.site)
    told = events.Told(
        call.ref, events.SAFETY if role is Role.SAFETY_OFFICER else events.EMERGENCY,
        call.way, why, g.by.actor.name, g.by.at, call.contacted, call.telephone, to or "",
    )  # fmt: skip
    events.record(
        g.session, g.by, study, events.Who(who.id, who.study, who.site, who.code, who.zone),
        told, api.REASONS[why],
    )  # fmt: skip
    asked = (_vault(), g.by, study.id, who.site, who.code, why, reason, call)
    found = None
    if to is None:
        found = api.code_break(*asked)
    else:
        api.send_code(*asked, to)
    return render_template(
        "vault/broken.html", apart=False, code=who.code, found=found, why=api.REASONS[why],
        reason=reason, arm=None if found is None else arms.said(study, found), by=g.by,
        sent_to=to, receivers=_receivers(study, to), call=call,
    )  # fmt: skip


def _sent_to(study: Study, site: str) -> Role | None:
    """Return the role the answer is sent to; None when it is shown to who asks."""
    rule = study.code_break
    if rule.answer == "shown" or g.actor.may(Right.BREAK_RECEIVE, study.id, site):
        return None
    return Role(rule.to)


def _receivers(study: Study, role: Role | None) -> list[str]:
    if role is None:
        return []
    return list(
        g.session.scalars(
            select(Person.name)
            .join(GrantRow, GrantRow.person_id == Person.id)
            .where(
                GrantRow.study == study.id, GrantRow.role == role, Person.active,
                GrantRow.ends_at.is_(None) | (GrantRow.ends_at > g.by.at),
            )
            .order_by(Person.name)
        )
    )  # fmt: skip


def _step(study_id: str, step: int, refusal: Refused | None) -> str:
    study = where.in_force(study_id, Right.CODE_BREAK).study
    role = g.actor.role_for(Right.CODE_BREAK, study_id)
    sent = study.code_break.answer == "sent" and role is not None
    receives = role is not None and Right.BREAK_RECEIVE in RIGHTS[role]
    return render_template(
        "vault/code_break.html", apart=False, study=study, step=step, refusal=refusal,
        action=f"/vault/{study_id}/code-break", sent=request.form, reasons=api.reasons(role),
        ref=steps.reference(services().draw), ask_birth=study.code_break.birth is not None,
        sent_to=study.code_break.to if sent and not receives else None,
        safety=role is Role.SAFETY_OFFICER,
    )  # fmt: skip


def _copy_in_passing() -> None:
    """Renew the vault's own copy while somebody looks; that it fails must not stop them."""
    try:
        mirroring.mirror(services().database, _vault(), g.by)
    except DBAPIError as failure:
        _LOG.error("the vault's copy was not renewed: %s", type(failure).__name__)


def _vault() -> Vault:
    vault: Vault = current_app.extensions[EXTENSION]
    return vault
