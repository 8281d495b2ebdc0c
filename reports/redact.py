"""Acts as a blinded package carries them: what is masked is taken out, the commitments stay.
So is every vote whose case is not final.

A change taken out is `{"item": …, "redacted": true}`: neither value nor salt. Its commitment
stands in the act's header, so that the chain still verifies without it.
"""

import json
from collections.abc import Collection, Mapping

from ecrf.kernel.chain import canonical
from ecrf.kernel.ledger import REASON
from forms.adjudicating import sealed
from reports.acts import ActRow

Keys = Mapping[str, frozenset[str]]
"""Form id to the keys of its masked cells."""


def line(act: ActRow, masked: Keys, votes: Collection[int] = ()) -> str:
    """Return the act as one line of the ledger's file; `votes` are the cases not final."""
    changes = json.loads(act.changes)
    if votes and _votes(act, votes):
        changes = [_without(change) for change in changes]
    elif masked:
        changes = _blinded(act, changes, masked)
    whole = {
        "chain": act.chain, "seq": act.seq, "header": act.header, "changes": changes,
        "link": act.link,
    }  # fmt: skip
    return canonical(whole) + "\n"


def _blinded(
    act: ActRow, changes: list[dict[str, object]], masked: Keys
) -> list[dict[str, object]]:
    """Take masked values out of what is said of entries, and all words of queries on them."""
    refs = json.loads(act.header)["refs"]
    keys = masked.get(refs.get("form"), frozenset())
    kind = (act.key or "").partition(":")[0]
    if kind == "query" and refs.get("item") in keys:
        return [_without(change) for change in changes]
    return _masked(changes, keys) if kind in ("entry", "double") else changes


def _votes(act: ActRow, cases: Collection[int]) -> bool:
    header = json.loads(act.header)
    return sealed.hides(header["action"], header["refs"], cases)


def _masked(changes: list[dict[str, object]], keys: frozenset[str]) -> list[dict[str, object]]:
    """Take out the masked values, and with any of them the reason, which may repeat it."""
    hit = any(change["item"] in keys for change in changes)
    return [
        _without(change)
        if change["item"] in keys or (hit and change["item"] == REASON)
        else change
        for change in changes
    ]


def _without(change: dict[str, object]) -> dict[str, object]:
    return {"item": change["item"], "redacted": True}
