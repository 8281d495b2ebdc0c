"""The tables of files. Contents are kept once each by their hash, apart from the answers."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ecrf.kernel.db import Base, Code, Key


class FileContent(Base):
    """The bytes of a file, by their SHA-256."""

    __tablename__ = "file_content"

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    size: Mapped[int]
    content: Mapped[bytes] = mapped_column(LargeBinary)


class FileVersion(Base):
    """A file that was sent for an item of a form, saved or not.

    `saved_at` is when it became the answer for the first time; from then on it is kept for
    good, also when another took its place. Before that only who sent it can see it, and it is
    deleted when nobody came back to it for `forms.files.keeping.KEPT`.
    """

    __tablename__ = "file_version"
    __table_args__ = (
        UniqueConstraint("visit_id", "form", "number", "item", "sha256", "name", "sent_by"),
        Index("ix_file_version_sha256", "sha256"),
    )

    id: Mapped[Key]
    participant_id: Mapped[int] = mapped_column(ForeignKey("participant.id"), index=True)
    visit_id: Mapped[int] = mapped_column(ForeignKey("visit.id"))
    form: Mapped[Code]
    number: Mapped[int]
    item: Mapped[str] = mapped_column(String(120))
    sha256: Mapped[str] = mapped_column(ForeignKey("file_content.sha256"))
    name: Mapped[str] = mapped_column(String(120))
    kind: Mapped[Code]
    sent_at: Mapped[datetime]
    sent_by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    saved_at: Mapped[datetime | None]
