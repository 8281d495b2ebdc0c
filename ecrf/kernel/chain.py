"""Hash chains of acts, and the Merkle tree over their heads. Pure.

An act's header (who, when, what, and a salted commitment to each change) is kept as canonical
bytes; `leaf = SHA256(0x00 || header)` and `link_i = SHA256(TAG || link_{i-1} || leaf_i)`. The
changes themselves stand beside the header, each with its salt, so that one can be redacted
lawfully while the chain still verifies. Tree hashing is RFC 6962's.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from json.encoder import encode_basestring
from typing import NamedTuple

TAG = b"ecrf-chain-1"
GENESIS = hashlib.sha256(TAG).hexdigest()


class Change(NamedTuple):
    """One value before and after: `item` is the form key; None means there was or is none."""

    item: str
    old: object
    new: object


@dataclass(frozen=True, slots=True)
class Head:
    """Where a chain stands: how many acts, the link of the last, and its time."""

    chain: str
    size: int
    link: str
    last_at: datetime | None


@dataclass(frozen=True, slots=True)
class Sealed:
    """An act ready to be stored: canonical header, salted changes, its link."""

    chain: str
    seq: int
    at: datetime
    header: str
    changes: str
    link: str


_CANONICAL = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def canonical(value: object) -> str:
    """Return the one JSON text of `value`: sorted keys, no spaces, letters as they are."""
    return _CANONICAL.encode(value)


def quoted(text: str) -> str:
    """Return the canonical text of a string, for those who write out 100,000 things."""
    return encode_basestring(text)


def start(chain: str) -> Head:
    return Head(chain, 0, GENESIS, None)


def seal(
    head: Head,
    at: datetime,
    facts: dict[str, object],
    changes: Sequence[Change],
    salts: Sequence[bytes],
) -> tuple[Sealed, Head]:
    """Return the act that follows `head`, and the new head.

    `facts` are the header's own keys (actor, action, …), JSON-ready. Time never runs
    backwards in a chain: an earlier `at` is moved just past the last act and flagged.
    """
    moment, regressed = at, False
    if head.last_at is not None and at <= head.last_at:
        moment, regressed = head.last_at + timedelta(microseconds=1), at < head.last_at
    content = [
        {"item": c.item, "old": c.old, "new": c.new, "salt": salt.hex()}
        for c, salt in zip(changes, salts, strict=True)
    ]
    header = canonical({
        **facts,
        "v": 1,
        "chain": head.chain,
        "seq": head.size,
        "at": stamp(moment),
        "clock": "regressed" if regressed else "ok",
        "commits": [commitment(part) for part in content],
    })  # fmt: skip
    link = follow(head.link, header)
    sealed = Sealed(head.chain, head.size, moment, header, canonical(content), link)
    return sealed, Head(head.chain, head.size + 1, link, moment)


def commitment(change: dict[str, object]) -> str:
    """Return the salted commitment to one change as stored."""
    content = canonical([change["item"], change["old"], change["new"]])
    return hashlib.sha256(bytes.fromhex(str(change["salt"])) + content.encode()).hexdigest()


def follow(link: str, header: str) -> str:
    """Return the link of the act whose header this is, after `link`."""
    leaf = hashlib.sha256(b"\x00" + header.encode()).digest()
    return hashlib.sha256(TAG + bytes.fromhex(link) + leaf).hexdigest()


def stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def tree_root(leaves: Sequence[bytes]) -> bytes:
    """Return the RFC 6962 Merkle root of `leaves` (the data, not their hashes)."""
    return root_over([hashlib.sha256(b"\x00" + leaf).digest() for leaf in leaves])


def root_over(hashes: Sequence[bytes]) -> bytes:
    """Return the RFC 6962 Merkle root over the hashes of leaves."""
    level = list(hashes)
    while len(level) > 1:
        odd = level[len(level) & ~1 :]
        level = [
            hashlib.sha256(b"\x01" + left + right).digest()
            for left, right in zip(level[0::2], level[1::2], strict=False)
        ] + odd
    return level[0] if level else hashlib.sha256(b"").digest()
