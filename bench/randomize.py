"""Randomizing in the vault: lock, next slot, kit, signed receipt, one act, one commit.

    python -m bench.randomize

Eight strata of one list. The bare act changes one row that everyone changes: what stands in
order one after the other can be no faster. At the end every slot must have been given once and
in order.
"""

from collections import defaultdict
from datetime import date, timedelta
from functools import partial

from sqlalchemy import select

from bench import measure
from ecrf.kernel import chance
from ecrf.kernel.ledger import By, Origin
from randomization import api, seal
from randomization.tables import Allocation
from tests import people

STRATA = tuple(f"site={site}|bg={bg}" for site in ("PUMCH", "BFH", "XJ", "HX") for bg in "YN")
ARMS = ("A", "B")
NEEDED = measure.CALLS * (2 * measure.ROUNDS + 1) * len(measure.WRITERS)
SLOTS = NEEDED // len(STRATA) + 1
FAR = date(2028, 6, 30)


def begin(database, folder):
    """Return a vault with an active list and kits enough for everyone."""
    keys = seal.make_keys(folder / "vault.key", chance.system)
    vault = api.Vault(database, keys, "test")
    by = By(people.ALMA, people.START, Origin.COMMAND, chance.system)
    spec = api.Spec(
        study=people.STUDY, version=1, environment="test", scheme="permuted_block",
        ratio=tuple((arm, 1) for arm in ARMS), options={"sizes": (4, 6)}, strata=STRATA,
        slots=2 * SLOTS,
    )  # fmt: skip
    api.generate(vault, by, spec)
    api.publish(vault, by, spec.study, spec.version)
    api.activate(vault, by, spec.study, spec.version)
    packing = api.Packing(
        study=people.STUDY, site="PUMCH", batch="P-001", expiry=FAR,
        contents=dict.fromkeys(ARMS, NEEDED),
    )  # fmt: skip
    api.register_kits(vault, by, packing)
    return vault


def randomize(vault, n):
    by = By(people.ANNA, people.NOON + timedelta(seconds=n), Origin.PAGE, chance.system)
    request = api.Request(
        study=people.STUDY, site="PUMCH", participant=f"PUMCH-{n:05}",
        stratum=STRATA[n % len(STRATA)], visit="BL", kits=1, usable_until=FAR,
    )  # fmt: skip
    api.randomize(vault, by, request)


def judge(database):
    """End the run unless every stratum was filled from its beginning, without a gap."""
    places = defaultdict(list)
    with database.read() as session:
        for stratum, position in session.execute(
            select(Allocation.stratum, Allocation.position).order_by(Allocation.serial)
        ):
            places[stratum].append(position)
    for stratum, given in places.items():
        if given != list(range(1, len(given) + 1)):
            raise SystemExit(f"slots of {stratum} were not given in order: {given}")


def main():
    measure.heading()
    for kind in measure.KINDS:
        with measure.fresh(kind, "vault") as (database, folder):
            vault = begin(database, folder)
            measure.compare("randomize", kind, partial(randomize, vault), measure.hot(database))
            judge(database)


if __name__ == "__main__":
    main()
