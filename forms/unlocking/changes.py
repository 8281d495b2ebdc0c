"""What was done while something was unlocked, as the ledger tells it.

The acts between the approval and the re-lock on each chain of the scope; of a smaller scope
than a participant, those at its visit or on its form.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from ecrf.kernel.ledger import LEDGER, REASON
from forms.scope import Scope
from forms.unlocking.tables import Unlock

OPENED, CLOSED = "data:unlock", "data:relock"
PARTICIPANT = "participant:"


class Edit(NamedTuple):
    """One item that an act changed."""

    item: str
    old: object
    new: object


class Deed(NamedTuple):
    """One act done meanwhile."""

    chain: str
    seq: int
    at: datetime
    link: str
    name: str
    action: str
    refs: Mapping[str, Any]
    edits: Sequence[Edit]
    reason: str

    @property
    def place(self) -> str:
        """Return where it was done, such as `PUMCH-001/BL/vs/1`."""
        names = ("participant", "visit", "form", "number")
        return "/".join(str(self.refs[name]) for name in names if name in self.refs)


def of(session: Session, row: Unlock, scope: Scope) -> list[Deed]:
    """Return what was done in the scope while it was unlocked. One statement."""
    act, opened = LEDGER.act.c, LEDGER.act.alias("opened").c
    closed = LEDGER.act.alias("closed").c
    key = f"unlock:{row.id}"
    rows = session.execute(
        select(act.chain, act.seq, act.at, act.action, act.header, act.changes, act.link)
        .join(
            opened.chain.table,
            and_(opened.chain == act.chain, opened.key == key, opened.action == OPENED),
        )
        .outerjoin(
            closed.chain.table,
            and_(closed.chain == act.chain, closed.key == key, closed.action == CLOSED),
        )
        .where(
            act.chain.startswith(PARTICIPANT), act.seq > opened.seq,
            or_(closed.seq.is_(None), act.seq < closed.seq),
        )
        .order_by(act.chain, act.seq)
    )  # fmt: skip
    return [deed for deed in map(_deed, rows) if _within(deed, scope)]


def digest(deeds: Sequence[Deed]) -> str:
    """Return the SHA-256 over the links of the acts: each link covers its whole act."""
    lines = "".join(f"{deed.chain} {deed.seq} {deed.link}\n" for deed in deeds)
    return hashlib.sha256(lines.encode()).hexdigest()


def _deed(row: Any) -> Deed:
    header, stored = json.loads(row.header), json.loads(row.changes)
    reason = next((c.get("new") for c in stored if c["item"] == REASON), None)
    return Deed(
        row.chain, row.seq, row.at, row.link, header["name"], row.action, header["refs"],
        tuple(_edits(stored)), str(reason or ""),
    )  # fmt: skip


def _edits(stored: Sequence[Mapping[str, Any]]) -> Iterator[Edit]:
    for change in stored:
        if not change["item"].startswith("#"):
            yield Edit(change["item"], change.get("old"), change.get("new"))


def _within(deed: Deed, scope: Scope) -> bool:
    """Say whether an act on a chain of the scope was done in the scope itself."""
    if scope.visit is not None and deed.refs.get("visit") != scope.visit:
        return False
    return scope.form is None or (
        deed.refs.get("form") == scope.form and deed.refs.get("number") == scope.number
    )
