"""The vault's tables of code breaks. No column shows an arm.

What of a code break is told to the blinded side is here beside the disclosure itself, so that
it can be carried over whenever the main database answers again.
"""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ecrf.kernel.append_only import guard
from ecrf.kernel.db import Code, Key
from randomization.tables import VaultBase


class BreakCall(VaultBase):
    """How a code was broken: `way` is page, emergency or offline card.

    `ref` is drawn for the page that asks, so that one answer is shown once. `to_role` is the
    role the answer waits for, "" when it was shown. `telephone` is where to call back.
    """

    __tablename__ = "break_call"

    reveal_id: Mapped[int] = mapped_column(ForeignKey("reveal.id"), primary_key=True)
    ref: Mapped[str] = mapped_column(String(32), unique=True)
    way: Mapped[Code]
    role: Mapped[Code]
    contacted: Mapped[bool]
    telephone: Mapped[str] = mapped_column(String(40))
    to_role: Mapped[Code]


class BreakOpened(VaultBase):
    """An answer that waited was opened, once: the call, and the disclosure that opened it."""

    __tablename__ = "break_opened"

    call_id: Mapped[int] = mapped_column(ForeignKey("break_call.reveal_id"), primary_key=True)
    reveal_id: Mapped[int] = mapped_column(ForeignKey("reveal.id"), unique=True)


class BreakCarried(VaultBase):
    """A code break the main database knows of."""

    __tablename__ = "break_carried"

    call_id: Mapped[int] = mapped_column(ForeignKey("break_call.reveal_id"), primary_key=True)
    at: Mapped[datetime]


class Mirror(VaultBase):
    """A sealed copy of what an emergency needs of the main side: people, words, sites.

    `version` is the hash of the content; `at` is when it was last compared.
    """

    __tablename__ = "mirror"

    study: Mapped[str] = mapped_column(String(64), primary_key=True)
    version: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]
    content: Mapped[bytes] = mapped_column(LargeBinary)
    nonce: Mapped[bytes]


class Guess(VaultBase):
    """Wrong passwords typed on the emergency page; `name` is a hash of the user name."""

    __tablename__ = "guess"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    failures: Mapped[int]
    blocked_until: Mapped[datetime | None]


class OfflinePack(VaultBase):
    """Cards made for a site: for its kits or its slots. The shares themselves are not kept."""

    __tablename__ = "offline_pack"
    __table_args__ = (
        UniqueConstraint("study", "environment", "number"),
        CheckConstraint("kind IN ('kits', 'slots')", name="kind"),
    )

    id: Mapped[Key]
    study: Mapped[Code]
    environment: Mapped[Code]
    site: Mapped[Code]
    number: Mapped[int]
    kind: Mapped[str] = mapped_column(String(8))
    by_name: Mapped[str] = mapped_column(String(120))
    at: Mapped[datetime]


class OfflineCard(VaultBase):
    """A numbered card of a pack, and the kit or randomization number it stands for."""

    __tablename__ = "offline_card"
    __table_args__ = (Index("ix_offline_card_about", "about"),)

    pack_id: Mapped[int] = mapped_column(ForeignKey("offline_pack.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    about: Mapped[str] = mapped_column(String(12))


class CardSeen(VaultBase):
    """What became of a card, as somebody saw it: intact, drill, opened, missing, destroyed."""

    __tablename__ = "card_seen"
    __table_args__ = (
        Index("ix_card_seen_card", "pack_id", "card"),
        CheckConstraint(
            "outcome IN ('intact', 'drill', 'opened', 'missing', 'destroyed')", name="outcome"
        ),
    )

    id: Mapped[Key]
    pack_id: Mapped[int] = mapped_column(ForeignKey("offline_pack.id"))
    card: Mapped[int]
    outcome: Mapped[str] = mapped_column(String(12))
    note: Mapped[str] = mapped_column(String(400))
    by_name: Mapped[str] = mapped_column(String(120))
    at: Mapped[datetime]


for _row in (BreakCall, BreakOpened, BreakCarried, OfflinePack, OfflineCard, CardSeen):
    guard(VaultBase.metadata.tables[_row.__tablename__])
