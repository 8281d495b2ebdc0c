"""Offline packs: cards for a site, and their complement for the desk.

The shares are made, handed over and forgotten: the vault keeps the numbers of the cards only.
That a pack is made is on the ledger before an arm is opened for it.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from ecrf.kernel.access import Right
from ecrf.kernel.errors import NotFound
from ecrf.kernel.ledger import Act, By
from ecrf.kernel.text import T
from randomization import lists, seal, shelf
from randomization.arm import Arm
from randomization.breaking import pad
from randomization.breaking.tables import OfflineCard, OfflinePack
from randomization.opened import Vault, lock, permitted
from randomization.shown import GONE
from randomization.supply import State
from randomization.tables import LEDGER, Kit, ListRow, Shelf, Slot

KITS, SLOTS = "kits", "slots"


class Card(NamedTuple):
    """A card with both shares: the site gets one, the desk the other."""

    number: int
    about: str
    site_share: str
    desk_share: str


class Pack(NamedTuple):
    """A pack as it is printed; `arms` is the legend, in order."""

    number: int
    site: str
    kind: str
    arms: tuple[str, ...]
    cards: tuple[Card, ...]


def make(vault: Vault, by: By, study: str, site: str, kind: str) -> Pack:
    """Make a pack for every kit at the site, or every slot the site can draw from."""
    role = permitted(by, Right.LIST_MANAGE, study, site)
    with vault.database.write() as session:
        head = lock(session, study)
        row = _active(session, vault, study)
        things = _kits(session, vault, study, site) if kind == KITS else _slots(
            session, row, site
        )  # fmt: skip
        if not things:
            raise NotFound(T("There is nothing at site {site} to make cards for.", site=site))
        number = 1 + (
            session.scalar(
                select(func.max(OfflinePack.number)).where(
                    OfflinePack.study == study, OfflinePack.environment == vault.environment
                )
            )
            or 0
        )
        _store(session, by, vault, (study, site, kind, number), sorted(things))
        refs = {"pack": number, "kind": kind, "cards": len(things)}
        act = Act("offline:pack", role, study, site, refs=refs)
        LEDGER.write(session, by, [(head, act)])
    with vault.database.read() as session:
        arms = tuple(sorted(arm for arm, _ in lists.spec_of(vault, row).ratio))
        held = _arms(session, vault, study, row, things)
    cards = tuple(
        Card(n, about, *pad.split(1 + arms.index(held[about].opened()), by.draw))
        for n, about in enumerate(sorted(things), start=1)
    )
    return Pack(number, site, kind, arms, cards)


def _active(session: Session, vault: Vault, study: str) -> ListRow:
    row = session.scalars(
        select(ListRow).where(
            ListRow.study == study, ListRow.environment == vault.environment,
            ListRow.state == "active",
        )
    ).one_or_none()  # fmt: skip
    if row is None:
        raise NotFound(T("No list of {study} is active.", study=study))
    session.expunge(row)
    return row


def _kits(session: Session, vault: Vault, study: str, site: str) -> list[str]:
    left = [state.value for state in (*GONE, State.DESTROYED)]
    return list(
        session.scalars(
            select(Kit.number).where(
                Kit.study == study, Kit.site == site, Kit.environment == vault.environment,
                Kit.state.not_in(left),
            )
        )
    )  # fmt: skip


def _slots(session: Session, row: ListRow, site: str) -> list[str]:
    """Return the numbers of the site's strata; of all when the site is no factor."""
    found = session.execute(
        select(Slot.stratum, Slot.random_number).where(Slot.list_id == row.id)
    ).all()
    by_site = any("site=" in slot.stratum for slot in found)
    return [
        slot.random_number
        for slot in found
        if not by_site or f"site={site}" in slot.stratum.split("|")
    ]


def _store(
    session: Session, by: By, vault: Vault, pack: tuple[str, str, str, int],
    things: Sequence[str],
) -> None:  # fmt: skip
    study, site, kind, number = pack
    made = session.execute(
        insert(OfflinePack)
        .values(
            study=study, environment=vault.environment, site=site, number=number, kind=kind,
            by_name=by.actor.name, at=by.at,
        )
        .returning(OfflinePack.id)
    ).scalar_one()  # fmt: skip
    session.execute(
        insert(OfflineCard),
        [
            {"pack_id": made, "number": n, "about": about}
            for n, about in enumerate(things, start=1)
        ],
    )


def _arms(
    session: Session, vault: Vault, study: str, row: ListRow, things: Sequence[str]
) -> dict[str, Arm]:
    """Open what the cards stand for."""
    wanted = set(things)
    slots = session.scalars(select(Slot).where(Slot.list_id == row.id))
    found = {
        slot.random_number: lists.arm_on(vault, row, slot)
        for slot in slots
        if slot.random_number in wanted
    }
    if found:
        return found
    wrapped = session.scalar(
        select(Shelf.key).where(Shelf.study == study, Shelf.environment == vault.environment)
    )
    context = shelf.key_context(study, vault.environment)
    key = seal.unwrap(vault.keys.wrapping, context, wrapped or b"")
    kits = session.execute(
        select(*shelf.COLUMNS).where(Kit.study == study, Kit.environment == vault.environment)
    )
    sealed = [kit for kit in (shelf.Sealed(*row) for row in kits) if kit.number in wanted]
    held = shelf.held(key, study, vault.environment, sealed)
    return {kit.number: arm for kit, arm in zip(sealed, held, strict=True)}
