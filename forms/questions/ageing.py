"""How old queries are, in civil days at their sites: since 23:50 yesterday is a day. Pure."""

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from visits.windows import civil_date

STEPS = (8, 15, 29)
"""The ages in days at which the figures begin a new column."""


def days(since: datetime, now: datetime, zone: str) -> int:
    """Return how many midnights at the site lie between two instants."""
    return (civil_date(now, zone) - civil_date(since, zone)).days


def asked_before(zones: Mapping[str, str], now: datetime, age: int) -> dict[str, datetime]:
    """Return by site the instant before which a query was asked that is `age` days old."""
    return {site: _begin(now, zone, age - 1) for site, zone in zones.items()}


def _begin(now: datetime, zone: str, back: int) -> datetime:
    """Return the first instant at the site of the day that lies `back` days before today."""
    here = ZoneInfo(zone)
    on = now.astimezone(here).date() - timedelta(days=back)
    return datetime.combine(on, time(), here).astimezone(now.tzinfo)
