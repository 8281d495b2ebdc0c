"""Checkpoints as text: C2SP signed notes over the Merkle tree of all chain heads. Pure.

The tree has one leaf per chain, in the order of the chains' names: the canonical JSON of
`[name, size, link]`. A note names its number, the number of leaves, the root and the SHA-256 of
the note before, so that notes are a chain too.
"""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from ecrf.kernel.chain import canonical, stamp, tree_root
from ecrf.kernel.keys import Signer, Verifier

ORIGIN = "ecrf ledger"
FIRST = "0" * 64

Heads = Mapping[str, tuple[int, str]]
"""Chain name to (size, link)."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a note says."""

    origin: str
    number: int
    chains: int
    acts: int
    root: bytes
    at: str
    previous: str

    def body(self) -> str:
        """Return the text that is signed; its first three lines are a C2SP checkpoint."""
        root = base64.b64encode(self.root).decode()
        return (
            f"{self.origin}\n{self.chains}\n{root}\nnumber {self.number}\nacts {self.acts}\n"
            f"at {self.at}\nprevious {self.previous}\n"
        )


def leaf(name: str, size: int, link: str) -> bytes:
    return canonical([name, size, link]).encode()


def leaf_hash(name: str, size: int, link: str) -> bytes:
    """Return the RFC 6962 hash of a chain's leaf; it tells nothing of the chain."""
    return hashlib.sha256(b"\x00" + leaf(name, size, link)).digest()


def root(heads: Heads) -> bytes:
    """Return the Merkle root over `heads`, sorted by name in the order of code points."""
    return tree_root([leaf(name, *heads[name]) for name in sorted(heads)])


def checkpoint(
    heads: Heads, number: int, at: datetime, previous: str, origin: str = ORIGIN
) -> Checkpoint:
    acts = sum(size for size, _ in heads.values())
    return Checkpoint(origin, number, len(heads), acts, root(heads), stamp(at), previous)


def signed(what: Checkpoint, signer: Signer) -> str:
    """Return the note: the body, an empty line, the signature line."""
    return sign(what.body(), signer)


def sign(body: str, signer: Signer) -> str:
    """Return any text, whose lines end with LF, as a signed note."""
    signature = signer.verifier.key_id + signer.sign(body.encode())
    return f"{body}\n— {signer.name} {base64.b64encode(signature).decode()}\n"


def read(note: str) -> Checkpoint:
    """Return what a note says; ValueError when it is not a checkpoint's note."""
    body, _, _ = note.partition("\n\n")
    try:
        origin, chains, coded, *rest = body.split("\n")
        facts = dict(line.split(" ", 1) for line in rest)
        return Checkpoint(
            origin, int(facts["number"]), int(chains), int(facts["acts"]),
            base64.b64decode(coded, validate=True), facts["at"], facts["previous"],
        )  # fmt: skip
    except (KeyError, ValueError) as error:
        raise ValueError(f"this is no checkpoint: {error}") from None


def stands(note: str, verifier: Verifier) -> bool:
    """Say whether the note carries a good signature by this key."""
    body, _, signatures = note.partition("\n\n")
    for line in signatures.splitlines():
        mark, _, rest = line.partition(" ")
        name, _, coded = rest.rpartition(" ")
        if mark != "—" or name != verifier.name:
            continue
        try:
            raw = base64.b64decode(coded, validate=True)
        except ValueError:
            return False
        if raw[:4] == verifier.key_id:
            return verifier.accepts(f"{body}\n".encode(), raw[4:])
    return False


def digest(note: str) -> str:
    return hashlib.sha256(note.encode()).hexdigest()


def dump_heads(before: Heads, after: Heads) -> str:
    """Return the heads that moved, one `size link name` a line; size 0 means not there."""
    moved = {name: head for name, head in after.items() if before.get(name) != head}
    gone = {name: (0, "-") for name in before if name not in after}
    lines = {**moved, **gone}
    return "".join(f"{lines[n][0]} {lines[n][1]} {n}\n" for n in sorted(lines))


def load_heads(texts: Iterable[str]) -> dict[str, tuple[int, str]]:
    """Return the heads after all of `texts`, oldest first."""
    heads: dict[str, tuple[int, str]] = {}
    for text in texts:
        for line in text.splitlines():
            size, link, name = line.split(" ", 2)
            heads[name] = (int(size), link)
            if heads[name][0] == 0:
                del heads[name]
    return heads
