"""What stands under the vault's lock when participants are put on slots: one statement.

The lock is the study's chain head; what was read before the lock was had is read again.
"""

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Integer,
    Row,
    ScalarSelect,
    Select,
    String,
    Subquery,
    and_,
    bindparam,
    func,
    literal_column,
    select,
    true,
    union_all,
)
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from ecrf.kernel.chain import Head
from randomization import lists, shelf
from randomization.arm import Arm
from randomization.opened import NotNow, Vault, vault_chain
from randomization.receipts import FIRST
from randomization.shelf import GROWTH, WINDOW, Opened, Place, Sealed
from randomization.tables import LEDGER, Allocation, Kit, ListRow, Shelf, Slot

SEEN = LEDGER.chain.alias("seen")
Done = aliased(Allocation, name="done")
ABOUT = 2
"""How many kits are looked at for each that is wanted, besides the first `WINDOW`."""


class Wish(NamedTuple):
    """Who wants the next slot of a stratum, and how many kits from which shelf."""

    participant: str
    stratum: str
    place: Place
    kits: int


class Former(NamedTuple):
    """What a participant was told before: the hash of what was asked, and the receipt."""

    asked: str
    receipt: str
    signature: str


class Looked(NamedTuple):
    """The first kits of a shelf, opened, and how many were asked for at the most."""

    opened: Opened
    most: int

    @property
    def whole(self) -> bool:
        """Say whether there is nothing more on the shelf."""
        return len(self.opened.kits) < self.most


class Desk:
    """The next slots and the shelves while the lock is held, for one study.

    `slot`, `take` and `choose` move on in memory, so that several can be served one after the
    other; whoever asked writes what was given away in the same transaction.
    """

    def __init__(
        self, session: Session, vault: Vault, rows: Sequence[Row[Any]], wishes: Sequence[Wish]
    ) -> None:
        first = rows[0]
        self.head = Head(first.name, first.size, first.link, first.last_at)
        self.row: ListRow = first.ListRow
        self.serial: int = first.serial
        self.previous: str = first.previous or FIRST
        self.former = {
            row.participant: Former(row.asked, row.receipt, row.signature)
            for row in rows
            if row.asked is not None
        }
        self._session, self._vault = session, vault
        self._key = lists.data_key(vault, self.row)
        self._every = lists.spec_of(vault, self.row).arms
        self._slots = _slots(rows)
        self._shelf_key: bytes | None = first.shelf_key
        self._wanted = _wanted(wishes)
        self._looked: dict[Place, Looked] = {}
        self._given: set[int] = set()
        if self._shelf_key is not None:
            self._open(wishes[0].place, _window(wishes), _kits(rows))

    def slot(self, stratum: str) -> Slot:
        """Return the next slot of the stratum, and leave it there."""
        waiting = self._slots.get(stratum)
        if not waiting:
            raise NotNow("no free slot in this stratum")
        return waiting[0]

    def take(self, stratum: str) -> int:
        """Give the next slot of the stratum away; return the number of its receipt."""
        self._slots[stratum].popleft()
        self.serial += 1
        return self.serial - 1

    def arm(self, slot: Slot) -> Arm:
        return lists.opened(self.row, self._key, slot).arm

    def choose(self, place: Place, arm: Arm, count: int) -> list[Sealed]:
        """Give `count` kits of the arm away, if the shelf has as many of every arm."""
        if count == 0:
            return []
        kits = self._left(place, count).choose(self._every, arm, count)
        self._given.update(kit.id for kit in kits)
        return kits

    def _left(self, place: Place, count: int) -> Opened:
        """Return what is left of the shelf, as much of it as it takes to serve every arm."""
        looked = self._looked.get(place) or self._look(place, WINDOW + self._wanted[place])
        left = looked.opened.without(self._given)
        while not left.serves(self._every, count) and not looked.whole:
            looked = self._look(place, looked.most * GROWTH)
            left = looked.opened.without(self._given)
        return left

    def _look(self, place: Place, most: int) -> Looked:
        return self._open(place, most, shelf.read(self._session, place, most))

    def _open(self, place: Place, most: int, kits: Sequence[Sealed]) -> Looked:
        if self._shelf_key is None:
            raise NotNow(shelf.FEW)
        opened = shelf.open_(self._vault, place, self._shelf_key, kits)
        self._looked[place] = Looked(opened, most)
        return self._looked[place]


def under_lock(session: Session, vault: Vault, study: str, wishes: Sequence[Wish]) -> Desk:
    """Lock the study's chain head and read what the wishes need.

    PostgreSQL gives the locked row as it is now, and all others as they were when the
    statement began. So the head is read twice, once without the lock: when the two differ,
    somebody was waited for, and the statement is sent again, now holding the lock.
    """
    query, parameters = _query(len(wishes)), _parameters(vault, study, wishes)
    while True:
        rows = session.execute(query, parameters).all()
        if not rows:
            raise NotNow("no active list")
        if rows[0].size == rows[0].seen_size:
            return Desk(session, vault, rows, wishes)


def _slots(rows: Sequence[Row[Any]]) -> Mapping[str, deque[Slot]]:
    """Return the next slots by stratum, in list order."""
    found = {row.Slot.id: row.Slot for row in rows if row.Slot is not None}
    waiting: dict[str, deque[Slot]] = {}
    for slot in sorted(found.values(), key=lambda slot: slot.position):
        waiting.setdefault(slot.stratum, deque()).append(slot)
    return waiting


def _kits(rows: Sequence[Row[Any]]) -> list[Sealed]:
    return [
        Sealed(row.kit_id, row.kit_number, row.ciphertext, row.nonce)
        for row in rows
        if row.kit_id is not None
    ]


def _wanted(wishes: Sequence[Wish]) -> Counter[Place]:
    """Return how many kits to look at beyond the first ones, by shelf."""
    wanted: Counter[Place] = Counter()
    for wish in wishes:
        wanted[wish.place] += ABOUT * wish.kits
    return wanted


def _window(wishes: Sequence[Wish]) -> int:
    """Return how many kits of the first wish's shelf are read with everything else."""
    wanted = _wanted(wishes)[wishes[0].place]
    return WINDOW + wanted if wanted else 1


MINE = Allocation.list_id == ListRow.id


def _next(
    counted: InstrumentedAttribute[int],
    *of: ColumnElement[bool],
    beside: Subquery | None = None,
) -> ScalarSelect[int]:
    """Return the number after the highest so far, 1 for the first."""
    last = func.coalesce(func.max(counted), 0)
    outer: list[Any] = [ListRow] if beside is None else [ListRow, beside]
    return select(last + 1).where(MINE, *of).correlate(*outer).scalar_subquery()


def _previous() -> ScalarSelect[str]:
    """Return the hash of the list's last receipt."""
    return (
        select(Allocation.receipt_hash)
        .where(MINE)
        .correlate(ListRow)
        .order_by(Allocation.serial.desc())
        .limit(1)
        .scalar_subquery()
    )


def _few() -> Subquery:
    """Return the first kits of the first wish's shelf, by the random sequence."""
    return (
        select(*shelf.COLUMNS, Kit.sequence)
        .where(shelf.ON_SHELF)
        .order_by(Kit.sequence)
        .limit(bindparam("rows"))
        .subquery("few")
    )


def _wish(count: int) -> Subquery:
    """Return the wishes as a table: their order, stratum, rank within it, participant."""
    lines = [
        select(
            literal_column(str(n), Integer).label("n"),
            bindparam(f"stratum_{n}", type_=String).label("stratum"),
            bindparam(f"rank_{n}", type_=Integer).label("rank"),
            bindparam(f"participant_{n}", type_=String).label("participant"),
        )
        for n in range(count)
    ]
    return (union_all(*lines) if count > 1 else lines[0]).subquery("wish")


@cache
def _query(count: int) -> Select[Any]:
    """Build the one question: lock, list, next slots, last receipt, former answers, kits.

    Its parameters are those of `_parameters`; it is built once for each number of wishes, for
    building it takes longer than answering it.
    """
    study: BindParameter[str] = bindparam("study")
    environment: BindParameter[str] = bindparam("environment")
    chain, few, wish = LEDGER.chain, _few(), _wish(count)
    position = _next(Allocation.position, Allocation.stratum == wish.c.stratum, beside=wish)
    return (
        select(
            chain.c.name, chain.c.size, chain.c.link, chain.c.last_at,
            SEEN.c.size.label("seen_size"), ListRow, Slot, wish.c.participant,
            Done.asked, Done.receipt, Done.signature,
            _next(Allocation.serial).label("serial"), _previous().label("previous"),
            Shelf.key.label("shelf_key"),
            few.c.kit_id, few.c.kit_number, few.c.ciphertext, few.c.nonce,
        )
        .select_from(ListRow)
        .join(chain, chain.c.name == bindparam("chain"))
        .join(SEEN, SEEN.c.name == chain.c.name)
        .join(wish, true())
        .outerjoin(
            Slot,
            and_(
                Slot.list_id == ListRow.id, Slot.stratum == wish.c.stratum,
                Slot.position == position + wish.c.rank,
            ),
        )
        .outerjoin(
            Done,
            and_(Done.study == study, Done.participant == wish.c.participant),
        )
        .outerjoin(Shelf, and_(Shelf.study == study, Shelf.environment == environment))
        .outerjoin(few, wish.c.n == 0)
        .where(
            ListRow.study == study, ListRow.environment == environment,
            ListRow.state == "active",
        )
        .order_by(wish.c.n, few.c.sequence)
        .with_for_update(of=chain)
    )  # fmt: skip


def _parameters(vault: Vault, study: str, wishes: Sequence[Wish]) -> dict[str, object]:
    place, before = wishes[0].place, Counter[str]()
    given: dict[str, object] = {
        "study": study, "environment": vault.environment, "chain": vault_chain(study),
        "site": place.site, "usable_until": place.usable_until, "rows": _window(wishes),
    }  # fmt: skip
    for n, wish in enumerate(wishes):
        given[f"stratum_{n}"] = wish.stratum
        given[f"participant_{n}"] = wish.participant
        given[f"rank_{n}"] = before[wish.stratum]
        before[wish.stratum] += 1
    return given
