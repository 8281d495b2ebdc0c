"""The front door of the vault: what the rest of the program may use, and nothing else.

An arm leaves only inside a `Disclosure`: from `for_preparation` to an unblinded pharmacist of
the participant's site, from `for_dose` to who prepares one dose, and from `code_break` in an
emergency, each written down beforehand.
"""

from pathlib import Path

from ecrf.kernel.chance import Draw
from ecrf.kernel.config import Config
from ecrf.kernel.db import Database
from randomization import schema, seal
from randomization.allocate import randomize
from randomization.answering import Vault
from randomization.asking import KitNumber, Request, Visit
from randomization.bundle import SIGNERS, bundle
from randomization.bundle import sign as sign_unblinding
from randomization.design import Spec
from randomization.escrow import HOLDERS, NEEDED, Share, recover, restore, split
from randomization.given import Given, given
from randomization.given import kits as given_kits
from randomization.given import randomized as given_to
from randomization.kits import assign as assign_kits
from randomization.kits import dispense
from randomization.lists import activate, generate, publish, published
from randomization.numbers import tidy
from randomization.packing import Packing
from randomization.packing import register as register_kits
from randomization.publications import Publication
from randomization.receipts import Receipt
from randomization.receipts import check as check_receipt
from randomization.reveal import (
    REASONS,
    Disclosure,
    PreparedKit,
    Why,
    code_break,
    for_dose,
    for_preparation,
)
from randomization.schemes import SCHEMES, SIMULATED, Options
from randomization.shown import GONE, kit_numbers
from randomization.simulate import Characteristics, Figure, Trial, simulate
from randomization.supply import STATES
from randomization.tables import LEDGER
from randomization.verify import Verification, verify
from randomization.verify_bundle import load as load_bundle
from randomization.verify_bundle import verify as verify_bundle

__all__ = [
    "GONE", "HOLDERS", "LEDGER", "NEEDED", "REASONS", "SCHEMES", "SIGNERS", "SIMULATED",
    "STATES", "Characteristics", "Disclosure", "Figure", "Given", "KitNumber", "Options",
    "Packing", "PreparedKit", "Publication", "Receipt", "Request", "Share", "Spec", "Trial",
    "Vault", "Verification", "Visit", "Why", "activate", "assign_kits", "bundle",
    "check_receipt", "code_break", "create_tables", "dispense", "for_dose", "for_preparation",
    "generate", "given", "given_kits", "given_to", "kit_numbers", "load_bundle",
    "make_key_file", "open_vault", "publish", "published", "randomize", "recover",
    "register_kits", "restore", "sign_unblinding", "simulate", "split", "tidy", "verify",
    "verify_bundle",
]  # fmt: skip

create_tables = schema.create


def open_vault(config: Config, database: Database) -> Vault:
    """Return the vault of the settings; refuse when its key file is missing."""
    return Vault(database, seal.load_keys(config.vault_key_file), config.environment)


def make_key_file(path: Path, draw: Draw) -> None:
    """Make the vault's key file, unless it is there."""
    seal.make_keys(path, draw)
