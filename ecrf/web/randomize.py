"""Randomize a participant: what must be true, the vault's answer, the rows of this side.

The vault decides and remembers; this side stores what it was told. When anything fails between
the two, asking again gives the same answer, so nothing has to be repaired by hand.
"""

from dataclasses import dataclass
from datetime import date

from flask import Flask, current_app, g, redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from ecrf.kernel import accounts
from ecrf.kernel.access import Right
from ecrf.kernel.errors import Conflict, Problem, Refused, Unacceptable, Unavailable
from ecrf.kernel.ledger import By
from ecrf.kernel.text import T
from ecrf.web import where
from ecrf.web.routes import Again, Pages
from forms import randomizing
from forms.randomizing import Standing
from randomization.asking import Answers, Checked, KitNumber, Receipt, Request, Visit
from visits import lookup, randomized
from visits.randomized import Drawn
from visits.windows import civil_date

pages = Pages("randomize", __name__)
PAGE = "/<study_id>/participants/<code>/randomize"
EXTENSION = "ecrf.asks"


@dataclass(frozen=True, slots=True)
class Client:
    """All the blinded side can ask of the vault, wherever it runs; no answer holds an arm."""

    _vault: Answers

    def randomize(self, by: By, asked: Request) -> Receipt:
        return self._vault.randomize(by, asked)

    def assign_kits(
        self, by: By, visit: Visit, count: int, usable_until: date
    ) -> tuple[str, ...]:
        return self._vault.assign_kits(by, visit, count, usable_until)

    def release_kits(self, by: By, visit: Visit) -> tuple[KitNumber, ...]:
        return self._vault.release_kits(by, visit)

    def verify(self, by: By, study: str) -> Checked:
        return self._vault.verify(by, study)


def connect(app: Flask, vault: Answers) -> None:
    """Let the app's pages ask the vault, through a client that shows nothing else of it."""
    app.extensions[EXTENSION] = Client(vault)


def carry_out(session: Session, by: By, client: Client, at: Standing) -> Drawn:
    """Randomize the participant whose chain is locked: ask the vault, then store its answer."""
    if at.stratum is None or not at.met:
        unmet = [need for need in at.needs if not need.met]
        raise Conflict(
            T("{code} cannot be randomized yet.", code=at.who.code),
            [Problem(need.form or "", T("Not so: {need}", need=need.text)) for need in unmet],
        )
    today = civil_date(by.at, at.who.zone)
    supply = at.study.supply
    asked = Request(
        study=at.study.id, site=at.who.site, participant=at.who.code, stratum=at.stratum,
        visit=at.rule.visit, kits=supply.dispense.get(at.rule.visit, 0) if supply else 0,
        usable_until=randomized.covered_until(at.study, at.rule.visit, today),
    )  # fmt: skip
    receipt = client.randomize(by, asked)
    drawn = Drawn(
        receipt.random_number, receipt.kit_numbers, f"{receipt.text}\n{receipt.signature}",
        civil_date(receipt.at, at.who.zone),
    )  # fmt: skip
    randomized.store(session, by, at.study, at.who, at.head, at.visit_id, drawn)
    return drawn


@pages.page(PAGE, needs=Right.PARTICIPANT_RANDOMIZE)
def show(study_id: str, code: str) -> ResponseReturnValue:
    return _page(study_id, code, None)


@pages.page(PAGE, needs=Right.PARTICIPANT_RANDOMIZE, methods=("POST",))
def randomize(study_id: str, code: str) -> ResponseReturnValue:
    done = redirect(f"{where.participant(study_id, code)}/randomize?done=1", 303)
    try:
        at = randomizing.find(g.session, g.actor, study_id, code, lock=True)
        if at.who.random_number is not None:
            return done
        _confirm(code)
        carry_out(g.session, g.by, _client(), at)
    except Refused as refusal:
        wrong = refusal
        raise Again(refusal, lambda: _page(study_id, code, wrong)) from None
    return done


def _confirm(code: str) -> None:
    """Check what was typed again: the participant's code and the person's password."""
    if request.form.get("code", "").strip().upper() != code.upper():
        wrong = T("The code you typed is not {code}.", code=code)
        raise Unacceptable(wrong, [Problem("code", wrong)])
    accounts.confirm(g.session, g.by, request.form.get("password", ""))


def _client() -> Client:
    client: Client | None = current_app.extensions.get(EXTENSION)
    if client is None:
        raise Unavailable(T("Randomization is not set up here."))
    return client


def _page(study_id: str, code: str, refusal: Refused | None) -> str:
    at = randomizing.find(g.session, g.actor, study_id, code)
    return render_template(
        "randomize.html",
        refusal=refusal,
        sent=request.form,
        at=at,
        who=at.who,
        factors=[(factor.label, _said(at, factor.id)) for factor in at.rule.factors],
        kits=lookup.kits(g.session, at.who.id),
        visit=where.visit,
        entry=where.entry,
    )


def _said(at: Standing, factor_id: str) -> object:
    """Return a level as people read it: the label of its code, or the code of the site."""
    value = at.levels.get(factor_id)
    factor = next(factor for factor in at.rule.factors if factor.id == factor_id)
    label = next((code.label for code in factor.levels if code.value == value), None)
    return label or value or "–"
