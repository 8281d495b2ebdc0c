"""A shipment arrives: kits are scanned one by one, then the receipt is settled as a whole.

Until it is settled nothing may be taken from the shipment. Intact kits then come on the shelf,
damaged ones into quarantine, and those never scanned are lost. When the logger left the
allowed range, or brought no reading, everything that arrived waits for a decision.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from sqlalchemy import update
from sqlalchemy.orm import Session

from ecrf.kernel.access import Right
from ecrf.kernel.errors import Conflict, Problem, Unacceptable
from ecrf.kernel.ledger import By
from ecrf.kernel.text import T, Text
from randomization import numbers
from randomization.opened import Vault, permitted
from randomization.supply import Move, State
from randomization.supplying import books, moving, quarantines, shipments
from randomization.supplying.moving import Found
from randomization.supplying.shipments import Goods
from randomization.supplying.shipping import Step
from randomization.supplying.tables import Shipped


class Condition(StrEnum):
    """How a kit arrived."""

    INTACT = "intact"
    DAMAGED = "damaged"
    MISSING = "missing"


CONDITIONS: Mapping[str, Text] = {
    "": T("not scanned"),
    Condition.INTACT: T("intact"),
    Condition.DAMAGED: T("damaged"),
    Condition.MISSING: T("missing"),
}


@dataclass(frozen=True, slots=True)
class Reading:
    """What the temperature logger says, in °C as typed, and the range that is allowed."""

    logger: str
    low: str
    high: str
    allowed: tuple[Decimal, Decimal]

    def out_of_range(self) -> bool:
        """Say whether it was too cold or too warm on the way."""
        low, high = _degrees("low", self.low), _degrees("high", self.high)
        if low > high:
            wrong = T("The lowest temperature cannot be above the highest.")
            raise Unacceptable(wrong, [Problem("low", wrong)])
        return low < self.allowed[0] or high > self.allowed[1]


def scan(vault: Vault, by: By, goods: Goods, typed: str, condition: Condition) -> str:
    """Note how one kit arrived; scanned again, the later word counts."""
    role = permitted(by, Right.KIT_DISPENSE, goods.study, goods.site)
    number = numbers.tidy(typed)
    act = shipments.act_of(role, goods, Step.SCAN)

    def do(session: Session) -> tuple[str, Mapping[str, object]]:
        row = shipments.find(session, vault, goods, Step.SCAN)
        kits = {kit.number: kit for kit, _ in shipments.carried(session, row.id)}
        if number not in kits:
            raise _not_in_it(number)
        _mark(session, row.id, [kits[number]], condition)
        return number, {"kit": number, "condition": condition}

    return books.enter(vault, by, act, do)


def receive(vault: Vault, by: By, goods: Goods, reading: Reading) -> None:
    """Settle the receipt: every kit of the shipment gets its place."""
    role = permitted(by, Right.KIT_DISPENSE, goods.study, goods.site)
    act = shipments.act_of(role, goods, Step.RECEIVE)
    outside = reading.out_of_range()

    def do(session: Session) -> tuple[None, Mapping[str, object]]:
        row = shipments.find(session, vault, goods, Step.RECEIVE)
        kits = shipments.carried(session, row.id)
        _mark(session, row.id, [kit for kit, seen in kits if not seen], Condition.MISSING)
        coming = [(kit, seen) for kit, seen in kits if kit.state is State.IN_TRANSIT]
        there = {c: [kit for kit, seen in coming if seen == c] for c in ("", *Condition)}
        missing = there[""]
        moving.move(session, missing, Move.LOSE)
        shelved, held = there[Condition.INTACT], there[Condition.DAMAGED]
        why = T("Damaged on arrival")
        if outside:
            shelved, held, why = [], [*held, *shelved], T("Temperature on the way")
        moving.move(session, shelved, Move.RECEIVE)
        if held:
            cause = quarantines.Cause.EXCURSION if outside else quarantines.Cause.DAMAGE
            text = f"{why.in_('en')} (S{goods.number}, {reading.low} – {reading.high} °C)"
            quarantines.hold(session, vault, by, goods.site, goods.study, cause, text, held)
        shipments.advance(
            session, row, Step.RECEIVE, received_at=by.at, logger=reading.logger,
            low=reading.low, high=reading.high,
        )  # fmt: skip
        return None, _told(shelved, held, missing, reading)

    books.enter(vault, by, act, do)


def _told(
    shelved: list[Found], held: list[Found], missing: list[Found], reading: Reading
) -> Mapping[str, object]:
    return {
        "shelved": [kit.number for kit in shelved], "held": [kit.number for kit in held],
        "missing": [kit.number for kit in missing], "logger": reading.logger,
        "low": reading.low, "high": reading.high,
    }  # fmt: skip


def _mark(session: Session, shipment_id: int, kits: list[Found], condition: Condition) -> None:
    if kits:
        session.execute(
            update(Shipped)
            .where(
                Shipped.shipment_id == shipment_id,
                Shipped.kit_id.in_([kit.id for kit in kits]),
            )
            .values(condition=condition.value)
            .execution_options(synchronize_session=False)
        )


def _not_in_it(number: str) -> Conflict:
    wrong = T("{number} is not a kit number: one of its digits is wrong.", number=number)
    if numbers.valid(number):
        wrong = T("Kit {number} is not in this shipment. Set it aside.", number=number)
    return Conflict(wrong, [Problem("number", wrong)])


def _degrees(item: str, typed: str) -> Decimal:
    try:
        value = Decimal(typed.strip().replace(",", "."))
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or abs(value) > 100:
        wrong = T("Write the temperature in °C, such as {example}.", example="5.2")
        raise Unacceptable(wrong, [Problem(item, wrong)])
    return value
