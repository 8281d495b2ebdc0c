"""Tables of cases, their dossiers and the votes on them. Nothing here depends on an arm."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ecrf.kernel.db import Base, Code, Key


class Case(Base):
    """One event under judgement, known to the committee by its `number` alone.

    `round` counts how often it was put to the vote: re-opening begins a new round and keeps
    the votes of the old one. `verdict` is Y or N once it is final, with organs and date.
    """

    __tablename__ = "adjudication_case"
    __table_args__ = (
        UniqueConstraint("study", "number"),
        UniqueConstraint("entry_id"),
        CheckConstraint("verdict IN ('Y', 'N')", name="verdict"),
    )

    id: Mapped[Key]
    study: Mapped[Code]
    number: Mapped[int]
    participant_id: Mapped[int] = mapped_column(ForeignKey("participant.id"), index=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("entry.id"))
    state: Mapped[str] = mapped_column(String(24))
    round: Mapped[int] = mapped_column(default=1)
    assessed_on: Mapped[date | None]
    opened_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    verdict: Mapped[str | None] = mapped_column(String(1))
    organs: Mapped[str | None] = mapped_column(String(400))
    event_on: Mapped[date | None]

    @property
    def name(self) -> str:
        return f"C-{self.number:03d}"


class Dossier(Base):
    """What the committee reads of a case, frozen: `content` is canonical JSON.

    `raw_hash` is that of the content before anything was taken out, `sources` the entries it
    was made of as [id, version]; by them a later change of the data is noticed. `redactions`
    is what the data manager decided for each free text.
    """

    __tablename__ = "adjudication_dossier"
    __table_args__ = (UniqueConstraint("case_id", "version"),)

    id: Mapped[Key]
    case_id: Mapped[int] = mapped_column(ForeignKey("adjudication_case.id"))
    version: Mapped[int]
    raw: Mapped[str] = mapped_column(Text)
    raw_hash: Mapped[str] = mapped_column(String(64))
    sources: Mapped[list[Any]]
    redactions: Mapped[dict[str, Any]]
    content: Mapped[str | None] = mapped_column(Text)
    content_hash: Mapped[str | None] = mapped_column(String(64))
    site_date: Mapped[date | None]
    made_at: Mapped[datetime]
    made_by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    completed_at: Mapped[datetime | None]
    completed_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))


class Vote(Base):
    """The seat of one person in one round of a case; `chair` when they decide alone.

    `status`: waiting, draft, signed, ended (given to somebody else, or overtaken).
    `query_id` is the query by which its question went to the site. `salt` goes into the hash
    that the signature binds.
    """

    __tablename__ = "adjudication_vote"
    __table_args__ = (
        UniqueConstraint("case_id", "round", "person_id"),
        CheckConstraint("status IN ('waiting', 'draft', 'signed', 'ended')", name="status"),
    )

    id: Mapped[Key]
    case_id: Mapped[int] = mapped_column(ForeignKey("adjudication_case.id"))
    dossier_id: Mapped[int] = mapped_column(ForeignKey("adjudication_dossier.id"))
    round: Mapped[int]
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    chair: Mapped[bool] = mapped_column(default=False)
    status: Mapped[str] = mapped_column(String(12), default="waiting")
    assigned_at: Mapped[datetime]
    due_on: Mapped[date]
    answers: Mapped[dict[str, Any]]
    version: Mapped[int] = mapped_column(default=0)
    signature_id: Mapped[int | None] = mapped_column(ForeignKey("signature.id"))
    signed_at: Mapped[datetime | None]
    salt: Mapped[str] = mapped_column(String(64), default="")
    query_id: Mapped[int | None] = mapped_column(ForeignKey("query.id"))
