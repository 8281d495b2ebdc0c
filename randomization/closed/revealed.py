"""Arms out of a revealed bundle: after its check, by participant. Needs no vault and no key."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from ecrf.kernel.errors import Conflict
from ecrf.kernel.text import T
from randomization import verify_bundle


class Treatment(NamedTuple):
    """What one participant was allocated to."""

    participant: str
    random_number: str
    stratum: str
    arm: str


def treatments(bundle: Mapping[str, Any], publication: str = "") -> tuple[Treatment, ...]:
    """Return the allocations of a bundle by participant; refuse one with a fault."""
    found = verify_bundle.verify(dict(bundle), publication)
    if found.faults:
        raise Conflict(T("The bundle is not good: {fault}", fault=found.faults[0]))
    slots = verify_bundle.list_of(json.loads(bundle["spec"]), bytes.fromhex(bundle["seed"]))
    arms = {slot["slot_id"]: slot["arm"] for slot in slots}
    receipts = [json.loads(receipt["text"]) for receipt in bundle["receipts"]]
    return tuple(
        Treatment(r["participant"], r["random_number"], r["stratum"], arms[r["slot"]])
        for r in sorted(receipts, key=lambda said: said["participant"])
    )
