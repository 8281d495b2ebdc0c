"""Disclosure: on the books before it is opened, one participant at a time, own site only."""

import json

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from ecrf.kernel.errors import NotAllowed, NotFound, Unacceptable
from randomization import api, lists, reveal
from randomization.tables import Reveal
from tests.people import ALMA, BO, CARL, DORA, MONA, PETRA, STUDY
from tests.randomization.conftest import ARMS, request_, who
from tests.randomization.test_allocate import rows

WHY = (api.Why.LIFE_THREATENING, "Septic shock, leucocytes 0.4")


@pytest.fixture
def randomized(vault, anna):
    return {
        code: api.randomize(vault, anna, request_(code))
        for code in ("PUMCH-001", "PUMCH-002", "PUMCH-003", "PUMCH-004")
    }


def acts(vault, action):
    with vault.database.read() as session:
        headers = [json.loads(act[3]) for act in api.LEDGER.acts(session)]
    return [header for header in headers if header["action"] == action]


def test_the_code_is_broken_for_one_participant_and_written_down(vault, randomized, anna):
    found = api.code_break(vault, anna, STUDY, "PUMCH", "PUMCH-002", *WHY)
    assert found.participant == "PUMCH-002"
    assert found.arm.opened() in ARMS
    assert found.random_number == randomized["PUMCH-002"].random_number
    (row,) = rows(vault, select(Reveal.participant, Reveal.purpose, Reveal.reason))
    assert tuple(row) == ("PUMCH-002", "code break", WHY[1])
    (act,) = acts(vault, "reveal:code break")
    assert act["refs"] == {"participant": "PUMCH-002", "reason_class": "life-threatening"}


def test_what_is_disclosed_is_what_the_seed_gives(vault, randomized, anna):
    with vault.database.read() as session:
        from randomization.tables import Allocation, ListRow

        row = session.scalars(select(ListRow)).one()
        arms = {leaf.slot_id: leaf.arm for leaf in lists.opened_leaves(session, vault, row)}
        slots = dict(
            map(tuple, session.execute(select(Allocation.participant, Allocation.slot_id)))
        )
    for code in randomized:
        found = api.code_break(vault, anna, STUDY, "PUMCH", code, *WHY)
        assert found.arm == arms[slots[code]]


def test_no_arm_is_opened_before_the_act_is_committed(vault, randomized, anna, monkeypatch):
    opened_at = []

    def watch(*arguments):
        opened_at.append(len(rows(vault, select(Reveal.id))))
        return lists_arm_on(*arguments)

    lists_arm_on = lists.arm_on
    monkeypatch.setattr(lists, "arm_on", watch)
    api.code_break(vault, anna, STUDY, "PUMCH", "PUMCH-001", *WHY)
    assert opened_at == [1]


def test_when_it_cannot_be_written_down_nothing_is_opened(vault, randomized, anna, monkeypatch):
    def fail(*_):
        raise OperationalError("INSERT", {}, Exception("disk full"))

    def never(*_):
        pytest.fail("an arm was opened")

    monkeypatch.setattr(reveal.LEDGER, "write", fail)
    monkeypatch.setattr(lists, "arm_on", never)
    with pytest.raises(OperationalError):
        api.code_break(vault, anna, STUDY, "PUMCH", "PUMCH-001", *WHY)
    assert rows(vault, select(Reveal.id)) == []


@pytest.mark.parametrize("reason", ["", "   ", "x" * 1001])
def test_a_reason_is_asked_for(vault, randomized, anna, reason):
    with pytest.raises(Unacceptable, match="1 to 1000") as no:
        api.code_break(vault, anna, STUDY, "PUMCH", "PUMCH-001", api.Why.OTHER, reason)
    assert no.value.problems[0].item == "reason"
    assert rows(vault, select(Reveal.id)) == []


def test_somebody_elsewhere_or_not_randomized_is_not_found(vault, randomized, anna):
    with pytest.raises(NotFound, match="PUMCH-404"):
        api.code_break(vault, anna, STUDY, "PUMCH", "PUMCH-404", *WHY)
    with pytest.raises(NotFound):
        api.code_break(vault, who(BO), STUDY, "BFH", "PUMCH-001", *WHY)
    assert rows(vault, select(Reveal.id)) == []


@pytest.mark.parametrize("actor", [BO, CARL, DORA, MONA, ALMA, PETRA])
def test_nobody_else_breaks_the_code(vault, randomized, actor):
    with pytest.raises(NotAllowed):
        api.code_break(vault, who(actor), STUDY, "PUMCH", "PUMCH-001", *WHY)
    with pytest.raises(NotAllowed):
        api.for_preparation(vault, who(actor), STUDY, "PUMCH", ["PUMCH-001"])


def test_the_investigator_has_no_part_in_preparation(vault, randomized, anna):
    with pytest.raises(NotAllowed):
        api.for_preparation(vault, anna, STUDY, "PUMCH", ["PUMCH-001"])


def test_each_look_of_the_pharmacist_is_on_the_books(vault, randomized, paul):
    found = api.for_preparation(vault, paul, STUDY, "PUMCH", ["PUMCH-001", "PUMCH-003"])
    assert [one.participant for one in found] == ["PUMCH-001", "PUMCH-003"]
    assert api.for_preparation(vault, paul, STUDY, "PUMCH", []) == ()
    said = rows(vault, select(Reveal.participant, Reveal.purpose).order_by(Reveal.id))
    assert [tuple(row) for row in said] == [
        ("PUMCH-001", "preparation"), ("PUMCH-003", "preparation"),
    ]  # fmt: skip
    assert len(acts(vault, "reveal:preparation")) == 2


def test_a_disclosure_does_not_print_its_arm(vault, randomized, anna):
    found = api.code_break(vault, anna, STUDY, "PUMCH", "PUMCH-001", *WHY)
    assert "CANARY" not in f"{found} {found!r}"
    assert "CANARY" not in repr(vault)
    assert vault.keys.wrapping.hex() not in repr(vault.keys)
