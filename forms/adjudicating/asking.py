"""Pass a committee's question on to the site, as a query that names nobody of the committee.

The data manager passes it on and may word it anew, so that nothing in it tells how far the
committee is. The answer changes the event's form, and with it the dossier.
"""

from typing import NamedTuple

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ecrf.kernel.access import Right
from ecrf.kernel.chain import Change
from ecrf.kernel.errors import Conflict
from ecrf.kernel.ledger import LEDGER, By, participant_chain
from ecrf.kernel.text import T
from forms import answers, lookup, queries
from forms.adjudicating import cases
from forms.adjudicating.cases import Found
from forms.adjudicating.tables import Vote
from forms.tables import Query


class Question(NamedTuple):
    """What a signed vote asks; `status` is that of its query, None while it waits."""

    vote: int
    text: str
    query: int | None
    status: str | None


def questions(session: Session, found: Found) -> list[Question]:
    """Return what the votes of this round ask the site."""
    rule = found.rule.agreement
    rows = session.execute(
        select(Vote.id, Vote.answers, Vote.query_id, Query.status)
        .outerjoin(Query, Query.id == Vote.query_id)
        .where(
            Vote.case_id == found.case.id, Vote.round == found.case.round,
            Vote.status == "signed",
        )
        .order_by(Vote.id)
    )  # fmt: skip
    asked = []
    for row in rows:
        said = answers.load(row.answers)
        if said[rule.verdict].value == rule.unclear:
            text = said[rule.question].text
            asked.append(Question(row.id, text, row.query_id, row.status))
    return asked


def ask(session: Session, by: By, study: str, number: int, vote: int, text: str) -> int:
    """Open the query of a vote's question on the event's form; return the query's id."""
    seen = cases.find(session, by.actor, study, number)
    LEDGER.head(session, participant_chain(study, seen.participant.code))
    found = cases.find(session, by.actor, study, number, lock=True)
    waiting = next((q for q in questions(session, found) if q.vote == vote), None)
    if waiting is None or waiting.query is not None:
        raise Conflict(T("There is no question of this vote that waits."))
    held = cases.role(by, Right.ADJUDICATION_MANAGE, found)
    event = lookup.entry(
        session, by.actor, study, found.participant.code, found.visit.key, found.entry.form,
        found.entry.number, Right.QUERY_OPEN, lock=True,
    )  # fmt: skip
    query = queries.open_(session, by, event, found.rule.assessed, text)
    session.execute(update(Vote).where(Vote.id == vote).values(query_id=query))
    change = Change("#query", None, query)
    cases.write(session, by, held, found, "case:ask", [change], {"vote": vote})
    return query
