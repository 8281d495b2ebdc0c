"""Read what closed reports are made of, up to a cut-off. Knows no arm, and asks for none.

What happened after the cut-off is left out by its date; of what happened before, everything
that is entered counts.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from ecrf.kernel.people import Site
from ecrf.study.closed import Closed, Dated, Ending, Events
from ecrf.study.model import Study
from ecrf.study.values import days
from forms.adjudicating.states import State
from forms.dates import UNKNOWN
from reports import courses, read, shape
from reports.closed.records import Adverse, End, Record, Shift
from reports.closed.survival import Time
from reports.endpoints import Course, Event
from reports.read import ORDER, EntryRow, Selection
from visits.tables import KitGiven, Participant, Visit
from visits.windows import civil_date


class _Reader(NamedTuple):
    """One reading: the session, what is read, by which definition, up to which day."""

    session: Session
    selection: Selection
    study: Study
    cut_off: date

    def entries(self, form: str) -> Iterator[EntryRow]:
        if form in self.study.forms:
            yield from read.entries(self.session, self.selection, form)

    def before(self, text: str) -> bool:
        """Say whether a date that may be known in part can be one up to the cut-off."""
        span = days(text) if text and text != UNKNOWN else None
        return span is None or span.first <= self.cut_off


def records(
    session: Session, selection: Selection, study: Study, cut_off: date
) -> tuple[Record, ...]:
    """Return everybody randomized up to the cut-off."""
    reader = _Reader(session, selection, study, cut_off)
    found = _randomized(reader)
    rule = study.closed or Closed()
    parts = (_counts(reader), _baseline(reader, rule), _doses(reader, rule.first_dose),
             _ends(reader, "treatment", rule.treatment), _ends(reader, "study", rule.study),
             _deaths(reader, rule.death), _adverse(reader, rule.events, found),
             _shifts(reader, rule, found), _relapses(reader))  # fmt: skip
    for part in parts:
        for code, values in part.items():
            if code in found:
                found[code] = found[code]._replace(**values)
    return tuple(found.values())


Part = Mapping[str, dict[str, Any]]


def _randomized(reader: _Reader) -> dict[str, Record]:
    rows = reader.session.execute(
        select(Participant.code, Participant.site, Participant.randomized_on,
               Participant.unblinded_at, Site.zone)
        .join(Site, (Site.study == Participant.study) & (Site.code == Participant.site))
        .where(reader.selection.covers(), Participant.randomized_on <= reader.cut_off)
        .order_by(*ORDER)
    )  # fmt: skip
    return {
        row.code: Record(
            row.code, row.site, row.randomized_on,
            broken=row.unblinded_at is not None
            and civil_date(row.unblinded_at, row.zone) <= reader.cut_off,
        )
        for row in rows
    }  # fmt: skip


def _counts(reader: _Reader) -> Part:
    """Count the visits held, and the kits handed out at them."""
    held = (reader.selection.covers(), Visit.held_on <= reader.cut_off)
    visits = reader.session.execute(
        select(Participant.code, Visit.id)
        .join(Visit, Visit.participant_id == Participant.id)
        .where(*held, Visit.held_on >= Participant.randomized_on)
    ).all()
    kits = reader.session.execute(
        select(Participant.code, KitGiven.id)
        .join(KitGiven, KitGiven.participant_id == Participant.id)
        .join(Visit, Visit.id == KitGiven.visit_id)
        .where(*held, KitGiven.status == "dispensed")
    ).all()
    seen, given = Counter(row.code for row in visits), Counter(row.code for row in kits)
    return {code: {"visits": seen[code], "kits": given[code]} for code in seen | given}


def _baseline(reader: _Reader, rule: Closed) -> Part:
    paths = [path.split(".", 2) for path in rule.baseline]
    known: dict[str, list[str]] = {}
    for at, (visit, form, item) in enumerate(paths):
        for entry in reader.entries(form):
            if entry.visit == visit:
                mine = known.setdefault(entry.participant, [""] * len(paths))
                mine[at] = _value(entry, item)
    blank = ("",) * len(paths)
    everyone = dict.fromkeys(_randomized(reader), blank)
    return {code: {"baseline": tuple(known.get(code, none))} for code, none in everyone.items()}


def _doses(reader: _Reader, rule: Dated | None) -> Part:
    found: dict[str, dict[str, Any]] = {}
    for entry in reader.entries(rule.form) if rule else ():
        on = _day(_value(entry, rule.date)) if rule else None
        if on is not None and on <= reader.cut_off and entry.participant not in found:
            found[entry.participant] = {"first_dose": on}
    return found


def _ends(reader: _Reader, name: str, rule: Ending | None) -> Part:
    found: dict[str, dict[str, Any]] = {}
    for entry in reader.entries(rule.form) if rule else ():
        reason = _value(entry, rule.reason) if rule else ""
        on = _value(entry, rule.date) if rule else ""
        if reason and reader.before(on or entry.visit_date):
            found[entry.participant] = {name: End(_day(on), reason)}
    return found


def _deaths(reader: _Reader, rule: Dated | None) -> Part:
    return {
        entry.participant: {"died": True}
        for entry in (reader.entries(rule.form) if rule else ())
        if rule and _value(entry, rule.date) and reader.before(_value(entry, rule.date))
    }


def _adverse(reader: _Reader, rule: Events | None, found: Mapping[str, Record]) -> Part:
    """Return the events that may have begun between the randomization and the cut-off."""
    events: dict[str, list[Adverse]] = {}
    for entry in reader.entries(rule.form) if rule else ():
        who = found.get(entry.participant)
        if rule is None or who is None or not _value(entry, rule.term):
            continue
        began = _value(entry, rule.date)
        span = days(began) if began and began != UNKNOWN else None
        early = span is not None and span.last < who.randomized_on
        if early or not reader.before(began):
            continue
        grade = _value(entry, rule.grade)
        adverse = Adverse(
            _value(entry, rule.term), int(grade) if grade.isdigit() else 0,
            _value(entry, rule.serious) == "Y", _value(entry, rule.related) in rule.relatedness,
        )  # fmt: skip
        events.setdefault(entry.participant, []).append(adverse)
    return {code: {"adverse": tuple(some)} for code, some in events.items()}


def _shifts(reader: _Reader, rule: Closed, found: Mapping[str, Record]) -> Part:
    """Return, by analyte, the last grade up to the randomization and the worst after it."""
    first: dict[tuple[str, str], int] = {}
    worst: dict[tuple[str, str], int] = {}
    for analyte, entry, grade in _grades(reader, rule):
        who, on = found.get(entry.participant), _day(entry.visit_date)
        if who is None or on is None or on > reader.cut_off:
            continue
        key = (entry.participant, analyte)
        if on <= who.randomized_on:
            first[key] = grade
        else:
            worst[key] = max(grade, worst.get(key, 0))
    return {
        code: {
            "shifts": {
                analyte: Shift(first.get((code, analyte)), worst.get((code, analyte)))
                for analyte in rule.laboratory
            }
        }
        for code in found
    }


def _grades(reader: _Reader, rule: Closed) -> Iterator[tuple[str, EntryRow, int]]:
    laboratory = reader.study.laboratory
    wanted = [laboratory.by_id[name] for name in rule.laboratory] if laboratory else []
    cells = {t.form.id: t.grades for t in shape.tables([reader.study]) if t.grid is None}
    for form in dict.fromkeys(analyte.form for analyte in wanted):
        mine = [analyte for analyte in wanted if analyte.form == form]
        for entry in reader.entries(form):
            for analyte in mine:
                grade = _value(entry, cells[form].get(analyte.key, ""))
                if grade.isdigit():
                    yield analyte.id, entry, int(grade)


def _relapses(reader: _Reader) -> Part:
    rule = reader.study.adjudication
    if rule is None:
        return {}
    found = courses.courses(reader.session, reader.selection, reader.study, rule)
    return {course.participant: _course(course, reader.cut_off) for course in found}


def _course(course: Course, cut_off: date) -> dict[str, Any]:
    counted = [event for event in course.events if _counts_as_one(event)]
    dates = [event.on if _final(event) else event.site_on for event in counted]
    known = [on for on in dates if on is not None and on <= cut_off]
    seen = min(max(course.seen or course.randomized_on, course.randomized_on), cut_off)
    on = min(known) if known else seen
    # An event whose day is not known whole is counted and named, and kept out of the curve.
    time = Time((on - course.randomized_on).days, bool(known))
    return {
        "time": time, "relapses": len(known), "undated": sum(on is None for on in dates),
        "waiting": sum(
            event.judged and not _final(event)
            and (event.site_on is None or event.site_on <= cut_off)
            for event in course.events
        ),
    }  # fmt: skip


def _final(event: Event) -> bool:
    return event.judged and event.state == State.FINAL


def _counts_as_one(event: Event) -> bool:
    """By the committee where its verdict is final, else by the site."""
    return bool(event.committee) if _final(event) else event.site


def _value(entry: EntryRow, key: str) -> str:
    return entry.answers.get(key, {}).get("value", "")


def _day(text: str) -> date | None:
    """Return a day of which everything is known."""
    span = days(text) if text and text != UNKNOWN else None
    return span.first if span is not None and span.first == span.last else None
