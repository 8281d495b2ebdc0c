"""An installation of the shipped trial whose vault is apart, with somebody to randomize."""

import shutil
from datetime import date
from pathlib import Path

from sqlalchemy import make_url

from ecrf.kernel import keys
from ecrf.kernel.chance import Seeded
from ecrf.kernel.db import Database
from ecrf.kernel.ledger import By, Origin
from ecrf.study import shipped, strata
from randomization import api, seal
from tests.people import ALMA, NOON, STUDY

FAR = date(2099, 1, 1)
"""Kits that are usable whenever the tests are run: real processes have the real time."""


def fill(database, key_file):
    """Make a vault with the trial's list, and kits at PUMCH, under the keys of the file."""
    api.create_tables(database)
    vault = api.Vault(database, seal.make_keys(key_file, Seeded(b"apart")), "test")
    by = By(ALMA, NOON, Origin.COMMAND, Seeded(b"ceremony"))
    study = shipped.load(STUDY)
    ratio = study.randomization.ratio
    spec = api.Spec(
        study=STUDY, version=1, environment="test", ratio=tuple(ratio.items()), slots=20,
        strata=strata.names(study), scheme="permuted_block", options={"sizes": (4, 6)},
    )  # fmt: skip
    api.generate(vault, by, spec)
    api.publish(vault, by, STUDY, 1)
    api.activate(vault, by, STUDY, 1)
    contents = dict.fromkeys(ratio, 30)
    api.register_kits(vault, by, api.Packing(STUDY, "PUMCH", "P-001", FAR, contents))


class Place:
    """Where an installation keeps what: `shared` by both processes, `own` of the vault."""

    def __init__(self, folder: Path, main_url, vault_url=None):
        self.shared, self.own = folder / "shared", folder / "own"
        self.shared.mkdir(parents=True)
        self.own.mkdir()
        self.main_url = main_url or f"sqlite:///{self.shared / 'ecrf.db'}"
        self.vault_url = vault_url or f"sqlite:///{self.own / 'vault.db'}"
        self.key_file, self.secret = self.own / "vault.key", self.shared / "secret.key"
        self.socket = self.shared / "vault.sock"
        database = Database(self.vault_url)
        fill(database, self.key_file)
        database.dispose()
        keys.make(self.secret, lambda: b"s" * 32)

    def main_from(self, url):
        """Copy a main database, a file, to its place."""
        shutil.copyfile(make_url(url).database, make_url(self.main_url).database)

    @property
    def common(self):
        return {
            "ECRF_DATA_DIR": self.shared, "ECRF_DATABASE_URL": self.main_url,
            "ECRF_SECRET_FILE": self.secret, "ECRF_VAULT_ADDRESS": f"unix://{self.socket}",
        }  # fmt: skip

    @property
    def vaults(self):
        return self.common | {
            "ECRF_VAULT_KEY_FILE": self.key_file, "ECRF_VAULT_DATABASE_URL": self.vault_url,
        }  # fmt: skip
