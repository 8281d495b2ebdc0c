"""Read what the endpoint of events is made of, laid out as tables. Never asks for an arm."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ecrf.study import versions
from ecrf.study.adjudication import Adjudication
from ecrf.study.model import Study
from forms import answers
from forms.adjudicating.dossier import whole_day
from forms.adjudicating.states import State
from forms.adjudicating.tables import Case
from forms.context import Context, scope
from forms.tables import Entry
from reports import endpoints
from reports.endpoints import Course, Event
from reports.read import ORDER, Selection, text
from visits.tables import Participant, Visit
from visits.windows import date_of

SITE_HEADER = ("site", "participant", "visit", "number", "event", "date", "organs")
COMMITTEE_HEADER = (
    "site", "participant", "visit", "number", "case", "state", "event", "date", "organs",
)  # fmt: skip


def rule_of(session: Session, study: str) -> tuple[Study, Adjudication] | None:
    """Return the study in force with its rule of adjudication, if it has one."""
    found, _ = versions.in_force(session, study)
    return None if found.adjudication is None else (found, found.adjudication)


def courses(
    session: Session, selection: Selection, study: Study, rule: Adjudication
) -> list[Course]:
    """Return the randomized participants of the selection with their events."""
    plan = study.visit[rule.visit]
    events = _events(session, selection)
    seen = _seen(session, selection, rule)
    rows = session.execute(
        select(
            Participant.id, Participant.code, Participant.site, Participant.randomized_on,
            Visit.held_on, Visit.last,
        )
        .outerjoin(
            Visit, (Visit.participant_id == Participant.id) & (Visit.plan == rule.visit)
        )
        .where(selection.covers(), Participant.randomized_on.is_not(None))
        .order_by(*ORDER)
    )  # fmt: skip
    found = []
    for row in rows:
        last = row.last or date_of((plan.day or 1) + plan.after, row.randomized_on)
        found.append(
            Course(
                row.code, row.site, row.randomized_on, last, row.held_on, seen.get(row.id),
                tuple(events.get(row.id, ())),
            )
        )  # fmt: skip
    return found


def _seen(session: Session, selection: Selection, rule: Adjudication) -> dict[int, Any]:
    rows = session.execute(
        select(Entry.participant_id, func.max(Visit.held_on).label("last"))
        .join(Visit, Visit.id == Entry.visit_id)
        .join(Participant, Participant.id == Entry.participant_id)
        .where(selection.covers(), Entry.form.in_(rule.assessments), Entry.status == "complete")
        .group_by(Entry.participant_id)
    )
    return {row.participant_id: row.last for row in rows}


def _events(session: Session, selection: Selection) -> dict[int, list[Event]]:
    forms = {
        known.adjudication.form
        for (fingerprint,) in session.execute(select(Entry.protocol).distinct())
        if (known := versions.model(session, fingerprint)).adjudication is not None
    }
    rows = session.execute(
        select(
            Entry.participant_id, Entry.protocol, Entry.form, Entry.number, Entry.answers,
            Visit.plan, Visit.key, Visit.held_on, Participant.randomized_on, Participant.site,
            Case.number.label("case"), Case.state, Case.verdict, Case.event_on, Case.organs,
        )
        .join(Visit, Visit.id == Entry.visit_id)
        .join(Participant, Participant.id == Entry.participant_id)
        .outerjoin(Case, Case.entry_id == Entry.id)
        .where(selection.covers(), Entry.form.in_(sorted(forms)), Entry.status == "complete")
        .order_by(Entry.participant_id, Entry.number)
    )  # fmt: skip
    found: dict[int, list[Event]] = {}
    for row in rows:
        study = versions.model(session, row.protocol)
        if study.adjudication is not None and study.adjudication.form == row.form:
            event = _event(study, study.adjudication, row)
            found.setdefault(row.participant_id, []).append(event)
    return found


def _event(study: Study, rule: Adjudication, row: Any) -> Event:
    given = answers.load(row.answers)
    form = study.forms[rule.form]
    context = Context(
        visit=row.plan, visit_key=row.key, visit_date=row.held_on, number=row.number,
        randomized_on=row.randomized_on, site=row.site,
    )  # fmt: skip
    grid, _, column = (rule.site_organs or "").partition(".")
    organs = tuple(
        grid_row.id
        for grid_row in (form.grids[grid].rows if grid in form.grids else ())
        if f"{grid_row.id}.{column}" in given
    )
    event = Event(
        row.number, row.key, scope(study, form, given, context).holds(rule.site_says),
        whole_day(given.get(rule.site_date)), organs,
    )  # fmt: skip
    if row.case is None or row.state == State.WITHDRAWN:
        return event
    verdict = {"Y": True, "N": False}.get(row.verdict or "")
    judged = tuple(filter(None, (row.organs or "").split(",")))
    return event._replace(
        judged=True, case=f"C-{row.case:03d}", state=row.state, committee=verdict,
        on=row.event_on, organs=judged,
    )  # fmt: skip


def site_rows(found: list[Course]) -> Iterator[list[str]]:
    """Yield what the sites say of each event."""
    for course in found:
        for event in course.events:
            said = "Y" if event.site else "N"
            yield [course.site, course.participant, event.visit, str(event.number), said,
                   text(event.site_on), " ".join(event.site_organs)]  # fmt: skip


def committee_rows(found: list[Course]) -> Iterator[list[str]]:
    """Yield what the committee says of each case."""
    said = {True: "Y", False: "N", None: ""}
    for course in found:
        for event in course.events:
            if event.judged:
                yield [course.site, course.participant, event.visit, str(event.number),
                       event.case, event.state, said[event.committee], text(event.on),
                       " ".join(event.organs)]  # fmt: skip


def endpoint_header(rule: Adjudication) -> tuple[str, ...]:
    end, days = rule.endpoint or "event", rule.time or "days"
    return (
        "site", "participant", "randomized_on", "window_last", "visit_held_on", "last_seen",
        f"{end}_site", end, f"{end}_worst", "committee_waits",
        f"{days}_site", f"{days}_site_event", days, f"{days}_event", f"{days}_date",
    )  # fmt: skip


def endpoint_row(course: Course) -> list[str]:
    """Return the endpoints of a participant: by the site, and confirmed by the committee."""
    site, _ = endpoints.by_site(course)
    dates, waits = endpoints.by_committee(course)
    confirmed = endpoints.binary(course, dates, waits)
    first, mine = endpoints.time(course, dates), endpoints.time(course, site)
    return [
        course.site, course.participant, text(course.randomized_on), text(course.until),
        text(course.held), text(course.seen), endpoints.binary(course, site).value,
        confirmed.value, confirmed.worst, "Y" if waits else "N",
        str(mine.days), str(int(mine.happened)), str(first.days), str(int(first.happened)),
        text(first.on),
    ]  # fmt: skip
