"""The vault's desk: next slots and shelves while the lock is held, for all who ask together."""

from collections import Counter, deque
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Row
from sqlalchemy.orm import Session

from ecrf.kernel.chain import Head
from ecrf.kernel.ledger import By
from randomization import lists, shelf, slots
from randomization.arm import Arm
from randomization.minimising import draws
from randomization.minimising.draws import Decided
from randomization.opened import NotNow, Vault
from randomization.receipts import FIRST
from randomization.shelf import GROWTH, WINDOW, Place, Sealed, Stock, TooFew
from randomization.tables import ListRow, Slot

ABOUT = 2
"""How many kits are looked at for each that is wanted, besides the first `WINDOW`."""


class Wish(NamedTuple):
    """Who wants the next slot of a stratum, and how many kits from which shelf."""

    participant: str
    stratum: str
    place: Place
    kits: int

    @property
    def site(self) -> str:
        return self.place.site


class Former(NamedTuple):
    """What a participant was told before: the hash of what was asked, and the receipt."""

    asked: str
    receipt: str
    signature: str


Counts = Counter[str | tuple[str, str]]
"""How many are randomized: "study", ("site", code), ("stratum", name)."""


class Found(NamedTuple):
    """What `under_lock` read, holding the lock."""

    rows: Sequence[Row[Any]]
    """The lock, the list, its last receipt; one row for each that was answered before."""
    free: Sequence[Slot]
    """The next slots, in list order."""
    counts: Counts


class Held(NamedTuple):
    """The arm of a slot, and the draw it comes from when the list is minimised."""

    arm: Arm
    decided: Decided | None


class Looked(NamedTuple):
    """What is left of the first kits of a shelf, opened."""

    stock: Stock
    most: int
    """How many were asked for."""
    whole: bool
    """Whether there was nothing more on the shelf."""


class Desk:
    """The next slots and the shelves while the lock is held, for one study.

    `slot`, `take` and `choose` move on in memory, so that several can be served one after the
    other; whoever asked writes what was given away in the same transaction.
    """

    def __init__(
        self, session: Session, vault: Vault, wishes: Sequence[Wish], found: Found
    ) -> None:
        first = found.rows[0]
        self.head = Head(first.name, first.size, first.link, first.last_at)
        self.row: ListRow = first.ListRow
        self.serial: int = (first.serial or 0) + 1
        self.previous: str = first.previous or FIRST
        self.former = {
            row.participant: Former(row.asked, row.receipt, row.signature)
            for row in found.rows
            if row.participant is not None
        }
        self._session, self._vault = session, vault
        self._key = lists.data_key(vault, self.row)
        spec = lists.spec_of(vault, self.row)
        self._every = spec.arms
        self._minimised = draws.begin(session, vault, self.row, spec, self.serial)
        self._decided: list[Decided] = []
        self._slots: dict[str, deque[Slot]] = {}
        for slot in found.free:
            self._slots.setdefault(slot.stratum, deque()).append(slot)
        self._counts = found.counts
        self._shelf_key: bytes | None = first.shelf_key
        self._wanted = _wanted(wishes)
        self._looked: dict[Place, Looked] = {}
        self._given: set[int] = set()

    def slot(self, stratum: str) -> Slot:
        """Return the next slot of the stratum, and leave it there."""
        waiting = self._slots.get(stratum)
        if not waiting:
            raise NotNow("no free slot in this stratum")
        return waiting[0]

    def counts(self, site: str, stratum: str) -> tuple[int, int, int]:
        """Return how many are randomized in the study, at the site, in the stratum."""
        counts = self._counts
        return counts["study"], counts["site", site], counts["stratum", stratum]

    def arm(self, by: By, slot: Slot) -> Held:
        """Return the arm of the next slot, decided now when the list is minimised."""
        if self._minimised is None:
            return Held(slots.opened(self.row, self._key, slot).arm, None)
        decided = self._minimised.decide(by, slot, self.serial)
        return Held(decided.draw.arm, decided)

    def take(self, site: str, slot: Slot, held: Held) -> int:
        """Give the next slot of a stratum away; return the number of its receipt."""
        self._slots[slot.stratum].popleft()
        self._counts.update(("study", ("site", site), ("stratum", slot.stratum)))
        if self._minimised is not None and held.decided is not None:
            self._minimised.keep(held.decided)
            self._decided.append(held.decided)
        self.serial += 1
        return self.serial - 1

    def store(self) -> None:
        """Write down what was decided for those who took a slot."""
        if self._minimised is not None:
            self._minimised.store(self._session, self._decided)

    def choose(self, place: Place, arm: Arm, count: int) -> list[Sealed]:
        """Give `count` kits of the arm away, if the shelf has as many of every arm."""
        if count == 0:
            return []
        kits = self._stock(place, count).take(self._every, arm, count)
        self._given.update(kit.id for kit in kits)
        return kits

    def _stock(self, place: Place, count: int) -> Stock:
        """Return what is left of the shelf, as much of it as it takes to serve every arm."""
        looked = self._looked.get(place) or self._look(place, WINDOW + self._wanted[place])
        while not looked.stock.serves(self._every, count) and not looked.whole:
            looked = self._look(place, looked.most * GROWTH)
        return looked.stock

    def _look(self, place: Place, most: int) -> Looked:
        if self._shelf_key is None:
            raise TooFew
        kits = shelf.read(self._session, place, most)
        stock = Stock(shelf.open_(self._vault, place, self._shelf_key, kits), self._given)
        self._looked[place] = Looked(stock, most, len(kits) < most)
        return self._looked[place]


def _wanted(wishes: Sequence[Wish]) -> Counter[Place]:
    """Return how many kits to look at beyond the first ones, by shelf."""
    wanted: Counter[Place] = Counter()
    for wish in wishes:
        wanted[wish.place] += ABOUT * wish.kits
    return wanted
