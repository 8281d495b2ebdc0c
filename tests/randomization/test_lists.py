"""Lists: made from a seed for ever, published before they serve, kept to their environment."""

import json
from dataclasses import replace
from uuid import UUID

import pytest
from sqlalchemy import delete, func, select

from ecrf.kernel import verify as ledger_verify
from ecrf.kernel.chance import Seeded
from ecrf.kernel.errors import Conflict, NotFound, Unavailable
from ecrf.kernel.ledger import By, Origin
from randomization import api, commit, design
from randomization.tables import Slot
from tests.people import ALMA, NOON, STUDY
from tests.randomization.conftest import STRATA, activate, request_, spec, who

SEED = bytes(range(32))
KNOWN_ROOT = "1fc2147b81a1f138379b0fd6deac5ac2d95800100dedd55234d605f7b4bb6e48"
KNOWN_HASH = "1f4449d1c4ad4e36aecac762de115786aa5379588f587e88c4a42dc2fd3a472b"


def test_the_known_list_has_its_known_root_for_ever():
    made = spec(environment="production")
    leaves = design.leaves(made, SEED)
    assert len(leaves) == 128
    assert commit.root(leaves) == KNOWN_ROOT
    assert commit.spec_hash(made.canonical()) == KNOWN_HASH


def test_the_id_of_a_slot_is_a_random_uuid():
    draw = Seeded(b"ids")
    for mark in (bytes(16), b"\xff" * 16, *(draw(16) for _ in range(500))):
        assert design.slot_id(mark) == str(UUID(bytes=mark, version=4))


def test_a_specification_is_read_back_from_its_canonical_text():
    made = spec(options={"sizes": (4, 6), "weights": (2, 1)})
    assert design.from_canonical(made.canonical()) == made


def test_swapping_the_arms_changes_arms_and_nothing_else():
    made = spec()
    swapped = replace(made, ratio=made.ratio[::-1])
    for one, other in zip(design.leaves(made, SEED), design.leaves(swapped, SEED), strict=True):
        assert one.arm != other.arm
        assert one._replace(arm=other.arm) == other


@pytest.mark.parametrize(
    "other", [{"environment": "training"}, {"version": 2}, {"study": "another"}]
)
def test_another_environment_version_or_study_gives_another_list_from_the_same_seed(other):
    ids = {leaf.slot_id for leaf in design.leaves(spec(), SEED)}
    assert not ids & {leaf.slot_id for leaf in design.leaves(spec(**other), SEED)}


@pytest.mark.parametrize(
    ("other", "says"),
    [
        ({"strata": ()}, "at least one"),
        ({"strata": ("a", "a")}, "once each"),
        ({"slots": 0}, "at least 1"),
        ({"version": 0}, "at least 1"),
        ({"options": {"sizes": (3,)}}, "multiple of 2"),
        ({"scheme": "hope"}, "no scheme hope"),
    ],
)
def test_an_impossible_specification_is_refused(other, says):
    with pytest.raises(ValueError, match=says):
        spec(**other)


def test_a_seed_of_another_length_is_refused():
    with pytest.raises(ValueError, match="32 bytes"):
        design.leaves(spec(), b"short")


def test_a_list_goes_from_draft_over_published_to_active(empty):
    by = who(ALMA)
    made = api.generate(empty, by, spec())
    assert made.state == "draft"
    with pytest.raises(Conflict, match="only a list that is published can become active"):
        api.activate(empty, by, STUDY, 1)
    assert api.publish(empty, by, STUDY, 1).state == "published"
    assert api.activate(empty, by, STUDY, 1).state == "active"
    with pytest.raises(Conflict, match="List 1 is active; only a list that is a draft"):
        api.publish(empty, by, STUDY, 1)
    again = api.published(empty, STUDY, 1)
    assert again.root == made.root
    assert again.root in again.text()
    assert api.verify(empty, STUDY) == api.Verification(made.slots, 0, ())


@pytest.mark.parametrize("sizes", [(4,), (6,), (4, 6)])
def test_the_number_made_known_is_the_one_asked_for_whatever_the_blocks(empty, sizes):
    made = activate(empty, slots=41, options={"sizes": sizes})
    assert made.slots == 41 * len(STRATA)
    assert f"slots asked for: {made.slots}\n" in made.text()
    assert api.verify(empty, STUDY) == api.Verification(made.slots, 0, ())
    with empty.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Slot)) > made.slots
        acts = list(api.LEDGER.acts(session, chain_name=f"vault:{STUDY}"))
    assert [json.loads(act.header)["refs"]["slots"] for act in acts] == [made.slots] * 3


def test_what_is_published_tells_neither_arms_nor_blocks(empty):
    text = api.generate(empty, who(ALMA), spec()).text()
    assert "CANARY" not in text
    assert "blocks" not in text
    assert "sizes" not in text


def test_only_one_list_is_active_at_a_time(vault):
    by = who(ALMA, b"second")
    api.generate(vault, by, spec(version=2))
    api.publish(vault, by, STUDY, 2)
    with pytest.raises(Conflict, match="List 1 is active already"):
        api.activate(vault, by, STUDY, 2)


def test_a_list_cannot_be_made_twice_nor_an_unknown_one_be_published(empty):
    by = who(ALMA)
    api.generate(empty, by, spec())
    with pytest.raises(Conflict, match="List 1 of this study is there already"):
        api.generate(empty, by, spec())
    with pytest.raises(NotFound, match="no list 7"):
        api.publish(empty, by, STUDY, 7)
    with pytest.raises(NotFound, match="no list 7"):
        api.published(empty, STUDY, 7)


def test_a_test_list_is_neither_made_nor_found_nor_served_in_production(vault, anna):
    production = api.Vault(vault.database, vault.keys, "production")
    with pytest.raises(Conflict, match="this vault is for production"):
        api.generate(production, who(ALMA), spec())
    with pytest.raises(NotFound):
        api.activate(production, who(ALMA), STUDY, 1)
    with pytest.raises(Unavailable):
        api.randomize(production, anna, request_("PUMCH-001"))


def test_a_list_that_lost_a_slot_is_not_activated(empty):
    by = who(ALMA)
    api.generate(empty, by, spec())
    api.publish(empty, by, STUDY, 1)
    with empty.database.write() as session:
        lost = session.scalars(select(Slot.id).limit(1)).one()
        session.execute(delete(Slot).where(Slot.id == lost))
    with pytest.raises(Conflict, match="not the one that was published"):
        api.activate(empty, by, STUDY, 1)


def test_every_ciphertext_of_a_list_is_equally_long_and_no_two_are_equal(vault):
    with vault.database.read() as session:
        rows = session.execute(select(Slot.ciphertext, Slot.nonce)).all()
    assert len({len(row.ciphertext) for row in rows}) == 1
    assert len({row.ciphertext for row in rows}) == len(rows)
    assert len({row.nonce for row in rows}) == len(rows)


def test_no_slot_id_comes_twice_in_ten_thousand():
    made = design.leaves(spec(slots=3334), SEED)
    assert len({leaf.slot_id for leaf in made}) == len(made) >= 10_000


def test_the_acts_of_a_list_stand_on_the_vaults_own_chain(empty):
    activate(empty)
    with empty.database.read() as session:
        acts = list(api.LEDGER.acts(session, chain_name=f"vault:{STUDY}"))
        seen = ledger_verify.verify(session, ledger=api.LEDGER)
    assert [json.loads(act[3])["action"] for act in acts] == [
        "list:generate", "list:published", "list:active",
    ]  # fmt: skip
    assert seen.flaws == ()
    assert not any("CANARY" in str(act) for act in acts)


def test_the_same_randomness_gives_the_same_list(empty):
    by = By(ALMA, NOON, Origin.COMMAND, Seeded(b"same"))
    first = api.generate(empty, by, spec())
    by = By(ALMA, NOON, Origin.COMMAND, Seeded(b"same"))
    assert api.generate(empty, by, spec(version=2)).seed_commitment == first.seed_commitment
