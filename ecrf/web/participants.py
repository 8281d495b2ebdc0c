"""The grid of participants and visits, enrolment, and the page of one participant."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from flask import g, redirect, render_template, request
from flask.typing import ResponseReturnValue

from ecrf.kernel.access import Right
from ecrf.kernel.errors import Refused, Stale
from ecrf.kernel.people import Site
from ecrf.kernel.text import T, Text
from ecrf.study import strata, versions
from ecrf.study.model import Study, VisitKind, VisitPlan, Words
from ecrf.web import formlist, prompts, where
from ecrf.web.dates import read_date
from ecrf.web.formlist import FormLine
from ecrf.web.routes import Again, Pages
from forms import casebook, needs, progress
from forms.casebook import Counts, Standing
from forms.questions import asked
from visits import defined, lookup, participants, refusals, schedule, visits
from visits.allocating import asking, correcting
from visits.rows import ParticipantRow, VisitRow, strongest
from visits.windows import civil_date, study_day

pages = Pages("participants", __name__)
WRITERS = frozenset({
    Standing.OVERDUE, Standing.DUE, Standing.IN_PROGRESS, Standing.QUERIES,
})  # fmt: skip
READERS = frozenset({Standing.QUERIES})
STATUSES = ("screening", "screen failed", "randomized", "ended")


class Cell(NamedTuple):
    """One cell of the grid; `key` is empty when it stands for several visits of one plan."""

    key: str
    standing: Standing
    visits: int


class Line(NamedTuple):
    """One participant of the grid; a cell is None where there is no visit of that plan."""

    who: ParticipantRow
    cells: list[Cell | None]


class VisitLine(NamedTuple):
    """One visit on the page of its participant; `done` counts the required forms filled."""

    visit: VisitRow
    label: Words
    standing: Standing
    day: int | None
    forms: list[FormLine]
    required: int
    done: int


@pages.page("/<study_id>/participants", needs=Right.PARTICIPANT_READ)
def grid(study_id: str) -> ResponseReturnValue:
    study, lines = shown(study_id)
    return render_template(
        "participants.html",
        study=study,
        lines=lines,
        sites=lookup.sites(g.session, g.actor, study_id, Right.PARTICIPANT_READ),
        statuses=STATUSES,
        chosen={name: request.args.get(name) or None for name in ("site", "status", "needs")},
        sent=request.query_string.decode(),
        may_enrol=g.actor.may(Right.PARTICIPANT_ENROL, study_id),
    )


def shown(study_id: str) -> tuple[Study, list[Line]]:
    """Return the study and the lines of its grid, filtered as the address asks."""
    study = where.in_force(study_id, Right.PARTICIPANT_READ).study
    site, status = request.args.get("site") or None, request.args.get("status") or None
    found = lookup.matrix(g.session, g.actor, study, site=site, status=status)
    counts = progress.by_visit(g.session, g.actor, study, site=site, status=status)
    lines = [
        _line(study, who, found.visits.get(who.id, ()), counts) for who in found.participants
    ]
    if request.args.get("needs") != "me":
        return study, lines
    return study, [line for line in lines if _needs(line)]


def _needs(line: Line) -> bool:
    """Say whether something at the participant waits for the person who asks."""
    writes = g.actor.may(Right.ENTRY_WRITE, line.who.study, line.who.site)
    mine = WRITERS if writes else READERS
    return any(cell is not None and cell.standing in mine for cell in line.cells)


def _line(
    study: Study,
    who: ParticipantRow,
    visits_: Sequence[VisitRow],
    counts: Mapping[int, Counts],
) -> Line:
    today = civil_date(g.by.at, who.zone)
    by_plan: dict[str, list[tuple[str, Standing]]] = {}
    for visit in visits_:
        lock = strongest(visit.state, who.lock)
        found = counts.get(visit.id, Counts())
        standing = casebook.standing(study, visit, lock, found, today)
        by_plan.setdefault(visit.plan, []).append((visit.key, standing))
    return Line(who, [_cell(by_plan.get(plan.id, [])) for plan in study.visits])


def _cell(found: Sequence[tuple[str, Standing]]) -> Cell | None:
    if not found:
        return None
    standing = casebook.worst(standing for _, standing in found)
    return Cell(found[0][0] if len(found) == 1 else "", standing, len(found))


@pages.page("/<study_id>/participants/new", needs=Right.PARTICIPANT_ENROL)
def new(study_id: str) -> ResponseReturnValue:
    where.in_force(study_id, Right.PARTICIPANT_ENROL)
    return _enrol_page(study_id, None)


@pages.page("/<study_id>/participants/new", needs=Right.PARTICIPANT_ENROL, methods=("POST",))
def enrol(study_id: str) -> ResponseReturnValue:
    site, _, expected = request.form.get("next", "").partition("-")
    try:
        study, fingerprint = participants.definition(g.session, g.by, study_id, site)
        who = participants.enrol(g.session, g.by, study, fingerprint, site)
        if str(who.number) != expected:
            raise Stale(
                T(
                    "Another participant was enrolled at {site} since you opened this page. "
                    "Look at the list before you enrol one more.",
                    site=site,
                )
            )
    except Refused as refusal:
        wrong = refusal
        raise Again(refusal, lambda: _enrol_page(study_id, wrong)) from None
    return redirect(where.participant(study_id, who.code) + "?done=enrolled", 303)


def _enrol_page(study_id: str, refusal: Refused | None) -> str:
    sites: Sequence[Site] = lookup.sites(g.session, g.actor, study_id, Right.PARTICIPANT_ENROL)
    return render_template(
        "enrol.html", refusal=refusal, sites=[site for site in sites if site.open]
    )


@pages.page("/<study_id>/participants/<code>", needs=Right.PARTICIPANT_READ)
def show(study_id: str, code: str) -> ResponseReturnValue:
    return _page(study_id, code, None)


def _page(study_id: str, code: str, refusal: Refused | None) -> str:
    study = where.in_force(study_id, Right.PARTICIPANT_READ).study
    who = lookup.participant(g.session, g.actor, study_id, code, Right.PARTICIPANT_READ)
    kept = lookup.visits(g.session, who.id)
    lines = _visit_lines(who, kept)
    writes = g.actor.may(Right.ENTRY_WRITE, study_id, who.site) and who.lock == "open"
    return render_template(
        "participant.html",
        refusal=refusal,
        sent=request.form,
        study=study,
        who=who,
        lines=[line for line in lines if line.visit.kind != VisitKind.LOG],
        logs=[line for line in lines if line.visit.kind == VisitKind.LOG],
        above_forms=asked.above_forms(g.session, who.id),
        may_ask=g.actor.may(Right.QUERY_OPEN, study_id, who.site) and who.lock != "locked",
        deviations=lookup.deviations(g.session, who.id),
        kits=lookup.kits(g.session, who.id),
        corrections=_corrections(study, who),
        asked=asking.last(g.session, who.id) if who.status == "screening" else None,
        may_correct=g.actor.may(Right.STRATUM_CORRECT, study_id, who.site),
        addable=_addable(versions.model(g.session, who.protocol), kept) if writes else (),
        writes=writes,
        may_randomize=_may_randomize(study, who),
        may_freeze=g.actor.may(Right.DATA_FREEZE, study_id, who.site),
        may_break=g.actor.may(Right.CODE_BREAK, study_id, who.site),
    )


def _corrections(study: Study, who: ParticipantRow) -> list[Text]:
    """Return what is said of factors the participant was wrongly randomized under."""
    if who.random_number is None:
        return []
    factors = study.randomization.factors if study.randomization else ()
    labels = {factor.id: factor.label for factor in factors}
    return [
        T(
            "{factor}: randomized under {level}, in truth {true}.",
            factor=labels.get(one.factor, one.factor),
            level=strata.said(study, one.factor, one.level),
            true=strata.said(study, one.factor, one.true_level),
        )
        for one in correcting.current(g.session, who.id).values()
        if one.true_level != one.level
    ]


def _visit_lines(who: ParticipantRow, kept: Sequence[VisitRow]) -> list[VisitLine]:
    """Return the lines of the visits, each by the version it is under."""
    entries = progress.of_participant(g.session, who.id)
    prints = defined.of_participant(g.session, who.id)
    clocks = prompts.running(versions.model(g.session, who.protocol), who.id)
    today = civil_date(g.by.at, who.zone)
    found = []
    for visit in kept:
        study, _ = versions.with_visit(g.session, prints[visit.id], visit.plan)
        lock = strongest(visit.state, who.lock)
        forms = formlist.lines(study, visit, lock, entries, clocks)
        counts = formlist.counts(study, visit, entries)
        plan = study.visit.get(visit.plan)
        day = None
        if visit.held_on is not None and who.randomized_on is not None:
            day = study_day(visit.held_on, who.randomized_on)
        found.append(
            VisitLine(
                visit,
                where.visit_label(plan.label if plan else None, visit.plan, visit.key),
                casebook.standing(study, visit, lock, counts, today),
                day,
                forms,
                len(casebook.required(study, visit.plan, visit.asked)),
                counts.required,
            )
        )
    return found


def _addable(study: Study, kept: Sequence[VisitRow]) -> tuple[VisitPlan, ...]:
    return schedule.addable(study, [visit.key for visit in kept])


def _may_randomize(study: Study, who: ParticipantRow) -> bool:
    return (
        study.randomization is not None
        and who.status == participants.SCREENING
        and who.lock == "open"
        and g.actor.may(Right.PARTICIPANT_RANDOMIZE, who.study, who.site)
    )


@pages.page(
    "/<study_id>/participants/<code>/visits", needs=Right.ENTRY_WRITE, methods=("POST",)
)
def add_visit(study_id: str, code: str) -> ResponseReturnValue:
    """Add an unscheduled or event visit, with its date when one was typed."""
    where.in_force(study_id, Right.ENTRY_WRITE)
    try:
        who = lookup.participant(g.session, g.actor, study_id, code, Right.ENTRY_WRITE)
        study = versions.model(g.session, who.protocol)
        key = visits.add(g.session, g.by, who, study, request.form.get("plan", ""))
        needs.added(g.session, g.by, who, study)
        typed = request.form.get("held_on", "").strip()
        if typed:
            found = lookup.visit(g.session, g.actor, study_id, code, key, Right.ENTRY_WRITE)
            visits.hold(g.session, g.by, found, read_date(typed, civil_date(g.by.at, who.zone)))
    except Refused as refusal:
        raise _again(study_id, code, refusal) from None
    return redirect(where.visit(study_id, code, key) + "?done=1", 303)


@pages.page("/<study_id>/participants/<code>/leave", needs=Right.ENTRY_WRITE, methods=("POST",))
def leave(study_id: str, code: str) -> ResponseReturnValue:
    """Write down a screen failure, or that a randomized participant has left the trial."""
    try:
        who = lookup.participant(g.session, g.actor, study_id, code, Right.ENTRY_WRITE)
        randomized = who.status == participants.RANDOMIZED
        act = participants.end if randomized else participants.screen_fail
        act(g.session, g.by, who, request.form.get(refusals.REASON, ""))
    except Refused as refusal:
        raise _again(study_id, code, refusal) from None
    return redirect(where.participant(study_id, code) + "?done=1", 303)


def _again(study_id: str, code: str, refusal: Refused) -> Again:
    return Again(refusal, lambda: _page(study_id, code, refusal))
