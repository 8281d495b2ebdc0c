"""Allocation: strictly in order, once per participant, telling nothing when it cannot."""

import json
import re
from datetime import date

import pytest
from sqlalchemy import event, select, update

from ecrf.kernel import verify as ledger_verify
from ecrf.kernel.errors import Conflict, NotAllowed, Unavailable
from randomization import allocate, api, numbers, receipts, shelf
from randomization.tables import Allocation, Kit, Slot
from tests.people import ALMA, BO, CARL, PAUL, STUDY
from tests.randomization.conftest import ARMS, STRATA, activate, packing, request_, who


def rows(vault, query):
    with vault.database.read() as session:
        return session.execute(query).all()


def positions(vault, stratum):
    return [
        row.position
        for row in rows(
            vault,
            select(Allocation.position)
            .where(Allocation.stratum == stratum)
            .order_by(Allocation.serial),
        )
    ]


def test_participants_take_the_slots_of_their_stratum_in_order(vault, anna):
    for n in range(12):
        api.randomize(vault, anna, request_(f"PUMCH-{n:03d}", STRATA[n % 2]))
    assert positions(vault, STRATA[0]) == [1, 2, 3, 4, 5, 6]
    assert positions(vault, STRATA[1]) == [1, 2, 3, 4, 5, 6]
    assert api.verify(vault, STUDY).flaws == ()
    assert api.verify(vault, STUDY).allocations == 12


def test_one_randomization_takes_five_statements_in_the_vault(vault, anna, statements):
    with statements(vault.database) as sent:
        api.randomize(vault, anna, request_("PUMCH-001"))
    assert len(sent) == 5, sent


def test_a_long_list_takes_no_more_statements(empty, anna, statements):
    activate(empty, slots=2000)
    api.register_kits(empty, who(ALMA), packing(200))
    with statements(empty.database) as sent:
        api.randomize(empty, anna, request_("PUMCH-001"))
    assert len(sent) == 5


def test_neither_the_list_nor_the_shelf_is_ever_read_through(empty, anna):
    """The plans of the databases themselves: slots and kits are found by an index."""
    activate(empty, slots=2000)
    api.register_kits(empty, who(ALMA), packing(1000))
    engine, sent = empty.database.engine, []
    event.listen(engine, "before_cursor_execute", lambda *call: sent.append(call[2:4]))
    api.randomize(empty, anna, request_("PUMCH-001"))
    asked = [one for one in sent if one[0].startswith("SELECT")]
    explain = "EXPLAIN QUERY PLAN" if engine.dialect.name == "sqlite" else "EXPLAIN"
    with engine.connect() as connection:
        connection.exec_driver_sql("ANALYZE")
        plans = [
            str(line)
            for statement, values in asked
            for line in connection.exec_driver_sql(f"{explain} {statement}", values)
        ]
    assert len(asked) == 3
    assert [
        line for line in plans if re.search(r"slot_list_id_stratum_position|ix_kit_shelf", line)
    ]
    assert not [line for line in plans if re.search(r"(?i)\bscan (on )?(slot|kit)\b", line)]


def test_the_same_participant_gets_the_same_receipt_for_ever(vault, anna, paul):
    first = api.randomize(vault, anna, request_("PUMCH-001"))
    api.dispense(vault, paul, visit_of(first, "PUMCH-001"), first.kit_numbers[0])
    later = request_("PUMCH-001", usable_until=date(2026, 5, 31))
    assert api.randomize(vault, anna, later) == first
    assert positions(vault, STRATA[0]) == [1]


def visit_of(receipt, code):
    return api.Visit(STUDY, "PUMCH", code, "BL")


def test_a_changed_request_for_the_same_participant_is_refused_without_details(vault, anna):
    api.randomize(vault, anna, request_("PUMCH-001"))
    with pytest.raises(Conflict) as refused:
        api.randomize(vault, anna, request_("PUMCH-001", STRATA[1]))
    assert "bg" not in str(refused.value)
    assert positions(vault, STRATA[1]) == []


def test_a_receipt_is_signed_chained_and_tells_no_arm(vault, anna):
    given = [api.randomize(vault, anna, request_(f"PUMCH-{n:03d}")) for n in range(5)]
    stated = [json.loads(receipt.text) for receipt in given]
    verifier = vault.keys.signer.verifier
    assert all(receipts.accepts(verifier, receipt) for receipt in given)
    assert stated[0]["previous"] == "0" * 64
    for before, after in zip(given, stated[1:], strict=False):
        assert after["previous"] == receipts.receipt_hash(before.text)
    leaves = {row.leaf for row in rows(vault, select(Slot.leaf))}
    for receipt in given:
        assert "CANARY" not in receipt.text
        assert not any(leaf in receipt.text for leaf in leaves)
        assert "position" not in json.loads(receipt.text)


@pytest.mark.parametrize("part", ["participant", "random_number", "slot", "previous", "at"])
def test_a_receipt_changed_in_one_part_is_not_accepted(vault, anna, part):
    receipt = api.randomize(vault, anna, request_("PUMCH-001"))
    stated = {**json.loads(receipt.text), part: "x"}
    changed = receipt._replace(text=json.dumps(stated))
    assert not receipts.accepts(vault.keys.signer.verifier, changed)
    assert not receipts.accepts(vault.keys.signer.verifier, receipt._replace(signature="?"))


def test_numbers_are_opaque_and_carry_a_check_digit(vault, anna):
    receipt = api.randomize(vault, anna, request_("PUMCH-001"))
    assert numbers.valid(receipt.random_number)
    assert receipt.random_number.startswith("R")
    assert all(numbers.valid(kit) and kit.startswith("K") for kit in receipt.kit_numbers)


def test_the_kit_given_holds_the_arm_of_the_slot_and_lies_at_the_site(vault, anna, paul):
    api.register_kits(vault, who(ALMA, b"bfh"), packing(site="BFH"))
    codes = [f"PUMCH-{n:03d}" for n in range(20)]
    for code in codes:
        api.randomize(vault, anna, request_(code, kits=2))
    found = api.for_preparation(vault, paul, STUDY, "PUMCH", codes)
    contents = opened_kits(vault)
    assert {one.arm for one in found} == set(contents.values())
    for one in found:
        assert len(one.kits) == 2
        assert all(contents[kit.number] == one.arm for kit in one.kits)
        assert all(
            row.site == "PUMCH"
            for kit in one.kits
            for row in rows(vault, select(Kit.site).where(Kit.number == kit.number))
        )


def opened_kits(vault):
    """Return what each kit number holds."""
    with vault.database.read() as session:
        from randomization.tables import Shelf

        wrapped = session.scalars(select(Shelf.key)).one()
        place = shelf.Place(STUDY, "PUMCH", "test", date(2026, 1, 1))
        kits = [shelf.Sealed(*row) for row in session.execute(select(*shelf.COLUMNS))]
        opened = shelf.open_(vault, place, wrapped, kits)
        return {kit.number: arm for kit, arm in zip(opened.kits, opened.held, strict=True)}


def test_kits_are_taken_by_the_random_sequence_not_by_number(vault, anna):
    given = [
        api.randomize(vault, anna, request_(f"PUMCH-{n:03d}")).kit_numbers[0] for n in range(16)
    ]
    sequence = {
        row.number: row.sequence for row in rows(vault, select(Kit.number, Kit.sequence))
    }
    assert given != sorted(given)
    contents = opened_kits(vault)
    for arm in set(contents.values()):
        taken = [sequence[number] for number in given if contents[number] == arm]
        assert taken == sorted(taken)
        rest = [sequence[n] for n, held in contents.items() if held == arm and n not in given]
        assert max(taken) < min(rest)


REFUSAL = re.compile(
    r"This is not possible at the moment; nothing was changed\. "
    r"Tell the study's support the reference [0-9a-f]{8}\."
)


def refusals(vault):
    with vault.database.read() as session:
        acts = [
            (json.loads(act[3]), json.loads(act[4]))
            for act in api.LEDGER.acts(session, chain_name=f"vault:{STUDY}")
        ]
    return [
        (header["refs"]["reference"], changes[0]["new"])
        for header, changes in acts
        if header["action"] == "randomization:refuse"
    ]


def test_every_cause_gives_one_message_and_the_cause_stays_in_the_vault(empty, anna):
    def refused(code, stratum=STRATA[0], **other):
        with pytest.raises(Unavailable) as no:
            api.randomize(empty, anna, request_(code, stratum, **other))
        assert REFUSAL.fullmatch(str(no.value))
        assert no.value.message.wording == messages.setdefault("one", no.value.message.wording)
        return no.value.message.values["reference"]

    messages = {}
    first = refused("PUMCH-001")
    activate(empty, slots=4, options={"sizes": (4,)})
    second = refused("PUMCH-001")
    api.register_kits(empty, who(ALMA), packing(batch="P-000", expiry=date(2026, 4, 29)))
    third = refused("PUMCH-001")
    api.register_kits(empty, who(ALMA, b"more"), packing())
    fourth = refused("PUMCH-001", "site=NOWHERE|bg=Y")
    for n in range(4):
        api.randomize(empty, anna, request_(f"PUMCH-{n:03d}"))
    fifth = refused("PUMCH-009")
    assert refusals(empty) == [
        (first, "no active list"),
        (second, "too few kits"),
        (third, "too few kits"),
        (fourth, "no free slot in this stratum"),
        (fifth, "no free slot in this stratum"),
    ]
    assert positions(empty, STRATA[0]) == [1, 2, 3, 4]


def test_a_missing_kit_of_either_arm_stops_everyone_alike(empty, anna):
    """One kit of one arm, many of the other: nobody is randomized, whoever is next."""
    activate(empty)
    api.register_kits(empty, who(ALMA), packing(contents={ARMS[0]: 1, ARMS[1]: 90}))
    api.randomize(empty, anna, request_("PUMCH-000"))
    for n in range(1, 60):
        contents = opened_kits(empty)
        free = {
            row.number
            for row in rows(empty, select(Kit.number).where(Kit.state == "available"))
        }
        held = {contents[number] for number in free}
        if len(held) < 2:
            with pytest.raises(Unavailable):
                api.randomize(empty, anna, request_(f"PUMCH-{n:03d}"))
            return
        api.randomize(empty, anna, request_(f"PUMCH-{n:03d}"))
    pytest.fail("the single kit was never given")


def test_the_whole_shelf_is_looked_at_when_its_first_kits_are_of_one_arm(empty, anna):
    activate(empty)
    api.register_kits(empty, who(ALMA), packing(contents={ARMS[0]: 2, ARMS[1]: 200}))
    contents = opened_kits(empty)
    rare = min(contents.values(), key=list(contents.values()).count)
    last = max(row.sequence for row in rows(empty, select(Kit.sequence)))
    with empty.database.write() as session:
        for step, (number, arm) in enumerate(contents.items(), start=1):
            if arm == rare:
                session.execute(
                    update(Kit).where(Kit.number == number).values(sequence=last + step)
                )
    assert api.randomize(empty, anna, request_("PUMCH-001")).kit_numbers


def test_a_study_without_kits_is_randomized_without_them(empty, anna):
    activate(empty)
    receipt = api.randomize(empty, anna, request_("PUMCH-001", kits=0))
    assert receipt.kit_numbers == ()
    assert api.randomize(empty, anna, request_("PUMCH-001", kits=0)) == receipt


@pytest.mark.parametrize("actor", [BO, CARL, PAUL, ALMA])
def test_only_an_investigator_of_the_site_may_randomize(vault, actor):
    with pytest.raises(NotAllowed):
        api.randomize(vault, who(actor), request_("PUMCH-001"))
    assert positions(vault, STRATA[0]) == []


def test_a_failing_database_gives_the_same_message(vault, anna, monkeypatch, caplog):
    from sqlalchemy.exc import OperationalError

    def fail(*_, **__):
        raise OperationalError("SELECT ZZCANARY1", {}, Exception("ZZCANARY2"))

    monkeypatch.setattr(allocate.under_lock, "desk", fail)
    with pytest.raises(Unavailable) as no:
        api.randomize(vault, anna, request_("PUMCH-001"))
    assert REFUSAL.fullmatch(str(no.value))
    assert "CANARY" not in caplog.text


def test_a_crash_before_the_commit_leaves_the_slot_to_the_next(vault, anna, monkeypatch):
    class Killed(BaseException):
        pass

    def die(*_, **__):
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(type(allocate.LEDGER), "write_all", die)
        with pytest.raises(Killed):
            api.randomize(vault, anna, request_("PUMCH-001"))
    api.randomize(vault, anna, request_("PUMCH-002"))
    api.randomize(vault, anna, request_("PUMCH-001"))
    assert positions(vault, STRATA[0]) == [1, 2]
    assert api.verify(vault, STUDY).flaws == ()


def test_the_vaults_ledger_holds_and_names_no_arm(vault, anna):
    for n in range(4):
        api.randomize(vault, anna, request_(f"PUMCH-{n:03d}"))
    with vault.database.read() as session:
        assert ledger_verify.verify(session, ledger=api.LEDGER).flaws == ()
        acts = list(api.LEDGER.acts(session))
    assert not any("CANARY" in str(act) for act in acts)


def test_no_arm_stands_anywhere_in_the_vaults_bytes(vault, anna, kind):
    if kind != "sqlite":
        pytest.skip("the file of SQLite is read; PostgreSQL stores the same columns")
    api.randomize(vault, anna, request_("PUMCH-001"))
    from pathlib import Path

    path = Path(vault.database.engine.url.database)
    content = path.read_bytes() + path.with_name(path.name + "-wal").read_bytes()
    assert b"R" in content
    assert b"CANARY" not in content
