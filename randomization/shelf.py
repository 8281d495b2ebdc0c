"""Kits on the shelf of a site: reading them closed, opening them, choosing without bias.

Choosing looks at all arms before it looks at the one that is needed, so that whether it
succeeds never depends on whom it is for; among fitting kits it follows the random sequence.
"""

from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, bindparam, insert, select, update
from sqlalchemy.orm import Session

from ecrf.kernel.ledger import By
from randomization import seal
from randomization.arm import Arm
from randomization.opened import NotNow, Vault
from randomization.seal import Context
from randomization.supply import MOVES, Move, State
from randomization.tables import KITS, Kit
from randomization.tables import Shelf as ShelfRow

FEW = "too few kits"
WINDOW = 16
"""How many kits of a shelf are looked at first. What was taken leaves more of one arm at the
front, by chance, so GROWTH times as many are looked at when these do not serve every arm."""
GROWTH = 4


class TooFew(NotNow):
    """There are too few kits of some arm; of which, nobody is told."""

    def __init__(self) -> None:
        super().__init__(FEW)


KIT = KITS.c
COLUMNS = (KIT.id.label("kit_id"), KIT.number.label("kit_number"), KIT.ciphertext, KIT.nonce)


class Place(NamedTuple):
    """A shelf, and until when (that day included) what is taken from it must be usable."""

    study: str
    site: str
    environment: str
    usable_until: date


class Sealed(NamedTuple):
    """A kit as read from the shelf, closed."""

    id: int
    number: str
    ciphertext: bytes
    nonce: bytes


class Opened(NamedTuple):
    """Kits with what they hold, in the order they are taken."""

    kits: Sequence[Sealed]
    held: Sequence[Arm]


class Stock:
    """Opened kits by what they hold, each arm's in the order they are taken."""

    def __init__(self, opened: Opened, gone: Collection[int] = ()) -> None:
        """Leave out the kits of the ids in `gone`."""
        self._of: defaultdict[Arm, deque[Sealed]] = defaultdict(deque)
        for kit, arm in zip(opened.kits, opened.held, strict=True):
            if kit.id not in gone:
                self._of[arm].append(kit)

    def serves(self, every: Collection[Arm], count: int) -> bool:
        """Say whether there are `count` kits of each arm."""
        return all(len(self._of[arm]) >= count for arm in every)

    def take(self, every: Collection[Arm], arm: Arm, count: int) -> list[Sealed]:
        """Take the first `count` kits of the arm, if there are as many of every arm."""
        if not self.serves(every, count):
            raise TooFew
        return [self._of[arm].popleft() for _ in range(count)]


def kit_context(study: str, environment: str, number: str) -> Context:
    return ("kit", study, environment, number)


def key_context(study: str, environment: str) -> Context:
    return ("shelf key", study, environment)


ON_SHELF: ColumnElement[bool] = and_(
    KIT.study == bindparam("study"), KIT.site == bindparam("site"),
    KIT.environment == bindparam("environment"), KIT.state == State.AVAILABLE.value,
    KIT.expiry >= bindparam("usable_until"),
)  # fmt: skip
"""Kits that may be taken from a `Place`, whose fields are the parameters."""
ALL = select(*COLUMNS).where(ON_SHELF).order_by(KIT.sequence)
FIRST = ALL.limit(bindparam("most"))


def read(session: Session, place: Place, most: int | None = None) -> list[Sealed]:
    """Return kits that may be taken, closed, in the order of the random sequence."""
    query, rows = (ALL, {}) if most is None else (FIRST, {"most": most})
    return [Sealed(*row) for row in session.execute(query, {**place._asdict(), **rows})]


def open_(vault: Vault, place: Place, wrapped: bytes, kits: Sequence[Sealed]) -> Opened:
    """Open all of the kits; the time it takes does not depend on what they hold."""
    context = key_context(place.study, place.environment)
    key = seal.unwrap(vault.keys.wrapping, context, wrapped)
    return Opened(kits, held(key, place.study, place.environment, kits))


def held(key: bytes, study: str, environment: str, kits: Iterable[Sealed]) -> list[Arm]:
    """Open each kit, whatever it holds, and return what they hold."""
    sealed = (
        (kit_context(study, environment, kit.number), kit.ciphertext, kit.nonce) for kit in kits
    )
    return [arm for arm, _ in seal.unseal_arms(key, sealed)]


def assign(session: Session, kits: Sequence[Sealed], participant: str, visit: str) -> None:
    """Take the kits from the shelf, for that visit of the participant."""
    session.execute(
        update(Kit)
        .where(Kit.id.in_([kit.id for kit in kits]))
        .values(state=MOVES[State.AVAILABLE, Move.ASSIGN], participant=participant, visit=visit)
        .execution_options(synchronize_session=False)
    )


def data_key(session: Session, vault: Vault, by: By, study: str) -> bytes:
    """Return the data key of the study's kits; the first time it is drawn and kept wrapped."""
    context = key_context(study, vault.environment)
    wrapped = session.scalar(
        select(ShelfRow.key).where(
            ShelfRow.study == study, ShelfRow.environment == vault.environment
        )
    )
    if wrapped is not None:
        return seal.unwrap(vault.keys.wrapping, context, wrapped)
    key = by.draw(seal.KEY_BYTES)
    wrapped = seal.wrap(vault.keys.wrapping, context, key, by.draw(seal.NONCE_BYTES))
    session.execute(
        insert(ShelfRow).values(study=study, environment=vault.environment, key=wrapped)
    )
    return key
