"""Tables of closing: what was waived, and locks that wait for a second person."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from ecrf.kernel.db import Base, Code, Key


class Waiver(Base):
    """One thing in the way of a lock that somebody lets pass, and why.

    `mark` names the blocker: its gate, its place and its words. When any of them is otherwise
    it is another blocker, which nobody has waived.
    """

    __tablename__ = "waiver"
    __table_args__ = (Index("ix_waiver_study", "study", "mark"),)

    id: Mapped[Key]
    study: Mapped[Code]
    site: Mapped[str | None] = mapped_column(String(64))
    mark: Mapped[str] = mapped_column(String(64))
    kind: Mapped[Code]
    place: Mapped[str] = mapped_column(String(240))
    text_en: Mapped[str] = mapped_column(String(600))
    text_zh: Mapped[str] = mapped_column(String(600))
    reason: Mapped[str] = mapped_column(String(400))
    by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]


class LockRequest(Base):
    """The lock of a whole study that one person asked for and another decides on.

    `status`: asked, done, withdrawn.
    """

    __tablename__ = "lock_request"
    __table_args__ = (
        Index("ix_lock_request_study", "study", "status"),
        CheckConstraint("status IN ('asked', 'done', 'withdrawn')", name="status"),
    )

    id: Mapped[Key]
    study: Mapped[Code]
    reason: Mapped[str] = mapped_column(String(400))
    zone: Mapped[str] = mapped_column(String(64))
    status: Mapped[str] = mapped_column(String(12), default="asked")
    by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    name: Mapped[str] = mapped_column(String(120))
    role: Mapped[Code]
    at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    lock_id: Mapped[int | None] = mapped_column(ForeignKey("lock.id"))
