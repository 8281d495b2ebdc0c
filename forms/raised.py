"""The queries that rules raise: what a save opens and closes. Deciding is pure; storing is one
statement however many queries move.

A finding opens its query when the form is complete or the item is answered, so that a draft is
left in peace. A finding that is gone closes its query. A query a person closed stays closed
while nothing about it changes: it comes back with a new answer to its item, or when the finding
went away and came again.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from ecrf.kernel.ledger import By
from forms.finding import Finding
from forms.lookup import Found
from forms.tables import Query
from forms.upsert import insert_or

LIVE = ("open", "answered")
MOVED = ("status", "text_en", "text_zh", "closed_at")


class Known(NamedTuple):
    """A query of a rule as it stands in the table."""

    item: str
    rule: str
    status: str
    text_en: str
    text_zh: str


class Moves(NamedTuple):
    """What a save does to the queries of rules."""

    opened: tuple[Finding, ...] = ()
    closed: tuple[Known, ...] = ()


class Spot(NamedTuple):
    """The entry whose queries move, in the columns of a query."""

    entry_id: int
    visit_id: int
    form: str
    number: int
    participant_id: int
    study: str
    site: str


Mark = tuple[str, str]


def known(session: Session, entry_id: int) -> tuple[Known, ...]:
    """Return the queries rules ever raised on an entry."""
    return tuple(Known(*row) for row in session.execute(_KNOWN, {"of_entry": entry_id}))


_KNOWN = (
    select(Query.item, Query.rule, Query.status, Query.text_en, Query.text_zh)
    .where(Query.entry_id == bindparam("of_entry"), Query.rule != "")
    .order_by(Query.id)
)


def decide(
    findings: Iterable[Finding],
    queries: Sequence[Known],
    *,
    edited: Collection[str],
    wanted: Callable[[Finding], bool],
    before: Callable[[], Collection[Mark]],
) -> Moves:
    """Return which findings open their query and which queries close.

    `edited` are the items answered anew. `wanted` says whether a finding is due to be asked.
    `before` gives the findings of the answers as they were; called only when it matters.
    """
    standing = {_mark(finding): finding for finding in findings}
    at_rest = {(q.item, q.rule): q for q in queries}
    opened = []
    for mark, finding in standing.items():
        query = at_rest.get(mark)
        if query is None:
            asks = wanted(finding)
        elif query.status in LIVE:
            asks = False
        else:
            asks = wanted(finding) and (finding.item in edited or mark not in before())
        if asks:
            opened.append(finding)
    gone = [q for q in queries if q.status in LIVE and (q.item, q.rule) not in standing]
    return Moves(tuple(opened), tuple(gone))


def marks(findings: Iterable[Finding]) -> frozenset[Mark]:
    return frozenset(_mark(finding) for finding in findings)


def store(session: Session, by: By, found: Found, entry_id: int, moves: Moves) -> None:
    """Carry the moves out; what was asked before the form was begun now belongs to it."""
    if found.entry is None:
        _adopt(session, found, entry_id)
    who = found.participant
    spot = Spot(
        entry_id, found.visit.id, found.form.id, found.number, who.id, who.study, who.site
    )
    put(session, rows(by, spot, moves))


def rows(by: By, spot: Spot, moves: Moves) -> list[Mapping[str, object]]:
    """Return the rows that the moves make of an entry's queries."""
    row = {**spot._asdict(), "serial": 0, "opened_at": by.at, "opened_by": None}
    made: list[Mapping[str, object]] = [
        {
            **row, "item": f.item, "rule": f.rule, "status": "open", "closed_at": None,
            "text_en": f.message.in_("en")[:600], "text_zh": f.message.in_("zh")[:600],
        }
        for f in moves.opened
    ]  # fmt: skip
    done = {**row, "status": "closed", "closed_at": by.at}
    return made + [{**q._asdict(), **done} for q in moves.closed]


def put(session: Session, made: Sequence[Mapping[str, object]]) -> None:
    """Store rows of queries, of one entry or of many, in one statement."""
    if not made:
        return
    statement = insert_or(session, Query)
    session.connection().execute(
        statement.on_conflict_do_update(
            index_elements=["entry_id", "item", "rule", "serial"],
            set_={name: statement.excluded[name] for name in MOVED},
        ),
        made,
    )


def told(moves: Moves) -> dict[str, object]:
    """Return the moves as an act names them."""
    opened = [[finding.item, finding.rule] for finding in moves.opened]
    closed = [[query.item, query.rule] for query in moves.closed]
    return {name: value for name, value in (("opened", opened), ("closed", closed)) if value}


def _adopt(session: Session, found: Found, entry_id: int) -> None:
    session.connection().execute(
        _ADOPT,
        {
            "begun": entry_id, "at_visit": found.visit.id, "of_form": found.form.id,
            "of_number": found.number,
        },
    )  # fmt: skip


_ADOPT = (
    update(Query)
    .where(
        Query.visit_id == bindparam("at_visit"),
        Query.form == bindparam("of_form"),
        Query.number == bindparam("of_number"),
        Query.entry_id.is_(None),
    )
    .values(entry_id=bindparam("begun"))
)


def _mark(finding: Finding) -> Mark:
    return finding.item, finding.rule
