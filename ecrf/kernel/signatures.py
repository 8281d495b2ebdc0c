"""Electronic signatures: who signed what, when, meaning what (21 CFR 11.50, 11.70).

A signature binds the SHA-256 of the exact content and definition signed, and the version of
the thing. It stands while the thing still has that version; any later change breaks it
without touching the row.
"""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from ecrf.kernel.append_only import guard
from ecrf.kernel.db import Base, Key


class Signature(Base):
    """`target` names what is signed, such as `entry:12` or `lock:3`."""

    __tablename__ = "signature"
    __table_args__ = (Index("ix_signature_target", "target"),)

    id: Mapped[Key]
    target: Mapped[str] = mapped_column(String(120))
    version: Mapped[int]
    content_hash: Mapped[str] = mapped_column(String(64))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    printed_name: Mapped[str] = mapped_column(String(120))
    role: Mapped[str] = mapped_column(String(64))
    meaning_en: Mapped[str] = mapped_column(String(400))
    meaning_zh: Mapped[str] = mapped_column(String(400))
    at: Mapped[datetime]
    zone: Mapped[str] = mapped_column(String(64))


guard(Base.metadata.tables[Signature.__tablename__])
