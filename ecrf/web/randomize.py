"""Randomize a participant: what must be true, the vault's answer, the rows of this side.

The vault decides and remembers; this side commits what it asks, then stores what it was told.
When anything fails between the two, asking again gives the same answer, and the sweeper stores
what nobody asks for again.
"""

from dataclasses import dataclass, replace
from datetime import date

from flask import Flask, current_app, g, redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from ecrf.kernel import accounts
from ecrf.kernel.access import TITLES, Right
from ecrf.kernel.db import Database
from ecrf.kernel.errors import Conflict, Problem, Refused, Unacceptable, Unavailable
from ecrf.kernel.ledger import LEDGER, By, participant_chain
from ecrf.kernel.text import T
from ecrf.study import strata
from ecrf.web import stratum, where
from ecrf.web.routes import Again, Pages
from ecrf.web.services import services
from forms import randomizing
from forms.randomizing import Standing
from randomization.asking import Answers, Checked, KitNumber, Receipt, Request, Visit
from visits import lookup, randomized
from visits.allocating import asking, correcting, room
from visits.allocating.asking import Question
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


def randomize_one(database: Database, by: By, client: Client, study_id: str, code: str) -> None:
    """Randomize one participant, in two transactions; nothing happens when they are already.

    First what is asked and signed is committed, so that after a crash it stands that somebody
    waits. Then, with the participant's chain locked, the vault is asked and its answer stored.
    Asked again, everything gives the same answer. Refuses when something is not so; a refusal
    of the vault is written down, too.
    """
    with database.write() as session:
        at = randomizing.find(session, by, study_id, code, lock=True)
        if at.who.random_number is not None:
            return
        question = _question(at)
        at = replace(at, head=asking.ask(session, by, at.who, at.head, question))
    try:
        with database.write() as session:
            now = _unchanged(session, by, at)
            if now.who.random_number is None:
                carry_out(session, by, client, now)
    except Refused as no:
        with database.write() as session:
            head = LEDGER.head(session, participant_chain(study_id, code))
            asking.refused(session, by, at.who, head, question, no.message)
        raise


def carry_out(session: Session, by: By, client: Client, at: Standing) -> Drawn:
    """Ask the vault for the participant whose chain is locked, then store its answer."""
    _question(at)
    drawn = drawn_from(client.randomize(by, requested(by, at)), at.who.zone)
    randomized.store(session, by, at.study, at.who, at.head, at.visit_id, drawn)
    return drawn


def requested(by: By, at: Standing) -> Request:
    """Return what the vault is asked for somebody who stands ready."""
    today = civil_date(by.at, at.who.zone)
    supply = at.study.supply
    most = room.most(at.study, at.who.site, at.stratum)
    return Request(
        study=at.study.id, site=at.who.site, participant=at.who.code,
        stratum=at.stratum or "", visit=at.rule.visit,
        kits=supply.dispense.get(at.rule.visit, 0) if supply else 0,
        usable_until=randomized.covered_until(at.study, at.rule.visit, today),
        most_study=most.study, most_site=most.site, most_stratum=most.stratum,
    )  # fmt: skip


def drawn_from(receipt: Receipt, zone: str) -> Drawn:
    """Return the vault's answer in the words of this side."""
    return Drawn(
        receipt.random_number, receipt.kit_numbers, f"{receipt.text}\n{receipt.signature}",
        civil_date(receipt.at, zone), receipt.forced,
    )  # fmt: skip


def _question(at: Standing) -> Question:
    """Return what is asked and signed; refuse while something is not so."""
    if at.stratum is None or not at.met:
        unmet = [need for need in at.needs if not need.met]
        raise Conflict(
            T("{code} cannot be randomized yet.", code=at.who.code),
            [Problem(need.form or "", T("Not so: {need}", need=need.text)) for need in unmet],
        )
    return Question(at.stratum, at.levels, at.rule.confirm)


def _unchanged(session: Session, by: By, at: Standing) -> Standing:
    """Lock the chain again; look again only when something was written on it meanwhile."""
    chain = participant_chain(at.study.id, at.who.code)
    if LEDGER.head(session, chain) == at.head:
        return at
    return randomizing.find(session, by, at.study.id, at.who.code, lock=True)


@pages.page(PAGE, needs=Right.PARTICIPANT_RANDOMIZE)
def show(study_id: str, code: str) -> ResponseReturnValue:
    return _page(study_id, code, None)


@pages.page(PAGE, needs=Right.PARTICIPANT_RANDOMIZE, methods=("POST",), reads=True)
def randomize(study_id: str, code: str) -> ResponseReturnValue:
    """Sign and ask. The page itself only reads: the transactions are those of the asking."""
    try:
        who = lookup.participant(
            g.session, g.actor, study_id, code, Right.PARTICIPANT_RANDOMIZE
        )
        if who.random_number is None:
            _confirm(code)
            randomize_one(services().database, g.by, _client(), study_id, code)
    except Refused as refusal:
        wrong = refusal
        raise Again(refusal, lambda: _page(study_id, code, wrong)) from None
    return redirect(f"{where.participant(study_id, code)}/randomize?done=1", 303)


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
    at = randomizing.find(g.session, g.by, study_id, code)
    return render_template(
        "randomize.html",
        refusal=refusal,
        sent=request.form,
        at=at,
        who=at.who,
        factors=[(factor.label, _said(at, factor.id)) for factor in at.rule.factors],
        kits=lookup.kits(g.session, at.who.id),
        asked=asking.last(g.session, at.who.id),
        signed=asking.signed(g.session, at.who.id),
        strata=stratum.lines(at, correcting.current(g.session, at.who.id)),
        role=lambda role: TITLES.get(role, role),
        visit=where.visit,
        entry=where.entry,
    )


def _said(at: Standing, factor_id: str) -> object:
    """Return a level as people read it: the label of its code, or the code of the site."""
    value = at.levels.get(factor_id)
    return strata.said(at.study, factor_id, value) if value else "–"
