"""The date of a visit as people type it, with short words for today and the days before."""

import re
from datetime import date, timedelta

from ecrf.kernel.text import T
from forms import dates
from visits import refusals
from visits.visits import DATE

_BEFORE = re.compile(r"-([0-9]{1,2})", re.ASCII)


def read_date(typed: str, today: date) -> date:
    """Return the day typed; `t` is today, `-1` yesterday. Refuse what is no whole date."""
    text = typed.strip().lower()
    if text == "t":
        return today
    if before := _BEFORE.fullmatch(text):
        return today - timedelta(days=int(before[1]))
    read = dates.whole(T("Date of the visit"), typed.strip())
    if isinstance(read, str):
        return date.fromisoformat(read)
    raise refusals.unacceptable(DATE, read)
