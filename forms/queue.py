"""The list of queries a person may see: filtered, oldest first, page by page.

Pages follow the key (`after`), so that a page costs the page and not the study.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from ecrf.kernel.access import Actor, Right
from forms.tables import Entry, Query
from visits.tables import Participant, Visit

STATUSES = {
    "live": ("open", "answered"),
    "open": ("open",),
    "answered": ("answered",),
    "closed": ("closed",),
    "all": ("open", "answered", "closed"),
}
ORIGINS = ("rule", "person")


@dataclass(frozen=True, slots=True)
class Filters:
    """What to list; an empty text means whatever."""

    status: str = "live"
    site: str = ""
    participant: str = ""
    form: str = ""
    origin: str = ""

    def query_string(self) -> dict[str, str]:
        given = {name: getattr(self, name) for name in self.__slots__}
        return {name: value for name, value in given.items() if value}


class Line(NamedTuple):
    """One row of the list."""

    id: int
    site: str
    participant: str
    visit: str
    form: str
    number: int
    item: str
    rule: str
    status: str
    text_en: str
    text_zh: str
    opened_at: datetime

    def in_(self, locale: str) -> str:
        """Say the question, so that a page shows it like any text."""
        return self.text_zh if locale == "zh" else self.text_en


class Listing(NamedTuple):
    lines: tuple[Line, ...]
    after: int | None
    """The key to ask the next page with; None on the last."""


def listing(
    session: Session,
    actor: Actor,
    study_id: str,
    filters: Filters,
    *,
    after: int = 0,
    limit: int = 50,
) -> Listing:
    """Return one page of the queries at the actor's sites. One statement."""
    rows = session.execute(
        select(
            Query.id, Query.site, Participant.code, Visit.key, Entry.form, Entry.number,
            Query.item, Query.rule, Query.status, Query.text_en, Query.text_zh,
            Query.opened_at,
        )
        .join(Entry, Entry.id == Query.entry_id)
        .join(Visit, Visit.id == Entry.visit_id)
        .join(Participant, Participant.id == Query.participant_id)
        .where(*_conditions(actor, study_id, filters), Query.id > after)
        .order_by(Query.id)
        .limit(limit + 1)
    )  # fmt: skip
    lines = tuple(Line._make(row) for row in rows)
    more = len(lines) > limit
    return Listing(lines[:limit], lines[limit - 1].id if more else None)


def neighbours(
    session: Session, actor: Actor, study_id: str, filters: Filters, query_id: int
) -> tuple[int | None, int | None]:
    """Return the queries before and after this one in the list. One statement."""
    base = (
        select(Query.id)
        .join(Entry, Entry.id == Query.entry_id)
        .join(Participant, Participant.id == Query.participant_id)
        .where(*_conditions(actor, study_id, filters))
    )
    before = base.with_only_columns(func.max(Query.id)).where(Query.id < query_id)
    behind = base.with_only_columns(func.min(Query.id)).where(Query.id > query_id)
    row = session.execute(select(before.scalar_subquery(), behind.scalar_subquery())).one()
    return row[0], row[1]


def _conditions(actor: Actor, study_id: str, filters: Filters) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [
        Query.study == study_id,
        Query.status.in_(STATUSES.get(filters.status, STATUSES["live"])),
    ]
    sites = actor.sites(Right.ENTRY_READ, study_id)
    if sites is not None:
        found.append(Query.site.in_(sorted(sites)))
    if filters.site:
        found.append(Query.site == filters.site)
    if filters.participant:
        found.append(Participant.code == filters.participant.strip().upper())
    if filters.form:
        found.append(Entry.form == filters.form)
    if filters.origin in ORIGINS:
        found.append(Query.rule == "" if filters.origin == "person" else Query.rule != "")
    return found
