"""The list of queries a person may see: filtered, oldest first, page by page.

Pages follow the key (`after`), so that a page costs the page and not the study.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select
from sqlalchemy.orm import Session, aliased

from ecrf.kernel.access import Actor, Right
from ecrf.kernel.people import Person, Site
from forms.questions import places
from forms.questions.places import About
from forms.tables import Query
from visits.tables import Participant, Visit

LIVE = ("open", "answered")
STATUSES = {
    "live": LIVE,
    "open": ("open",),
    "answered": ("answered",),
    "closed": ("closed",),
    "cancelled": ("cancelled",),
    "all": ("open", "answered", "closed", "cancelled"),
}
ORIGINS = ("rule", "person")
MINE = ("assigned", "opened")
CHUNK = 500


@dataclass(frozen=True, slots=True)
class Filters:
    """What to list; an empty text means whatever. `age` is the fewest days since asking."""

    status: str = "live"
    site: str = ""
    participant: str = ""
    visit: str = ""
    form: str = ""
    item: str = ""
    rule: str = ""
    origin: str = ""
    mine: str = ""
    age: str = ""

    def query_string(self) -> dict[str, str]:
        given = {name: getattr(self, name) for name in self.__slots__}
        return {name: value for name, value in given.items() if value}

    @property
    def days(self) -> int:
        """The fewest days; what is no number of days asks for none."""
        sound = self.age.isascii() and self.age.isdecimal() and len(self.age) < 5
        return int(self.age) if sound else 0


class Line(NamedTuple):
    """One row of the list. `zone` is the site's, `assignee` the person it waits for."""

    id: int
    site: str
    zone: str
    participant: str
    visit: str | None
    form: str
    number: int
    item: str
    rule: str
    status: str
    text_en: str
    text_zh: str
    opened_at: datetime
    opened_by: str | None
    answered_at: datetime | None
    closed_at: datetime | None
    assigned_role: str | None
    assignee: str | None

    @property
    def about(self) -> About:
        return places.about(self.visit is not None, self.form, self.item)

    def in_(self, locale: str) -> str:
        """Say the question, so that a page shows it like any text."""
        return self.text_zh if locale == "zh" else self.text_en


class Listing(NamedTuple):
    lines: tuple[Line, ...]
    after: int | None
    """The key to ask the next page with; None on the last."""


Before = Mapping[str, datetime]
"""By site: what was asked before this instant is old enough (`ageing.asked_before`)."""


def listing(
    session: Session,
    actor: Actor,
    study_id: str,
    filters: Filters,
    *,
    after: int = 0,
    limit: int = 50,
    before: Before | None = None,
) -> Listing:
    """Return one page of the queries at the actor's sites. One statement."""
    wanted = _lines(_conditions(actor, study_id, filters, before))
    rows = session.execute(wanted.where(Query.id > after).limit(limit + 1))
    lines = tuple(Line._make(row) for row in rows)
    more = len(lines) > limit
    return Listing(lines[:limit], lines[limit - 1].id if more else None)


def every(
    session: Session,
    actor: Actor,
    study_id: str,
    filters: Filters,
    *,
    before: Before | None = None,
) -> Iterator[Line]:
    """Yield the whole list, streamed."""
    wanted = _lines(_conditions(actor, study_id, filters, before))
    for row in session.execute(wanted.execution_options(yield_per=CHUNK)):
        yield Line._make(row)


def chosen(
    session: Session, actor: Actor, study_id: str, ids: Collection[int]
) -> tuple[Line, ...]:
    """Return the lines of these queries, as far as the actor may see them."""
    conditions = _conditions(actor, study_id, Filters(status="all"), None)
    rows = session.execute(_lines([*conditions, Query.id.in_(sorted(ids))]))
    return tuple(Line._make(row) for row in rows)


def neighbours(
    session: Session,
    actor: Actor,
    study_id: str,
    filters: Filters,
    query_id: int,
    *,
    before: Before | None = None,
) -> tuple[int | None, int | None]:
    """Return the queries before and after this one in the list. One statement."""
    base = _joined(select(Query.id)).where(*_conditions(actor, study_id, filters, before))
    previous = base.with_only_columns(func.max(Query.id)).where(Query.id < query_id)
    behind = base.with_only_columns(func.min(Query.id)).where(Query.id > query_id)
    row = session.execute(select(previous.scalar_subquery(), behind.scalar_subquery())).one()
    return row[0], row[1]


def assigned(session: Session, actor: Actor, study_id: str) -> int:
    """Count the open queries that wait for this very person, by name or by role."""
    conditions = _conditions(actor, study_id, Filters(status="open", mine="assigned"), None)
    counted = _joined(select(func.count(Query.id))).where(*conditions)
    return int(session.scalars(counted).one())


def _lines(conditions: list[ColumnElement[bool]]) -> Select[*tuple[Any, ...]]:
    opener, assignee = aliased(Person), aliased(Person)
    return (
        _joined(
            select(
                Query.id, Query.site, Site.zone, Participant.code, Visit.key, Query.form,
                Query.number, Query.item, Query.rule, Query.status, Query.text_en,
                Query.text_zh, Query.opened_at, opener.name, Query.answered_at,
                Query.closed_at, Query.assigned_role, assignee.name,
            )
        )
        .join(Site, and_(Site.study == Query.study, Site.code == Query.site))
        .outerjoin(opener, opener.id == Query.opened_by)
        .outerjoin(assignee, assignee.id == Query.assigned_to)
        .where(*conditions)
        .order_by(Query.id)
    )  # fmt: skip


def _joined(query: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    return (
        query.select_from(Query)
        .join(Participant, Participant.id == Query.participant_id)
        .outerjoin(Visit, Visit.id == Query.visit_id)
    )


def _conditions(
    actor: Actor, study_id: str, filters: Filters, before: Before | None
) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [
        Query.study == study_id,
        Query.status.in_(STATUSES.get(filters.status, STATUSES["live"])),
    ]
    sites = actor.sites(Right.QUERY_READ, study_id)
    if sites is not None:
        found.append(Query.site.in_(sorted(sites)))
    exactly: dict[Any, str] = {
        Query.site: filters.site,
        Participant.code: filters.participant.strip().upper(),
        Query.form: filters.form,
        Query.rule: filters.rule.strip(),
        Query.item: filters.item.strip(),
    }
    found += [column == value for column, value in exactly.items() if value]
    if filters.visit:
        visit = filters.visit.strip()
        found.append(or_(Visit.plan == visit, Visit.key == visit))
    if filters.origin in ORIGINS:
        found.append(Query.rule == "" if filters.origin == "person" else Query.rule != "")
    if filters.mine in MINE:
        found.append(_mine(actor, study_id, filters.mine))
    if filters.days and before is not None:
        found.append(
            or_(
                false(),
                *(and_(Query.site == s, Query.opened_at < at) for s, at in before.items()),
            )
        )
    return found


def _mine(actor: Actor, study_id: str, mine: str) -> ColumnElement[bool]:
    """Return the condition that a query was asked by the actor, or waits for them."""
    if mine == "opened":
        return Query.opened_by == actor.id
    roles = [
        and_(
            Query.assigned_role == grant.role.value,
            *([] if grant.site is None else [Query.site == grant.site]),
        )
        for grant in sorted(
            actor.grants, key=lambda grant: (grant.role.value, grant.site or "")
        )
        if grant.study == study_id
    ]
    nobody = Query.assigned_to.is_(None)
    return or_(Query.assigned_to == actor.id, and_(nobody, or_(false(), *roles)))
