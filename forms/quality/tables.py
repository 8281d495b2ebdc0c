"""Tables of data quality: rules of the data manager's own, and what is known to be right."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ecrf.kernel.db import Base, Code, Key


class OwnRule(Base):
    """A rule by an expression over one form; a change of it raises `version`.

    `code` names it on pages and in files. A rule that is retired is kept, and never run.
    """

    __tablename__ = "quality_rule"
    __table_args__ = (UniqueConstraint("study", "code"),)

    id: Mapped[Key]
    study: Mapped[Code]
    code: Mapped[Code]
    version: Mapped[int] = mapped_column(default=1)
    form: Mapped[Code]
    item: Mapped[str] = mapped_column(String(120))
    formula: Mapped[str] = mapped_column(String(1000))
    text: Mapped[str] = mapped_column(String(400))
    made_at: Mapped[datetime]
    made_by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    retired_at: Mapped[datetime | None]


class Exclusion(Base):
    """A discrepancy that a person looked at and found right; it is listed no more."""

    __tablename__ = "quality_exclusion"
    __table_args__ = (
        UniqueConstraint("entry_id", "item", "rule"),
        Index("ix_quality_exclusion_study", "study"),
    )

    id: Mapped[Key]
    study: Mapped[Code]
    entry_id: Mapped[int] = mapped_column(ForeignKey("entry.id"))
    item: Mapped[str] = mapped_column(String(120))
    rule: Mapped[Code]
    reason: Mapped[str] = mapped_column(String(400))
    at: Mapped[datetime]
    by: Mapped[int] = mapped_column(ForeignKey("person.id"))
