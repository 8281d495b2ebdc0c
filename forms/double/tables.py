"""The table of double entry. A copy is no entry: what it says counts once it is settled."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ecrf.kernel.db import Base, Code, Key


class Copy(Base):
    """What one of two people entered for a form that is entered twice.

    `seat` is 1 for who began first. `answers` are as in an entry; `status` is draft, then
    complete for good. `protocol` is the definition it was last saved under. Kept after the
    entry was settled: it tells where the entry's answers come from.
    """

    __tablename__ = "double_copy"
    __table_args__ = (
        UniqueConstraint("visit_id", "form", "number", "seat"),
        UniqueConstraint("visit_id", "form", "number", "person_id"),
        CheckConstraint("seat IN (1, 2)", name="seat"),
        CheckConstraint("status IN ('draft', 'complete')", name="status"),
    )

    id: Mapped[Key]
    participant_id: Mapped[int] = mapped_column(ForeignKey("participant.id"), index=True)
    visit_id: Mapped[int] = mapped_column(ForeignKey("visit.id"))
    form: Mapped[Code]
    number: Mapped[int]
    seat: Mapped[int]
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    protocol: Mapped[str] = mapped_column(ForeignKey("protocol_version.fingerprint"))
    status: Mapped[str] = mapped_column(String(12))
    answers: Mapped[dict[str, Any]]
    version: Mapped[int]
    saved_at: Mapped[datetime]
