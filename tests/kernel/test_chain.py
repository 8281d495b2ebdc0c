import hashlib
import json
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ecrf.kernel import chain
from ecrf.kernel.chain import Change

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SALT = bytes(16)


def seal(head, at=NOON, changes=(), **facts):
    return chain.seal(head, at, facts, changes, [SALT] * len(changes))


def test_each_link_covers_the_one_before_and_the_header():
    first, head = seal(chain.start("c"), action="a")
    second, _ = seal(head, action="b")
    leaf = hashlib.sha256(b"\x00" + second.header.encode()).digest()
    expected = hashlib.sha256(chain.TAG + bytes.fromhex(first.link) + leaf).hexdigest()
    assert second.link == expected
    assert (first.seq, second.seq) == (0, 1)


def test_the_header_commits_to_each_change_without_showing_it():
    sealed, _ = seal(chain.start("c"), changes=[Change("name", None, "secret-value")])
    assert "secret-value" not in sealed.header
    (content,) = json.loads(sealed.changes)
    assert json.loads(sealed.header)["commits"] == [chain.commitment(content)]


def test_time_never_runs_backwards_and_says_when_the_clock_did():
    _, head = seal(chain.start("c"))
    sealed, head = seal(head, at=NOON - timedelta(hours=1))
    assert sealed.at == NOON + timedelta(microseconds=1)
    assert json.loads(sealed.header)["clock"] == "regressed"
    sealed, _ = seal(head, at=head.last_at)
    assert json.loads(sealed.header)["clock"] == "ok"
    assert sealed.at > head.last_at


def test_the_tree_of_rfc_6962_examples():
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert chain.tree_root([]).hex() == empty
    leaves = [b"", b"\x00", b"\x10", b"\x20\x21", b"\x30\x31", b"\x40\x41\x42\x43"]
    one = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    three = "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"
    assert chain.tree_root(leaves[:1]).hex() == one
    assert chain.tree_root(leaves[:3]).hex() == three


@given(st.lists(st.binary(max_size=8), min_size=1, max_size=20), st.data())
def test_a_changed_leaf_changes_the_root(leaves, data):
    place = data.draw(st.integers(0, len(leaves) - 1))
    changed = [*leaves[:place], leaves[place] + b"x", *leaves[place + 1 :]]
    assert chain.tree_root(leaves) != chain.tree_root(changed)


def test_canonical_text_is_one_whatever_the_order():
    assert chain.canonical({"b": 1, "a": "肝"}) == '{"a":"肝","b":1}'
