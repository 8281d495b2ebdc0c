"""How an entry came to be what it is: its acts and its queries' turns, from the ledger."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from ecrf.kernel.ledger import LEDGER, REASON
from forms.review import verified
from forms.tables import Query

MARK = "#"


class Line(NamedTuple):
    """One change of one item, or one turn about it. `old` and `new` are answers as stored.

    `item` is empty for what concerns the whole form, such as a signature.
    """

    at: datetime
    name: str
    role: str
    origin: str
    action: str
    item: str
    old: Mapping[str, str] | None
    new: Mapping[str, str] | None
    reason: str
    derived: bool
    version: int | None


def of_entry(session: Session, entry_id: int, item: str | None = None) -> list[Line]:
    """Return every line about the entry, or about one item or row of it, oldest first."""
    queries = session.scalars(select(Query.id).where(Query.entry_id == entry_id))
    keys = [f"entry:{entry_id}", *(f"query:{query_id}" for query_id in queries)]
    act = LEDGER.act.c
    rows = session.execute(
        select(act.at, act.header, act.changes)
        .where(act.key.in_(keys))
        .order_by(act.chain, act.seq)
    )
    told = (line for at, header, changes in rows for line in lines(at, header, changes))
    return [line for line in told if item is None or _about(line.item, item)]


def _about(item: str, asked: str) -> bool:
    """Say whether `item` is the one asked for, or a cell of the row asked for."""
    return item == asked or item.startswith(f"{asked}.")


def lines(at: datetime, header_text: str, changes_text: str) -> list[Line]:
    """Return the lines of one act as it is stored."""
    header, changes = json.loads(header_text), json.loads(changes_text)
    refs = header["refs"]
    reason = next((c["new"] for c in changes if c["item"] == REASON), "") or ""
    told = [c for c in changes if not c["item"].startswith(MARK)]
    if not told and header["action"] not in verified.ACTIONS:
        told = [{"item": refs.get("item", ""), "old": None, "new": None}]
    derived = set(refs.get("derived", ()))
    return (
        [
            Line(
                at=at,
                name=header["name"],
                role=header["role"] or "",
                origin=header["origin"],
                action=header["action"],
                item=change["item"],
                old=change["old"],
                new=change["new"],
                reason=reason,
                derived=change["item"] in derived,
                version=refs.get("version"),
            )
            for change in told
        ]
        + _asked(at, header, refs)
        + _verified(at, header, refs, reason)
    )


def _asked(at: datetime, header: Mapping[str, Any], refs: Mapping[str, Any]) -> list[Line]:
    """Return the queries that rules opened and closed in this act."""
    return [
        Line(
            at=at,
            name="",
            role="",
            origin=header["origin"],
            action=f"query:{action}",
            item=item,
            old=None,
            new=None,
            reason=rule,
            derived=True,
            version=refs.get("version"),
        )
        for word, action in (("opened", "open"), ("closed", "close"))
        for item, rule in refs.get(word, ())
    ]


def _verified(
    at: datetime, header: Mapping[str, Any], refs: Mapping[str, Any], reason: str
) -> list[Line]:
    """Return the items verified in this act, or no longer so; a save does that by itself."""
    person = header["action"] in verified.ACTIONS
    return [
        Line(
            at=at,
            name=header["name"] if person else "",
            role=(header["role"] or "") if person else "",
            origin=header["origin"],
            action=action,
            item=item,
            old=None,
            new=None,
            reason=reason if person else "",
            derived=not person,
            version=refs.get("version"),
        )
        for word, action in verified.WORDS.items()
        for item in refs.get(word, ())
    ]
