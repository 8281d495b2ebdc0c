"""Where the planned unblinding of a list stands: who has signed. Opens nothing."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select

from randomization.opened import Vault
from randomization.tables import ListRow, Unblinding


class Signed(NamedTuple):
    """One signature under the unblinding of a list."""

    list_version: int
    person: int
    name: str
    locked: str
    at: datetime


class Standing(NamedTuple):
    """A list that may be unblinded, and who has signed that it is."""

    list_version: int
    state: str
    root: str
    signed: tuple[Signed, ...]


def standing(vault: Vault, study: str) -> tuple[Standing, ...]:
    """Return the study's lists that were published, with the signatures under each."""
    with vault.database.read() as session:
        rows = session.execute(
            select(ListRow.id, ListRow.version, ListRow.state, ListRow.root)
            .where(
                ListRow.study == study, ListRow.environment == vault.environment,
                ListRow.state != "draft",
            )
            .order_by(ListRow.version)
        ).all()  # fmt: skip
        signatures = session.execute(
            select(Unblinding.list_id, Unblinding.by_id, Unblinding.by_name,
                   Unblinding.locked, Unblinding.at)
            .where(Unblinding.list_id.in_([row.id for row in rows]))
            .order_by(Unblinding.id)
        ).all()  # fmt: skip
    return tuple(
        Standing(
            row.version, row.state, row.root,
            tuple(
                Signed(row.version, s.by_id, s.by_name, s.locked, s.at)
                for s in signatures if s.list_id == row.id
            ),
        )
        for row in rows
    )  # fmt: skip
