"""What became of the cards of offline packs: looks, drills, openings, reconciliation."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from ecrf.kernel.access import Right, Role
from ecrf.kernel.errors import NotAllowed, NotFound, Unacceptable
from ecrf.kernel.ledger import Act, By
from ecrf.kernel.text import T
from randomization.breaking.tables import CardSeen, OfflineCard, OfflinePack
from randomization.opened import Vault, lock
from randomization.tables import LEDGER, Allocation, Kit

OUTCOMES = ("intact", "drill", "opened", "missing", "destroyed")
UNSEEN = "intact"
LONGEST_NOTE = 400


class Standing(NamedTuple):
    """What became of the cards of a pack: the last word on each, counted."""

    number: int
    site: str
    kind: str
    made_by: str
    made_at: datetime
    cards: int
    outcomes: Mapping[str, int]


class Seen(NamedTuple):
    """One look at a card."""

    pack: int
    site: str
    card: int
    about: str
    outcome: str
    note: str
    by_name: str
    at: datetime


def see(
    vault: Vault, by: By, study: str, number: int, card: int, outcome: str, note: str
) -> str:
    """Write down what became of a card, a drill among it; return what the card stands for."""
    if outcome not in OUTCOMES:
        raise Unacceptable(T("A card is one of: {known}.", known=", ".join(OUTCOMES)))
    if len(note) > LONGEST_NOTE:
        raise Unacceptable(T("The note is too long."))
    with vault.database.write() as session:
        head = lock(session, study)
        found = _card(session, vault, study, number, card)
        role = _may_see(by, study, found.site)
        session.execute(
            insert(CardSeen).values(
                pack_id=found.id, card=card, outcome=outcome, note=note,
                by_name=by.actor.name, at=by.at,
            )
        )  # fmt: skip
        refs = {"pack": number, "card": card, "outcome": outcome}
        act = Act("offline:card", role, study, found.site, refs=refs, reason=note or None)
        LEDGER.write(session, by, [(head, act)])
    return str(found.about)


def about(vault: Vault, study: str, number: int, card: int) -> str:
    """Return the kit or randomization number a card stands for."""
    with vault.database.read() as session:
        return _card(session, vault, study, number, card).about


def holder(vault: Vault, study: str, about: str) -> tuple[str, str]:
    """Return (site, participant) who has the kit or the randomization number."""
    with vault.database.read() as session:
        kit = select(Kit.site, Kit.participant).where(
            Kit.study == study, Kit.number == about, Kit.participant.is_not(None)
        )
        slot = select(Allocation.site, Allocation.participant).where(
            Allocation.study == study, Allocation.random_number == about
        )
        row = session.execute(kit).one_or_none() or session.execute(slot).one_or_none()
    if row is None:
        raise NotFound(T("Nobody has {number}.", number=about))
    return str(row[0]), str(row[1])


def standing(vault: Vault, study: str) -> tuple[Standing, ...]:
    """Return every pack with the last word on its cards: the reconciliation at close-out."""
    with vault.database.read() as session:
        packs = session.scalars(
            select(OfflinePack)
            .where(OfflinePack.study == study, OfflinePack.environment == vault.environment)
            .order_by(OfflinePack.number)
        ).all()
        counted: dict[int, int] = {
            row[0]: row[1]
            for row in session.execute(
                select(OfflineCard.pack_id, func.count()).group_by(OfflineCard.pack_id)
            )
        }
        last = {
            (row.pack_id, row.card): row.outcome
            for row in session.execute(
                select(CardSeen.pack_id, CardSeen.card, CardSeen.outcome).order_by(CardSeen.id)
            )
        }
        return tuple(_standing(pack, counted[pack.id], last) for pack in packs)


def seen(vault: Vault, study: str, outcome: str | None = None) -> tuple[Seen, ...]:
    """Return every look at a card, the newest first; `outcome` drill lists the drills."""
    query = (
        select(
            OfflinePack.number, OfflinePack.site, CardSeen.card, OfflineCard.about,
            CardSeen.outcome, CardSeen.note, CardSeen.by_name, CardSeen.at,
        )
        .join(OfflinePack, OfflinePack.id == CardSeen.pack_id)
        .join(
            OfflineCard,
            (OfflineCard.pack_id == CardSeen.pack_id) & (OfflineCard.number == CardSeen.card),
        )
        .where(OfflinePack.study == study, OfflinePack.environment == vault.environment)
        .order_by(CardSeen.id.desc())
    )  # fmt: skip
    if outcome is not None:
        query = query.where(CardSeen.outcome == outcome)
    with vault.database.read() as session:
        return tuple(Seen._make(row) for row in session.execute(query))


def _standing(pack: OfflinePack, cards: int, last: Mapping[tuple[int, int], str]) -> Standing:
    known = Counter(outcome for (pack_id, _), outcome in last.items() if pack_id == pack.id)
    known[UNSEEN] += cards - known.total()
    return Standing(
        pack.number, pack.site, pack.kind, pack.by_name, pack.at, cards,
        {outcome: known[outcome] for outcome in OUTCOMES},
    )  # fmt: skip


class _Found(NamedTuple):
    id: int
    site: str
    about: str


def _card(session: Session, vault: Vault, study: str, number: int, card: int) -> _Found:
    row = session.execute(
        select(OfflinePack.id, OfflinePack.site, OfflineCard.about)
        .join(OfflineCard, OfflineCard.pack_id == OfflinePack.id)
        .where(
            OfflinePack.study == study, OfflinePack.environment == vault.environment,
            OfflinePack.number == number, OfflineCard.number == card,
        )
    ).one_or_none()  # fmt: skip
    if row is None:
        raise NotFound(T("Pack {pack} has no card {card}.", pack=number, card=card))
    return _Found(*row)


def _may_see(by: By, study: str, site: str) -> Role:
    """Who keeps the list, and who may break codes at the site, answer for the cards."""
    for right in (Right.LIST_MANAGE, Right.CODE_BREAK):
        role = by.actor.role_for(right, study, site)
        if role is not None:
            return role
    raise NotAllowed(T("Your role does not include this at site {site}.", site=site))
