"""What became of an entry after it was signed: the ledger told again up to the signature."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from ecrf.kernel.ledger import LEDGER
from forms import fold
from forms.fold import Folded, Telling
from forms.tables import Entry


class Changed(NamedTuple):
    """An item that is not what was signed; answers as stored, None for no answer."""

    item: str
    old: Mapping[str, str] | None
    new: Mapping[str, str] | None


class Since(NamedTuple):
    """How an entry differs from what was signed."""

    items: tuple[Changed, ...]
    definition: bool
    """The entry stands under another version of the study's definition."""


def since(session: Session, entry: Entry) -> Since:
    """Return what changed since the newest signature of the entry. One statement."""
    signed = _at(session, entry)
    old, new = signed.answers, entry.answers
    return Since(
        tuple(
            Changed(item, old.get(item), new.get(item))
            for item in sorted({*old, *new})
            if old.get(item) != new.get(item)
        ),
        signed.facts.get("protocol") not in (None, entry.protocol),
    )


def _at(session: Session, entry: Entry) -> Folded:
    act = LEDGER.act.c
    rows: Any = session.execute(
        select(act.key, act.action, act.header, act.changes)
        .where(act.key == f"entry:{entry.id}")
        .order_by(act.chain, act.seq)
    )
    folded = Folded()
    for row in rows:
        telling = Telling(*row)
        if telling.action == "entry:sign":
            refs = json.loads(telling.header)["refs"]
            if refs["signature"] == entry.signature_id:
                rows.close()
                break
        fold.apply(folded, telling)
    return folded
