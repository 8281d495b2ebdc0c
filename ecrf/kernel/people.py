"""The tables of people, sites, grants and sign-in sessions."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from ecrf.kernel.db import Base, Code, Key


class Person(Base):
    """A named person with one account. Never deleted; the user name is never used again."""

    __tablename__ = "person"
    __table_args__ = (Index("uq_person_username_lower", text("lower(username)"), unique=True),)

    id: Mapped[Key]
    username: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(120))
    password: Mapped[str | None] = mapped_column(String(255))
    locale: Mapped[str] = mapped_column(String(8), default="en")
    active: Mapped[bool] = mapped_column(default=True)
    failures: Mapped[int] = mapped_column(default=0)
    blocked_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    email: Mapped[str | None] = mapped_column(String(200))


class Pin(Base):
    """What a person may sign with again in a session (`ecrf.kernel.pins`): a hash, like a
    password's.
    """

    __tablename__ = "pin"

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    hash: Mapped[str] = mapped_column(String(255))
    set_at: Mapped[datetime]


class Site(Base):
    """A hospital taking part in a study. `enrolled` is the last participant number given.

    `open` says that participants may be enrolled; `state` is the lock ladder: open, frozen,
    locked.
    """

    __tablename__ = "site"
    __table_args__ = (
        UniqueConstraint("study", "code"),
        CheckConstraint("state IN ('open', 'frozen', 'locked')", name="state"),
    )

    id: Mapped[Key]
    study: Mapped[Code]
    code: Mapped[Code]
    name_en: Mapped[str] = mapped_column(String(200))
    name_zh: Mapped[str] = mapped_column(String(200))
    zone: Mapped[str] = mapped_column(String(64))
    open: Mapped[bool] = mapped_column(default=True)
    state: Mapped[str] = mapped_column(String(12), default="open")
    enrolled: Mapped[int] = mapped_column(default=0)


class GrantRow(Base):
    """A role given to a person in a study, at one site or (null) all; ended, never deleted."""

    __tablename__ = "grant"
    __table_args__ = (
        CheckConstraint("ends_at IS NULL OR ends_at >= starts_at", name="ends_after_start"),
    )

    id: Mapped[Key]
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    study: Mapped[Code]
    role: Mapped[Code]
    site: Mapped[Code | None]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]


class SignIn(Base):
    """A server-side session. The cookie holds the token, the table only its SHA-256.

    `signed_at` is set by the first signature; `wrong_pins` counts PINs that were not right.
    """

    __tablename__ = "sign_in"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    csrf: Mapped[str] = mapped_column(String(64))
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    signed_at: Mapped[datetime | None]
    wrong_pins: Mapped[int] = mapped_column(default=0)
