"""Which items of an entry were compared with their source, and what a change does. Pure.

The map kept with an entry says {item key: version at which it was verified}. An item changed
since then stays in the map with 0, in the same statement that stores the change, and the act of
the change names it under `unverified`.
"""

from collections.abc import Mapping
from typing import Any, Protocol

VERIFY, UNVERIFY = "entry:verify", "entry:unverify"
ACTIONS = (VERIFY, UNVERIFY)
WORDS = {"verified": VERIFY, "unverified": UNVERIFY}
CHANGED = 0


class Kept(Protocol):
    """What an entry keeps: its answers as stored, and the map."""

    @property
    def answers(self) -> dict[str, Any]: ...
    @property
    def verified(self) -> dict[str, int] | None: ...


def after(entry: Kept | None, answers: Mapping[str, object]) -> dict[str, int] | None:
    """Return the map once `answers` have taken the place of the entry's."""
    if entry is None or entry.verified is None:
        return None
    gone = frozenset(lost(entry, answers))
    return {key: CHANGED if key in gone else at for key, at in entry.verified.items()}


def lost(entry: Kept | None, answers: Mapping[str, object]) -> list[str]:
    """Return the verified items that `answers` change."""
    if entry is None or entry.verified is None:
        return []
    return sorted(
        key
        for key, at in entry.verified.items()
        if at != CHANGED and entry.answers.get(key) != answers.get(key)
    )


def told(entry: Kept | None, answers: Mapping[str, object]) -> dict[str, object]:
    """Return what an act says of verified items that change: from now on they are not."""
    gone = lost(entry, answers)
    return {"unverified": gone} if gone else {}


def tell(known: dict[str, int], action: str, refs: Mapping[str, Any]) -> None:
    """Lay one act over a map, as the ledger tells it."""
    known.update(dict.fromkeys(refs.get("verified", ()), refs.get("version", CHANGED)))
    for key in refs.get("unverified", ()):
        if action == UNVERIFY:
            known.pop(key, None)
        else:
            known[key] = CHANGED
