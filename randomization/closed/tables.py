"""The vault's tables of closed reports. What they say is sealed; no column shows an arm."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ecrf.kernel.append_only import guard
from ecrf.kernel.db import Code, Key
from randomization.tables import VaultBase


class ClosedReport(VaultBase):
    """A report by arm as it was made. `labels`: coded (A, B, drawn anew) or named.

    `content` and `codes` (which code is which arm) are sealed under `key`, which is wrapped by
    the key file. `digest` is the SHA-256 of the content, which holds a salt of its own.
    `definition` is the fingerprint the data were read by, `data` the Merkle root over the heads
    of the blinded side's ledger at that moment.
    """

    __tablename__ = "closed_report"
    __table_args__ = (
        UniqueConstraint("study", "environment", "number"),
        CheckConstraint("labels IN ('coded', 'named')", name="labels"),
    )

    id: Mapped[Key]
    study: Mapped[Code]
    environment: Mapped[Code]
    number: Mapped[int]
    cut_off: Mapped[date]
    labels: Mapped[Code]
    purpose: Mapped[str] = mapped_column(String(400))
    participants: Mapped[int]
    definition: Mapped[str] = mapped_column(String(64))
    list_version: Mapped[int]
    data: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64))
    key: Mapped[bytes]
    content: Mapped[bytes]
    content_nonce: Mapped[bytes]
    codes: Mapped[bytes]
    codes_nonce: Mapped[bytes]
    by_id: Mapped[int]
    by_name: Mapped[str] = mapped_column(String(120))
    at: Mapped[datetime]


class ClosedRelease(VaultBase):
    """The statistician gave a report to the board."""

    __tablename__ = "closed_release"

    report_id: Mapped[int] = mapped_column(ForeignKey("closed_report.id"), primary_key=True)
    by_id: Mapped[int]
    by_name: Mapped[str] = mapped_column(String(120))
    at: Mapped[datetime]


guard(ClosedReport.__table__)  # type: ignore[arg-type]
guard(ClosedRelease.__table__)  # type: ignore[arg-type]
