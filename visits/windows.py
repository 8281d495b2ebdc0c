"""Study days, and windows in the calendar. Pure; civil dates, and no clock.

Day 1 is the anchor itself and there is no Day 0: the day before the anchor is Day -1.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo


class Timing(StrEnum):
    """Where a date lies beside a window."""

    EARLY = "early"
    IN_WINDOW = "in window"
    LATE = "late"


@dataclass(frozen=True, slots=True)
class Span:
    """A window placed in the calendar; both ends belong to it."""

    first: date
    target: date
    last: date

    def timing(self, on: date) -> Timing:
        if on < self.first:
            return Timing.EARLY
        return Timing.LATE if on > self.last else Timing.IN_WINDOW

    def days_out(self, on: date) -> int:
        """Return the signed distance from the window: -2 is two days early, 0 is inside."""
        return min(0, (on - self.first).days) + max(0, (on - self.last).days)

    def overdue(self, today: date, held_on: date | None) -> bool:
        """Say whether the window has passed without the visit."""
        return held_on is None and today > self.last


def study_day(on: date, anchor: date) -> int:
    """Return the study day of `on`: 1 on the anchor, -1 on the day before it, never 0."""
    days = (on - anchor).days
    return days + 1 if days >= 0 else days


def date_of(day: int, anchor: date) -> date:
    """Return the date of study day `day`; the inverse of `study_day`."""
    if day == 0:
        raise ValueError("there is no study day 0")
    return anchor + timedelta(days=day - 1 if day > 0 else day)


def months_after(anchor: date, months: int) -> date:
    """Return the same day `months` later, or the last day of a month that is too short."""
    years, month = divmod(anchor.month - 1 + months, 12)
    year, month = anchor.year + years, month + 1
    return date(year, month, min(anchor.day, monthrange(year, month)[1]))


def around(target: date, before: int, after: int) -> Span:
    """Return the window from `before` days before `target` to `after` days after it."""
    return Span(target - timedelta(days=before), target, target + timedelta(days=after))


def civil_date(at: datetime, zone: str) -> date:
    """Return the date it is at that instant in a time zone."""
    return at.astimezone(ZoneInfo(zone)).date()
