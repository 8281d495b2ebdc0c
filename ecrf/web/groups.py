"""What Today is made of: groups of things to do, a line each."""

from datetime import date, datetime
from typing import NamedTuple

from ecrf.kernel.text import Text
from ecrf.web.countdown import Countdown

SHOWN = 10
"""How many lines of a long group are listed; its own page has them all."""


class Row(NamedTuple):
    """One thing to do: where it is, whose it is, what it is, and between which days."""

    path: str
    code: str
    what: Text
    status: str
    first: date | None = None
    last: date | None = None
    note: Text | None = None
    clock: Countdown | None = None


class Group(NamedTuple):
    """Things to do of one kind; `more` is the page that has all of them."""

    name: str
    title: Text
    rows: list[Row]
    total: int
    oldest: datetime | None = None
    more: str | None = None
