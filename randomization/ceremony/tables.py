"""The vault's tables of ceremonies. Both only grow: what was signed or made known stays.

No column shows an arm or the size of a block. `content` of a step is what the minutes say.
"""

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ecrf.kernel.append_only import guard
from ecrf.kernel.db import Code, Key
from randomization.tables import VaultBase


class Ceremony(VaultBase):
    """A signed specification, sealed; `key` becomes the data key of the list made from it."""

    __tablename__ = "ceremony"
    __table_args__ = (UniqueConstraint("study", "environment", "version"),)

    id: Mapped[Key]
    study: Mapped[Code]
    environment: Mapped[Code]
    version: Mapped[int]
    imported: Mapped[bool]
    key: Mapped[bytes]
    spec: Mapped[bytes]
    spec_nonce: Mapped[bytes]
    spec_hash: Mapped[str] = mapped_column(String(64))
    software: Mapped[str] = mapped_column(String(40))


class CeremonyStep(VaultBase):
    """One step: who did it, in which role, when, and the facts it added as JSON.

    `turn` makes a step happen once, or once for each person. `sealed` holds what stays secret.
    """

    __tablename__ = "ceremony_step"
    __table_args__ = (UniqueConstraint("ceremony_id", "turn"),)

    id: Mapped[Key]
    ceremony_id: Mapped[int] = mapped_column(ForeignKey("ceremony.id"))
    step: Mapped[Code]
    turn: Mapped[Code]
    content: Mapped[str] = mapped_column(String(4000))
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    nonce: Mapped[bytes | None] = mapped_column(LargeBinary)
    by_id: Mapped[int]
    by_name: Mapped[str] = mapped_column(String(120))
    role: Mapped[Code]
    at: Mapped[datetime]


for _made in (Ceremony, CeremonyStep):
    guard(VaultBase.metadata.tables[_made.__tablename__])
