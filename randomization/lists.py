"""Lists: generate, publish, activate. A list changes its state, never its slots.

`generate`, `publish`, `activate` are the short way, for training and tests; in production every
list goes through its ceremony, which ends in the same rows. A minimised list is like any other:
its slots are sealed beforehand, only without an arm.
"""

from collections.abc import Mapping, Sequence
from importlib.metadata import version

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ecrf.kernel.errors import Conflict, NotFound
from ecrf.kernel.ledger import Act, By
from ecrf.kernel.text import T, Text
from randomization import commit, design, seal, slots
from randomization.arm import Arm
from randomization.ceremony import origin
from randomization.commit import Committed, Leaf
from randomization.design import Spec
from randomization.opened import Vault, lock
from randomization.publications import Publication
from randomization.schemes import UNDECIDED
from randomization.seal import Context
from randomization.tables import LEDGER, ListRow, Slot

STATES: Mapping[str, Text] = {
    "draft": T("a draft"),
    "published": T("published"),
    "active": T("active"),
    "closed": T("closed"),
}
BEFORE = {"published": ("draft", "published_at"), "active": ("published", "activated_at")}
PRODUCTION = "production"


def list_context(kind: str, study: str, environment: str, number: int) -> Context:
    return (kind, study, environment, number)


def generate(vault: Vault, by: By, spec: Spec) -> Publication:
    """Draw a seed and make the list; it is a draft until it is published and activated."""
    require_environment(vault, spec)
    _require_short_way(vault)
    spec = spec.salted(by.draw(seal.SALT_BYTES))
    seed, key = by.draw(design.SEED_BYTES), by.draw(seal.KEY_BYTES)
    made = commit.committed(design.leaves(spec, seed))
    with vault.database.write() as session:
        head = lock(session, spec.study)
        if find(session, vault, spec.study, spec.version) is not None:
            raise Conflict(T("List {n} of this study is there already.", n=spec.version))
        if origin.begun(session, spec.study, spec.environment, spec.version):
            raise _by_ceremony()
        row = _row(vault, by, spec, seed, key, made.root)
        keep(session, by, row, key, spec, made)
        LEDGER.write(session, by, [(head, _act("list:generate", row, spec.asked))])
        return publication(session, vault, row)


def publish(vault: Vault, by: By, study: str, number: int) -> Publication:
    """Mark the list as made known, and return what is made known."""
    return _move(vault, by, study, number, "published")


def activate(vault: Vault, by: By, study: str, number: int) -> Publication:
    """Let a published list serve, after opening every slot and finding the published root."""
    return _move(vault, by, study, number, "active")


def require_environment(vault: Vault, spec: Spec) -> None:
    """Refuse a list for another environment than the vault's."""
    if spec.environment != vault.environment:
        raise Conflict(
            T("A list for {list} cannot be made here: this vault is for {vault}.",
              list=spec.environment, vault=vault.environment)
        )  # fmt: skip


def published(vault: Vault, study: str, number: int) -> Publication:
    """Return what is known of the list outside the vault."""
    with vault.database.read() as session:
        return publication(session, vault, required(session, vault, study, number))


def spec_of(vault: Vault, row: ListRow) -> Spec:
    context = list_context("spec", row.study, row.environment, row.version)
    key = data_key(vault, row)
    return design.from_canonical(seal.unseal(key, context, row.spec, row.spec_nonce).decode())


def seed_of(vault: Vault, row: ListRow) -> bytes:
    """Return the seed as it was drawn, before a beacon; b"" of an imported list."""
    context = list_context("seed", row.study, row.environment, row.version)
    return seal.unseal(data_key(vault, row), context, row.seed, row.seed_nonce)


def data_key(vault: Vault, row: ListRow) -> bytes:
    context = list_context("list key", row.study, row.environment, row.version)
    return seal.unwrap(vault.keys.wrapping, context, row.key)


def arm_on(vault: Vault, row: ListRow, slot: Slot) -> Arm:
    """Open one slot; LookupError when its arm is decided only when somebody comes to it."""
    if (arm := slots.opened(row, data_key(vault, row), slot).arm) == UNDECIDED:
        raise LookupError("nobody stands on this slot yet")
    return arm


def opened_leaves(session: Session, vault: Vault, row: ListRow) -> list[Leaf]:
    """Return every slot of the list as it stands in the database, opened, in list order."""
    return slots.all_opened(session, row, data_key(vault, row))


def derived(session: Session, vault: Vault, row: ListRow) -> tuple[Leaf, ...]:
    """Return every slot as its seed and beacon give it; of an imported list, what is sealed."""
    spec = spec_of(vault, row)
    if spec.imported:
        return tuple(opened_leaves(session, vault, row))
    return design.leaves(spec, mixed_seed(session, vault, row))


def mixed_seed(session: Session, vault: Vault, row: ListRow) -> bytes:
    """Return what the list is drawn from: its seed, with the beacon mixed in if it has one."""
    beacon = origin.of(session, row.study, row.environment, row.version).value
    return design.mixed(seed_of(vault, row), beacon)


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


def keep(
    session: Session, by: By, row: ListRow, key: bytes, spec: Spec, made: Committed,
    given: Sequence[str] = (),
) -> None:  # fmt: skip
    """Store a list with its sealed slots; `given` are random numbers it brings along."""
    session.add(row)
    session.flush()
    slots.store(session, by, row, key, spec, made, given)


def _move(vault: Vault, by: By, study: str, number: int, after: str) -> Publication:
    with vault.database.write() as session:
        head = lock(session, study)
        row = required(session, vault, study, number)
        _require_short_way(vault)
        if origin.begun(session, study, row.environment, number):
            raise _by_ceremony()
        found = advance(session, vault, by, row, after)
        LEDGER.write(session, by, [(head, _act(f"list:{after}", row, found.slots))])
        return found


def advance(session: Session, vault: Vault, by: By, row: ListRow, after: str) -> Publication:
    """Take the list to its next state; an active one was opened whole and had its root."""
    before, moment = BEFORE[after]
    if row.state != before:
        raise Conflict(
            T("List {n} is {state}; only a list that is {before} can become {after}.",
              n=row.version, state=STATES[row.state], before=STATES[before],
              after=STATES[after])
        )  # fmt: skip
    if after == "active":
        _require_whole(session, vault, row)
        _require_alone(session, row)
    session.execute(
        update(ListRow).where(ListRow.id == row.id).values({"state": after, moment: by.at})
    )
    session.refresh(row)
    return publication(session, vault, row)


def _require_short_way(vault: Vault) -> None:
    if vault.environment == PRODUCTION:
        raise Conflict(T("In production a list is made by its ceremony, never the short way."))


def _by_ceremony() -> Conflict:
    return Conflict(T("This list is made by a ceremony; go on there."))


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


def find(session: Session, vault: Vault, study: str, number: int) -> ListRow | None:
    return session.scalars(
        select(ListRow).where(
            ListRow.study == study, ListRow.environment == vault.environment,
            ListRow.version == number,
        )
    ).one_or_none()  # fmt: skip


def required(session: Session, vault: Vault, study: str, number: int) -> ListRow:
    row = find(session, vault, study, number)
    if row is None:
        raise NotFound(T("There is no list {n} of this study here.", n=number))
    return row


def publication(session: Session, vault: Vault, row: ListRow) -> Publication:
    asked = spec_of(vault, row).asked
    made = origin.of(session, row.study, row.environment, row.version)
    return Publication(
        row.study, row.version, row.environment, row.state, asked, row.root,
        row.seed_commitment, row.spec_hash, row.software, vault.keys.signer.verifier.text(),
        made.beacon, made.value, made.file,
    )  # fmt: skip


def _act(action: str, row: ListRow, asked: int) -> Act:
    refs = {
        "list": row.version, "environment": row.environment, "slots": asked, "root": row.root,
        "seed_commitment": row.seed_commitment, "spec_hash": row.spec_hash,
    }  # fmt: skip
    return Act(action, None, row.study, key=f"list:{row.version}", refs=refs)
