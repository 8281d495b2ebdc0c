"""The table of unlocking."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from ecrf.kernel.db import Base, Code, Key


class Unlock(Base):
    """Something locked that may be changed until a moment: asked for, then approved.

    `status`: asked, approved, refused, closed. An approved one lasts until `until` and not a
    moment longer, closed or not. `items` (null: all) are those of an entry that may change.
    `changed` counts the acts done meanwhile, `summary` is the SHA-256 over their links.
    """

    __tablename__ = "unlock"
    __table_args__ = (
        Index("ix_unlock_study", "study", "status"),
        CheckConstraint("status IN ('asked', 'approved', 'refused', 'closed')", name="status"),
        CheckConstraint("decided_by IS NULL OR decided_by <> asked_by", name="two_people"),
    )

    id: Mapped[Key]
    study: Mapped[Code]
    scope: Mapped[Code]
    target: Mapped[str] = mapped_column(String(120))
    items: Mapped[list[Any] | None] = mapped_column(JSON(none_as_null=True))
    reason: Mapped[str] = mapped_column(String(400))
    until: Mapped[datetime]
    status: Mapped[str] = mapped_column(String(12), default="asked")
    asked_by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    asked_at: Mapped[datetime]
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    decided_at: Mapped[datetime | None]
    closed_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    closed_at: Mapped[datetime | None]
    changed: Mapped[int | None]
    summary: Mapped[str | None] = mapped_column(String(64))
