"""A long list: making, committing to and checking it; and 10,000 tampers, all of them noticed.

    python -m bench.reveal

The times are seconds on this machine; a tamper that is not noticed ends the run.
"""

import json
from time import perf_counter

from bench import measure
from ecrf.kernel import chance
from ecrf.kernel.chance import Seeded
from ecrf.kernel.ledger import By, Origin
from randomization import api, bundle, seal
from tests import people
from tests.randomization.test_bundle import places, spoil

STRATA = tuple(f"site={site}" for site in "ABCD")
SLOTS, TAMPERS = 100_000, 10_000
ARMS = ("A", "B")


def spec(slots):
    return api.Spec(
        study=people.STUDY, version=1, environment="test", scheme="permuted_block",
        ratio=tuple((arm, 1) for arm in ARMS), options={"sizes": (4, 6)}, strata=STRATA,
        slots=slots // len(STRATA),
    )  # fmt: skip


def revealed(database, folder, slots):
    """Return the bundle of an active list, and how long making the list took."""
    vault = api.Vault(database, seal.make_keys(folder / "vault.key", chance.system), "test")
    by = By(people.DORA, people.NOON, Origin.COMMAND, chance.system)
    began = perf_counter()
    api.generate(vault, by, spec(slots))
    took = perf_counter() - began
    api.publish(vault, by, people.STUDY, 1)
    api.activate(vault, by, people.STUDY, 1)
    for person in (people.DORA, people.DIRK):
        signer = By(person, people.NOON, Origin.COMMAND, chance.system)
        bundle.sign(vault, signer, people.STUDY, 1, "bench")
    return json.loads(api.bundle(vault, by, people.STUDY, 1)), took


def main():
    for kind in measure.KINDS:
        with measure.fresh(kind, "vault") as (database, folder):
            made, took = revealed(database, folder, SLOTS)
        began = perf_counter()
        if api.verify_bundle(made).faults:
            raise SystemExit("an untouched bundle was found faulty")
        checked = perf_counter() - began
        print(f"{kind}: {SLOTS} slots made in {took:.1f} s, checked in {checked:.1f} s")
    with measure.fresh("sqlite", "vault") as (database, folder):
        made, _ = revealed(database, folder, 120)
    draw, ways = Seeded(b"tampers"), list(places(made))
    for n in range(TAMPERS):
        way = ways[n % len(ways)]
        if not api.verify_bundle(spoil(made, way, draw)).faults:
            raise SystemExit(f"a tamper was not noticed: {way}")
    print(f"{TAMPERS} single tampers, all noticed")


if __name__ == "__main__":
    main()
