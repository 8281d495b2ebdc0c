"""Messages that wait to be sent: written in the transaction of what they tell about.

A message names a study, a site, a page and at most a participant's code, never a treatment; who
gets it is decided by the rights in force when it is sent (`ecrf.kernel.mail`).
"""

from datetime import datetime

from sqlalchemy import Index, String, insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from ecrf.kernel.db import Base, Code, Key
from ecrf.kernel.ledger import By
from ecrf.kernel.text import Text


class Outgoing(Base):
    """One message to everybody who holds `right` at the site; `sent_at` null waits."""

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_waiting", "sent_at", "id"),)

    id: Mapped[Key]
    study: Mapped[Code]
    site: Mapped[Code]
    right: Mapped[Code]
    kind: Mapped[Code]
    text_en: Mapped[str] = mapped_column(String(600))
    text_zh: Mapped[str] = mapped_column(String(600))
    path: Mapped[str] = mapped_column(String(200))
    at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(default=0)
    not_before: Mapped[datetime | None]


def put(
    session: Session,
    by: By,
    study: str,
    site: str,
    right: str,
    kind: str,
    text: Text,
    path: str,
) -> None:
    """Leave a message to be sent once the transaction is done."""
    session.execute(
        insert(Outgoing).values(
            study=study, site=site, right=right, kind=kind, text_en=text.in_("en")[:600],
            text_zh=text.in_("zh")[:600], path=path, at=by.at, tries=0,
        )
    )  # fmt: skip
