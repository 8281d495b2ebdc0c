"""Read out what a package is made of: everything in explicit order, streamed.

A `Selection` is what the file is about and as of when; what came later is not in it. Nothing
here asks for an arm, and nothing here knows one.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from ecrf.kernel.people import Person, Site
from ecrf.kernel.signatures import Signature
from ecrf.study import versions
from ecrf.study.model import Study
from ecrf.study.tables import ProtocolVersion, StudyRow
from forms.tables import Entry, Query, QueryMessage
from forms.unblinded import later
from visits.tables import Deviation, Participant, Visit

CHUNK = 500


class Selection(NamedTuple):
    """A study, the sites of it (None: all), and the moment the file speaks of."""

    study: str
    sites: frozenset[str] | None
    at: datetime

    def covers(self) -> ColumnElement[bool]:
        """Return the condition that keeps to the participants of the selection."""
        mine = Participant.study == self.study
        return mine if self.sites is None else mine & Participant.site.in_(sorted(self.sites))


class Version(NamedTuple):
    """A version of the definition that data were entered under."""

    fingerprint: str
    content: str
    study: Study


class EntryRow(NamedTuple):
    """An entry with the keys of its place."""

    id: int
    site: str
    participant: str
    visit: str
    visit_date: str
    number: int
    status: str
    version: int
    protocol: str
    signed: bool
    saved_at: datetime
    answers: dict[str, dict[str, str]]
    later: bool


ORDER = (Participant.site, Participant.number)


def definitions(session: Session, selection: Selection) -> tuple[Version, ...]:
    """Return the versions in use, the oldest first; without any data, the one in force."""
    used = select(Entry.protocol).join(Participant, Participant.id == Entry.participant_id)
    rows = session.execute(
        select(ProtocolVersion.fingerprint, ProtocolVersion.content)
        .where(
            ProtocolVersion.study == selection.study,
            or_(
                ProtocolVersion.fingerprint.in_(used.where(selection.covers())),
                ProtocolVersion.fingerprint.in_(
                    select(Participant.protocol).where(selection.covers())
                ),
            ),
        )
        .order_by(ProtocolVersion.first_at, ProtocolVersion.fingerprint)
    ).all()
    if not rows:
        rows = session.execute(
            select(ProtocolVersion.fingerprint, ProtocolVersion.content)
            .join(StudyRow, StudyRow.fingerprint == ProtocolVersion.fingerprint)
            .where(StudyRow.id == selection.study)
        ).all()
    return tuple(
        Version(row.fingerprint, row.content, versions.model(session, row.fingerprint))
        for row in rows
    )


def entries(session: Session, selection: Selection, form: str) -> Iterator[EntryRow]:
    """Yield the entries of a form by participant, visit and number."""
    query = (
        select(
            Entry.id, Participant.site, Participant.code, Visit.key, Visit.held_on,
            Entry.number, Entry.status, Entry.version, Entry.protocol, Entry.signature_id,
            Entry.signed_version, Entry.saved_at, Entry.answers,
            Participant.unblinded_at, later.first_saved_if_broken().label("first"),
        )
        .join(Participant, Participant.id == Entry.participant_id)
        .join(Visit, Visit.id == Entry.visit_id)
        .where(selection.covers(), Entry.form == form)
        .order_by(*ORDER, Visit.position, Visit.key, Entry.number)
    )  # fmt: skip
    for row in stream(session, query):
        yield EntryRow(
            row.id, row.site, row.code, row.key, text(row.held_on), row.number, row.status,
            row.version, row.protocol,
            row.signature_id is not None and row.signed_version == row.version,
            row.saved_at, row.answers,
            later.came_after(row.first, row.unblinded_at, selection.at),
        )  # fmt: skip


def randomized(session: Session, selection: Selection) -> dict[str, tuple[str, str]]:
    """Return site and random number of everybody randomized, by code, in order."""
    rows = session.execute(
        select(Participant.code, Participant.site, Participant.random_number)
        .where(selection.covers(), Participant.random_number.is_not(None))
        .order_by(*ORDER)
    )
    return {row.code: (row.site, row.random_number) for row in rows}


VISITS = (
    "site", "participant", "visit", "plan", "kind", "status", "window_first",
    "window_target", "window_last", "held_on", "missed_reason",
)  # fmt: skip


def visits(session: Session, selection: Selection) -> Iterator[list[str]]:
    query = (
        select(
            Participant.site, Participant.code, Visit.key, Visit.plan, Visit.kind,
            Visit.status, Visit.first, Visit.target, Visit.last, Visit.held_on,
            Visit.missed_reason,
        )
        .join(Participant, Participant.id == Visit.participant_id)
        .where(selection.covers())
        .order_by(*ORDER, Visit.position, Visit.key)
    )  # fmt: skip
    yield from ([*map(text, row)] for row in stream(session, query))


DEVIATIONS = (
    "deviation", "site", "participant", "visit", "category", "severity", "rule", "text_en",
    "text_zh", "raised_at", "withdrawn_at",
)  # fmt: skip


def deviations(session: Session, selection: Selection) -> Iterator[list[str]]:
    query = (
        select(
            Deviation.id, Participant.site, Participant.code, Visit.key, Deviation.category,
            Deviation.severity, Deviation.rule, Deviation.text_en, Deviation.text_zh,
            Deviation.raised_at, Deviation.withdrawn_at,
        )
        .join(Participant, Participant.id == Deviation.participant_id)
        .outerjoin(Visit, Visit.id == Deviation.visit_id)
        .where(selection.covers(), Deviation.raised_at <= selection.at)
        .order_by(*ORDER, Deviation.id)
    )  # fmt: skip
    yield from ([*map(text, row)] for row in stream(session, query))


QUERIES = (
    "query", "site", "participant", "visit", "form", "number", "item", "rule", "status",
    "text_en", "text_zh", "opened_at", "opened_by",
)  # fmt: skip
MESSAGES = ("query", "act", "text", "by", "at")


def queries(
    session: Session, selection: Selection, masked: frozenset[tuple[str, str]]
) -> Iterator[list[str]]:
    """Yield the queries, without those on items left out (`masked`: form and item key)."""
    query = (
        select(
            Query.id, Participant.site, Participant.code, Visit.key, Query.form, Query.number,
            Query.item, Query.rule, Query.status, Query.text_en, Query.text_zh,
            Query.opened_at, Person.name,
        )
        .join(Participant, Participant.id == Query.participant_id)
        .outerjoin(Visit, Visit.id == Query.visit_id)
        .outerjoin(Person, Person.id == Query.opened_by)
        .where(selection.covers())
        .order_by(*ORDER, Query.id)
    )  # fmt: skip
    for row in stream(session, query):
        if (row.form, row.item) not in masked:
            yield [*map(text, row)]


def messages(
    session: Session, selection: Selection, masked: frozenset[tuple[str, str]]
) -> Iterator[list[str]]:
    """Yield what was said in the threads of the queries, oldest first."""
    query = (
        select(
            QueryMessage.query_id, QueryMessage.act, QueryMessage.text, QueryMessage.by_name,
            QueryMessage.at, Query.form, Query.item,
        )
        .join(Query, Query.id == QueryMessage.query_id)
        .join(Participant, Participant.id == Query.participant_id)
        .where(selection.covers())
        .order_by(*ORDER, QueryMessage.query_id, QueryMessage.id)
    )  # fmt: skip
    for row in stream(session, query):
        if (row.form, row.item) not in masked:
            yield [*map(text, row[:5])]


SIGNATURES = (
    "signature", "target", "site", "participant", "visit", "form", "number", "version",
    "content_sha256", "person", "printed_name", "role", "meaning_en", "meaning_zh", "at",
    "zone", "stands",
)  # fmt: skip


def signatures(session: Session, selection: Selection) -> Iterator[list[str]]:
    """Yield every signature an entry ever carried; `stands` says whether it still does."""
    target = "entry:" + Entry.id.cast(Signature.target.type)
    query = (
        select(
            Signature.id, Signature.target, Participant.site, Participant.code, Visit.key,
            Entry.form, Entry.number, Signature.version, Signature.content_hash,
            Signature.person_id, Signature.printed_name, Signature.role, Signature.meaning_en,
            Signature.meaning_zh, Signature.at, Signature.zone,
            Entry.signature_id, Entry.version.label("now"),
        )
        .join(Entry, Signature.target == target)
        .join(Participant, Participant.id == Entry.participant_id)
        .join(Visit, Visit.id == Entry.visit_id)
        .where(selection.covers(), Signature.at <= selection.at)
        .order_by(*ORDER, Signature.id)
    )  # fmt: skip
    for row in stream(session, query):
        stands = row.signature_id == row.id and row.version == row.now
        yield [*map(text, row[:16]), "Y" if stands else "N"]


SITES = ("site", "name_en", "name_zh", "zone")


def sites(session: Session, selection: Selection) -> Iterator[list[str]]:
    mine = Site.study == selection.study
    if selection.sites is not None:
        mine = and_(mine, Site.code.in_(sorted(selection.sites)))
    query = select(Site.code, Site.name_en, Site.name_zh, Site.zone).where(mine)
    yield from ([*map(text, row)] for row in stream(session, query.order_by(Site.code)))


def text(value: object) -> str:
    """Return a value of a table as text: nothing is empty, times are UTC to the second."""
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    return "" if value is None else str(value)


def stream(session: Session, query: Any) -> Iterator[Any]:
    yield from session.execute(query.execution_options(yield_per=CHUNK))
