"""Finding queries with everything their pages and their turns need. One statement.

What lies at another site is not found. A row that is going to be changed is found with the head
of its participant's chain locked; of several, the heads are locked in the order of their names.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, literal, or_, select
from sqlalchemy.orm import Session

from ecrf.kernel.access import Actor, Right
from ecrf.kernel.chain import Head
from ecrf.kernel.errors import NotFound
from ecrf.kernel.ledger import LEDGER
from ecrf.kernel.people import Person, Site
from ecrf.kernel.text import T
from ecrf.study.tables import StudyRow
from forms import ladder, lookup
from forms.ladder import Place
from forms.questions import places
from forms.questions.places import About
from forms.tables import Entry, Query, QueryMessage
from visits.tables import Participant, Visit


@dataclass(frozen=True, slots=True)
class Asked:
    """A query and where it belongs. `assignee` is the name of the person it waits for."""

    query: Query
    entry: Entry | None
    visit: Visit | None
    participant: Participant
    site: Site
    study_state: str
    assignee: str | None
    head: Head | None

    @property
    def place(self) -> Place:
        return places.place(
            self.study_state, self.site, self.participant, self.visit, self.entry
        )

    @property
    def about(self) -> About:
        return places.about(self.visit is not None, self.query.form, self.query.item)

    @property
    def refs(self) -> dict[str, object]:
        """What an act on the query refers to, with the version of the answers it speaks of."""
        found: dict[str, object] = {"participant": self.participant.code}
        if self.visit is not None:
            found["visit"] = self.visit.key
        if self.query.form:
            found |= {"form": self.query.form, "number": self.query.number}
        if self.entry is not None:
            found |= {"entry": self.entry.id, "version": self.entry.version}
        if self.query.item:
            found["item"] = self.query.item
        return found


def find(
    session: Session,
    actor: Actor,
    study_id: str,
    query_id: int,
    right: Right,
    lock: bool = False,
) -> Asked:
    """Return a query of the actor's sites, or raise NotFound; `lock` in order to write."""
    return find_all(session, actor, study_id, [query_id], right, lock)[0]


def find_all(
    session: Session,
    actor: Actor,
    study_id: str,
    ids: Collection[int],
    right: Right,
    lock: bool = False,
) -> Sequence[Asked]:
    """Return these queries by participant and number; NotFound when one is not theirs."""
    rows = session.execute(_chosen(study_id, ids, lock)).all()
    seen = [row for row in rows if actor.may(right, study_id, row.Participant.site)]
    if len(seen) != len(set(ids)):
        raise NotFound(T("There is no such query."))
    lookup.detach(session, {part for row in seen for part in row})
    return [
        Asked(
            row.Query, row.Entry, row.Visit, row.Participant, row.Site, row.study_state,
            row.assignee, Head(row.name, row.size, row.link, row.last_at) if lock else None,
        )
        for row in seen
    ]  # fmt: skip


def _chosen(study_id: str, ids: Collection[int], lock: bool) -> Select[Any]:
    chain = LEDGER.chain.c
    name = literal("participant:") + Participant.study + "/" + Participant.code
    query = (
        select(
            Query, Entry, Visit, Participant, Site, StudyRow.state.label("study_state"),
            Person.name.label("assignee"), chain.name, chain.size, chain.link, chain.last_at,
        )
        .join(Participant, Participant.id == Query.participant_id)
        .join(StudyRow, StudyRow.id == Query.study)
        .join(Site, and_(Site.study == Query.study, Site.code == Participant.site))
        .join(LEDGER.chain, chain.name == name)
        .outerjoin(Visit, Visit.id == Query.visit_id)
        .outerjoin(Entry, Entry.id == Query.entry_id)
        .outerjoin(Person, Person.id == Query.assigned_to)
        .where(Query.id.in_(sorted(ids)), Query.study == study_id)
        .order_by(chain.name, Query.id)
    )  # fmt: skip
    return query.with_for_update(of=LEDGER.chain) if lock else query


def unlocked(at: datetime) -> ColumnElement[bool]:
    """Return the condition on a query's row that its place may move at that moment."""
    visit, entry = Visit.__table__.alias(), Entry.__table__.alias()
    whole = [visit.c.id == Query.visit_id, visit.c.open_until > at, Query.entry_id.is_(None)]
    return or_(
        _unlocked(),
        exists(select(visit.c.id).where(*whole)),
        exists(select(entry.c.id).where(entry.c.id == Query.entry_id, entry.c.open_until > at)),
    )


@cache
def _unlocked() -> ColumnElement[bool]:
    """Return the condition on a query's row that nothing at or above its place is locked."""
    participant, site, study = (
        Participant.__table__.alias(), Site.__table__.alias(), StudyRow.__table__.alias(),
    )  # fmt: skip
    above = (
        select(participant.c.id)
        .join(study, study.c.id == participant.c.study)
        .join(site, and_(site.c.study == study.c.id, site.c.code == participant.c.site))
        .where(
            participant.c.id == Query.participant_id,
            *(thing.c.state.in_(ladder.UNLOCKED) for thing in (participant, site, study)),
        )
    )
    barred = [
        exists(select(thing.c.id).where(thing.c.id == here, thing.c.state == "locked"))
        for thing, here in (
            (Visit.__table__.alias(), Query.visit_id),
            (Entry.__table__.alias(), Query.entry_id),
        )
    ]
    return and_(exists(above), *(~shut for shut in barred))


def thread(session: Session, query_id: int) -> list[QueryMessage]:
    """Return what was said, oldest first."""
    query = select(QueryMessage).where(QueryMessage.query_id == query_id)
    return list(session.scalars(query.order_by(QueryMessage.id)))


def of_form(session: Session, visit_id: int, form: str, number: int) -> list[Query]:
    """Return every query on a form and its items, oldest first."""
    here = (Query.visit_id == visit_id, Query.form == form, Query.number == number)
    return list(session.scalars(select(Query).where(*here).order_by(Query.id)))


def above_forms(session: Session, participant_id: int) -> list[Query]:
    """Return the queries on a participant and on the dates of the visits, oldest first."""
    here = (Query.participant_id == participant_id, Query.form == "")
    return list(session.scalars(select(Query).where(*here).order_by(Query.id)))


def answers(session: Session, ids: Collection[int]) -> dict[int, QueryMessage]:
    """Return the newest answer to each of these queries that has one."""
    query = select(QueryMessage).where(
        QueryMessage.query_id.in_(sorted(ids)), QueryMessage.act == "answer"
    )
    return {said.query_id: said for said in session.scalars(query.order_by(QueryMessage.id))}
