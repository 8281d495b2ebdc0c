"""What the grid of participants gives away: its cells as CSV, the visits to come as a calendar.

Both hold codes of participants, visits and states, nothing that was answered.
"""

import csv
import io
from collections.abc import Iterator
from datetime import date, timedelta

from flask import Response, g
from flask.typing import ResponseReturnValue

from ecrf.kernel.access import Right
from ecrf.kernel.text import T, say
from ecrf.web import participants, where, words
from ecrf.web.routes import Pages
from visits import lookup
from visits.lookup import Expected

pages = Pages("gridfiles", __name__)
MARK = "\ufeff"
LONGEST = 73
"""A line of a calendar has at most 75 bytes (RFC 5545 3.1) and continues after a blank."""


@pages.page("/<study_id>/participants.csv", needs=Right.PARTICIPANT_READ)
def table(study_id: str) -> ResponseReturnValue:
    """Return the grid as it is filtered; the mark in front lets Excel read Chinese."""
    study, lines = participants.shown(study_id)
    text = io.StringIO()
    rows = csv.writer(text)
    heads = (T("Participant"), T("Site"), T("Status"))
    rows.writerow([*(_said(head) for head in heads), *(plan.id for plan in study.visits)])
    for line in lines:
        states = [_state(cell.standing) if cell else "" for cell in line.cells]
        rows.writerow([line.who.code, line.who.site, _state(line.who.status), *states])
    return _file(MARK + text.getvalue(), "text/csv", f"{study_id}-participants.csv")


@pages.page("/<study_id>/due.ics", needs=Right.PARTICIPANT_READ)
def calendar(study_id: str) -> ResponseReturnValue:
    """Return the visits that wait at the person's sites, each over its window."""
    study = where.in_force(study_id, Right.PARTICIPANT_READ).study
    waiting = lookup.due(g.session, g.actor, study, g.by.at.date())
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//eCRF//visits due//EN"]
    for expected in (*waiting.overdue, *waiting.week, *waiting.soon):
        plan = study.visit.get(expected.visit.plan)
        label = where.visit_label(
            plan.label if plan else None, expected.visit.plan, expected.visit.key
        )
        lines += _entry(study_id, expected, f"{expected.code} {_said(label)}")
    lines.append("END:VCALENDAR")
    text = "".join(f"{part}\r\n" for line in lines for part in _folded(line))
    return _file(text, "text/calendar", f"{study_id}-due.ics")


def _entry(study_id: str, expected: Expected, title: str) -> Iterator[str]:
    visit = expected.visit
    last = visit.due or visit.last
    first = visit.first or last
    if first is None or last is None:
        return
    yield "BEGIN:VEVENT"
    yield f"UID:{study_id}-{expected.code}-{visit.key}@ecrf"
    yield f"DTSTAMP:{g.by.at:%Y%m%dT%H%M%SZ}"
    yield f"DTSTART;VALUE=DATE:{_day(first)}"
    yield f"DTEND;VALUE=DATE:{_day(last + timedelta(days=1))}"
    yield f"SUMMARY:{_escaped(title)}"
    yield "TRANSP:TRANSPARENT"
    yield "END:VEVENT"


def _day(day: date) -> str:
    return f"{day:%Y%m%d}"


def _escaped(text: str) -> str:
    for sign in ("\\", ";", ","):
        text = text.replace(sign, f"\\{sign}")
    return text


def _folded(line: str) -> Iterator[str]:
    """Yield the line in pieces short enough, never cutting a character in two."""
    piece = ""
    for sign in line:
        if len((piece + sign).encode()) > LONGEST:
            yield piece
            piece = " "
        piece += sign
    yield piece


def _state(state: str) -> str:
    return _said(words.sign(state).word)


def _said(text: object) -> str:
    return say(text, g.locale)


def _file(text: str, kind: str, name: str) -> Response:
    response = Response(text, mimetype=kind)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
