"""Entries first saved after the code of their participant was broken, marked as such.

ICH E6(R3) 4.1.4: what was entered by people who may have known the treatment has to be told
from the rest. The mark says that, and nothing of the treatment.
"""

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import ColumnElement, String, case, cast, func, literal, null, select
from sqlalchemy.orm import Session

from ecrf.kernel.ledger import LEDGER
from forms.tables import Entry
from visits.tables import Participant


def after_unblinding(
    session: Session, unblinded_at: datetime | None, entries: Collection[int]
) -> frozenset[int]:
    """Return which of one participant's entries were first saved after the code was broken.

    One statement, and none for a participant whose code stands.
    """
    if unblinded_at is None or not entries:
        return frozenset()
    first = first_saved(session, entries)
    return frozenset(one for one, at in first.items() if at > unblinded_at)


def first_saved(session: Session, entries: Collection[int]) -> Mapping[int, datetime]:
    """Return when each entry was first saved, by the ledger."""
    act, keys = LEDGER.act.c, {f"entry:{one}": one for one in entries}
    rows = session.execute(
        select(act.key, func.min(act.at)).where(act.key.in_(sorted(keys))).group_by(act.key)
    )
    return {keys[row[0]]: row[1] for row in rows}


def first_saved_if_broken() -> ColumnElement[datetime | None]:
    """Return when an entry was first saved, as a column; null where the code stands."""
    act = LEDGER.act.c
    first = (
        select(func.min(act.at))
        .where(act.key == literal("entry:") + cast(Entry.id, String))
        .correlate(Entry)
        .scalar_subquery()
    )
    return case((Participant.unblinded_at.is_(None), null()), else_=first)


def came_after(first: datetime | None, unblinded_at: datetime | None, until: datetime) -> bool:
    """Say whether an entry first saved then carries the mark in what is made as of `until`."""
    if first is None or unblinded_at is None or unblinded_at > until:
        return False
    return first > unblinded_at
