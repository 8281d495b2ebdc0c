"""What the vault has given, told again: who is randomized, receipts, kit numbers. No arm is
opened, nothing is drawn and nothing is disclosed.
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import select

from randomization import receipts
from randomization.asking import KitNumber
from randomization.opened import Vault
from randomization.receipts import Receipt
from randomization.shown import GONE, HANDED_OUT
from randomization.tables import Allocation, Kit, ListRow


class Given(NamedTuple):
    """Somebody on a slot: their site, the visit their kits are for, and the receipt."""

    participant: str
    site: str
    visit: str
    receipt: Receipt


def randomized(vault: Vault, study: str) -> Mapping[str, str]:
    """Return the participants on a slot, each with the site."""
    with vault.database.read() as session:
        rows = session.execute(
            select(Allocation.participant, Allocation.site)
            .join(ListRow, ListRow.id == Allocation.list_id)
            .where(Allocation.study == study, ListRow.environment == vault.environment)
            .order_by(Allocation.id)
        ).all()
    return {row.participant: row.site for row in rows}


def given(vault: Vault, study: str, participant: str) -> Given | None:
    """Return what was given to a participant; None when they are on no slot."""
    with vault.database.read() as session:
        row = session.scalars(
            select(Allocation)
            .join(ListRow, ListRow.id == Allocation.list_id)
            .where(
                Allocation.study == study, Allocation.participant == participant,
                ListRow.environment == vault.environment,
            )
        ).one_or_none()  # fmt: skip
        if row is None:
            return None
        receipt = receipts.reread(row.receipt, row.signature)
        return Given(row.participant, row.site, row.visit, receipt)


def kits(vault: Vault, study: str) -> Mapping[str, tuple[KitNumber, ...]]:
    """Return the kit numbers of every participant of a study. One statement."""
    with vault.database.read() as session:
        rows = session.execute(
            select(Kit.participant, Kit.number, Kit.visit, Kit.state)
            .where(
                Kit.study == study, Kit.environment == vault.environment,
                Kit.participant.is_not(None),
            )
            .order_by(Kit.participant, Kit.number)
        ).all()  # fmt: skip
    found: defaultdict[str, list[KitNumber]] = defaultdict(list)
    for row in rows:
        kit = KitNumber(row.number, row.visit or "", row.state in HANDED_OUT, row.state in GONE)
        found[row.participant].append(kit)
    return {code: tuple(numbers) for code, numbers in found.items()}
