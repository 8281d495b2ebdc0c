"""Tables of laboratory results: reference ranges, safety alerts, files of results.

A range is never changed or deleted: a correction retires it and adds another, in one edition.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ecrf.kernel.db import Base, Code, Key


class RangeEdition(Base):
    """One change of a study's ranges. `print` is the SHA-256 of all that are in force after it,
    by which a process knows the ranges it has already read.
    """

    __tablename__ = "range_edition"
    __table_args__ = (Index("ix_range_edition_study", "study", "id"),)

    id: Mapped[Key]
    study: Mapped[str] = mapped_column(ForeignKey("study.id"))
    print: Mapped[str] = mapped_column(String(64))
    sha256: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]
    by: Mapped[int] = mapped_column(ForeignKey("person.id"))


class RangeRow(Base):
    """A reference range in the canonical unit of its analyte; bounds are text, never floats.

    Empty `site`, `laboratory` and `sex` mean any. `source` is "laboratory" or "unverified".
    """

    __tablename__ = "reference_range"
    __table_args__ = (
        Index("ix_reference_range_study", "study", "retired_in"),
        CheckConstraint("sex IN ('', 'F', 'M')", name="sex"),
        CheckConstraint("low IS NOT NULL OR high IS NOT NULL", name="some_bound"),
    )

    id: Mapped[Key]
    study: Mapped[Code]
    site: Mapped[Code]
    laboratory: Mapped[str] = mapped_column(String(80))
    analyte: Mapped[Code]
    sex: Mapped[str] = mapped_column(String(1))
    age_from: Mapped[int | None]
    age_to: Mapped[int | None]
    starts_on: Mapped[date]
    low: Mapped[str | None] = mapped_column(String(40))
    high: Mapped[str | None] = mapped_column(String(40))
    source: Mapped[Code]
    added_in: Mapped[int] = mapped_column(ForeignKey("range_edition.id"))
    retired_in: Mapped[int | None] = mapped_column(ForeignKey("range_edition.id"))


class Rejudged(Base):
    """A result that a look at all results found to be judged by another range now.

    `status`: found, taken (judged anew), left (its entry changed after the look).
    """

    __tablename__ = "rejudged_result"
    __table_args__ = (
        UniqueConstraint("job_id", "entry_id", "item"),
        CheckConstraint("status IN ('found', 'taken', 'left')", name="status"),
    )

    id: Mapped[Key]
    job_id: Mapped[int] = mapped_column(ForeignKey("job.id"))
    entry_id: Mapped[int] = mapped_column(ForeignKey("entry.id"))
    version: Mapped[int]
    item: Mapped[str] = mapped_column(String(120))
    status: Mapped[str] = mapped_column(String(12))
    old: Mapped[str] = mapped_column(String(240))
    new: Mapped[str] = mapped_column(String(240))
    old_flag: Mapped[str] = mapped_column(String(1))
    new_flag: Mapped[str] = mapped_column(String(1))
    old_grade: Mapped[str] = mapped_column(String(4))
    new_grade: Mapped[str] = mapped_column(String(4))


class AlertRow(Base):
    """A safety alert: the check that began to hold, at which version of which entry.

    `status`: open, acknowledged, withdrawn (the answer was corrected before anybody saw it).
    """

    __tablename__ = "safety_alert"
    __table_args__ = (
        UniqueConstraint("entry_id", "rule", "version"),
        Index("ix_safety_alert_study", "study", "status", "id"),
        CheckConstraint("status IN ('open', 'acknowledged', 'withdrawn')", name="status"),
    )

    id: Mapped[Key]
    study: Mapped[Code]
    site: Mapped[Code]
    participant_id: Mapped[int] = mapped_column(ForeignKey("participant.id"), index=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("entry.id"))
    version: Mapped[int]
    rule: Mapped[str] = mapped_column(String(64))
    item: Mapped[str] = mapped_column(String(120))
    level: Mapped[Code]
    text_en: Mapped[str] = mapped_column(String(600))
    text_zh: Mapped[str] = mapped_column(String(600))
    status: Mapped[str] = mapped_column(String(12), default="open")
    raised_at: Mapped[datetime]
    seen_at: Mapped[datetime | None]
    seen_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    comment: Mapped[str] = mapped_column(String(1000), default="")


class MappingRow(Base):
    """How the files of one laboratory are read: its columns, tests, units and visits."""

    __tablename__ = "laboratory_mapping"
    __table_args__ = (UniqueConstraint("study", "laboratory"),)

    id: Mapped[Key]
    study: Mapped[Code]
    laboratory: Mapped[str] = mapped_column(String(80))
    content: Mapped[dict[str, Any]]
    at: Mapped[datetime]
    by: Mapped[int] = mapped_column(ForeignKey("person.id"))


class ResultFile(Base):
    """A file of results as it was sent. `status`: staged, accepting, accepted, dropped.

    The same bytes are staged once per study, laboratory and person's sites: `sha256` with
    `mapping`, which is the SHA-256 of how it was read.
    """

    __tablename__ = "result_file"
    __table_args__ = (
        Index("ix_result_file_study", "study", "id"),
        CheckConstraint(
            "status IN ('staged', 'accepting', 'accepted', 'dropped')", name="status"
        ),
    )

    id: Mapped[Key]
    study: Mapped[Code]
    laboratory: Mapped[str] = mapped_column(String(80))
    name: Mapped[str] = mapped_column(String(200))
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    status: Mapped[str] = mapped_column(String(12), default="staged")
    reason: Mapped[str] = mapped_column(String(400), default="")
    staged_at: Mapped[datetime]
    staged_by: Mapped[int] = mapped_column(ForeignKey("person.id"))


class ResultRow(Base):
    """One line of a file. `status`: new, change, same, wrong, done, refused.

    `old` is what the item held when the file was staged, `text` and `unit` what it would hold.
    """

    __tablename__ = "result_row"
    __table_args__ = (
        UniqueConstraint("file_id", "line"),
        Index("ix_result_row_status", "file_id", "status", "code", "visit", "form", "line"),
        CheckConstraint(
            "status IN ('new', 'change', 'same', 'wrong', 'done', 'refused')", name="status"
        ),
    )

    id: Mapped[Key]
    file_id: Mapped[int] = mapped_column(ForeignKey("result_file.id"))
    line: Mapped[int]
    status: Mapped[str] = mapped_column(String(12))
    code: Mapped[Code]
    visit: Mapped[Code]
    form: Mapped[Code]
    item: Mapped[str] = mapped_column(String(120))
    text: Mapped[str] = mapped_column(String(200))
    unit: Mapped[str] = mapped_column(String(40))
    on: Mapped[str] = mapped_column(String(40))
    old: Mapped[str] = mapped_column(String(240))
    problem_en: Mapped[str] = mapped_column(String(600))
    problem_zh: Mapped[str] = mapped_column(String(600))
