"""Tables of reviewing: marks on entries, and what a site has in place of the plan."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ecrf.kernel.db import Base, Code, Key


class ReviewMark(Base):
    """Somebody reviewed an entry as it was at `version`; stale once the entry has another.

    `kind`: data, medical. One row per entry and kind; a new review takes the place of the last,
    which the ledger keeps.
    """

    __tablename__ = "review_mark"
    __table_args__ = (
        UniqueConstraint("entry_id", "kind"),
        CheckConstraint("kind IN ('data', 'medical')", name="kind"),
    )

    id: Mapped[Key]
    entry_id: Mapped[int] = mapped_column(ForeignKey("entry.id"))
    kind: Mapped[Code]
    version: Mapped[int]
    by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    name: Mapped[str] = mapped_column(String(120))
    at: Mapped[datetime]
    note: Mapped[str] = mapped_column(String(400), default="")


class SitePlan(Base):
    """How much is verified at one site, of one form or (form empty) of all."""

    __tablename__ = "site_plan"
    __table_args__ = (UniqueConstraint("study", "site", "form"),)

    id: Mapped[Key]
    study: Mapped[Code]
    site: Mapped[Code]
    form: Mapped[Code]
    items: Mapped[Code]
    otherwise: Mapped[Code]
    sample: Mapped[int]
    first: Mapped[int]
    reason: Mapped[str] = mapped_column(String(400))
    by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    at: Mapped[datetime]
