"""The table of code breaks on the blinded side. No column tells a treatment."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from ecrf.kernel.db import Base, Code, Key


class CodeBreak(Base):
    """One unblinding of a participant, and the assessment of its impact (ICH E6(R3) 4.1.4).

    `kind`: emergency, safety reporting (the site stays blinded), accidental. `way`: page,
    emergency (the main database did not answer), offline card, form. `ref` names it in the
    vault, or is `entry:<id>` of the form that tells of it. The assessment is done when
    `assessed_at` is there: `learned` says who learned what by which way, `measures` what is
    done about it, never which treatment it was.
    """

    __tablename__ = "code_break"
    __table_args__ = (
        Index("ix_code_break_study", "study", "id"),
        CheckConstraint("kind IN ('emergency', 'safety reporting', 'accidental')", name="kind"),
    )

    id: Mapped[Key]
    study: Mapped[Code]
    site: Mapped[Code]
    participant_id: Mapped[int] = mapped_column(ForeignKey("participant.id"), index=True)
    ref: Mapped[str] = mapped_column(String(64), unique=True)
    kind: Mapped[Code]
    way: Mapped[Code]
    why: Mapped[Code]
    by_name: Mapped[str] = mapped_column(String(120))
    at: Mapped[datetime]
    known_at: Mapped[datetime]
    contacted: Mapped[bool]
    telephone: Mapped[str] = mapped_column(String(40))
    sent_to: Mapped[Code]
    due_on: Mapped[date]
    learned: Mapped[str] = mapped_column(String(2000), default="")
    decision: Mapped[Code] = mapped_column(default="")
    measures: Mapped[str] = mapped_column(String(2000), default="")
    assessed_at: Mapped[datetime | None]
    assessed_by: Mapped[str | None] = mapped_column(String(120))
    signature_id: Mapped[int | None] = mapped_column(ForeignKey("signature.id"))
