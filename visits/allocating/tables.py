"""What this side writes of a randomization beside its result. Nothing depends on an arm."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from ecrf.kernel.append_only import guard
from ecrf.kernel.db import Base, Code, Key


class Asking(Base):
    """Somebody signed that a participant be randomized, or what was asked was refused.

    `kind`: asked, refused. Written and committed before the vault is asked, so that after a
    crash it stands that somebody waits. `key` is the same however often it is asked for a
    participant; `payload` is the hash of what was asked. `text_…` are the words of a refusal,
    `meaning_…` those of what was signed (21 CFR 11.50).
    """

    __tablename__ = "randomization_asking"
    __table_args__ = (
        Index("ix_randomization_asking_participant_id", "participant_id"),
        CheckConstraint("kind IN ('asked', 'refused')", name="kind"),
    )

    id: Mapped[Key]
    participant_id: Mapped[int] = mapped_column(ForeignKey("participant.id"))
    kind: Mapped[str] = mapped_column(String(12))
    key: Mapped[str] = mapped_column(String(36))
    payload: Mapped[str] = mapped_column(String(64))
    stratum: Mapped[str] = mapped_column(String(200))
    levels: Mapped[dict[str, Any]]
    by_id: Mapped[int]
    by_name: Mapped[str] = mapped_column(String(120))
    role: Mapped[str] = mapped_column(String(64))
    meaning_en: Mapped[str] = mapped_column(String(400))
    meaning_zh: Mapped[str] = mapped_column(String(400))
    text_en: Mapped[str] = mapped_column(String(400))
    text_zh: Mapped[str] = mapped_column(String(400))
    at: Mapped[datetime]
    zone: Mapped[str] = mapped_column(String(64))


class StratumCorrection(Base):
    """A stratification factor turned out to be wrong. The slot stays, and so do the kits.

    `level` is what the participant was randomized under, `true_level` what is right. The last
    row of a factor counts; the rows before it stay.
    """

    __tablename__ = "stratum_correction"
    __table_args__ = (Index("ix_stratum_correction_participant_id", "participant_id"),)

    id: Mapped[Key]
    participant_id: Mapped[int] = mapped_column(ForeignKey("participant.id"))
    factor: Mapped[Code]
    level: Mapped[Code]
    true_level: Mapped[Code]
    reason: Mapped[str] = mapped_column(String(400))
    by_id: Mapped[int]
    by_name: Mapped[str] = mapped_column(String(120))
    at: Mapped[datetime]


for _made in (Asking, StratumCorrection):
    guard(Base.metadata.tables[_made.__tablename__])
