"""How typed dates and times are read. Pure.

The order of the parts must be plain: the year first (2026-03-05, 20260305, 2026年3月5日) or the
month by its English name (05 MAR 2026). 5/3/26 is refused. An unknown part of a partial date is
typed UN or UNK, or left out at the end (2026-03).
"""

import re
from datetime import date
from typing import Literal, NamedTuple

from ecrf.kernel.text import T, Text
from ecrf.study.values import Days, clock, days
from forms.numbers import narrow

UNKNOWN = "UNK"
Part = Literal["day", "month", "year"]
YEARS = range(1900, 2101)

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_UN = r"UN|UNK|UK"
_FORMS = tuple(
    re.compile(form, re.ASCII)
    for form in (
        rf"(?P<y>[0-9]{{4}})(?:[-/.](?P<m>[0-9]{{1,2}}|{_UN})(?:[-/.](?P<d>[0-9]{{1,2}}|{_UN}))?)?",
        r"(?P<y>[0-9]{4})(?P<m>[0-9]{2})(?P<d>[0-9]{2})",
        rf"(?P<d>[0-9]{{1,2}}|{_UN})[- ]?(?P<m>[A-Z]{{3}}|UN)[- ]?(?P<y>[0-9]{{4}}|UNK)",
        r"(?P<m>[A-Z]{3})[- ]?(?P<y>[0-9]{4})(?P<d>)",
    )
)
_AMBIGUOUS = re.compile(r"[0-9]{1,2}[-/. ][0-9]{1,2}[-/. ](?:[0-9]{2}|[0-9]{4})", re.ASCII)
_HOUR = re.compile(r"([0-9]{1,2}):([0-9]{2})", re.ASCII)


class Parts(NamedTuple):
    """A date as typed; None is an unknown part."""

    year: int | None
    month: int | None
    day: int | None


def whole(name: Text, typed: str) -> str | Text:
    """Read a date of which everything is known."""
    parts = _parts(name, typed)
    if not isinstance(parts, Parts):
        return parts
    if None in parts:
        return T(
            "{label}: “{text}” is not a whole date. Give day, month and year, "
            "such as 2026-03-05.",
            label=name,
            text=typed[:40],
        )
    return _iso(parts)


def partial(name: Text, typed: str, unknown: Part) -> str | Text:
    """Read a date of which parts up to `unknown` may be unknown."""
    parts = _parts(name, typed)
    if not isinstance(parts, Parts):
        return parts
    biggest = _biggest_unknown(parts)
    if biggest is None or ("day", "month", "year").index(biggest) <= _ALLOWED[unknown]:
        return _iso(parts)
    asked = {"month": T("the year"), "day": T("month and year")}[unknown]
    return T(
        "{label}: “{text}” leaves too much unknown. Give at least {part}.",
        label=name,
        text=typed[:40],
        part=asked,
    )


_ALLOWED = {"day": 0, "month": 1, "year": 2}


def _biggest_unknown(parts: Parts) -> Part | None:
    if parts.year is None:
        return "year"
    if parts.month is None:
        return "month"
    return "day" if parts.day is None else None


def time(name: Text, typed: str) -> str | Text:
    """Read a time of day."""
    match = _HOUR.fullmatch(narrow(typed))
    at = clock(f"{match[1]:0>2}:{match[2]}") if match else None
    if at is None:
        return T(
            "{label}: “{text}” is no time of day. Write hours and minutes, such as 08:30.",
            label=name,
            text=typed[:40],
        )
    return at.isoformat(timespec="minutes")


def moment(name: Text, typed: str) -> str | Text:
    """Read a date with a time of day, parted by a blank or T."""
    day_text, _, hour_text = re.sub(r"(?<=[0-9日])[Tt](?=[0-9])", " ", typed).rpartition(" ")
    if not day_text.strip():
        return T(
            "{label}: “{text}” lacks a date or a time. Write both, such as 2026-03-05 08:30.",
            label=name,
            text=typed[:40],
        )
    day = whole(name, day_text.strip())
    hour = time(name, hour_text)
    if not isinstance(day, str):
        return day
    return f"{day}T{hour}" if isinstance(hour, str) else hour


def known(span: Days) -> str | None:
    """Return a date as far as it is known; None when less than a whole year is certain."""
    if span.certain:
        return span.first.isoformat()
    for text in (span.first.isoformat()[:7], span.first.isoformat()[:4]):
        if span == days(text):
            return text
    return None


def _parts(name: Text, typed: str) -> Parts | Text:
    text = narrow(typed).upper()
    text = re.sub(r"[日号]$", "", text.replace("年", "-").replace("月", "-")).rstrip("-")
    if text in {"UN", "UNK", "UNKNOWN", "UN-UNK-UNK", "UN UNK UNK"}:
        return Parts(None, None, None)
    if _AMBIGUOUS.fullmatch(text):
        return T(
            "{label}: “{text}” can be read in two ways. Write the year first, such as "
            "2026-03-05, or the month by name, such as 05 MAR 2026.",
            label=name,
            text=typed[:40],
        )
    for form in _FORMS:
        if match := form.fullmatch(text):
            return _checked(name, typed, match)
    return _no_date(name, typed)


def _no_date(name: Text, typed: str) -> Text:
    return T(
        "{label}: “{text}” is not a date. Write it as 2026-03-05 or 05 MAR 2026.",
        label=name,
        text=typed[:40],
    )


def _checked(name: Text, typed: str, match: re.Match[str]) -> Parts | Text:
    month_text = match["m"] or ""
    if month_text.isalpha() and month_text not in {*_MONTHS, *_UN.split("|")}:
        return _no_date(name, typed)
    month = _MONTHS.index(month_text) + 1 if month_text in _MONTHS else _figure(month_text)
    parts = Parts(_figure(match["y"]), month, _figure(match["d"] or ""))
    if (parts.month is None and parts.day is not None) or (
        parts.year is None and parts.month is not None
    ):
        return T(
            "{label}: “{text}” knows a small part but not the bigger one. Write UN for the day "
            "when the month is unknown, such as UN-UNK-2024.",
            label=name,
            text=typed[:40],
        )
    return parts if _exists(parts) else _no_such_day(name, typed)


def _figure(text: str) -> int | None:
    return int(text) if text.isdigit() else None


def _exists(parts: Parts) -> bool:
    if parts.year is None:
        return True
    try:
        date(parts.year, parts.month or 1, parts.day or 1)
    except ValueError:
        return False
    return parts.year in YEARS and parts.month != 0 and parts.day != 0


def _no_such_day(name: Text, typed: str) -> Text:
    return T(
        "{label}: “{text}” does not exist in the calendar from {first} to {last}.",
        label=name,
        text=typed[:40],
        first=YEARS[0],
        last=YEARS[-1],
    )


def _iso(parts: Parts) -> str:
    if parts.year is None:
        return UNKNOWN
    pieces = [f"{parts.year:04}"]
    if parts.month is not None:
        pieces.append(f"{parts.month:02}")
    if parts.day is not None:
        pieces.append(f"{parts.day:02}")
    return "-".join(pieces)
