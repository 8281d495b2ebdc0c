"""Queries of persons and what people say in the thread of any query.

A query is open, answered or closed. Asking, answering, closing and asking again are separate
rights. Queries still flow while a form is frozen, and stop when it is locked. Every turn is an
act on the participant's chain under the key `query:<id>`, its text kept as the act's reason.
"""

import unicodedata
from dataclasses import dataclass

from sqlalchemy import func, insert, literal, select, update
from sqlalchemy.orm import Session

from ecrf.kernel.access import Actor, Right, Role
from ecrf.kernel.chain import Change, Head
from ecrf.kernel.errors import Conflict, NotFound, Problem, Unacceptable
from ecrf.kernel.ledger import LEDGER, Act, By
from ecrf.kernel.people import Site
from ecrf.kernel.text import Message, T
from ecrf.study.tables import StudyRow
from forms import ladder, lookup
from forms.ladder import Place, Rung
from forms.lookup import Found
from forms.tables import Entry, Query, QueryMessage
from visits.tables import Participant, Visit

LONGEST_QUESTION = 600
LONGEST_REPLY = 1000


@dataclass(frozen=True, slots=True)
class Asked:
    """A query and where it belongs. `head` is set when it was looked up to be written."""

    query: Query
    entry: Entry
    visit: Visit
    participant: Participant
    site: Site
    study_state: str
    head: Head | None

    @property
    def place(self) -> Place:
        rungs = (
            Rung("study", self.study_state),
            Rung("site", self.site.state),
            Rung("participant", self.participant.state),
            Rung("visit", self.visit.state),
            Rung("entry", self.entry.state),
        )
        who = self.participant
        return Place(who.study, who.site, who.id, self.visit.id, self.entry.id, rungs)


def find(
    session: Session,
    actor: Actor,
    study_id: str,
    query_id: int,
    right: Right,
    lock: bool = False,
) -> Asked:
    """Return a query of the actor's sites, or raise NotFound; `lock` in order to write."""
    chain = LEDGER.chain.c
    name = literal("participant:") + Participant.study + "/" + Participant.code
    query = (
        select(
            Query, Entry, Visit, Participant, Site, StudyRow.state.label("study_state"),
            chain.name, chain.size, chain.link, chain.last_at,
        )
        .join(Entry, Entry.id == Query.entry_id)
        .join(Visit, Visit.id == Entry.visit_id)
        .join(Participant, Participant.id == Query.participant_id)
        .join(StudyRow, StudyRow.id == Query.study)
        .join(Site, (Site.study == Query.study) & (Site.code == Participant.site))
        .join(LEDGER.chain, chain.name == name)
        .where(Query.id == query_id, Query.study == study_id)
    )  # fmt: skip
    if lock:
        query = query.with_for_update(of=LEDGER.chain)
    row = session.execute(query).one_or_none()
    if row is None or not actor.may(right, study_id, row.Participant.site):
        raise NotFound(T("There is no such query."))
    lookup.detach(session, row)
    head = Head(row.name, row.size, row.link, row.last_at) if lock else None
    return Asked(
        row.Query, row.Entry, row.Visit, row.Participant, row.Site, row.study_state, head
    )


def thread(session: Session, query_id: int) -> list[QueryMessage]:
    """Return what was said, oldest first."""
    query = select(QueryMessage).where(QueryMessage.query_id == query_id)
    return list(session.scalars(query.order_by(QueryMessage.id)))


def of_entry(session: Session, entry_id: int) -> list[Query]:
    """Return every query on an entry, oldest first."""
    return list(
        session.scalars(select(Query).where(Query.entry_id == entry_id).order_by(Query.id))
    )


def open_(session: Session, by: By, found: Found, item: str, text: str) -> int:
    """Ask the site about an item, answered or blank; return the query's id.

    `found` was looked up with its chain locked.
    """
    role = lookup.role(by, Right.QUERY_OPEN, found.participant)
    ladder.require(session, found.place, ladder.UNLOCKED)
    if item not in found.form.cells:
        wrong = T("{form} has no item {item}.", form=found.form.title, item=item)
        raise Unacceptable(wrong, [Problem("item", wrong)])
    text = _said(text, LONGEST_QUESTION)
    if found.entry is None:
        raise Conflict(T("Nobody has begun this form yet; there is nothing to ask about."))
    query_id = _insert(session, by, found, item, text)
    refs = {
        "participant": found.participant.code, "visit": found.visit.key,
        "form": found.form.id, "number": found.number, "entry": found.entry.id, "item": item,
    }  # fmt: skip
    _say(session, by, query_id, "open", text)
    change = Change("#status", None, "open")
    act = Act(
        "query:open", role, found.participant.study, found.participant.site,
        key=f"query:{query_id}", refs=refs, reason=text, changes=[change],
    )  # fmt: skip
    LEDGER.write(session, by, [(lookup.locked_head(found), act)])
    return query_id


def answer(session: Session, by: By, asked: Asked, text: str) -> None:
    """Answer an open query, or add to an answer nobody has judged yet."""
    role = lookup.role(by, Right.QUERY_ANSWER, asked.participant)
    _move(session, by, asked, role, ("open", "answered"), "answered", "answer", text)


def close(session: Session, by: By, asked: Asked, text: str) -> None:
    """Close a query, saying why; also one a rule raised, when the value is right as it is."""
    role = lookup.role(by, Right.QUERY_CLOSE, asked.participant)
    _move(session, by, asked, role, ("open", "answered"), "closed", "close", text)


def reopen(session: Session, by: By, asked: Asked, text: str) -> None:
    """Ask again: the answer does not settle it, or the query was closed too early."""
    role = lookup.role(by, Right.QUERY_OPEN, asked.participant)
    _move(session, by, asked, role, ("answered", "closed"), "open", "reopen", text)


_WRONG_STATE: dict[str, Message] = {
    "open": T("This query is open already."),
    "answered": T("This query is answered already."),
    "closed": T("This query is closed."),
}


def _move(
    session: Session,
    by: By,
    asked: Asked,
    role: Role,
    start: tuple[str, ...],
    end: str,
    act: str,
    text: str,
) -> None:
    ladder.require(session, asked.place, ladder.UNLOCKED)
    query = asked.query
    if query.status not in start:
        raise Conflict(_WRONG_STATE[query.status])
    text = _said(text, LONGEST_REPLY)
    moved = session.connection().scalar(
        update(Query)
        .where(
            Query.id == query.id, Query.status == query.status,
            ladder.still(asked.place, ladder.UNLOCKED),
            select(Entry.state).where(Entry.id == asked.entry.id).scalar_subquery().in_(
                ladder.UNLOCKED
            ),
        )
        .values(status=end)
        .returning(Query.id)
    )  # fmt: skip
    if moved is None or asked.head is None:
        raise Conflict(T("This query was answered, closed or locked a moment ago."))
    _say(session, by, query.id, act, text)
    participant = asked.participant
    refs = {
        "participant": participant.code, "visit": asked.visit.key, "form": asked.entry.form,
        "number": asked.entry.number, "entry": asked.entry.id, "item": query.item,
    }  # fmt: skip
    entry = Act(
        f"query:{act}", role, participant.study, participant.site, key=f"query:{query.id}",
        refs=refs, reason=text, changes=[Change("#status", query.status, end)],
    )  # fmt: skip
    LEDGER.write(session, by, [(asked.head, entry)])


def _insert(session: Session, by: By, found: Found, item: str, text: str) -> int:
    serial = (
        select(func.coalesce(func.max(Query.serial), 0) + 1)
        .where(Query.entry_id == found.place.entry_id, Query.item == item, Query.rule == "")
        .scalar_subquery()
    )
    values = {
        "entry_id": found.place.entry_id,
        "participant_id": found.participant.id,
        "study": found.participant.study,
        "site": found.participant.site,
        "item": item,
        "rule": "",
        "serial": serial,
        "status": "open",
        "text_en": text,
        "text_zh": text,
        "opened_at": by.at,
        "opened_by": by.actor.id,
    }
    return session.scalars(insert(Query).values(values).returning(Query.id)).one()


def _say(session: Session, by: By, query_id: int, act: str, text: str) -> None:
    session.execute(
        insert(QueryMessage).values(
            query_id=query_id, act=act, text=text, by_name=by.actor.name, at=by.at
        )
    )


def _said(text: str, longest: int) -> str:
    text = text.strip()
    if not text:
        wrong = T("Write something: the text is empty.")
    elif any(unicodedata.category(sign) == "Cc" and sign not in "\r\n\t" for sign in text):
        wrong = T("There is a sign in it that is no text. Type it anew.")
    elif len(text) > longest:
        wrong = T(
            "The text has {n} characters; at most {most} are kept.", n=len(text), most=longest
        )
    else:
        return text
    raise Unacceptable(wrong, [Problem("text", wrong)])
