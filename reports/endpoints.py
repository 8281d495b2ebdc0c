"""The endpoint of events: whether there was one in time, and when the first was. Pure.

By the site and by the committee. Nothing is imputed: what is not known stays empty, and two
sensitivity sets say what would follow. No treatment is known here.
"""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple


class Event(NamedTuple):
    """One event as the site and the committee see it; `committee` None while it is open.

    `judged` says that the event is one the committee is asked about.
    """

    number: int
    visit: str
    site: bool
    site_on: date | None
    site_organs: tuple[str, ...] = ()
    judged: bool = False
    case: str = ""
    state: str = ""
    committee: bool | None = None
    on: date | None = None
    organs: tuple[str, ...] = ()


class Course(NamedTuple):
    """A randomized participant's way as far as the endpoint asks.

    `until` is the last day of the window of the endpoint's visit, `held` the day of that visit,
    `seen` the last day an assessment was made.
    """

    participant: str
    site: str
    randomized_on: date
    until: date
    held: date | None
    seen: date | None
    events: tuple[Event, ...] = ()


class Binary(NamedTuple):
    """Y, N, or empty when it is not known; `waits` while the committee has not decided."""

    value: str
    waits: bool = False

    @property
    def worst(self) -> str:
        """The value when a missing one counts as an event."""
        return self.value or "Y"


class Time(NamedTuple):
    """Days from the randomization to the first event, or to the last time somebody looked."""

    days: int
    happened: bool
    on: date


def by_site(course: Course) -> tuple[Sequence[date | None], bool]:
    """Return the dates of what the site calls an event; none of them is open."""
    return [event.site_on for event in course.events if event.site], False


def by_committee(course: Course) -> tuple[Sequence[date | None], bool]:
    """Return the dates of what the committee calls an event, and whether any case is open."""
    dates = [event.on for event in course.events if event.committee]
    return dates, any(event.judged and event.committee is None for event in course.events)


def binary(course: Course, dates: Sequence[date | None], waits: bool = False) -> Binary:
    """Say whether there was an event by the end of the window, or by a later visit."""
    end = max(course.until, course.held or course.until)
    if any(on is not None and on <= end for on in dates):
        return Binary("Y")
    if waits or None in dates:
        return Binary("", waits)
    return Binary("N" if course.held is not None else "")


def time(course: Course, dates: Sequence[date | None]) -> Time:
    """Return the time to the first event; without one, to the last assessment."""
    known = [on for on in dates if on is not None]
    on = min(known) if known else max(course.seen or course.randomized_on, course.randomized_on)
    return Time((on - course.randomized_on).days, bool(known), on)
