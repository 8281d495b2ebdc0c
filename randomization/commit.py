"""Commitments: what is published about a list before the first participant. Pure.

Each slot is a salted leaf of a Merkle tree (RFC 6962); the root binds every arm of the list
and shows none. `slot_id` is unique in the tree, so a receipt that names a slot is bound to its
arm although it says nothing that depends on it.
"""

import hashlib
from collections.abc import Sequence
from operator import attrgetter
from typing import NamedTuple

from ecrf.kernel.chain import canonical, quoted, root_over, tree_root
from randomization.arm import Arm

SEED_TAG = b"seed-commit"
NO_SEED = "none"
"""In place of a seed commitment: the list was made elsewhere."""


class Leaf(NamedTuple):
    """The content one slot is committed to by."""

    slot_id: str
    stratum: str
    position: int
    arm: Arm
    salt: bytes

    def content(self) -> bytes:
        """Return its canonical JSON, written out: a long list makes it 100,000 times."""
        return (
            f'{{"arm":{quoted(self.arm.opened())},"pos":{self.position},'
            f'"salt":"{self.salt.hex()}","slot_id":{quoted(self.slot_id)},'
            f'"stratum":{quoted(self.stratum)}}}'
        ).encode()

    def hash(self) -> bytes:
        return hashlib.sha256(b"\x00" + self.content()).digest()


class Committed(NamedTuple):
    """Slots in list order, the hash each is committed to by, and the Merkle root over all."""

    leaves: Sequence[Leaf]
    hashes: Sequence[bytes]
    root: str


class Packed(NamedTuple):
    """The content one kit is committed to by."""

    number: str
    arm: Arm
    salt: bytes

    def content(self) -> bytes:
        return canonical({
            "kit": self.number, "arm": self.arm.opened(), "salt": self.salt.hex()
        }).encode()  # fmt: skip


def kit_root(packed: Sequence[Packed]) -> str:
    """Return the Merkle root over kits packed together, in the order of their numbers."""
    return tree_root([kit.content() for kit in sorted(packed, key=attrgetter("number"))]).hex()


def committed(leaves: Sequence[Leaf]) -> Committed:
    """Commit to `leaves`; each is hashed once."""
    hashes = [leaf.hash() for leaf in leaves]
    return Committed(leaves, hashes, root_over(hashes).hex())


def root(leaves: Sequence[Leaf]) -> str:
    """Return the Merkle root over `leaves` in list order."""
    return committed(leaves).root


def proof(hashes: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """Return the audit path of the leaf at `index`, nearest sibling first."""
    if not 0 <= index < len(hashes):
        raise ValueError("there is no such leaf")
    if len(hashes) == 1:
        return ()
    split = _split(len(hashes))
    left, right = hashes[:split], hashes[split:]
    if index < split:
        return (*proof(left, index), _hash(right))
    return (*proof(right, index - split), _hash(left))


def included(leaf: bytes, index: int, size: int, path: Sequence[bytes], root_: str) -> bool:
    """Say whether the leaf of that hash stands at `index` of the tree of `size` leaves."""
    if not 0 <= index < size:
        return False
    node, rest, last = leaf, index, size - 1
    for sibling in path:
        if last == 0:
            return False
        if rest % 2 or rest == last:
            node = _node(sibling, node)
            while not rest % 2 and rest:
                rest, last = rest >> 1, last >> 1
        else:
            node = _node(node, sibling)
        rest, last = rest >> 1, last >> 1
    return last == 0 and node.hex() == root_


def seed_commitment(seed: bytes) -> str:
    return hashlib.sha256(SEED_TAG + seed).hexdigest()


def spec_hash(spec: str) -> str:
    """Return the hash of a specification's canonical text."""
    return hashlib.sha256(spec.encode()).hexdigest()


def _split(size: int) -> int:
    """Return the largest power of two below `size`."""
    return int(1 << ((size - 1).bit_length() - 1))


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _hash(hashes: Sequence[bytes]) -> bytes:
    if len(hashes) == 1:
        return hashes[0]
    split = _split(len(hashes))
    return _node(_hash(hashes[:split]), _hash(hashes[split:]))
