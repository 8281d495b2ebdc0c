"""The table of reminders. They follow from answers and are kept by every save."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ecrf.kernel.db import Base, Code, Key


class Reminder(Base):
    """A prompt or a clock of the study (`rule`) that holds for an entry as it stands.

    `due_at` is the end of a clock; a prompt has none.
    """

    __tablename__ = "reminder"
    __table_args__ = (
        UniqueConstraint("entry_id", "rule"),
        Index("ix_reminder_study", "study", "due_at", "id"),
    )

    id: Mapped[Key]
    study: Mapped[Code]
    site: Mapped[Code]
    participant_id: Mapped[int] = mapped_column(ForeignKey("participant.id"), index=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("entry.id"))
    rule: Mapped[str] = mapped_column(String(64))
    due_at: Mapped[datetime | None]
    raised_at: Mapped[datetime]
