"""The record of the draws of a minimised list, append-only. No column shows an arm."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ecrf.kernel.append_only import guard
from ecrf.kernel.db import Key
from randomization.tables import VaultBase


class DrawRow(VaultBase):
    """One draw: `number` counts those of a list from 1, as the serial of the receipt does.

    `config` is the hash of the specification, `engine` the version of the procedure. Counts,
    scores, odds, the number drawn and the arm stand in `record` alone, sealed: counts one after
    the other would tell who is with whom.
    """

    __tablename__ = "draw"
    __table_args__ = (
        UniqueConstraint("list_id", "number"),
        CheckConstraint("number >= 1", name="number_from_one"),
    )

    id: Mapped[Key]
    list_id: Mapped[int] = mapped_column(ForeignKey("list.id"))
    slot_id: Mapped[str] = mapped_column(ForeignKey("slot.id"), unique=True)
    number: Mapped[int]
    config: Mapped[str] = mapped_column(String(64))
    engine: Mapped[str] = mapped_column(String(40))
    record: Mapped[bytes]
    nonce: Mapped[bytes]
    at: Mapped[datetime]


guard(VaultBase.metadata.tables["draw"])
