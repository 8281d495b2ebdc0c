"""What the vault's own numbers and records say about the blind. Reads only; tells no arm.

Arms are opened in this process to be compared with what blinded people can see; what leaves is
a p-value or an area with its interval, and nothing at all when there are too few to be tested.
"""

import uuid
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ecrf.kernel.text import T
from randomization import lists, seal, shelf
from randomization.arm import Arm
from randomization.opened import Vault
from randomization.proving import learning, numbering
from randomization.proving.learning import Guess
from randomization.proving.numbering import FEWEST, Numbers, Tested
from randomization.shelf import Sealed
from randomization.supplying.tables import Shipment, Shipped
from randomization.tables import Allocation, Kit, ListRow, Reveal, Shelf, Slot
from randomization.verify import Verification, verify

LEAST = 5 * FEWEST
"""Participants needed before it is tried to guess their arms."""


class Disclosed(NamedTuple):
    """How often arms were disclosed for a purpose, and to how many people."""

    purpose: str
    times: int
    people: int


class Evidence(NamedTuple):
    """All that was found. `guesses` is empty while there are too few participants."""

    tests: tuple[Tested, ...]
    guesses: tuple[Guess, ...]
    participants: int
    kits: int
    verification: Verification
    disclosed: tuple[Disclosed, ...]

    @property
    def numbers_blind(self) -> bool:
        return numbering.accepted(self.tests)

    @property
    def guessed_blind(self) -> bool:
        return all(guess.blind for guess in self.guesses)


class Seen(NamedTuple):
    """One randomized participant as a blinded person sees them, and the arm."""

    features: tuple[float, ...]
    arm: Arm


def examine(vault: Vault, study: str) -> Evidence:
    """Test every number against the arms, try to guess them, verify the lists."""
    with vault.database.read() as session:
        kits = _kits(session, vault, study)
        slots = _slots(session, vault, study)
        seen = list(_seen(session, study, slots, kits))
        tests = [*_kit_tests(kits), *_slot_tests(slots), *_shipment_tests(session, study, kits)]
        disclosed = tuple(_disclosed(session, study))
    found = verify(vault, study)
    return Evidence(tuple(tests), tuple(guesses(seen)), len(seen), len(kits), found, disclosed)


def guesses(seen: Sequence[Seen]) -> Iterator[Guess]:
    """Yield what comes of guessing each arm against the others; of two arms one says it all."""
    if len(seen) < LEAST:
        return
    arms = sorted({one.arm.opened() for one in seen})
    rows = [one.features for one in seen]
    for arm in arms[:1] if len(arms) == 2 else arms:
        yield learning.guess(rows, [one.arm.opened() == arm for one in seen])


class Opened(NamedTuple):
    """A kit with what it holds."""

    kit: Kit
    arm: Arm


def _kits(session: Session, vault: Vault, study: str) -> dict[int, Opened]:
    wrapped = session.scalar(
        select(Shelf.key).where(Shelf.study == study, Shelf.environment == vault.environment)
    )
    if wrapped is None:
        return {}
    context = shelf.key_context(study, vault.environment)
    key = seal.unwrap(vault.keys.wrapping, context, wrapped)
    rows = session.scalars(
        select(Kit)
        .where(Kit.study == study, Kit.environment == vault.environment)
        .order_by(Kit.id)
    ).all()
    closed = (Sealed(kit.id, kit.number, kit.ciphertext, kit.nonce) for kit in rows)
    held = shelf.held(key, study, vault.environment, closed)
    return {kit.id: Opened(kit, arm) for kit, arm in zip(rows, held, strict=True)}


def _slots(session: Session, vault: Vault, study: str) -> dict[str, tuple[Slot, Arm]]:
    found: dict[str, tuple[Slot, Arm]] = {}
    rows = session.scalars(
        select(ListRow)
        .where(ListRow.study == study, ListRow.environment == vault.environment)
        .order_by(ListRow.id)
    ).all()
    for row in rows:
        slots = session.scalars(select(Slot).where(Slot.list_id == row.id))
        held = {slot.id: slot for slot in slots}
        for leaf in lists.opened_leaves(session, vault, row):
            found[leaf.slot_id] = held[leaf.slot_id], leaf.arm
    return found


def arms(session: Session, vault: Vault, study: str) -> dict[str, Arm]:
    """Return the arm of every participant, for this process alone."""
    slots = _slots(session, vault, study)
    rows = session.execute(
        select(Allocation.participant, Allocation.slot_id).where(Allocation.study == study)
    )
    return {code: slots[slot][1] for code, slot in rows if slot in slots}


def _coded(arms: Sequence[Arm]) -> list[int]:
    """Return the arms as 0, 1, … in an order of their own."""
    names = sorted({arm.opened() for arm in arms})
    return [names.index(arm.opened()) for arm in arms]


def _kit_tests(kits: Mapping[int, Opened]) -> Iterator[Tested]:
    rows = list(kits.values())
    arms = _coded([row.arm for row in rows])
    yield from numbering.tests(Numbers(T("kit numbers"), [r.kit.number for r in rows], arms))
    yield from numbering.in_order(T("rows of the kits"), arms)
    drawn = sorted(range(len(rows)), key=lambda n: rows[n].kit.sequence)
    yield from numbering.in_order(T("order in which kits are taken"), [arms[n] for n in drawn])


def _slot_tests(slots: Mapping[str, tuple[Slot, Arm]]) -> Iterator[Tested]:
    rows = list(slots.values())
    arms = _coded([arm for _, arm in rows])
    texts = [slot.random_number for slot, _ in rows]
    yield from numbering.tests(Numbers(T("randomization numbers"), texts, arms))
    ids = [uuid.UUID(slot.id).hex for slot, _ in rows]
    yield from numbering.tests(Numbers(T("slot ids"), ids, arms))


def _shipment_tests(
    session: Session, study: str, kits: Mapping[int, Opened]
) -> Iterator[Tested]:
    """Shipments hold whole sets; within them and over them the arms must not be in order."""
    rows = session.execute(
        select(Shipment.number, Shipped.kit_id)
        .join(Shipped, Shipped.shipment_id == Shipment.id)
        .where(Shipment.study == study)
        .order_by(Shipment.number, Shipped.kit_id)
    ).all()
    held = [kits[row.kit_id] for row in rows if row.kit_id in kits]
    arms = _coded([one.arm for one in held])
    yield from numbering.in_order(T("kits in shipments"), arms)
    yield from numbering.tests(
        Numbers(T("kit numbers in shipments"), [one.kit.number for one in held], arms)
    )


def _seen(
    session: Session,
    study: str,
    slots: Mapping[str, tuple[Slot, Arm]],
    kits: Mapping[int, Opened],
) -> Iterator[Seen]:
    """Yield every allocated participant with all that blinded people can know of them."""
    given: dict[str, list[Opened]] = defaultdict(list)
    for one in kits.values():
        if one.kit.participant is not None:
            given[one.kit.participant].append(one)
    shipped = _shipment_of(session, study)
    rows = session.scalars(
        select(Allocation).where(Allocation.study == study).order_by(Allocation.id)
    ).all()
    strata = sorted({row.stratum for row in rows})
    sites = sorted({row.site for row in rows})
    counted: Counter[str] = Counter()
    before = rows[0].at if rows else None
    for row in rows:
        if row.slot_id not in slots:
            continue
        counted[row.stratum] += 1
        own = [one.kit for one in given[row.participant]]
        gap = (row.at - before).total_seconds() if before else 0.0
        before = row.at
        features = (
            *_of_number(row.random_number),
            *(_of_number(min(kit.number for kit in own)) if own else (0.0,) * 9),
            float(len(own)), float(sum(shipped.get(kit.id, 0) for kit in own)),
            float(sum(kit.expiry.toordinal() for kit in own)),
            float(row.serial), float(row.serial % 2), float(counted[row.stratum]),
            float(counted[row.stratum] % 2), float(row.at.hour), float(row.at.minute),
            float(row.at.second), gap, float(len(row.receipt)), float(len(row.signature)),
            *(float(row.site == site) for site in sites[1:]),
            *(float(row.stratum == stratum) for stratum in strata[1:]),
        )  # fmt: skip
        yield Seen(features, slots[row.slot_id][1])


def _of_number(number: str) -> tuple[float, ...]:
    """Return the digits of a number, its value, whether it is odd before its check digit."""
    digits = [int(sign) for sign in number if sign.isdigit()]
    value = int("".join(map(str, digits[:-1])))
    return (*map(float, digits), float(value), float(value % 2))


def _shipment_of(session: Session, study: str) -> dict[int, int]:
    rows = session.execute(
        select(Shipped.kit_id, Shipment.number)
        .join(Shipment, Shipment.id == Shipped.shipment_id)
        .where(Shipment.study == study)
    )
    return {row.kit_id: row.number for row in rows}


def _disclosed(session: Session, study: str) -> Iterator[Disclosed]:
    rows = session.execute(
        select(
            Reveal.purpose,
            func.count().label("times"),
            func.count(Reveal.by_id.distinct()).label("people"),
        )
        .where(Reveal.study == study)
        .group_by(Reveal.purpose)
        .order_by(Reveal.purpose)
    )
    for row in rows:
        yield Disclosed(row.purpose, row.times, row.people)
