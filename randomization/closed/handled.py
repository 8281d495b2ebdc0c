"""What may be told of the lists and of who handled them: from the vault's ledger, no arm.

How a list restricts chance (sizes of blocks, bounds) is a read of its own, and written down.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select

from ecrf.kernel.access import Right
from ecrf.kernel.errors import NotAllowed
from ecrf.kernel.ledger import Act, By
from ecrf.kernel.text import T
from randomization import lists
from randomization.opened import Vault, lock, one_message, vault_chain
from randomization.tables import LEDGER, Allocation, Kit, ListRow

HANDLING = ("list:%", "ceremony:%", "escrow:%")


class Handling(NamedTuple):
    """One act on a list: who did what, when."""

    at: datetime
    person: int
    name: str
    action: str
    list_version: int


class Known(NamedTuple):
    """A list as far as everybody may know it."""

    version: int
    state: str
    scheme: str
    ratio: tuple[tuple[str, int], ...]
    strata: int
    root: str
    seed_commitment: str
    spec_hash: str
    software: str
    generated_at: datetime
    published_at: datetime | None
    activated_at: datetime | None
    allocated: int


class Chain(NamedTuple):
    """How far the study's chain in the vault goes, and its head."""

    size: int
    link: str


class Vaulted(NamedTuple):
    """Everything of the vault that a description of the randomization rests on."""

    lists: tuple[Known, ...]
    handling: tuple[Handling, ...]
    kits: int
    head: Chain


def describe(vault: Vault, study: str) -> Vaulted:
    """Return what is known of the study's lists, and who handled them."""
    c, heads = LEDGER.act.c, LEDGER.chain.c
    chain_name = vault_chain(study)
    with vault.database.read() as session:
        rows = session.scalars(
            select(ListRow)
            .where(ListRow.study == study, ListRow.environment == vault.environment)
            .order_by(ListRow.version)
        ).all()
        counts = session.execute(
            select(Allocation.list_id, func.count())
            .where(Allocation.study == study)
            .group_by(Allocation.list_id)
        )
        taken = {row[0]: row[1] for row in counts}
        known = tuple(_known(vault, row, taken.get(row.id, 0)) for row in rows)
        acts = session.execute(
            select(c.at, c.header)
            .where(c.chain == chain_name)
            .where(c.action.like(HANDLING[0]) | c.action.like(HANDLING[1])
                   | c.action.like(HANDLING[2]))
            .order_by(c.seq)
        )  # fmt: skip
        handling = tuple(_handling(row.at, json.loads(row.header)) for row in acts)
        kits = session.scalar(
            select(func.count(Kit.id)).where(
                Kit.study == study, Kit.environment == vault.environment
            )
        )
        head = session.execute(
            select(heads.size, heads.link).where(heads.name == chain_name)
        ).one_or_none()
    return Vaulted(known, handling, kits or 0, Chain(*head) if head else Chain(0, ""))


def restriction(vault: Vault, by: By, study: str, number: int) -> Mapping[str, tuple[int, ...]]:
    """Return what else the scheme was told, such as sizes of blocks; on the record first."""
    role = by.actor.role_for(Right.CLOSED_MAKE, study)
    if role is None:
        raise NotAllowed(T("Your role does not include this."))
    act = Act("closed:specification", role, study, f"list:{number}", refs={"list": number})
    with one_message(vault, by, act), vault.database.write() as session:
        LEDGER.write(session, by, [(lock(session, study), act)])
    with vault.database.read() as session:
        row = session.scalars(
            select(ListRow).where(
                ListRow.study == study, ListRow.environment == vault.environment,
                ListRow.version == number,
            )
        ).one()  # fmt: skip
        return {name: tuple(told) for name, told in lists.spec_of(vault, row).options.items()}


def note_package(vault: Vault, by: By, study: str, number: int, sha256: str) -> None:
    """Write down that a package with arms was made; its hash stands on this ledger only."""
    refs = {"list": number, "sha256": sha256}
    act = Act("list:unblinded package", None, study, key=f"list:{number}", refs=refs)
    with vault.database.write() as session:
        LEDGER.write(session, by, [(lock(session, study), act)])


def _known(vault: Vault, row: ListRow, allocated: int) -> Known:
    spec = lists.spec_of(vault, row)
    ratio = tuple(sorted(spec.ratio))
    return Known(
        row.version, row.state, spec.scheme, ratio, len(spec.strata), row.root,
        row.seed_commitment, row.spec_hash, row.software, row.generated_at, row.published_at,
        row.activated_at, allocated,
    )  # fmt: skip


def _handling(at: datetime, header: Mapping[str, object]) -> Handling:
    refs = header["refs"]
    number = refs.get("list", 0) if isinstance(refs, dict) else 0
    return Handling(
        at, int(str(header["actor"])), str(header["name"]), str(header["action"]),
        int(str(number or 0)),
    )  # fmt: skip
