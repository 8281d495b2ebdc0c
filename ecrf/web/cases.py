"""The data manager's pages of cases: the list, one case, and each step it can take."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from flask import g, redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from ecrf.kernel.access import Right
from ecrf.kernel.errors import NotFound, Refused
from ecrf.kernel.people import Person
from ecrf.kernel.text import T
from ecrf.web import adjudication, where
from ecrf.web.routes import Again, Pages
from forms.adjudicating import asking, assembling, cases, seats, states
from forms.adjudicating.cases import Found
from forms.adjudicating.redaction import Decided, Do
from forms.adjudicating.states import State
from reports import courses
from reports.endpoints import Binary, Course, Time, binary, by_committee, by_site, time
from reports.read import Selection

pages = Pages("cases", __name__)


class Line(NamedTuple):
    """The endpoint of one participant as it is shown."""

    course: Course
    site: Binary
    confirmed: Binary
    first: Time

    @classmethod
    def of(cls, course: Course) -> "Line":
        said, _ = by_site(course)
        dates, waits = by_committee(course)
        return cls(
            course, binary(course, said), binary(course, dates, waits),
            time(course, dates),
        )  # fmt: skip


ONE = "/<study_id>/cases/<int(max=99999):number>"
Step = Callable[[Found], object]


@pages.page("/<study_id>/cases", needs=Right.ADJUDICATION_MANAGE)
def listing(study_id: str) -> ResponseReturnValue:
    study = where.in_force(study_id, Right.ADJUDICATION_MANAGE).study
    found = cases.listing(g.session, g.actor, study_id)
    return render_template(
        "cases.html", study=study, cases=found, names=states.NAMES, now=g.by.at,
        changed=assembling.changed_cases(g.session, found), settled=states.SETTLED,
        days=cases.days_since, package_due=cases.package_due,
    )  # fmt: skip


@pages.page("/<study_id>/endpoints", needs=Right.DATA_EXPORT)
def endpoints(study_id: str) -> ResponseReturnValue:
    """Show the endpoint of every participant, all treatments together."""
    study = where.in_force(study_id, Right.DATA_EXPORT).study
    if study.adjudication is None:
        raise NotFound(T("This study has no events that are judged."))
    sites = g.actor.sites(Right.DATA_EXPORT, study_id)
    found = courses.courses(
        g.session, Selection(study_id, sites, g.by.at), study, study.adjudication
    )
    return render_template(
        "endpoints.html", study=study, lines=[Line.of(course) for course in found]
    )


@pages.page(ONE, needs=Right.ADJUDICATION_MANAGE)
def show(study_id: str, number: int) -> ResponseReturnValue:
    return _page(study_id, number)


@pages.page(f"{ONE}/<step>", needs=Right.ADJUDICATION_MANAGE, methods=("POST",))
def take(study_id: str, number: int, step: str) -> ResponseReturnValue:
    """Take one step with a case."""
    known = _STEPS.get(step)
    if known is None:
        raise NotFound(T("There is no such page."))
    try:
        known(study_id, number)
    except Refused as refusal:
        refused = refusal
        raise Again(refusal, lambda: _page(study_id, number, refused)) from None
    return redirect(f"/{study_id}/cases/{number}?done=1", 303)


@pages.page(f"{ONE}/dossier.pdf", needs=Right.ADJUDICATION_MANAGE)
def printed(study_id: str, number: int) -> ResponseReturnValue:
    found = cases.find(g.session, g.actor, study_id, number)
    newest = next(iter(cases.dossiers(g.session, found.case.id)), None)
    if newest is None:
        raise NotFound(T("There is no dossier yet."))
    return adjudication.send_dossier(found, newest)


def _page(study_id: str, number: int, refusal: Refused | None = None) -> ResponseReturnValue:
    found = cases.find(g.session, g.actor, study_id, number)
    dossiers = cases.dossiers(g.session, found.case.id)
    newest = dossiers[0] if dossiers else None
    votes = cases.votes(g.session, found.case.id)
    final = found.state is State.FINAL
    return render_template(
        "case.html", found=found, dossiers=dossiers, newest=newest, refusal=refusal,
        votes=votes, people=_names({vote.person_id for vote in votes}),
        names=states.NAMES, may=states.MOVES[found.state], State=State, now=g.by.at,
        changed=assembling.changed(g.session, found),
        texts=assembling.free_texts(g.session, found, newest.raw) if newest else [],
        content=assembling.read(newest.content or newest.raw) if newest else None,
        adjudicators=seats.members(g.session, study_id, Right.ADJUDICATION_WRITE, g.by.at),
        next_=seats.in_turn(g.session, found, g.by.at),
        chairs=seats.members(g.session, study_id, Right.ADJUDICATION_CHAIR, g.by.at),
        ballots={v.id: adjudication.ballot(found, v) for v in votes if v.signed_at}
        if final else {},
        questions=asking.questions(g.session, found), sent=request.form, Do=Do,
        event=where.entry(
            study_id, found.participant.code, found.visit.key, found.entry.form,
            found.entry.number,
        ),
        days=cases.days_since(found, g.by.at),
    )  # fmt: skip


def _names(people: set[int]) -> Mapping[int, str]:
    rows = g.session.execute(select(Person.id, Person.name).where(Person.id.in_(people)))
    return {row.id: row.name for row in rows}


def _locked(study_id: str, number: int) -> Found:
    return cases.find(g.session, g.actor, study_id, number, lock=True)


def _assemble(study_id: str, number: int) -> None:
    assembling.assemble(g.session, g.by, _locked(study_id, number))


def _complete(study_id: str, number: int) -> None:
    assembling.complete(g.session, g.by, _locked(study_id, number), _decisions())


def _assign(study_id: str, number: int) -> None:
    seats.assign(g.session, g.by, _locked(study_id, number), _people())


def _chair(study_id: str, number: int) -> None:
    people = _people()
    seats.give_to_chair(g.session, g.by, _locked(study_id, number), people[0] if people else 0)


def _reopen(study_id: str, number: int) -> None:
    reason = request.form.get("reason", "")
    assembling.reopen(g.session, g.by, _locked(study_id, number), reason)


def _withdraw(study_id: str, number: int) -> None:
    reason = request.form.get("reason", "")
    assembling.withdraw(g.session, g.by, _locked(study_id, number), reason)


def _ask(study_id: str, number: int) -> None:
    vote = request.form.get("vote", "")
    text = request.form.get("text", "")
    asking.ask(g.session, g.by, study_id, number, int(vote) if vote.isdecimal() else 0, text)


_STEPS: Mapping[str, Callable[[str, int], None]] = {
    "assemble": _assemble, "complete": _complete, "assign": _assign, "chair": _chair,
    "reopen": _reopen, "withdraw": _withdraw, "ask": _ask,
}  # fmt: skip


def _people() -> list[int]:
    chosen = request.form.getlist("people")
    return [int(text) for text in chosen if text.isdecimal() and len(text) < 9]


def _decisions() -> dict[str, Decided]:
    """Return what was chosen for each free text; what is no choice counts as none."""
    found = {}
    for name, value in request.form.items():
        kind, _, key = name.partition(":")
        if kind == "do" and value in set(Do):
            found[key] = Decided(Do(value), request.form.get(f"why:{key}", "").strip()[:300])
    return found
