"""Kits of a participant as far as their numbers go: no arm is opened, nothing is disclosed."""

from sqlalchemy import select

from randomization.asking import KitNumber
from randomization.opened import Vault
from randomization.supply import State
from randomization.tables import Kit

HANDED_OUT = (State.DISPENSED, State.RETURNED)
GONE = (State.LOST, State.REJECTED, State.EXPIRED)


def kit_numbers(vault: Vault, study: str, site: str, participant: str) -> tuple[KitNumber, ...]:
    """Return the kit numbers assigned to the participant at the site, in order."""
    with vault.database.read() as session:
        rows = session.execute(
            select(Kit.number, Kit.visit, Kit.state)
            .where(
                Kit.study == study, Kit.site == site, Kit.participant == participant,
                Kit.environment == vault.environment,
            )
            .order_by(Kit.number)
        ).all()  # fmt: skip
    return tuple(
        KitNumber(row.number, row.visit or "", row.state in HANDED_OUT, row.state in GONE)
        for row in rows
    )
