"""Lists: generate, publish, activate. A list changes its state, never its slots.

A minimised list is a list like any other: its slots are drawn, numbered, committed to and
sealed beforehand, only without an arm, which is sealed into a slot when somebody comes to it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from ecrf.kernel import bulk
from ecrf.kernel.errors import Conflict, NotFound
from ecrf.kernel.ledger import Act, By
from ecrf.kernel.text import T, Text
from randomization import commit, design, numbers, seal
from randomization.arm import Arm
from randomization.commit import Leaf
from randomization.design import Spec
from randomization.opened import Vault, lock
from randomization.schemes import UNDECIDED
from randomization.seal import Context
from randomization.tables import LEDGER, SLOTS, ListRow, Slot, Stratum

STATES: Mapping[str, Text] = {
    "draft": T("a draft"),
    "published": T("published"),
    "active": T("active"),
    "closed": T("closed"),
}


@dataclass(frozen=True, slots=True)
class Publication:
    """What is made known about a list before the first participant; it tells no arm."""

    study: str
    version: int
    environment: str
    state: str
    slots: int
    root: str
    seed_commitment: str
    spec_hash: str
    software: str
    key: str

    def text(self) -> str:
        """Return it as it is printed and sent out."""
        return "".join(
            f"{name}: {value}\n"
            for name, value in (
                ("study", self.study), ("list", self.version),
                ("environment", self.environment), ("slots", self.slots),
                ("merkle root", self.root), ("seed commitment", self.seed_commitment),
                ("specification hash", self.spec_hash), ("software", self.software),
                ("vault key", self.key),
            )
        )  # fmt: skip


def list_context(kind: str, study: str, environment: str, number: int) -> Context:
    return (kind, study, environment, number)


def slot_context(row: ListRow, slot_id: str, stratum: str, position: int) -> Context:
    return ("slot", row.study, row.environment, row.version, slot_id, stratum, position)


def generate(vault: Vault, by: By, spec: Spec) -> Publication:
    """Draw a seed and make the list; it is a draft until it is published and activated."""
    if spec.environment != vault.environment:
        raise Conflict(
            T("A list for {list} cannot be made here: this vault is for {vault}.",
              list=spec.environment, vault=vault.environment)
        )  # fmt: skip
    seed, key = by.draw(design.SEED_BYTES), by.draw(seal.KEY_BYTES)
    leaves = design.leaves(spec, seed)
    with vault.database.write() as session:
        head = lock(session, spec.study)
        if _find(session, vault, spec.study, spec.version) is not None:
            raise Conflict(T("List {n} of this study is there already.", n=spec.version))
        row = _row(vault, by, spec, seed, key, commit.root(leaves))
        session.add(row)
        session.flush()
        _store_strata(session, row, spec, leaves)
        _store_slots(session, by, row, key, leaves)
        LEDGER.write(session, by, [(head, _act("list:generate", row, len(leaves)))])
        return _publication(session, vault, row)


def publish(vault: Vault, by: By, study: str, number: int) -> Publication:
    """Mark the list as made known, and return what is made known."""
    return _move(vault, by, study, number, "draft", "published")


def activate(vault: Vault, by: By, study: str, number: int) -> Publication:
    """Let a published list serve, after opening every slot and finding the published root."""
    return _move(vault, by, study, number, "published", "active")


def published(vault: Vault, study: str, number: int) -> Publication:
    """Return what is known of the list outside the vault."""
    with vault.database.read() as session:
        row = _find(session, vault, study, number)
        if row is None:
            raise _missing(number)
        return _publication(session, vault, row)


def spec_of(vault: Vault, row: ListRow) -> Spec:
    context = list_context("spec", row.study, row.environment, row.version)
    key = data_key(vault, row)
    return design.from_canonical(seal.unseal(key, context, row.spec, row.spec_nonce).decode())


def seed_of(vault: Vault, row: ListRow) -> bytes:
    context = list_context("seed", row.study, row.environment, row.version)
    return seal.unseal(data_key(vault, row), context, row.seed, row.seed_nonce)


def data_key(vault: Vault, row: ListRow) -> bytes:
    context = list_context("list key", row.study, row.environment, row.version)
    return seal.unwrap(vault.keys.wrapping, context, row.key)


def arm_on(vault: Vault, row: ListRow, slot: Slot) -> Arm:
    """Open one slot; LookupError when its arm is decided only when somebody comes to it."""
    arm = _opened(row, data_key(vault, row), slot).arm
    if arm == UNDECIDED:
        raise LookupError("nobody stands on this slot yet")
    return arm


def opened_leaves(session: Session, vault: Vault, row: ListRow) -> list[Leaf]:
    """Return every slot of the list as it stands in the database, opened, in list order."""
    key = data_key(vault, row)
    slots = session.scalars(
        select(Slot)
        .join(Stratum, (Stratum.list_id == Slot.list_id) & (Stratum.name == Slot.stratum))
        .where(Slot.list_id == row.id)
        .order_by(Stratum.place, Slot.position)
    )
    return [_opened(row, key, slot) for slot in slots]


def _opened(row: ListRow, key: bytes, slot: Slot) -> Leaf:
    context = slot_context(row, slot.id, slot.stratum, slot.position)
    arm, salt = seal.unseal_arm(key, context, slot.ciphertext, slot.nonce)
    return Leaf(slot.id, slot.stratum, slot.position, arm, salt)


def _row(vault: Vault, by: By, spec: Spec, seed: bytes, key: bytes, root: str) -> ListRow:
    parts = (spec.study, spec.environment, spec.version)
    wrapped, for_spec, for_seed = (by.draw(seal.NONCE_BYTES) for _ in range(3))
    text = spec.canonical()
    return ListRow(
        study=spec.study, environment=spec.environment, version=spec.version, state="draft",
        key=seal.wrap(vault.keys.wrapping, list_context("list key", *parts), key, wrapped),
        spec=seal.seal(key, list_context("spec", *parts), text.encode(), for_spec),
        spec_nonce=for_spec,
        seed=seal.seal(key, list_context("seed", *parts), seed, for_seed),
        seed_nonce=for_seed, root=root, seed_commitment=commit.seed_commitment(seed),
        spec_hash=commit.spec_hash(text), software=f"ecrf {version('ecrf')}",
        generated_at=by.at,
    )  # fmt: skip


def _store_strata(session: Session, row: ListRow, spec: Spec, leaves: tuple[Leaf, ...]) -> None:
    sizes = dict.fromkeys(spec.strata, 0)
    for leaf in leaves:
        sizes[leaf.stratum] += 1
    session.execute(
        insert(Stratum),
        [
            {"list_id": row.id, "name": name, "place": place, "size": size}
            for place, (name, size) in enumerate(sizes.items())
        ],
    )


def _store_slots(
    session: Session, by: By, row: ListRow, key: bytes, leaves: tuple[Leaf, ...]
) -> None:
    taken = session.scalars(select(Slot.random_number).where(Slot.study == row.study)).all()
    drawn = numbers.fresh(by.draw, numbers.RANDOM, len(leaves), taken)
    rows = [
        _slot(row, key, leaf, number, by.draw(seal.NONCE_BYTES))
        for leaf, number in zip(leaves, drawn, strict=True)
    ]
    bulk.load(session, SLOTS, rows)


def _slot(row: ListRow, key: bytes, leaf: Leaf, number: str, nonce: bytes) -> dict[str, object]:
    context = slot_context(row, leaf.slot_id, leaf.stratum, leaf.position)
    return {
        "id": leaf.slot_id, "list_id": row.id, "study": row.study, "stratum": leaf.stratum,
        "position": leaf.position, "nonce": nonce, "leaf": leaf.hash().hex(),
        "ciphertext": seal.seal_arm(key, context, leaf.arm, leaf.salt, nonce),
        "random_number": number,
    }  # fmt: skip


def _move(
    vault: Vault, by: By, study: str, number: int, before: str, after: str
) -> Publication:
    with vault.database.write() as session:
        head = lock(session, study)
        row = _find(session, vault, study, number)
        if row is None:
            raise _missing(number)
        if row.state != before:
            raise Conflict(
                T("List {n} is {state}; only a list that is {before} can become {after}.",
                  n=number, state=STATES[row.state], before=STATES[before],
                  after=STATES[after])
            )  # fmt: skip
        if after == "active":
            _require_whole(session, vault, row)
            _require_alone(session, row)
        moment = {"published": "published_at", "active": "activated_at"}[after]
        session.execute(
            update(ListRow).where(ListRow.id == row.id).values({"state": after, moment: by.at})
        )
        session.refresh(row)
        found = _publication(session, vault, row)
        LEDGER.write(session, by, [(head, _act(f"list:{after}", row, found.slots))])
        return found


def _require_whole(session: Session, vault: Vault, row: ListRow) -> None:
    if commit.root(opened_leaves(session, vault, row)) != row.root:
        raise Conflict(T("List {n} is not the one that was published.", n=row.version))


def _require_alone(session: Session, row: ListRow) -> None:
    active = session.scalar(
        select(ListRow.version).where(
            ListRow.study == row.study, ListRow.environment == row.environment,
            ListRow.state == "active",
        )
    )  # fmt: skip
    if active is not None:
        raise Conflict(T("List {n} is active already.", n=active))


def _find(session: Session, vault: Vault, study: str, number: int) -> ListRow | None:
    return session.scalars(
        select(ListRow).where(
            ListRow.study == study, ListRow.environment == vault.environment,
            ListRow.version == number,
        )
    ).one_or_none()  # fmt: skip


def _missing(number: int) -> NotFound:
    return NotFound(T("There is no list {n} of this study here.", n=number))


def _publication(session: Session, vault: Vault, row: ListRow) -> Publication:
    sizes = session.scalars(select(Stratum.size).where(Stratum.list_id == row.id)).all()
    return Publication(
        row.study, row.version, row.environment, row.state, sum(sizes), row.root,
        row.seed_commitment, row.spec_hash, row.software, vault.keys.signer.verifier.text(),
    )  # fmt: skip


def _act(action: str, row: ListRow, slots: int) -> Act:
    refs = {
        "list": row.version, "environment": row.environment, "slots": slots, "root": row.root,
        "seed_commitment": row.seed_commitment, "spec_hash": row.spec_hash,
    }  # fmt: skip
    return Act(action, None, row.study, key=f"list:{row.version}", refs=refs)
