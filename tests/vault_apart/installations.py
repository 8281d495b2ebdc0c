"""An installation of the shipped trial whose vault is apart, with somebody to randomize."""

import shutil
from datetime import date
from pathlib import Path

from sqlalchemy import make_url

from ecrf.kernel import keys
from ecrf.kernel.chance import Seeded
from ecrf.kernel.ledger import By, Origin
from ecrf.study import shipped, strata
from randomization import api, seal
from tests.people import ALMA, NOON, STUDY

FAR = date(2099, 1, 1)
"""Kits that are usable whenever the tests are run: real processes have the real time."""


def make_key(path):
    """Make a key file; it is the same wherever it lies."""
    return seal.make_keys(path, Seeded(b"apart"))


def fill(database, key_file):
    """Make a vault with the trial's list and kits at PUMCH, under the keys of `make_key`."""
    api.create_tables(database)
    vault = api.Vault(database, make_key(key_file), "test")
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

    def __init__(self, folder: Path, main_url=None, vault_url=None):
        self.shared, self.own = folder / "shared", folder / "own"
        self.shared.mkdir(parents=True)
        self.own.mkdir()
        self.main_url = main_url or f"sqlite:///{self.shared / 'ecrf.db'}"
        self.vault_url = vault_url or f"sqlite:///{self.own / 'vault.db'}"
        self.key_file, self.secret = self.own / "vault.key", self.shared / "secret.key"
        self.socket = self.shared / "vault.sock"
        make_key(self.key_file)
        keys.make(self.secret, lambda: b"s" * 32)

    def files_from(self, main_url, vault_url):
        """Copy both databases, which are files, to their places."""
        for there, here in ((main_url, self.main_url), (vault_url, self.vault_url)):
            shutil.copyfile(make_url(there).database, make_url(here).database)

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
