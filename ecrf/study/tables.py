"""Tables of `ecrf.study`: approved versions of a definition, and which one is in force."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from ecrf.kernel.db import Base, Code


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


class StudyRow(Base):
    """A study that runs here: the fingerprint in force, and the state of its lock ladder.

    `state` is open, frozen or locked.
    """

    __tablename__ = "study"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(ForeignKey("protocol_version.fingerprint"))
    state: Mapped[str] = mapped_column(String(12), default="open")
