"""Today: the first page of a study. What needs doing, the most urgent first, one click away."""

from collections.abc import Iterable, Sequence
from datetime import date

from flask import g, render_template
from flask.typing import ResponseReturnValue

from ecrf.kernel.access import Right
from ecrf.kernel.people import Site
from ecrf.kernel.text import T, Text
from ecrf.study.model import Study, Words
from ecrf.web import breaks, office, where
from ecrf.web.countdown import countdown
from ecrf.web.groups import SHOWN, Group, Row
from ecrf.web.routes import Pages
from forms import casebook, progress, queue
from forms.laboratory import alerts
from forms.progress import Asked, Some, Waiting
from forms.questions import places
from forms.queue import Filters, Line
from forms.reminding import listing
from visits import lookup
from visits.lookup import Expected
from visits.windows import civil_date

pages = Pages("home", __name__)


@pages.page("/<study_id>/", needs=Right.PARTICIPANT_READ)
def today(study_id: str) -> ResponseReturnValue:
    study = where.in_force(study_id, Right.PARTICIPANT_READ).study
    sites = lookup.sites(g.session, g.actor, study_id, Right.PARTICIPANT_READ)
    day = site_date(sites)
    return render_template(
        "today.html",
        study=study,
        day=day,
        sites=sites,
        soon=lookup.SOON,
        zone=next((site.zone for site in sites), "UTC"),
        groups=[group for group in _groups(study, day) if group.total],
        may_enrol=g.actor.may(Right.PARTICIPANT_ENROL, study_id),
    )


def site_date(sites: Iterable[Site]) -> date:
    """Return the date it is at the first of the person's sites."""
    zone = next((site.zone for site in sites), "UTC")
    return civil_date(g.by.at, zone)


def _groups(study: Study, day: date) -> Iterable[Group]:
    due = lookup.due(g.session, g.actor, study, day)
    if study.laboratory and g.actor.may(Right.ALERT_ACKNOWLEDGE, study.id):
        yield _alerts(study)
    if g.actor.may(Right.BREAK_ASSESS, study.id):
        yield breaks.group(study)
    if g.actor.may(Right.ENTRY_WRITE, study.id):
        yield _reminders(study)
    yield from office.groups(study)
    yield _visits(study, "overdue", T("Overdue"), due.overdue, "overdue")
    yield from _queries(study)
    yield _visits(study, "week", T("Due within a week"), due.week, "due")
    if g.actor.may(Right.ENTRY_WRITE, study.id):
        drafts = progress.drafts(g.session, g.actor, study)
        yield _entries(study, "drafts", T("Forms in progress"), drafts, "in progress")
        yield _incomplete(study)
    if g.actor.may(Right.ENTRY_SIGN, study.id):
        unsigned = progress.unsigned(g.session, g.actor, study)
        yield _entries(study, "sign", T("To sign"), unsigned, "to sign")
    yield _visits(study, "soon", T("Opening soon"), due.soon, "soon")


def _alerts(study: Study) -> Group:
    found = alerts.listing(g.session, g.actor, study.id)
    rows = [
        Row(
            where.entry(study.id, one.code, one.visit, one.form, one.number) + f"#{one.item}",
            one.code,
            T("{visit}, {form}", visit=one.visit, form=_title(study, one.form)), "alert",
            note=one,
        )
        for one in found[:SHOWN]
    ]  # fmt: skip
    return Group("alerts", T("Safety alerts"), rows, len(found), more=f"/{study.id}/alerts")


def _reminders(study: Study) -> Group:
    found = listing.listing(g.session, g.actor, study)
    rows = []
    for one in found.lines:
        rule = listing.rule_of(study, one)
        clock = countdown(one.due_at, g.by.at) if one.due_at else None
        sign = "overdue" if clock and clock.late else "due"
        rows.append(
            Row(
                where.entry(study.id, one.code, one.visit, one.form, one.number), one.code,
                T(
                    "{visit}, {form}",
                    visit=_label(study, one.plan, one.visit), form=_title(study, one.form),
                ),
                sign, note=rule.message if rule else None, clock=clock,
            )
        )  # fmt: skip
    return Group("reminders", T("Clocks and reminders"), rows, found.total)


def _visits(
    study: Study, name: str, title: Text, expected: Sequence[Expected], status: str
) -> Group:
    rows = [
        Row(
            where.visit(study.id, one.code, one.visit.key), one.code,
            _label(study, one.visit.plan, one.visit.key), status, one.visit.first,
            one.visit.due,
        )
        for one in expected[: progress.SHOWN]
    ]  # fmt: skip
    return Group(name, title, rows, len(expected))


def _queries(study: Study) -> Iterable[Group]:
    """Give those who answer the open queries, and those who close the answered ones."""
    wanted = []
    if g.actor.may(Right.QUERY_ANSWER, study.id):
        wanted.append(("open", T("Queries to answer"), "has queries"))
    if g.actor.may(Right.QUERY_CLOSE, study.id):
        wanted.append(("answered", T("Answered queries to check"), "answered"))
    asked = progress.queries(g.session, g.actor, study.id) if wanted else {}
    for status, title, sign in wanted:
        found = asked.get(status, Asked())
        rows = _query_rows(study, status, sign) if found.total else []
        more = f"/{study.id}/queries?status={status}"
        yield Group(status, title, rows, found.total, found.oldest, more)


def _query_rows(study: Study, status: str, sign: str) -> list[Row]:
    listed = queue.listing(g.session, g.actor, study.id, Filters(status=status), limit=SHOWN)
    return [
        Row(
            where.asked(
                study.id, line.participant, line.visit or "", line.form, line.number, line.item
            ),
            line.participant,
            _about(study, line),
            sign,
            note=line,
        )
        for line in listed.lines
    ]


def _about(study: Study, line: Line) -> Text:
    """Say where a query is: the visit and the form, or what is above the forms."""
    if line.form:
        return T("{visit}, {form}", visit=line.visit, form=_title(study, line.form))
    name = places.NAMES[line.about]
    return T("{visit}, {form}", visit=line.visit, form=name) if line.visit else name


def _entries(
    study: Study, name: str, title: Text, waiting: Some[Waiting], status: str
) -> Group:
    rows = [
        Row(
            where.entry(study.id, one.code, one.visit, one.form, one.number),
            one.code,
            T(
                "{visit}, {form}",
                visit=_label(study, one.plan, one.visit), form=_title(study, one.form),
            ),
            status,
        )
        for one in waiting.lines
    ]  # fmt: skip
    return Group(name, title, rows, waiting.total)


def _incomplete(study: Study) -> Group:
    found = progress.incomplete(g.session, g.actor, study)
    rows = [
        Row(
            where.visit(study.id, one.code, one.visit), one.code,
            _label(study, one.plan, one.visit), "in progress", one.held_on, one.held_on,
            T(
                "{there} of {n} required forms are filled",
                there=one.there, n=len(casebook.required(study, one.plan, one.asked)),
            ),
        )
        for one in found.lines
    ]  # fmt: skip
    return Group("incomplete", T("Visits with forms still missing"), rows, found.total)


def _label(study: Study, plan: str, key: str) -> Text:
    found = study.visit.get(plan)
    return where.visit_label(found.label if found else None, plan, key)


def _title(study: Study, form: str) -> Text:
    found = study.forms.get(form)
    return found.title if found else Words(en=form.upper(), zh=form.upper())
