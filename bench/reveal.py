"""A long list: making, committing to and checking it; and 10,000 tampers, all of them noticed.

The tampers are of a list of blocks, and of a minimised one with participants on it.

    python -m bench.reveal

The times are seconds on this machine; a tamper that is not noticed ends the run.
"""

import json
from datetime import timedelta
from time import perf_counter

from bench import measure
from ecrf.kernel import chance
from ecrf.kernel.chance import Seeded
from ecrf.kernel.ledger import By, Origin
from randomization import api, bundle, seal
from randomization.ceremony import api as ceremony
from tests import people
from tests.randomization.test_bundle import places, spoil

STRATA = tuple(f"site={site}" for site in "ABCD")
SLOTS, TAMPERS = 100_000, 10_000
ARMS = ("A", "B")
BLOCKS = ("permuted_block", {"sizes": (4, 6)})
MINIMISED = ("minimise", {"favour": (4,), "of": (5,)})
ENROLLED = 40


def spec(slots, design):
    scheme, options = design
    return api.Spec(
        study=people.STUDY, version=1, environment="test", scheme=scheme,
        ratio=tuple((arm, 1) for arm in ARMS), options=options, strata=STRATA,
        slots=slots // len(STRATA),
    )  # fmt: skip


def enrol(vault):
    """Put participants on the list, without kits."""
    for n in range(ENROLLED):
        by = By(people.ANNA, people.NOON, Origin.COMMAND, chance.system)
        asked = api.Request(
            people.STUDY, "PUMCH", f"PUMCH-{n:03d}", STRATA[n % len(STRATA)], "BL", 0,
            people.NOON.date(),
        )  # fmt: skip
        api.randomize(vault, by, asked)


def revealed(database, folder, slots, design=BLOCKS):
    """Return the bundle of an active list, and how long making the list took."""
    vault = api.Vault(database, seal.make_keys(folder / "vault.key", chance.system), "test")
    by = By(people.DORA, people.NOON, Origin.COMMAND, chance.system)
    took = ceremony_of(vault, spec(slots, design))
    if slots < SLOTS:
        enrol(vault)
    for person in (people.DORA, people.DIRK):
        signer = By(person, people.NOON, Origin.COMMAND, chance.system)
        bundle.sign(vault, signer, people.STUDY, 1, "bench")
    return json.loads(api.bundle(vault, by, people.STUDY, 1)), took


def ceremony_of(vault, made):
    """Lead a list through its whole ceremony; return how long making and sealing it took."""

    def by(person, hours):
        at = people.NOON + timedelta(hours=hours)
        return By(person, at, Origin.COMMAND, chance.system)

    place, stan, dora = (people.STUDY, 1), people.STAN, people.DORA
    plan = ceremony.Plan(ceremony.Source.DRAND, "round 1", by(stan, 2).at)
    ceremony.specify(vault, by(stan, 0), made)
    ceremony.seal_seed(vault, by(stan, 0), *place, plan)
    ceremony.announce(vault, by(stan, 1), *place, "bench")
    ceremony.beacon(vault, by(stan, 2), *place, "0f" * 32)
    began = perf_counter()
    ceremony.generate(vault, by(stan, 3), *place)
    took = perf_counter() - began
    ceremony.publish(vault, by(stan, 4), *place, "bench")
    found = ceremony.reproduce_with(ceremony.export(vault, by(stan, 4), *place), vault)
    ceremony.confirm(vault, by(dora, 5), *place, found.root, found.check, "bench")
    for person in (stan, dora):
        ceremony.activate(vault, by(person, 6), *place)
    return took


def main():
    for kind in measure.KINDS:
        with measure.fresh(kind, "vault") as (database, folder):
            made, took = revealed(database, folder, SLOTS)
        began = perf_counter()
        if api.verify_bundle(made).faults:
            raise SystemExit("an untouched bundle was found faulty")
        checked = perf_counter() - began
        print(f"{kind}: {SLOTS} slots made in {took:.1f} s, checked in {checked:.1f} s")
    for design in (BLOCKS, MINIMISED):
        tamper(design)


def tamper(design):
    """Spoil single values of a bundle, every one in its turn."""
    with measure.fresh("sqlite", "vault") as (database, folder):
        made, _ = revealed(database, folder, 200, design)
    if api.verify_bundle(made).faults:
        raise SystemExit("an untouched bundle was found faulty")
    draw, ways = Seeded(b"tampers"), list(places(made))
    for n in range(TAMPERS):
        way = ways[n % len(ways)]
        if not api.verify_bundle(spoil(made, way, draw)).faults:
            raise SystemExit(f"a tamper was not noticed: {way}")
    print(f"{design[0]}: {TAMPERS} single tampers, all noticed")


if __name__ == "__main__":
    main()
