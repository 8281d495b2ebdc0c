"""The front door of the proof: what its command may ask of the vault. No answer is an arm."""

from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import select

from ecrf.kernel.db import Base, Database
from randomization import lists, seal, shelf
from randomization.opened import Vault
from randomization.proving import evidence, figures, rehearsal
from randomization.proving.evidence import Disclosed, Evidence, examine
from randomization.proving.learning import Guess
from randomization.proving.numbering import FEWEST, LEVEL, Tested
from randomization.proving.rehearsal import Rehearsed, Watch
from randomization.tables import LEDGER, ListRow, Shelf, VaultBase

__all__ = [
    "FEWEST", "LEVEL", "Disclosed", "Evidence", "Guess", "Latency", "Needle", "Rehearsal",
    "Rehearsed", "Tested", "Watch", "associated", "environments", "examine", "own_tables",
    "rehearse", "roots", "secrets",
]  # fmt: skip


class Needle(NamedTuple):
    """Something that may be nowhere outside the vault, and what it is called in a report."""

    name: str
    content: bytes


class Latency(NamedTuple):
    """Do two arms take equally long? The p-value of each kind of request."""

    step: str
    size: int
    p: float


class Rehearsal(NamedTuple):
    """Two worlds compared, and the times of their requests by arm."""

    compared: Rehearsed
    latencies: tuple[Latency, ...]


def rehearse(
    vault: Vault, study: str, folder: Path, participants: int, watch: Watch
) -> Rehearsal | None:
    """Rehearse the newest list of the study in `folder`; None when there is no list."""
    with vault.database.read() as session:
        row = session.scalars(
            select(ListRow)
            .where(ListRow.study == study, ListRow.environment == vault.environment)
            .order_by(ListRow.version.desc())
            .limit(1)
        ).one_or_none()
        if row is None:
            return None
        spec = lists.spec_of(vault, row)
    one = rehearsal.play(spec, folder / "one", participants, watch)
    other = rehearsal.play(rehearsal.exchanged(spec), folder / "other", participants, watch)
    return Rehearsal(rehearsal.compare(one, other), latencies(one, other))


def latencies(*worlds: rehearsal.Played) -> tuple[Latency, ...]:
    """Compare how long each kind of request took for the first arm and for all others."""
    first = min(arm for world in worlds for arm in world.arms)
    names = [step.name for step in worlds[0].steps[0]]
    found = []
    for place, name in enumerate(names):
        took: dict[bool, list[float]] = {True: [], False: []}
        for world in worlds:
            for arm, steps in zip(world.arms, world.steps, strict=True):
                took[arm == first].append(steps[place].seconds)
        count = len(took[True]) + len(took[False])
        found.append(Latency(name, count, figures.kolmogorov(took[True], took[False])))
    return tuple(found)


def secrets(vault: Vault, study: str) -> tuple[Needle, ...]:
    """Return what opens arms: keys, seeds and specifications, to be looked for elsewhere."""
    keys = vault.keys
    found = [Needle("vault key", keys.wrapping), Needle("signing key", keys.signer.seed)]
    with vault.database.read() as session:
        for row in session.scalars(select(ListRow).where(ListRow.study == study)):
            if row.environment != vault.environment:
                continue
            found += [
                Needle("list key", lists.data_key(vault, row)),
                Needle("list seed", lists.seed_of(vault, row)),
                Needle("list specification", lists.spec_of(vault, row).canonical().encode()),
            ]
        wrapped = session.scalar(
            select(Shelf.key).where(
                Shelf.study == study, Shelf.environment == vault.environment
            )
        )
    if wrapped is not None:
        context = shelf.key_context(study, vault.environment)
        found.append(Needle("kit key", seal.unwrap(vault.keys.wrapping, context, wrapped)))
    return tuple(found)


def environments(database: Database, study: str) -> Counter[str]:
    """Return how many lists of the study there are for each environment."""
    with database.read() as session:
        return Counter(
            session.scalars(select(ListRow.environment).where(ListRow.study == study))
        )


def roots(database: Database, study: str) -> tuple[str, ...]:
    """Return what was published of each list: its number, its state, its Merkle root."""
    with database.read() as session:
        rows = session.execute(
            select(ListRow.version, ListRow.state, ListRow.root)
            .where(ListRow.study == study)
            .order_by(ListRow.id)
        )
        return tuple(f"{row.version} · {row.state} · {row.root}" for row in rows)


def own_tables() -> frozenset[str]:
    """Return the tables that are the vault's alone, without those of every ledger."""
    shared = set(LEDGER.chain.metadata.tables) & set(Base.metadata.tables)
    return frozenset(VaultBase.metadata.tables) - shared


def associated(vault: Vault, study: str, codes: Collection[str]) -> float | None:
    """Return the p-value of whether these participants are of one arm more than the others.

    None when they, or those who are not among them, are too few to say.
    """
    with vault.database.read() as session:
        arms = evidence.arms(session, vault, study)
    named = [arm for code, arm in arms.items() if code in codes]
    others = [arm for code, arm in arms.items() if code not in codes]
    if min(len(named), len(others)) < FEWEST // 4:
        return None
    kinds = sorted({arm.opened() for arm in arms.values()})
    sides = (named, others)
    rows = [[sum(arm.opened() == kind for arm in side) for kind in kinds] for side in sides]
    return figures.independence(rows)
