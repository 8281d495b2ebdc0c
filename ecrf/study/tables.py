"""Tables of `ecrf.study`: approved versions of a definition, and which one is in force."""

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from ecrf.kernel.db import Base, Code, Key


class ProtocolVersion(Base):
    """One state of a study's definition; `content` is the canonical JSON the print is taken of.

    In force once two different people have approved it.
    """

    __tablename__ = "protocol_version"

    fingerprint: Mapped[str] = mapped_column(String(64), primary_key=True)
    study: Mapped[Code]
    version: Mapped[str] = mapped_column(String(40))
    content: Mapped[str] = mapped_column(Text)
    first_by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    first_at: Mapped[datetime]
    second_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    second_at: Mapped[datetime | None]


class SiteVersion(Base):
    """From which day a version is in force at a site, by the approval of its ethics committee.

    A study that never had a second version has no such rows.
    """

    __tablename__ = "site_version"
    __table_args__ = (Index("ix_site_version_site", "study", "site", "effective_on"),)

    id: Mapped[Key]
    study: Mapped[Code]
    site: Mapped[Code]
    fingerprint: Mapped[str] = mapped_column(ForeignKey("protocol_version.fingerprint"))
    effective_on: Mapped[date]
    ethics_on: Mapped[date | None]
    reference: Mapped[str] = mapped_column(String(120), default="")
    put_at: Mapped[datetime]
    put_by: Mapped[int] = mapped_column(ForeignKey("person.id"))


class StudyRow(Base):
    """A study that runs here: its newest approved version, and the state of its lock ladder.

    Sites may still be under an earlier one (`SiteVersion`). `state` is open, frozen or locked.
    """

    __tablename__ = "study"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(ForeignKey("protocol_version.fingerprint"))
    state: Mapped[str] = mapped_column(String(12), default="open")
