"""Queries: what people ask the site, and the turns people take in any query.

A query is open, answered, closed, or cancelled by the person who asked. Asking, answering and
closing are separate rights. Queries still flow while a form is frozen, and stop when it is
locked. Every turn is an act on the participant's chain under the key `query:<id>`, its text
kept as the act's reason.
"""

import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from ecrf.kernel.access import Right, Role
from ecrf.kernel.chain import Change
from ecrf.kernel.errors import Conflict, NotAllowed, Problem, Unacceptable
from ecrf.kernel.ledger import LEDGER, Act, By
from ecrf.kernel.text import Message, T
from forms import lookup
from forms.lookup import Found
from forms.questions import asked as _asked
from forms.questions import places
from forms.questions.asked import Asked, find, find_all, of_form, thread
from forms.questions.assigning import Assignee
from forms.questions.places import Spot
from forms.questions.readymade import Said
from forms.tables import Query, QueryMessage

__all__ = [
    "Asked", "answer", "assign", "cancel", "close", "close_all", "find", "find_all", "of_form",
    "open_", "reopen", "thread",
]  # fmt: skip
LONGEST_QUESTION = 600
LONGEST_REPLY = 1000
LIVE = ("open", "answered")


class _Turn(NamedTuple):
    """What a turn does: the states it follows, the state it leads to, its name."""

    start: tuple[str, ...]
    end: str
    act: str


_ANSWER = _Turn(LIVE, "answered", "answer")
_CLOSE = _Turn(LIVE, "closed", "close")
_REOPEN = _Turn(("answered", "closed", "cancelled"), "open", "reopen")
_CANCEL = _Turn(LIVE, "cancelled", "cancel")
_WRONG_STATE: dict[str, Message] = {
    "open": T("This query is open already."),
    "answered": T("This query is answered already."),
    "closed": T("This query is closed."),
    "cancelled": T("This query is cancelled."),
}


def open_(
    session: Session,
    by: By,
    where: Found | Spot,
    item: str,
    text: str | Said,
    assignee: Assignee | None = None,
) -> int:
    """Ask the site about a place, and return the query's id.

    `item` is an item of the form, answered or blank, or "" for the whole form, the date of the
    visit or the participant. `where` was looked up with its chain locked; nobody need have
    begun the form.
    """
    spot = where if isinstance(where, Spot) else places.of_form(where, item)
    role = lookup.role(by, Right.QUERY_OPEN, spot.participant)
    places.require_unlocked(session, spot.place, by.at)
    said = _said(text, LONGEST_QUESTION)
    if spot.head is None:
        raise ValueError("a place to ask about is looked up with lock=True")
    if spot.visit is not None and not spot.form:
        item = places.VISIT_DATE
    query = _insert(session, by, spot, item, said, assignee)
    _say(session, by, [query.id], "open", said)
    who = Asked(query, spot.entry, spot.visit, spot.participant, spot.site, "", None, None)
    changes = [Change("#status", None, "open")]
    if assignee is not None:
        changes.append(Change("#assigned", None, assignee.said.text))
    act = Act(
        "query:open", role, spot.participant.study, spot.participant.site,
        key=f"query:{query.id}", refs=who.refs, reason=said.text, changes=changes,
    )  # fmt: skip
    LEDGER.write(session, by, [(spot.head, act)])
    return query.id


def answer(session: Session, by: By, asked: Asked, text: str | Said) -> None:
    """Answer an open query, or add to an answer nobody has judged yet."""
    _take(session, by, [asked], Right.QUERY_ANSWER, _ANSWER, text)


def close(session: Session, by: By, asked: Asked, text: str | Said) -> None:
    """Close a query, saying why; also one a rule raised, when the value is right as it is."""
    _take(session, by, [asked], Right.QUERY_CLOSE, _CLOSE, text)


def close_all(session: Session, by: By, asked: Sequence[Asked], text: str | Said) -> None:
    """Close answered queries for one reason, an act for each; all of them or none."""
    for one in asked:
        if one.query.status != "answered":
            raise Conflict(T("Query {n} is not answered any more.", n=one.query.id))
    _take(session, by, asked, Right.QUERY_CLOSE, _CLOSE, text)


def reopen(session: Session, by: By, asked: Asked, text: str | Said) -> None:
    """Ask again: the answer does not settle it, or the query was closed too early."""
    _take(session, by, [asked], Right.QUERY_OPEN, _REOPEN, text)


def cancel(session: Session, by: By, asked: Asked, text: str | Said) -> None:
    """Take a question back, saying why; only the person who asked it may."""
    if asked.query.opened_by != by.actor.id:
        raise NotAllowed(T("Only the person who asked can cancel a query."))
    _take(session, by, [asked], Right.QUERY_OPEN, _CANCEL, text)


def assign(session: Session, by: By, asked: Asked, assignee: Assignee | None) -> None:
    """Say who at the site is to answer; None leaves it to whoever may."""
    participant = asked.participant
    held = by.actor.role_for(Right.QUERY_OPEN, participant.study, participant.site)
    role = held or lookup.role(by, Right.QUERY_ANSWER, participant)
    places.require_unlocked(session, asked.place, by.at)
    query = asked.query
    if query.status not in LIVE:
        raise Conflict(_WRONG_STATE[query.status])
    now = (assignee.role.value, assignee.person_id) if assignee else (None, None)
    if now == (query.assigned_role, query.assigned_to):
        raise Conflict(T("The query is assigned like this already."))
    _update(session, by, [asked], LIVE, {"assigned_role": now[0], "assigned_to": now[1]})
    said = assignee.said if assignee else Said("–")
    _say(session, by, [query.id], "assign", said)
    was = asked.assignee or query.assigned_role
    change = Change("#assigned", was, said.text if assignee else None)
    _record(session, by, [(asked, role, change)], "assign", None)


def _take(
    session: Session,
    by: By,
    asked: Sequence[Asked],
    right: Right,
    turn: _Turn,
    text: str | Said,
) -> None:
    """Take one turn in each query. As many statements for many as for one."""
    held = [
        (
            one,
            lookup.role(by, right, one.participant),
            Change("#status", one.query.status, turn.end),
        )
        for one in asked
    ]
    for one in asked:
        places.require_unlocked(session, one.place, by.at)
        if one.query.status not in turn.start:
            raise Conflict(_WRONG_STATE[one.query.status])
    said = _said(text, LONGEST_REPLY)
    _update(session, by, asked, turn.start, {"status": turn.end, **_moments(by, turn)})
    _say(session, by, [one.query.id for one in asked], turn.act, said)
    _record(session, by, held, turn.act, said.text)


def _moments(by: By, turn: _Turn) -> dict[str, object]:
    if turn.end == "answered":
        return {"answered_at": by.at}
    if turn.end == "open":
        return {"answered_at": None, "closed_at": None}
    return {"closed_at": by.at}


def _update(
    session: Session,
    by: By,
    asked: Sequence[Asked],
    start: tuple[str, ...],
    values: dict[str, object],
) -> None:
    """Change the rows if all of them still are as they were found; else somebody was faster."""
    as_found = {one.query.id: one.query.status for one in asked}
    moved = session.connection().scalars(
        update(Query)
        .where(
            Query.id.in_(sorted(as_found)),
            Query.status.in_(sorted(set(as_found.values()) & set(start))),
            _asked.unlocked(by.at),
        )
        .values(values)
        .returning(Query.id)
    )
    if len(moved.all()) != len(as_found) or any(one.head is None for one in asked):
        raise Conflict(T("This query was answered, closed or locked a moment ago."))


def _insert(
    session: Session, by: By, spot: Spot, item: str, said: Said, assignee: Assignee | None
) -> Query:
    visit_id = spot.visit.id if spot.visit else None
    serial = (
        select(func.coalesce(func.max(Query.serial), 0) + 1)
        .where(
            Query.participant_id == spot.participant.id,
            Query.visit_id.is_not_distinct_from(visit_id),
            Query.form == spot.form, Query.number == spot.number,
            Query.item == item, Query.rule == "",
        )
        .scalar_subquery()
    )  # fmt: skip
    values = {
        "entry_id": spot.entry.id if spot.entry else None,
        "participant_id": spot.participant.id,
        "study": spot.participant.study,
        "site": spot.participant.site,
        "visit_id": visit_id,
        "form": spot.form,
        "number": spot.number,
        "item": item,
        "rule": "",
        "status": "open",
        "text_en": said.text,
        "text_zh": said.text_zh or said.text,
        "opened_at": by.at,
        "opened_by": by.actor.id,
        "assigned_role": assignee.role.value if assignee else None,
        "assigned_to": assignee.person_id if assignee else None,
    }
    statement = insert(Query).values(serial=serial, **values).returning(Query.id)
    return Query(id=session.scalars(statement).one(), **values)


def _say(session: Session, by: By, queries: Sequence[int], act: str, said: Said) -> None:
    session.connection().execute(
        insert(QueryMessage),
        [
            {
                "query_id": query_id, "act": act, **said._asdict(), "by_name": by.actor.name,
                "at": by.at,
            }
            for query_id in queries
        ],
    )  # fmt: skip


def _record(
    session: Session,
    by: By,
    asked: Sequence[tuple[Asked, Role, Change]],
    act: str,
    reason: str | None,
) -> None:
    acts = []
    for one, role, change in asked:
        if one.head is None:
            raise ValueError("a query to be changed is looked up with lock=True")
        who = one.participant
        act_ = Act(
            f"query:{act}", role, who.study, who.site, key=f"query:{one.query.id}",
            refs=one.refs, reason=reason, changes=[change],
        )  # fmt: skip
        acts.append((one.head, act_))
    LEDGER.write(session, by, acts)


def _said(given: str | Said, longest: int) -> Said:
    said = given if isinstance(given, Said) else Said(given.strip())
    if not said.text:
        wrong = T("Write something: the text is empty.")
    elif any(unicodedata.category(sign) == "Cc" and sign not in "\r\n\t" for sign in said.text):
        wrong = T("There is a sign in it that is no text. Type it anew.")
    elif said.longest > longest:
        wrong = T(
            "The text has {n} characters; at most {most} are kept.",
            n=said.longest,
            most=longest,
        )
    else:
        return said
    raise Unacceptable(wrong, [Problem("text", wrong)])
