"""A list that goes through its ceremony: Stan makes it, Dora makes it again, both activate."""

import json
from datetime import timedelta

from ecrf.kernel.chance import Seeded
from ecrf.kernel.ledger import By, Origin
from randomization.ceremony import api, reproducing
from tests.people import DORA, NOON, STAN, STUDY
from tests.randomization.conftest import spec

HOUR = timedelta(hours=1)
ROUND = "3f" * 32
PLAN = api.Plan(api.Source.DRAND, "quicknet, round 17842000", NOON + 2 * HOUR)


def stan(at=NOON):
    return By(STAN, at, Origin.PAGE, Seeded(b"stan" + at.isoformat().encode()))


def dora(at=NOON + 4 * HOUR):
    return By(DORA, at, Origin.PAGE, Seeded(b"dora" + at.isoformat().encode()))


def announced(vault, **other):
    """Bring a list to where the first publication is filed."""
    made = spec(**other)
    api.specify(vault, stan(), made)
    api.seal_seed(vault, stan(), STUDY, made.version, PLAN)
    return api.announce(vault, stan(NOON + HOUR), STUDY, made.version, "Registry, annex 3")


def generated(vault, **other):
    number = other.get("version", 1)
    announced(vault, **other)
    api.beacon(vault, stan(NOON + 2 * HOUR), STUDY, number, ROUND)
    return api.generate(vault, stan(NOON + 3 * HOUR), STUDY, number)


def again(vault, number=1, file=None):
    """Return what the second machine finds."""
    sealed = api.export(vault, stan(NOON + 3 * HOUR), STUDY, number)
    return reproducing.reproduce(sealed, vault.keys, file)


def ready(vault, number=1, file=None):
    """Publish a list that was made, and have Dora make it again."""
    api.publish(vault, stan(NOON + 4 * HOUR), STUDY, number, "Ethics committee")
    found = again(vault, number, file)
    return api.confirm(vault, dora(), STUDY, number, found.root, found.check, "Laptop 2")


def activated(vault, number=1):
    for by in (stan(NOON + 5 * HOUR), dora(NOON + 5 * HOUR)):
        found = api.activate(vault, by, STUDY, number)
    return found


def whole(vault, **other):
    generated(vault, **other)
    ready(vault, other.get("version", 1))
    return activated(vault, other.get("version", 1))


def actions(vault):
    """Return the actions on the vault's chain, in order."""
    from randomization.api import LEDGER

    with vault.database.read() as session:
        acts = list(LEDGER.acts(session, chain_name=f"vault:{STUDY}"))
    return [json.loads(act[3])["action"] for act in acts]
