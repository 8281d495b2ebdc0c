"""How long is left until something is due, in words. The script counts on from there."""

from datetime import datetime, timedelta
from typing import NamedTuple

from ecrf.kernel.text import Message, T

SOON = timedelta(days=2)


class Countdown(NamedTuple):
    """The end of a clock, and what is said of it at the moment of the page."""

    due_at: datetime
    said: Message
    late: bool

    @property
    def iso(self) -> str:
        return self.due_at.isoformat(timespec="minutes")


def countdown(due_at: datetime, now: datetime) -> Countdown:
    """Return how long is left, or how late it is, in whole minutes; in days when it is long."""
    late = now > due_at
    minutes = int(abs(due_at - now) / timedelta(minutes=1))
    span = _span(minutes)
    said = T("{time} late", time=span) if late else T("{time} left", time=span)
    return Countdown(due_at, said, late)


def _span(minutes: int) -> Message:
    hours, rest = divmod(minutes, 60)
    if minutes >= SOON / timedelta(minutes=1):
        days, hours = divmod(hours, 24)
        return T("{d} d {h} h", d=days, h=hours)
    return T("{h} h {m} min", h=hours, m=rest)
