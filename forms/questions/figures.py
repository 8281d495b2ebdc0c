"""Figures about queries: by site, how many wait, for how long, and how many are done."""

from collections.abc import Mapping
from datetime import datetime
from itertools import pairwise
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, case, func, select
from sqlalchemy.orm import Session

from ecrf.kernel.access import Actor, Right
from forms.questions import ageing
from forms.tables import Query

LIVE = ("open", "answered")


class Figures(NamedTuple):
    """The queries of one site. `ages` counts those that wait, by `ageing.STEPS`."""

    site: str
    open: int
    answered: int
    closed: int
    cancelled: int
    ages: tuple[int, ...]
    oldest: int | None
    """How many days the oldest that waits is old."""


def by_site(
    session: Session, actor: Actor, study_id: str, zones: Mapping[str, str], now: datetime
) -> tuple[Figures, ...]:
    """Return the figures of each of the actor's sites in `zones`. One statement."""
    live = Query.status.in_(LIVE)
    older = [_older(zones, now, step) for step in ageing.STEPS]
    held = actor.sites(Right.QUERY_READ, study_id)
    mine = zones.keys() if held is None else zones.keys() & held
    rows = session.execute(
        select(
            Query.site,
            *(_count(Query.status == s) for s in ("open", "answered", "closed", "cancelled")),
            _count(live),
            *(_count(and_(live, old)) for old in older),
            func.min(case((live, Query.opened_at))).label("oldest"),
        )
        .where(Query.study == study_id, Query.site.in_(sorted(mine)))
        .group_by(Query.site)
    )
    found = {row[0]: _figures(row, zones, now) for row in rows}
    none = (0,) * (len(ageing.STEPS) + 1)
    return tuple(
        found.get(site, Figures(site, 0, 0, 0, 0, none, None)) for site in sorted(mine)
    )


def _figures(row: Any, zones: Mapping[str, str], now: datetime) -> Figures:
    at_least = [*row[5 : 6 + len(ageing.STEPS)], 0]
    ages = tuple(more - fewer for more, fewer in pairwise(at_least))
    oldest = None if row.oldest is None else ageing.days(row.oldest, now, zones[row.site])
    return Figures(row.site, row[1], row[2], row[3], row[4], ages, oldest)


def _older(zones: Mapping[str, str], now: datetime, step: int) -> ColumnElement[bool]:
    limits = ageing.asked_before(zones, now, step)
    return Query.opened_at < case(limits, value=Query.site)


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.count(case((condition, 1)))
