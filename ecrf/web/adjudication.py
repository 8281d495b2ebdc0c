"""The committee's own pages: a person's cases, the dossier of one, and the vote on it.

A case that is not given to the person who asks is not found, whatever its state.
"""

from collections.abc import Sequence
from typing import NamedTuple

from flask import g, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from ecrf.kernel import accounts
from ecrf.kernel.access import Right
from ecrf.kernel.config import Environment
from ecrf.kernel.errors import NotFound, Problem, Refused, Unacceptable
from ecrf.kernel.text import T
from ecrf.study.model import Form, Study
from ecrf.web import sheet, where
from ecrf.web.routes import Again, Pages
from ecrf.web.services import services
from forms import answers, html
from forms.adjudicating import assembling, cases, voting
from forms.adjudicating.tables import Dossier, Vote
from forms.adjudicating.voting import Seat
from forms.context import Context
from forms.html import EntryForm
from forms.plan import plan

pages = Pages("adjudication", __name__)
ONE = "/<study_id>/adjudication/<int(max=99999):number>"


class Ballot(NamedTuple):
    """A vote as it is drawn."""

    study: Study
    form: Form
    context: Context = voting.NO_CONTEXT


@pages.page("/<study_id>/adjudication", needs=Right.ADJUDICATION_WRITE)
def mine(study_id: str) -> ResponseReturnValue:
    study = where.in_force(study_id, Right.ADJUDICATION_WRITE).study
    seats = voting.mine(g.session, g.actor, study_id)
    return render_template("adjudication.html", study=study, seats=seats, today=g.by.at.date())


@pages.page(ONE, needs=Right.ADJUDICATION_WRITE)
def show(study_id: str, number: int) -> ResponseReturnValue:
    return _page(study_id, number)


@pages.page(ONE, needs=Right.ADJUDICATION_WRITE, methods=("POST",))
def vote(study_id: str, number: int) -> ResponseReturnValue:
    """Keep the vote as a draft, or sign it with the password typed again."""
    seat = voting.find(g.session, g.actor, study_id, number, lock=True)
    typed = html.build(seat.found.study, seat.found.vote_form, seat.answers, request.form)
    try:
        if not typed.validate():
            wrong = typed.problems()
            message = T("Nothing was saved: {n} answer(s) cannot be taken.", n=len(wrong))
            raise Unacceptable(message, wrong)
        seat = voting.save(
            g.session, g.by, seat, typed.given(), seen_version=typed.seen_version
        )
        if request.form.get("act") == "sign":
            accounts.confirm(g.session, g.by, request.form.get("password", ""))
            voting.sign(g.session, g.by, seat, zone="UTC")
    except Refused as refusal:
        refused = refusal
        raise Again(refusal, lambda: _page(study_id, number, typed, refused)) from None
    return redirect(f"/{study_id}/adjudication/{number}?done=1", 303)


@pages.page(f"{ONE}/dossier.pdf", needs=Right.ADJUDICATION_WRITE)
def printed(study_id: str, number: int) -> ResponseReturnValue:
    """Print the dossier of one's own case."""
    seat = voting.find(g.session, g.actor, study_id, number)
    return send_dossier(seat.found, seat.dossier)


def send_dossier(found: cases.Found, dossier: Dossier) -> ResponseReturnValue:
    """Return a frozen dossier as a PDF in the language of the page."""
    if dossier.content is None or dossier.content_hash is None:
        raise NotFound(T("The dossier is not complete yet."))
    from reports import committee  # noqa: PLC0415 (slow to load, seldom needed)

    content = committee.dossier(
        assembling.read(dossier.content), dossier.content_hash, dossier.version, found.study,
        g.locale, training=services().config.environment is Environment.TRAINING,
    )  # fmt: skip
    response = make_response(content)
    response.headers["Content-Type"] = "application/pdf"
    name = f"{found.case.study}-{found.case.name}-{dossier.version}-{g.locale}.pdf"
    response.headers["Content-Disposition"] = f'inline; filename="{name}"'
    return response


def _page(
    study_id: str, number: int, typed: EntryForm | None = None, refusal: Refused | None = None
) -> ResponseReturnValue:
    seat = voting.find(g.session, g.actor, study_id, number)
    found = seat.found
    form = typed or html.build(found.study, found.vote_form, seat.answers, None)
    decided = voting.planned(seat, typed.given() if typed else {})
    problems: Sequence[Problem] = refusal.problems if refusal else ()
    parts = sheet.draw(Ballot(found.study, found.vote_form), form, decided, problems=problems)
    return render_template(
        "vote.html", found=found, seat=seat, parts=parts, refusal=refusal,
        content=assembling.read(seat.dossier.content or "{}"), others=_others(seat),
        days=cases.days_since(found, g.by.at), today=g.by.at.date(),
    )  # fmt: skip


def _others(seat: Seat) -> list[tuple[sheet.Part, ...]]:
    """Return what was voted, without saying by whom: for the chair alone."""
    if not seat.vote.chair:
        return []
    found = seat.found
    cast = [
        vote
        for vote in cases.votes(g.session, found.case.id, seat.vote.round)
        if not vote.chair and vote.status == "signed"
    ]
    return [ballot(found, vote) for vote in sorted(cast, key=lambda v: str(sorted(v.answers)))]


def ballot(found: cases.Found, vote: Vote) -> tuple[sheet.Part, ...]:
    """Return a vote as it is drawn to be read."""
    said = answers.load(vote.answers)
    form = html.build(found.study, found.vote_form, said, None)
    decided = plan(found.study, found.vote_form, said, {}, voting.NO_CONTEXT)
    return sheet.draw(Ballot(found.study, found.vote_form), form, decided)
