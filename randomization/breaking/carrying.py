"""Code breaks as the main side is told of them: of whom, by whom, when, why. Never an arm."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import insert, select

from ecrf.kernel.ledger import By
from randomization.breaking.tables import BreakCall, BreakCarried
from randomization.opened import Vault
from randomization.tables import Reveal


class Told(NamedTuple):
    """What the blinded side may know of a code break."""

    call_id: int
    ref: str
    study: str
    site: str
    participant: str
    purpose: str
    why: str
    way: str
    role: str
    by_id: int
    by_name: str
    at: datetime
    contacted: bool
    telephone: str
    to_role: str


def waiting(vault: Vault) -> tuple[Told, ...]:
    """Return the code breaks the main side may not know of yet, the oldest first."""
    with vault.database.read() as session:
        rows = session.execute(
            select(
                BreakCall.reveal_id, BreakCall.ref, Reveal.study, Reveal.site,
                Reveal.participant, Reveal.purpose, Reveal.reason_class, BreakCall.way,
                BreakCall.role, Reveal.by_id, Reveal.by_name, Reveal.at, BreakCall.contacted,
                BreakCall.telephone, BreakCall.to_role,
            )
            .join(Reveal, Reveal.id == BreakCall.reveal_id)
            .outerjoin(BreakCarried, BreakCarried.call_id == BreakCall.reveal_id)
            .where(BreakCarried.call_id.is_(None))
            .order_by(Reveal.id)
        )  # fmt: skip
        return tuple(Told._make(row) for row in rows)


def carried(vault: Vault, by: By, call_id: int) -> None:
    """Note that the main side knows; to note it twice changes nothing."""
    with vault.database.write() as session:
        known = select(BreakCarried.call_id).where(BreakCarried.call_id == call_id)
        if session.scalar(known.with_for_update()) is None:
            session.execute(insert(BreakCarried).values(call_id=call_id, at=by.at))
