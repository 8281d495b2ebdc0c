"""Kits past their expiry leave the shelf. The last day of use is still a day of use."""

from collections.abc import Mapping
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from ecrf.kernel.access import Right
from ecrf.kernel.errors import Conflict
from ecrf.kernel.ledger import Act, By
from ecrf.kernel.text import T
from randomization.opened import Vault, permitted
from randomization.supply import MOVES, Move
from randomization.supplying import books, moving
from randomization.tables import Kit

EXPIRING = tuple(state.value for state, move in MOVES if move is Move.EXPIRE)


def expire(vault: Vault, by: By, study: str, site: str, today: date) -> tuple[str, ...]:
    """Note as expired what expired before `today` at the site; return the numbers."""
    role = permitted(by, Right.SUPPLY_READ, study, site)
    act = Act("kit:expire", role, study, site, refs={"today": today.isoformat()})

    def do(session: Session) -> tuple[tuple[str, ...], Mapping[str, object]]:
        rows = session.execute(
            select(*moving.COLUMNS)
            .where(
                Kit.study == study, Kit.environment == vault.environment, Kit.site == site,
                Kit.state.in_(EXPIRING), Kit.expiry < today,
            )
            .order_by(Kit.number)
        )  # fmt: skip
        kits = [moving.read(row) for row in rows]
        if not kits:
            raise Conflict(T("No kit here is past its expiry."))
        moving.move(session, kits, Move.EXPIRE)
        numbers = tuple(kit.number for kit in kits)
        return numbers, {"kits": list(numbers)}

    return books.enter(vault, by, act, do)
