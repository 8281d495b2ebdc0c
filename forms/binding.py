"""What a signature binds: the answers, where they stand, the definition and the meaning. Pure.

The act of signing carries everything but the answers, which the ledger tells itself, so that
anybody can compute the hash again. It belongs to one entry and cannot be moved to another.
"""

import hashlib
from collections.abc import Mapping

from ecrf.kernel.chain import canonical

BOUND = (
    "form", "meaning", "meaning_zh", "number", "participant", "protocol", "version", "visit",
)  # fmt: skip


def digest(answers: Mapping[str, object], refs: Mapping[str, object]) -> str:
    """Return the SHA-256 of the answers and of what the act of signing says."""
    content = {name: refs.get(name) for name in BOUND}
    return hashlib.sha256(canonical({"answers": answers, **content}).encode()).hexdigest()
