"""A rehearsal of the vault in two worlds whose arms are exchanged, in databases of its own.

Same specification, same draws, same requests; the arms change their names, in the list and in
the kits. Whatever a blinded person gets must then be the same, and cost the same.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import event

from ecrf.kernel.access import Actor, Grant, Role
from ecrf.kernel.chance import Seeded
from ecrf.kernel.db import Database
from ecrf.kernel.ledger import By, Origin
from randomization import allocate, kits, lists, packing, reveal, schema, seal
from randomization.asking import Request, Visit
from randomization.design import Spec
from randomization.opened import Vault
from randomization.packing import Packing

ENVIRONMENT = "rehearsal"
NOON = datetime(2026, 1, 5, 4, tzinfo=UTC)
FAR = date(2030, 12, 31)
SITE = "REHEARSAL"
FIRST, LATER = "first", "later"
Watch = Callable[[], float]


class Step(NamedTuple):
    """One request and what came of it: the answer, the statements, the time it took."""

    name: str
    answer: str
    statements: tuple[str, ...]
    seconds: float


class Played(NamedTuple):
    """One world: what was answered to each participant, and the arm of each."""

    steps: tuple[tuple[Step, ...], ...]
    arms: tuple[str, ...]


class Rehearsed(NamedTuple):
    """What two worlds showed; differences are named by the place, never by an arm."""

    participants: int
    steps: int
    statements: int
    differences: tuple[str, ...]
    exchanged: bool

    @property
    def good(self) -> bool:
        return self.exchanged and not self.differences


def rehearse(spec: Spec, folder: Path, participants: int, watch: Watch) -> Rehearsed:
    """Play both worlds in `folder` and compare them step by step."""
    one = play(spec, folder / "one", participants, watch)
    other = play(exchanged(spec), folder / "other", participants, watch)
    return compare(one, other)


def compare(one: Played, other: Played) -> Rehearsed:
    """Compare two worlds whose participants stand in the same order."""
    found: list[str] = []
    statements = 0
    for n, (mine, theirs) in enumerate(zip(one.steps, other.steps, strict=True), start=1):
        for a, b in zip(mine, theirs, strict=True):
            statements += len(a.statements)
            if a.answer != b.answer:
                found.append(f"{a.name} {n}: answer")
            if a.statements != b.statements:
                found.append(f"{a.name} {n}: statements")
    whole = sum(len(steps) for steps in one.steps)
    apart = all(a != b for a, b in zip(one.arms, other.arms, strict=True))
    return Rehearsed(len(one.arms), whole, statements, tuple(found), apart)


def exchanged(spec: Spec) -> Spec:
    """Return the specification with the arms' names passed on by one, shares kept in place."""
    names = [arm for arm, _ in spec.ratio]
    names = [*names[1:], names[0]]
    shares = [share for _, share in spec.ratio]
    return replace(spec, ratio=tuple(zip(names, shares, strict=True)))


def play(spec: Spec, folder: Path, participants: int, watch: Watch) -> Played:
    """Make a vault of the specification and carry participants through it."""
    folder.mkdir(parents=True)
    database = Database(f"sqlite:///{folder / 'vault.db'}")
    try:
        schema.create(database)
        vault = Vault(
            database, seal.make_keys(folder / "vault.key", Seeded(b"key")), ENVIRONMENT
        )
        with heard(database) as sent:
            spec = _begin(vault, spec, participants)
            steps = tuple(
                tuple(_carry(vault, spec, n, sent, watch)) for n in range(participants)
            )
        return Played(steps, tuple(_arm(vault, spec, n) for n in range(participants)))
    finally:
        database.dispose()


def _begin(vault: Vault, spec: Spec, participants: int) -> Spec:
    """Make a list of the design; an imported one has none, and is drawn by a coin."""
    each = -(-participants // len(spec.strata)) + 1
    if spec.imported:
        spec = replace(spec, scheme="simple", options={})
    small = replace(spec, environment=ENVIRONMENT, version=1, slots=each)
    by = _by("begin")
    lists.generate(vault, by, small)
    lists.publish(vault, by, small.study, 1)
    lists.activate(vault, by, small.study, 1)
    contents = {arm: share * 3 * participants for arm, share in small.ratio}
    packing.register(vault, by, Packing(small.study, SITE, "R-1", FAR, contents))
    return small


def _carry(vault: Vault, spec: Spec, n: int, sent: list[str], watch: Watch) -> Iterator[Step]:
    """Yield what a participant meets: randomized, asked again, given kits, handed them out."""
    code, by = f"{SITE}-{n + 1:04}", _by(f"participant {n}", n, spec.study)
    request = Request(spec.study, SITE, code, spec.strata[n % len(spec.strata)], FIRST, 1, FAR)
    visit = Visit(spec.study, SITE, code, LATER)
    acts: tuple[tuple[str, Callable[[], object]], ...] = (
        ("randomize", lambda: allocate.randomize(vault, by, request)),
        ("again", lambda: allocate.randomize(vault, by, request)),
        ("assign", lambda: kits.assign(vault, by, visit, 1, FAR)),
    )
    for name, act in acts:
        yield _step(name, act, sent, watch)
    (held,) = kits.assign(vault, by, visit, 1, FAR)
    yield _step("dispense", lambda: kits.dispense(vault, by, visit, held), sent, watch)


def _step(name: str, act: Callable[[], object], sent: list[str], watch: Watch) -> Step:
    sent.clear()
    begun = watch()
    answer = act()
    return Step(name, repr(answer), tuple(sent), watch() - begun)


def _arm(vault: Vault, spec: Spec, n: int) -> str:
    """Disclose an arm of the rehearsal, as a pharmacist does: it is nobody's treatment."""
    by = _by(f"look {n}", n, spec.study)
    (told,) = reveal.for_preparation(vault, by, spec.study, SITE, [f"{SITE}-{n + 1:04}"])
    return told.arm.opened()


def _by(seed: str, n: int = 0, study: str = "") -> By:
    """Return somebody who may do all of it; such a person can exist in a rehearsal only."""
    roles = (Role.INVESTIGATOR, Role.PHARMACIST) if study else ()
    grants = frozenset(Grant(study, role, SITE) for role in roles)
    at = NOON + timedelta(minutes=n)
    return By(Actor(1, "Rehearsal", grants), at, Origin.COMMAND, Seeded(seed.encode()))


@contextmanager
def heard(database: Database) -> Iterator[list[str]]:
    """Give a list that fills with the statements sent."""
    sent: list[str] = []

    def hear(_c: Any, _k: Any, statement: str, _p: Any, _x: Any, _m: Any) -> None:
        sent.append(statement)

    event.listen(database.engine, "before_cursor_execute", hear)
    try:
        yield sent
    finally:
        event.remove(database.engine, "before_cursor_execute", hear)
