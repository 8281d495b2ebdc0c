"""The table of drafts. A draft is no answer: no export, no fold and no act ever knows of it."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from ecrf.kernel.db import Base, Code


class Draft(Base):
    """What one person has in the inputs of one form, and that the form is open on a screen.

    `typed` is [[name of the input, text], …] as sent, also what cannot be read; null while
    nothing was changed. `seen_version` is the version of the entry it was typed over.
    `there_until` is when the screen counts as gone unless it is heard of again. Gone with the
    save, when it is discarded, or when `kept_at` is older than `forms.drafts.keeping.KEPT`.
    """

    __tablename__ = "draft"

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    visit_id: Mapped[int] = mapped_column(ForeignKey("visit.id"), primary_key=True, index=True)
    form: Mapped[Code] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    typed: Mapped[list[Any] | None] = mapped_column(JSON(none_as_null=True))
    seen_version: Mapped[int]
    opened_at: Mapped[datetime]
    kept_at: Mapped[datetime] = mapped_column(index=True)
    there_until: Mapped[datetime]
