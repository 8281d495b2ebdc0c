"""The vault's tables of supply. No column shows an arm, and no row exists for one arm only."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ecrf.kernel.append_only import guard
from ecrf.kernel.db import Code, Key
from randomization.tables import VaultBase


class Shipment(VaultBase):
    """Kits on their way to a site: `sets` whole sets of all arms in their ratio.

    `cause` tells orders from resupplies and makes each of them one only. `logger`, `low` and
    `high` are what the temperature logger said on arrival.
    """

    __tablename__ = "shipment"
    __table_args__ = (
        UniqueConstraint("study", "environment", "number"),
        UniqueConstraint("study", "environment", "site", "cause"),
        CheckConstraint("sets >= 1", name="sets_from_one"),
    )

    id: Mapped[Key]
    study: Mapped[Code]
    environment: Mapped[Code]
    site: Mapped[Code]
    number: Mapped[int]
    cause: Mapped[str] = mapped_column(String(40))
    sets: Mapped[int]
    stage: Mapped[Code]
    requested_by: Mapped[int]
    requested_at: Mapped[datetime]
    dispatched_at: Mapped[datetime | None]
    received_at: Mapped[datetime | None]
    logger: Mapped[str] = mapped_column(String(40), default="")
    low: Mapped[str] = mapped_column(String(8), default="")
    high: Mapped[str] = mapped_column(String(8), default="")


class Shipped(VaultBase):
    """A kit in a shipment, and how it arrived: intact, damaged, missing; "" until then."""

    __tablename__ = "shipped"

    shipment_id: Mapped[int] = mapped_column(ForeignKey("shipment.id"), primary_key=True)
    kit_id: Mapped[int] = mapped_column(ForeignKey("kit.id"), primary_key=True)
    condition: Mapped[str] = mapped_column(String(12), default="")


class Quarantine(VaultBase):
    """Kits held back for one cause until somebody decides: `outcome` released or rejected."""

    __tablename__ = "quarantine"

    id: Mapped[Key]
    study: Mapped[Code]
    environment: Mapped[Code]
    site: Mapped[Code]
    cause: Mapped[Code]
    text: Mapped[str] = mapped_column(String(1000))
    outcome: Mapped[str] = mapped_column(String(12), default="")
    reason: Mapped[str] = mapped_column(String(1000), default="")
    by_id: Mapped[int]
    at: Mapped[datetime]
    decided_by: Mapped[int | None]
    decided_at: Mapped[datetime | None]


class Held(VaultBase):
    """A kit in a quarantine."""

    __tablename__ = "held"

    quarantine_id: Mapped[int] = mapped_column(ForeignKey("quarantine.id"), primary_key=True)
    kit_id: Mapped[int] = mapped_column(ForeignKey("kit.id"), primary_key=True)


class Return(VaultBase):
    """A kit brought back by a participant, with the units counted in it."""

    __tablename__ = "kit_return"
    __table_args__ = (CheckConstraint("units >= 0", name="units_from_none"),)

    kit_id: Mapped[int] = mapped_column(ForeignKey("kit.id"), primary_key=True)
    units: Mapped[int]
    on: Mapped[date]
    note: Mapped[str] = mapped_column(String(1000))
    by_id: Mapped[int]
    by_name: Mapped[str] = mapped_column(String(120))
    at: Mapped[datetime]


class Replacement(VaultBase):
    """A kit lost or damaged, and the one of the same arm that took its place at the visit."""

    __tablename__ = "replacement"

    kit_id: Mapped[int] = mapped_column(ForeignKey("kit.id"), primary_key=True)
    by_kit_id: Mapped[int] = mapped_column(ForeignKey("kit.id"), unique=True)
    cause: Mapped[Code]
    reason: Mapped[str] = mapped_column(String(1000))
    by_id: Mapped[int]
    at: Mapped[datetime]


class Destruction(VaultBase):
    """Kits of a site to be destroyed together; two people sign before they are."""

    __tablename__ = "destruction"

    id: Mapped[Key]
    study: Mapped[Code]
    environment: Mapped[Code]
    site: Mapped[Code]
    method: Mapped[str] = mapped_column(String(200))
    place: Mapped[str] = mapped_column(String(200))
    on: Mapped[date]
    at: Mapped[datetime]


class Destroyed(VaultBase):
    """A kit listed on a destruction."""

    __tablename__ = "destroyed"

    kit_id: Mapped[int] = mapped_column(ForeignKey("kit.id"), primary_key=True)
    destruction_id: Mapped[int] = mapped_column(ForeignKey("destruction.id"), index=True)


class DestructionSigned(VaultBase):
    """One person's signature under a destruction; the second one carries it out."""

    __tablename__ = "destruction_signed"

    destruction_id: Mapped[int] = mapped_column(ForeignKey("destruction.id"), primary_key=True)
    by_id: Mapped[int] = mapped_column(primary_key=True)
    by_name: Mapped[str] = mapped_column(String(120))
    at: Mapped[datetime]


class Batch(VaultBase):
    """A packaging batch: one number and one expiry for the kits of all arms."""

    __tablename__ = "batch"
    __table_args__ = (UniqueConstraint("study", "environment", "code"),)

    id: Mapped[Key]
    study: Mapped[Code]
    environment: Mapped[Code]
    code: Mapped[Code]
    expiry: Mapped[date]
    by_id: Mapped[int]
    at: Mapped[datetime]


class Component(VaultBase):
    """What went into a batch for one arm, sealed: arm, product, lot, equally long for all.

    All arms are written at once, in a drawn order, so that `place` tells none.
    """

    __tablename__ = "component"

    batch_id: Mapped[int] = mapped_column(ForeignKey("batch.id"), primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True)
    ciphertext: Mapped[bytes]
    nonce: Mapped[bytes]


class Extension(VaultBase):
    """A later expiry of a batch. A kit has it once its label says so: see `Kit.expiry`."""

    __tablename__ = "extension"

    id: Mapped[Key]
    batch_id: Mapped[int] = mapped_column(ForeignKey("batch.id"), index=True)
    former: Mapped[date]
    expiry: Mapped[date]
    reason: Mapped[str] = mapped_column(String(1000))
    by_id: Mapped[int]
    by_name: Mapped[str] = mapped_column(String(120))
    at: Mapped[datetime]


class DispensationCheck(VaultBase):
    """The second person who read the number and the participant before a kit was given."""

    __tablename__ = "dispensation_check"

    kit_id: Mapped[int] = mapped_column(ForeignKey("kit.id"), primary_key=True)
    by_id: Mapped[int]
    by_name: Mapped[str] = mapped_column(String(120))
    at: Mapped[datetime]


class Incident(VaultBase):
    """A kit scanned that is not for this visit of this participant. Nothing was handed out."""

    __tablename__ = "incident"
    __table_args__ = (Index("ix_incident_visit", "study", "participant", "visit"),)

    id: Mapped[Key]
    study: Mapped[Code]
    environment: Mapped[Code]
    site: Mapped[Code]
    participant: Mapped[Code]
    visit: Mapped[Code]
    scanned: Mapped[str] = mapped_column(String(12))
    by_id: Mapped[int]
    by_name: Mapped[str] = mapped_column(String(120))
    at: Mapped[datetime]


class IncidentNote(VaultBase):
    """A word on an incident; `kind`: acknowledged by the pharmacy, closed by the manager."""

    __tablename__ = "incident_note"
    __table_args__ = (CheckConstraint("kind IN ('acknowledged', 'closed')", name="kind"),)

    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(12), primary_key=True)
    text: Mapped[str] = mapped_column(String(1000))
    by_id: Mapped[int]
    by_name: Mapped[str] = mapped_column(String(120))
    at: Mapped[datetime]


class Hold(VaultBase):
    """Days on which a participant was told to take nothing; they do not count as due."""

    __tablename__ = "dose_hold"
    __table_args__ = (
        Index("ix_dose_hold_participant", "study", "participant"),
        CheckConstraint("first <= last", name="in_order"),
    )

    id: Mapped[Key]
    study: Mapped[Code]
    environment: Mapped[Code]
    site: Mapped[Code]
    participant: Mapped[Code]
    first: Mapped[date]
    last: Mapped[date]
    reason: Mapped[str] = mapped_column(String(1000))
    by_id: Mapped[int]
    by_name: Mapped[str] = mapped_column(String(120))
    at: Mapped[datetime]


for _made in (
    Return, Replacement, Destruction, Destroyed, DestructionSigned, Component, Extension,
    DispensationCheck, Incident, IncidentNote, Hold,
):  # fmt: skip
    guard(VaultBase.metadata.tables[_made.__tablename__])
