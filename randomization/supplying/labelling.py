"""Labels that show an earlier expiry than their batch has meanwhile.

A later expiry counts for a kit once somebody says that its label shows it, so that what stands
on the pack and what the vault reckons with never differ.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from ecrf.kernel.access import Right
from ecrf.kernel.errors import Conflict
from ecrf.kernel.ledger import Act, By
from ecrf.kernel.text import T
from randomization.opened import Vault, permitted
from randomization.supply import DEPOT, State
from randomization.supplying import batches, books, moving
from randomization.supplying.tables import Batch, Component, Extension
from randomization.tables import Kit

LABELLED = (
    State.IN_DEPOT, State.PACKED, State.IN_TRANSIT, State.AVAILABLE, State.ASSIGNED,
    State.QUARANTINED,
)  # fmt: skip
"""Kits whose label still matters to somebody who hands them out."""


class Extended(NamedTuple):
    """An expiry made later."""

    former: date
    expiry: date
    reason: str
    by_name: str
    at: datetime


class Standing(NamedTuple):
    """A batch: its expiry, how many kits it has, where labels still show an earlier one."""

    code: str
    expiry: date
    kits: int
    described: bool
    relabel: Mapping[str, tuple[str, ...]]
    extensions: tuple[Extended, ...]


def relabelled(
    vault: Vault, by: By, study: str, site: str, code: str, typed: Sequence[str]
) -> tuple[str, ...]:
    """Note that kits of a place show the batch's expiry; without numbers, all of them there."""
    right = Right.SUPPLY_MANAGE if site == DEPOT else Right.KIT_DISPENSE
    role = permitted(by, right, study, site)
    act = Act("batch:relabel", role, study, site, f"batch:{code}", {"batch": code})

    def do(session: Session) -> tuple[tuple[str, ...], Mapping[str, object]]:
        row = batches.require(session, vault, study, code)
        waiting = _waiting(session, vault, study, code)
        there = [number for where, number in waiting if where == site]
        some = [number for number in typed if number.strip()]
        if some:
            found = moving.find(session, vault, study, [site], some)
            wrong = next((kit.number for kit in found if kit.number not in there), None)
            if wrong is not None:
                raise Conflict(T("Kit {number} has no label to be changed.", number=wrong))
            there = [kit.number for kit in found]
        if not there:
            raise Conflict(T("No label of this batch is to be changed here."))
        session.execute(
            update(Kit)
            .where(Kit.study == study, Kit.number.in_(there))
            .values(expiry=row.expiry)
            .execution_options(synchronize_session=False)
        )
        return tuple(there), {"kits": there, "expiry": row.expiry.isoformat()}

    return books.enter(vault, by, act, do)


def standing(vault: Vault, study: str, sites: Sequence[str]) -> list[Standing]:
    """Return the batches with what is to be relabelled at these sites. Three statements."""
    here = (Batch.study == study, Batch.environment == vault.environment)
    with vault.database.read() as session:
        parts = select(Component.batch_id).distinct()
        rows = session.execute(
            select(Batch.id, Batch.code, Batch.expiry, func.count(Kit.id).label("kits"),
                   Batch.id.in_(parts).label("described"))
            .outerjoin(Kit, (Kit.batch == Batch.code) & (Kit.study == Batch.study)
                       & (Kit.environment == Batch.environment))
            .where(*here)
            .group_by(Batch.id, Batch.code, Batch.expiry)
            .order_by(Batch.code)
        ).all()  # fmt: skip
        later = session.execute(
            select(Extension.batch_id, Extension.former, Extension.expiry, Extension.reason,
                   Extension.by_name, Extension.at)
            .join(Batch, Batch.id == Extension.batch_id)
            .where(*here)
            .order_by(Extension.id)
        ).all()  # fmt: skip
        waiting = session.execute(
            select(Kit.batch, Kit.site, Kit.number)
            .join(Batch, (Batch.code == Kit.batch) & (Batch.study == Kit.study)
                  & (Batch.environment == Kit.environment))
            .where(*here, Kit.site.in_(sites), *_SHOWS_EARLIER)
            .order_by(Kit.number)
        ).all()  # fmt: skip
    return [
        Standing(
            row.code, row.expiry, row.kits, bool(row.described),
            _by_site([(w.site, w.number) for w in waiting if w.batch == row.code]),
            tuple(Extended(*one[1:]) for one in later if one.batch_id == row.id),
        )
        for row in rows
    ]  # fmt: skip


_SHOWS_EARLIER = (
    Kit.expiry < Batch.expiry, Kit.state.in_([state.value for state in LABELLED]),
)  # fmt: skip


def _waiting(session: Session, vault: Vault, study: str, code: str) -> list[tuple[str, str]]:
    rows = session.execute(
        select(Kit.site, Kit.number)
        .join(Batch, (Batch.code == Kit.batch) & (Batch.study == Kit.study)
              & (Batch.environment == Kit.environment))
        .where(Batch.study == study, Batch.environment == vault.environment,
               Batch.code == code, *_SHOWS_EARLIER)
        .order_by(Kit.number)
    )  # fmt: skip
    return [(row.site, row.number) for row in rows]


def _by_site(kits: Sequence[tuple[str, str]]) -> Mapping[str, tuple[str, ...]]:
    sites = sorted({site for site, _ in kits})
    return {site: tuple(n for where, n in kits if where == site) for site in sites}
