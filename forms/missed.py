"""A visit that did not take place, and the queries of rules about it.

What a rule asked about a visit that was missed is asked no more; when the visit is opened again
those queries are open again. Both stand in the act of the visit, as [form, number, item, rule].
"""

import json
from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, select, tuple_, update
from sqlalchemy.orm import Session

from ecrf.kernel.ledger import LEDGER, By, participant_chain
from forms.raised import LIVE
from forms.tables import Query
from visits import visits
from visits.lookup import Found

Asked = tuple[str, int, str, str]


def miss(session: Session, by: By, found: Found, reason: str) -> None:
    """Write down that a visit was missed, and close what rules asked about it."""
    _hold_chain(session, found)
    closed = _move(session, by, found, "closed", Query.status.in_(LIVE))
    visits.miss(session, by, found, reason, refs={"closed": closed} if closed else {})


def reopen(session: Session, by: By, found: Found, reason: str) -> None:
    """Make the visit a planned one again, and open what was closed when it was missed."""
    _hold_chain(session, found)
    again = _closed_by_missing(session, found) if found.visit.status == "missed" else ()
    those = tuple_(Query.form, Query.number, Query.item, Query.rule).in_(again)
    opened = _move(session, by, found, "open", those) if again else []
    visits.reopen(session, by, found, reason, refs={"opened": opened} if opened else {})


def _hold_chain(session: Session, found: Found) -> None:
    """Take the participant's chain before its queries, as every save does."""
    who = found.participant
    LEDGER.head(session, participant_chain(who.study, who.code))


def _move(
    session: Session, by: By, found: Found, status: str, those: ColumnElement[bool]
) -> Sequence[Sequence[object]]:
    moved = session.execute(
        update(Query)
        .where(Query.visit_id == found.visit.id, Query.rule != "", those)
        .values(status=status, closed_at=by.at if status == "closed" else None)
        .returning(Query.form, Query.number, Query.item, Query.rule)
        .execution_options(synchronize_session=False)
    )
    return sorted([row.form, row.number, row.item, row.rule] for row in moved)


def _closed_by_missing(session: Session, found: Found) -> Collection[Asked]:
    act = LEDGER.act.c
    header = session.scalar(
        select(act.header)
        .where(act.key == f"visit:{found.visit.id}", act.action == "visit:miss")
        .order_by(act.seq.desc())
        .limit(1)
    )
    if header is None:
        return ()
    return [
        (form, number, item, rule)
        for form, number, item, rule in json.loads(header)["refs"].get("closed", ())
    ]
