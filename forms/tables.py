"""Tables of package `forms`. An entry is one filled form; the ledger explains its answers.

Invariant, tested: an entry's `answers` equal the fold of the changes in its acts (ledger key
`entry:<id>`), oldest first.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ecrf.kernel.db import Base, Code, Key
from forms import lasting


class Entry(Base):
    """One form at one visit; `number` counts repeats per participant from 1.

    `answers` is one JSON document {item key: {"text", "unit", "value", "missing"}} with null
    parts left out. `status`: draft, complete, not done. `state`: open, frozen, locked.
    `version` counts saves. Made by the first save. `verified` is {item key: version at which it
    was compared with the source, 0 when it was changed since} (`forms.review.verified`).
    `open_until` lets a locked entry be changed before that moment, and `open_items`, when it is
    there, only these items of it (`forms.unlocking`). The database refuses the rest.
    """

    __tablename__ = "entry"
    __table_args__ = (
        UniqueConstraint("visit_id", "form", "number"),
        Index("ix_entry_participant", "participant_id"),
        CheckConstraint("number >= 1", name="number_from_one"),
        CheckConstraint("status IN ('draft', 'complete', 'not done')", name="status"),
        CheckConstraint("state IN ('open', 'frozen', 'locked')", name="state"),
    )

    id: Mapped[Key]
    participant_id: Mapped[int] = mapped_column(ForeignKey("participant.id"))
    visit_id: Mapped[int] = mapped_column(ForeignKey("visit.id"))
    form: Mapped[Code]
    number: Mapped[int] = mapped_column(default=1)
    protocol: Mapped[str] = mapped_column(ForeignKey("protocol_version.fingerprint"))
    status: Mapped[str] = mapped_column(String(12), default="draft")
    state: Mapped[str] = mapped_column(String(12), default="open")
    answers: Mapped[dict[str, Any]]
    verified: Mapped[dict[str, int] | None] = mapped_column(JSON(none_as_null=True))
    version: Mapped[int]
    signature_id: Mapped[int | None] = mapped_column(ForeignKey("signature.id"))
    signed_version: Mapped[int | None]
    saved_at: Mapped[datetime]
    saved_by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    open_until: Mapped[datetime | None]
    open_items: Mapped[list[Any] | None] = mapped_column(JSON(none_as_null=True))


lasting.shut(Base.metadata.tables[Entry.__tablename__])


class Query(Base):
    """A question to the site about an item, a form, the date of a visit, or a participant.

    The place is the participant, then the visit or null, then `form` and `number` or "" and 0,
    then `item`; `forms.questions.places` says what an empty part means. `entry_id` is null
    until somebody begins the form.

    `rule` is the finding that opened it, or "" when a person did. `status`: open, answered,
    closed, cancelled. One row per entry, item and rule: a finding that comes back re-opens its
    query. Queries of persons are numbered in `serial`; those of rules have serial 0.
    `assigned_role` is who at the site is to answer, `assigned_to` the one person of them;
    both null: whoever may.
    """

    __tablename__ = "query"
    __table_args__ = (
        UniqueConstraint("entry_id", "item", "rule", "serial"),
        Index("ix_query_study_status", "study", "status", "id"),
        Index("ix_query_place", "visit_id", "form", "number"),
        CheckConstraint("status IN ('open', 'answered', 'closed', 'cancelled')", name="status"),
        CheckConstraint("form = '' OR visit_id IS NOT NULL", name="form_at_visit"),
    )

    id: Mapped[Key]
    entry_id: Mapped[int | None] = mapped_column(ForeignKey("entry.id"))
    participant_id: Mapped[int] = mapped_column(ForeignKey("participant.id"), index=True)
    study: Mapped[Code]
    site: Mapped[Code]
    item: Mapped[str] = mapped_column(String(120))
    rule: Mapped[str] = mapped_column(String(64), default="")
    serial: Mapped[int] = mapped_column(default=0)
    status: Mapped[str] = mapped_column(String(12), default="open")
    text_en: Mapped[str] = mapped_column(String(600))
    text_zh: Mapped[str] = mapped_column(String(600))
    opened_at: Mapped[datetime]
    opened_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    visit_id: Mapped[int | None] = mapped_column(ForeignKey("visit.id"))
    form: Mapped[Code] = mapped_column(default="")
    number: Mapped[int] = mapped_column(default=0)
    answered_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    assigned_role: Mapped[Code | None]
    assigned_to: Mapped[int | None] = mapped_column(ForeignKey("person.id"))


class QueryMessage(Base):
    """One turn of a query's thread: answer, close, re-open, assign, with its text.

    `text` is what was said; `text_zh` is the same in Chinese when it came from the ready-made
    words `template`, and then `text` is the English.
    """

    __tablename__ = "query_message"

    id: Mapped[Key]
    query_id: Mapped[int] = mapped_column(ForeignKey("query.id"), index=True)
    act: Mapped[Code]
    text: Mapped[str] = mapped_column(String(1000))
    by_name: Mapped[str] = mapped_column(String(120))
    at: Mapped[datetime]
    text_zh: Mapped[str | None] = mapped_column(String(1000))
    template: Mapped[Code | None]


class Lock(Base):
    """A lock (or freeze) that was set: what it covers and the ledger position it stands at.

    `manifest` is what was locked, for a lock (`forms.closing.manifest`). `reopened_at` says
    that part of it was unlocked since: the next lock takes its place.
    """

    __tablename__ = "lock"

    id: Mapped[Key]
    study: Mapped[Code]
    scope: Mapped[Code]
    target: Mapped[str] = mapped_column(String(120))
    kind: Mapped[Code]
    at: Mapped[datetime]
    by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    checkpoint: Mapped[int | None]
    lifted_at: Mapped[datetime | None]
    reopened_at: Mapped[datetime | None]
    reason: Mapped[str | None] = mapped_column(String(400))
    manifest: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
