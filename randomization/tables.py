"""The tables of the vault, in a database of their own. No column shows an arm.

Who stands on a slot is told by `allocation` alone, and the next slot of a stratum is the one
after its last allocation: there is no counter beside the truth that could differ from it. What
must happen one after the other is put in order by the lock on the study's chain head.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from ecrf.kernel.append_only import follow, guard
from ecrf.kernel.db import CONVENTION, Code, Instant, Key
from ecrf.kernel.ledger import Ledger


class VaultBase(DeclarativeBase):
    """The tables of the vault's database."""

    metadata = MetaData(naming_convention=CONVENTION)
    type_annotation_map = {datetime: Instant, date: Date, bytes: LargeBinary}


LEDGER = Ledger(VaultBase.metadata)
ACTIVE = text("state = 'active'")


class ListRow(VaultBase):
    """A randomization list; `state`: draft, published, active, closed.

    `spec` and `seed` are ciphertexts, `key` is the list's data key wrapped by the key file.
    `root`, `seed_commitment` and `spec_hash` are what is published.
    """

    __tablename__ = "list"
    __table_args__ = (
        UniqueConstraint("study", "environment", "version"),
        Index(
            "uq_list_active", "study", "environment", unique=True,
            sqlite_where=ACTIVE, postgresql_where=ACTIVE,
        ),
        CheckConstraint("state IN ('draft', 'published', 'active', 'closed')", name="state"),
    )  # fmt: skip

    id: Mapped[Key]
    study: Mapped[Code]
    environment: Mapped[Code]
    version: Mapped[int]
    state: Mapped[str] = mapped_column(String(12), default="draft")
    key: Mapped[bytes]
    spec: Mapped[bytes]
    spec_nonce: Mapped[bytes]
    seed: Mapped[bytes]
    seed_nonce: Mapped[bytes]
    root: Mapped[str] = mapped_column(String(64))
    seed_commitment: Mapped[str] = mapped_column(String(64))
    spec_hash: Mapped[str] = mapped_column(String(64))
    software: Mapped[str] = mapped_column(String(40))
    generated_at: Mapped[datetime]
    published_at: Mapped[datetime | None]
    activated_at: Mapped[datetime | None]


class Stratum(VaultBase):
    """A stratum of a list: its place in the list's order and its number of slots."""

    __tablename__ = "stratum"
    __table_args__ = (UniqueConstraint("list_id", "place"),)

    list_id: Mapped[int] = mapped_column(ForeignKey("list.id"), primary_key=True)
    name: Mapped[str] = mapped_column(String(200), primary_key=True)
    place: Mapped[int]
    size: Mapped[int]


class Slot(VaultBase):
    """One place on a list: sealed arm and salt, its leaf, and its opaque number."""

    __tablename__ = "slot"
    __table_args__ = (
        UniqueConstraint("list_id", "stratum", "position"),
        UniqueConstraint("study", "random_number"),
        CheckConstraint("position >= 1", name="position_from_one"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    list_id: Mapped[int] = mapped_column(ForeignKey("list.id"))
    study: Mapped[Code]
    stratum: Mapped[str] = mapped_column(String(200))
    position: Mapped[int]
    ciphertext: Mapped[bytes]
    nonce: Mapped[bytes]
    leaf: Mapped[str] = mapped_column(String(64))
    random_number: Mapped[str] = mapped_column(String(12))


TAKE_KITS_SQLITE = (
    (
        "CREATE TRIGGER allocation_takes_kits AFTER INSERT ON allocation BEGIN"
        " UPDATE kit SET state = 'assigned', participant = NEW.participant, visit = NEW.visit"
        " WHERE id IN (SELECT value FROM json_each(NEW.kits)); END"
    ),
)
TAKE_KITS_POSTGRESQL = (
    (
        "CREATE OR REPLACE FUNCTION take_kits() RETURNS trigger LANGUAGE plpgsql AS $$"
        " BEGIN UPDATE kit SET state = 'assigned', participant = NEW.participant,"
        " visit = NEW.visit WHERE id = ANY (ARRAY("
        "SELECT value::integer FROM json_array_elements_text(NEW.kits::json)));"
        " RETURN NEW; END $$"
    ),
    (
        "CREATE TRIGGER allocation_takes_kits AFTER INSERT ON allocation"
        " FOR EACH ROW EXECUTE FUNCTION take_kits()"
    ),
)


class Allocation(VaultBase):
    """A participant on a slot, for ever. `serial` counts a list's receipts from 1.

    `asked` is the hash of what was asked for, so that a repeat can be told from a change.
    `kits` is a JSON list of the ids of the kits for `visit`: the database itself takes them
    from the shelf with the row, so that nobody can have a slot without its kits.
    """

    __tablename__ = "allocation"
    __table_args__ = (
        UniqueConstraint("study", "participant"),
        UniqueConstraint("study", "random_number"),
        UniqueConstraint("list_id", "stratum", "position"),
        UniqueConstraint("list_id", "serial"),
    )

    id: Mapped[Key]
    study: Mapped[Code]
    list_id: Mapped[int] = mapped_column(ForeignKey("list.id"))
    slot_id: Mapped[str] = mapped_column(ForeignKey("slot.id"), unique=True)
    stratum: Mapped[str] = mapped_column(String(200))
    position: Mapped[int]
    serial: Mapped[int]
    site: Mapped[Code]
    participant: Mapped[Code]
    random_number: Mapped[str] = mapped_column(String(12))
    visit: Mapped[Code]
    kits: Mapped[str] = mapped_column(String(400))
    asked: Mapped[str] = mapped_column(String(64))
    receipt: Mapped[str] = mapped_column(String(2000))
    receipt_hash: Mapped[str] = mapped_column(String(64))
    signature: Mapped[str] = mapped_column(String(100))
    at: Mapped[datetime]


class Shelf(VaultBase):
    """The data key of a study's kits, wrapped by the key file."""

    __tablename__ = "shelf"

    study: Mapped[str] = mapped_column(String(64), primary_key=True)
    environment: Mapped[str] = mapped_column(String(64), primary_key=True)
    key: Mapped[bytes]


class PackingNote(VaultBase):
    """The vault's signed word about kits packed together; it binds what they hold.

    `note` states their number and the Merkle root over them, and tells no arm.
    """

    __tablename__ = "packing_note"

    id: Mapped[Key]
    study: Mapped[Code]
    environment: Mapped[Code]
    note: Mapped[str] = mapped_column(String(1000))
    signature: Mapped[str] = mapped_column(String(100))
    at: Mapped[datetime]


class Kit(VaultBase):
    """A numbered pack. Number and `sequence` are drawn without regard to the arm.

    `batch` and `expiry` are those of the packaging, the same for all arms. `state` moves as
    `randomization.supply` says. Kits from before there were notes have none.
    """

    __tablename__ = "kit"
    __table_args__ = (
        UniqueConstraint("study", "sequence"),
        Index("ix_kit_shelf", "study", "site", "state", "sequence"),
        Index("ix_kit_participant", "study", "participant"),
    )

    id: Mapped[Key]
    study: Mapped[Code]
    environment: Mapped[Code]
    number: Mapped[str] = mapped_column(String(12), unique=True)
    site: Mapped[Code]
    ciphertext: Mapped[bytes]
    nonce: Mapped[bytes]
    batch: Mapped[Code]
    expiry: Mapped[date]
    note_id: Mapped[int | None] = mapped_column(ForeignKey("packing_note.id"), index=True)
    state: Mapped[Code]
    sequence: Mapped[int] = mapped_column(BigInteger)
    participant: Mapped[Code | None]
    visit: Mapped[Code | None]


class Dispensation(VaultBase):
    """A kit handed out: by whom, for whom, for which visit, when."""

    __tablename__ = "dispensation"

    id: Mapped[Key]
    kit_id: Mapped[int] = mapped_column(ForeignKey("kit.id"), unique=True)
    study: Mapped[Code]
    participant: Mapped[Code]
    visit: Mapped[Code]
    by_id: Mapped[int]
    by_name: Mapped[str] = mapped_column(String(120))
    at: Mapped[datetime]


class Reveal(VaultBase):
    """A disclosure, written down before it happens. Says of whom and why, never which arm.

    `purpose`: preparation, code break.
    """

    __tablename__ = "reveal"
    __table_args__ = (Index("ix_reveal_participant", "study", "participant"),)

    id: Mapped[Key]
    study: Mapped[Code]
    site: Mapped[Code]
    participant: Mapped[Code]
    purpose: Mapped[Code]
    reason_class: Mapped[Code]
    reason: Mapped[str] = mapped_column(String(1000))
    by_id: Mapped[int]
    by_name: Mapped[str] = mapped_column(String(120))
    at: Mapped[datetime]


class Unblinding(VaultBase):
    """One person's signature under the planned unblinding of a list; two are needed."""

    __tablename__ = "unblinding"
    __table_args__ = (UniqueConstraint("list_id", "by_id"),)

    id: Mapped[Key]
    list_id: Mapped[int] = mapped_column(ForeignKey("list.id"))
    locked: Mapped[str] = mapped_column(String(200))
    by_id: Mapped[int]
    by_name: Mapped[str] = mapped_column(String(120))
    at: Mapped[datetime]


def _table(row: Any) -> Table:
    table: Table = row.__table__
    return table


SLOTS = _table(Slot)
KITS = _table(Kit)

guard(_table(Reveal))
guard(_table(Allocation))
follow(_table(Allocation), TAKE_KITS_SQLITE, TAKE_KITS_POSTGRESQL)
guard(_table(Dispensation))
guard(_table(PackingNote))
guard(_table(Unblinding))
