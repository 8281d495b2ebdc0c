"""Commitments: the tree is RFC 6962's, a proof fits one leaf, no changed one."""

import hashlib

import pytest

from ecrf.kernel.chain import canonical, tree_root
from randomization import commit
from randomization.arm import Arm
from randomization.commit import Leaf

RFC_LEAVES = [
    bytes.fromhex(text)
    for text in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
RFC_ROOT = "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


def leaves(count):
    return [
        Leaf(f"slot-{n}", "PUMCH|Y", n + 1, Arm("AB"[n % 2]), bytes([n]) * 16)
        for n in range(count)
    ]


def test_the_tree_is_the_one_of_certificate_transparency():
    assert tree_root(RFC_LEAVES).hex() == RFC_ROOT


@pytest.mark.parametrize("size", [*range(1, 18), 31, 32, 33, 120])
def test_each_leaf_is_proved_to_stand_in_its_place_and_in_no_other(size):
    tree = leaves(size)
    hashes, root = [leaf.hash() for leaf in tree], commit.root(tree)
    for index in range(size):
        path = commit.proof(hashes, index)
        assert commit.included(hashes[index], index, size, path, root)
        wrong = (index + 1) % size
        assert size == 1 or not commit.included(hashes[index], wrong, size, path, root)
        assert not commit.included(hashes[index], index, size, (*path, bytes(32)), root)


@pytest.mark.parametrize(
    "changed",
    [
        {"slot_id": "slot-9"}, {"stratum": "BFH|Y"}, {"position": 5}, {"arm": Arm("B")},
        {"salt": bytes(16)},
    ],
)  # fmt: skip
def test_whatever_is_changed_in_a_leaf_changes_the_root(changed):
    tree = leaves(9)
    other = [*tree[:2], tree[2]._replace(**changed), *tree[3:]]
    assert commit.root(other) != commit.root(tree)
    path = commit.proof([leaf.hash() for leaf in tree], 2)
    assert not commit.included(other[2].hash(), 2, 9, path, commit.root(tree))


def test_a_leaf_is_the_hash_of_its_canonical_text():
    text = b'{"arm":"A","pos":1,"salt":"' + b"00" * 16 + b'","slot_id":"slot-0","stratum":"s"}'
    leaf = Leaf("slot-0", "s", 1, Arm("A"), bytes(16))
    assert leaf.hash() == hashlib.sha256(b"\x00" + text).digest()


def test_the_text_of_a_leaf_is_canonical_whatever_its_names_are():
    nasty = 'a "b"\\\t\x00\x7f/é中\u2028'
    leaf = Leaf("slot-0", nasty, 12, Arm(nasty), b"\xff" * 16)
    assert leaf.content().decode() == canonical({
        "slot_id": "slot-0", "stratum": nasty, "pos": 12, "arm": nasty, "salt": "ff" * 16,
    })  # fmt: skip


def test_what_is_committed_to_is_each_leaf_and_the_root_over_all():
    tree = leaves(7)
    made = commit.committed(tree)
    assert made == (tree, [leaf.hash() for leaf in tree], commit.root(tree))
    assert made.root == tree_root([leaf.content() for leaf in tree]).hex()


def test_a_leaf_that_is_not_there_has_no_proof():
    with pytest.raises(ValueError, match="no such leaf"):
        commit.proof([bytes(32)], 1)
    assert not commit.included(bytes(32), 1, 1, (), bytes(32).hex())


def test_the_seed_is_committed_to_before_it_is_known():
    seed = bytes(range(32))
    expected = hashlib.sha256(b"seed-commit" + seed).hexdigest()
    assert commit.seed_commitment(seed) == expected
