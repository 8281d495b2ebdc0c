"""The inside check notices whatever is changed in lists, slots, receipts and their order."""

import json

import pytest
from sqlalchemy import select, text, update

from randomization import api
from randomization.tables import Allocation, Kit, ListRow, Slot, VaultBase
from tests.people import STUDY
from tests.randomization.conftest import STRATA, request_

TRIGGERS = {
    "sqlite": "DROP TRIGGER allocation_no_update",
    "postgresql": "DROP TRIGGER allocation_append_only ON allocation",
}


@pytest.fixture
def used(vault, anna):
    for n in range(6):
        api.randomize(vault, anna, request_(f"PUMCH-{n:03d}", STRATA[n % 2]))
    return vault


def flaws(vault):
    return [str(flaw) for flaw in api.verify(vault, STUDY).flaws]


def change(vault, table, where, **values):
    with vault.database.write() as session:
        if table is Allocation:
            session.execute(text(TRIGGERS[vault.database.engine.dialect.name]))
        done = session.execute(update(table).where(where).values(**values))
        assert done.rowcount >= 1


def test_an_untouched_vault_has_no_flaw(used):
    found = api.verify(used, STUDY)
    assert found.flaws == ()
    assert found.slots == 120
    assert found.allocations == 6


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("root", "0" * 64), ("seed_commitment", "0" * 64), ("spec_hash", "0" * 64),
    ],
)  # fmt: skip
def test_a_changed_commitment_is_noticed(used, column, value):
    change(used, ListRow, ListRow.version == 1, **{column: value})
    assert len(flaws(used)) == 1


@pytest.mark.parametrize(
    ("column", "value"),
    [("leaf", "0" * 64), ("ciphertext", bytes(144)), ("nonce", bytes(12)),
     ("random_number", "R0000000")],
)  # fmt: skip
def test_a_changed_slot_is_noticed(used, column, value):
    with used.database.read() as session:
        first = session.scalars(select(Allocation.slot_id).order_by(Allocation.id)).first()
    change(used, Slot, Slot.id == first, **{column: value})
    assert flaws(used)


def test_two_slots_that_changed_places_are_noticed(used):
    with used.database.write() as session:
        one, other = session.scalars(
            select(Slot).where(Slot.stratum == STRATA[2]).order_by(Slot.position).limit(2)
        )
        sealed = (one.ciphertext, one.nonce)
        one.ciphertext, one.nonce = other.ciphertext, other.nonce
        other.ciphertext, other.nonce = sealed
    assert any("cannot be opened" in flaw for flaw in flaws(used))


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("participant", "PUMCH-999"), ("site", "BFH"), ("signature", "AAAA"),
        ("receipt_hash", "0" * 64), ("position", 39), ("serial", 99),
    ],
)  # fmt: skip
def test_a_changed_allocation_is_noticed(used, column, value):
    change(used, Allocation, Allocation.serial == 2, **{column: value})
    assert flaws(used)


@pytest.mark.parametrize("part", ["participant", "slot", "random_number", "previous", "kits"])
def test_a_changed_receipt_is_noticed(used, part):
    with used.database.read() as session:
        said = session.scalars(select(Allocation.receipt).where(Allocation.serial == 2)).one()
    stated = {**json.loads(said), part: ["x"] if part == "kits" else "x"}
    change(used, Allocation, Allocation.serial == 2, receipt=json.dumps(stated))
    assert any("receipt" in flaw for flaw in flaws(used))


def test_flaws_name_no_arm(used):
    change(used, Slot, Slot.position == 1, leaf="0" * 64)
    assert flaws(used)
    assert not any("CANARY" in flaw for flaw in flaws(used))


@pytest.mark.parametrize("table", ["allocation", "reveal", "dispensation", "act"])
def test_the_database_itself_refuses_to_change_what_only_grows(used, paul, anna, table):
    from sqlalchemy.exc import DBAPIError

    with used.database.read() as session:
        (number,) = session.scalars(select(Kit.number).where(Kit.participant == "PUMCH-000"))
    api.dispense(used, paul, api.Visit(STUDY, "PUMCH", "PUMCH-000", "BL"), number)
    api.code_break(used, anna, STUDY, "PUMCH", "PUMCH-000", api.Why.OTHER, "test")
    assert table in VaultBase.metadata.tables
    for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET at = at"):
        with pytest.raises(DBAPIError), used.database.write() as session:
            session.execute(text(statement))
