"""Tables of package `visits`. Nothing here ever depends on an arm."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ecrf.kernel.db import Base, Code, Key


class Participant(Base):
    """A person in the trial, known by a code such as PUMCH-007.

    `status`: screening, screen failed, randomized, ended. `state` is the lock ladder: open,
    frozen (sites may no longer change, queries still flow), locked. `random_number` is opaque.
    `unblinded_at` says that a code break happened, never what it showed.
    """

    __tablename__ = "participant"
    __table_args__ = (
        UniqueConstraint("study", "code"),
        UniqueConstraint("study", "random_number"),
        Index("ix_participant_study_site", "study", "site"),
        CheckConstraint("state IN ('open', 'frozen', 'locked')", name="state"),
    )

    id: Mapped[Key]
    study: Mapped[str] = mapped_column(ForeignKey("study.id"))
    site: Mapped[Code]
    code: Mapped[Code]
    number: Mapped[int]
    status: Mapped[str] = mapped_column(String(20), default="screening")
    state: Mapped[str] = mapped_column(String(12), default="open")
    protocol: Mapped[str] = mapped_column(ForeignKey("protocol_version.fingerprint"))
    enrolled_at: Mapped[datetime]
    enrolled_by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    randomized_on: Mapped[date | None]
    random_number: Mapped[Code | None]
    receipt: Mapped[str | None]
    unblinded_at: Mapped[datetime | None]


class Visit(Base):
    """A visit of one participant; `plan` is its id in the schedule, `key` adds a repeat number.

    `status`: planned, held, missed. `first`, `target`, `last` are the placed window; null until
    the anchor is known. `due` is what lists of due visits are ordered by: `last` while the
    visit is planned, else null. `asked` and `spared` are the conditional forms that answers
    make due here or make needless, each with a | behind it. `open_until` lets a locked visit be
    dated anew, and forms be begun at it, before that moment.
    """

    __tablename__ = "visit"
    __table_args__ = (
        UniqueConstraint("participant_id", "key"),
        Index("ix_visit_study_due", "study", "due"),
        CheckConstraint("status IN ('planned', 'held', 'missed')", name="status"),
        CheckConstraint("state IN ('open', 'frozen', 'locked')", name="state"),
    )

    id: Mapped[Key]
    participant_id: Mapped[int] = mapped_column(ForeignKey("participant.id"), index=True)
    study: Mapped[Code]
    plan: Mapped[Code]
    key: Mapped[Code]
    kind: Mapped[Code]
    position: Mapped[int]
    status: Mapped[str] = mapped_column(String(12), default="planned")
    state: Mapped[str] = mapped_column(String(12), default="open")
    first: Mapped[date | None]
    target: Mapped[date | None]
    last: Mapped[date | None]
    due: Mapped[date | None]
    held_on: Mapped[date | None]
    missed_reason: Mapped[str | None] = mapped_column(String(400))
    asked: Mapped[str] = mapped_column(String(400), default="")
    spared: Mapped[str] = mapped_column(String(400), default="")
    open_until: Mapped[datetime | None]


class Deviation(Base):
    """A departure from the protocol; `rule` is set when the system raised it.

    `form` and `number` name the entry that departs, when it is one.
    """

    __tablename__ = "deviation"

    id: Mapped[Key]
    participant_id: Mapped[int] = mapped_column(ForeignKey("participant.id"), index=True)
    visit_id: Mapped[int | None] = mapped_column(ForeignKey("visit.id"))
    category: Mapped[Code]
    severity: Mapped[Code]
    rule: Mapped[Code | None]
    form: Mapped[Code | None]
    number: Mapped[int | None]
    text_en: Mapped[str] = mapped_column(String(400))
    text_zh: Mapped[str] = mapped_column(String(400))
    raised_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]


class KitGiven(Base):
    """A kit number the vault released to a visit. `status`: assigned, dispensed, gone."""

    __tablename__ = "kit_given"
    __table_args__ = (UniqueConstraint("number"),)

    id: Mapped[Key]
    participant_id: Mapped[int] = mapped_column(ForeignKey("participant.id"), index=True)
    visit_id: Mapped[int] = mapped_column(ForeignKey("visit.id"))
    number: Mapped[Code]
    status: Mapped[str] = mapped_column(String(12))
    at: Mapped[datetime]
