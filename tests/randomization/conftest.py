"""A vault with an active list of two strata and kits of both arms on the shelf."""

from datetime import date

import pytest

from ecrf.kernel.chance import Seeded
from ecrf.kernel.db import Database
from ecrf.kernel.ledger import By, Origin
from randomization import api, seal
from tests.databases import Prepared
from tests.people import ALMA, ANNA, NOON, PAUL, STUDY

STRATA = ("site=PUMCH|bg=Y", "site=PUMCH|bg=N", "site=BFH|bg=Y")
ARMS = ("ZZCANARY1", "ZZCANARY2")
FAR = date(2028, 6, 30)


def spec(**other):
    given = {
        "study": STUDY, "version": 1, "environment": "test", "scheme": "permuted_block",
        "ratio": tuple((arm, 1) for arm in ARMS), "options": {"sizes": (4, 6)},
        "strata": STRATA, "slots": 40,
    }  # fmt: skip
    return api.Spec(**{**given, **other})


def request_(code, stratum=STRATA[0], **other):
    given = {
        "study": STUDY, "site": "PUMCH", "participant": code, "stratum": stratum,
        "visit": "BL", "kits": 1, "usable_until": date(2026, 4, 30),
    }  # fmt: skip
    return api.Request(**{**given, **other})


def visit(code, key="W4", **other):
    given = {"study": STUDY, "site": "PUMCH", "participant": code, "visit": key}
    return api.Visit(**{**given, **other})


def packing(count=60, **other):
    given = {
        "study": STUDY, "site": "PUMCH", "batch": "P-001", "expiry": FAR,
        "contents": dict.fromkeys(ARMS, count),
    }  # fmt: skip
    return api.Packing(**{**given, **other})


def who(actor, seed=b"vault", at=NOON):
    return By(actor, at, Origin.PAGE, Seeded(seed + actor.name.encode()))


def activate(vault, **other):
    made = spec(**other)
    by = By(ALMA, NOON, Origin.COMMAND, Seeded(b"ceremony"))
    api.generate(vault, by, made)
    api.publish(vault, by, made.study, made.version)
    return api.activate(vault, by, made.study, made.version)


@pytest.fixture
def keys(tmp_path):
    return keys_in(tmp_path)


def keys_in(folder):
    """Return the same keys whatever the folder."""
    return seal.make_keys(folder / "vault.key", Seeded(b"vault keys"))


@pytest.fixture
def empty(vault_database, keys):
    """A vault without a list."""
    return api.Vault(vault_database, keys, "test")


@pytest.fixture(scope="session")
def stocked_databases(tmp_path_factory, postgres_server):
    """Vaults with an active list and 60 kits of each arm at PUMCH, made once and copied."""
    folder = tmp_path_factory.mktemp("stocked")

    def make(database):
        api.create_tables(database)
        made = api.Vault(database, keys_in(folder), "test")
        activate(made)
        api.register_kits(made, who(ALMA), packing())

    return Prepared(folder / "vault.db", postgres_server, make)


@pytest.fixture
def vault(kind, stocked_databases, keys, tmp_path):
    """A vault with an active list, and 60 kits of each arm at PUMCH."""
    url = stocked_databases.copy(kind, tmp_path)
    database = Database(url, lasting=False)
    yield api.Vault(database, keys, "test")
    database.dispose()
    stocked_databases.discard(kind, url)


@pytest.fixture
def anna():
    return who(ANNA)


@pytest.fixture
def paul():
    return who(PAUL)
