"""The vault's tables of forced allocation. No column shows an arm."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from ecrf.kernel.append_only import guard
from ecrf.kernel.db import Code, Key
from randomization.tables import VaultBase


class Forcing(VaultBase):
    """One person's proposal that somebody be randomized although a precondition fails.

    `supply` and `cap` say which are set aside, the rest is what the site asked for.
    """

    __tablename__ = "forcing"
    __table_args__ = (
        Index("ix_forcing_study_participant", "study", "participant"),
        CheckConstraint("supply OR cap", name="something"),
    )

    id: Mapped[Key]
    study: Mapped[Code]
    environment: Mapped[Code]
    site: Mapped[Code]
    participant: Mapped[Code]
    stratum: Mapped[str] = mapped_column(String(200))
    visit: Mapped[Code]
    kits: Mapped[int]
    usable_until: Mapped[date]
    most_study: Mapped[int | None]
    most_site: Mapped[int | None]
    most_stratum: Mapped[int | None]
    supply: Mapped[bool]
    cap: Mapped[bool]
    reason: Mapped[str] = mapped_column(String(1000))
    by_id: Mapped[int]
    by_name: Mapped[str] = mapped_column(String(120))
    at: Mapped[datetime]


class ForcingSettled(VaultBase):
    """What the second person made of a proposal; `outcome`: carried out, declined."""

    __tablename__ = "forcing_settled"
    __table_args__ = (
        CheckConstraint("outcome IN ('carried out', 'declined')", name="outcome"),
    )

    forcing_id: Mapped[int] = mapped_column(ForeignKey("forcing.id"), primary_key=True)
    outcome: Mapped[str] = mapped_column(String(12))
    reason: Mapped[str] = mapped_column(String(1000))
    by_id: Mapped[int]
    by_name: Mapped[str] = mapped_column(String(120))
    at: Mapped[datetime]


for _made in (Forcing, ForcingSettled):
    guard(VaultBase.metadata.tables[_made.__tablename__])
