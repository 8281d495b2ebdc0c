"""The front door of ceremonies: every step in its turn, the records, and the second machine."""

from pathlib import Path

from randomization import seal
from randomization.ceremony import reproducing
from randomization.ceremony.activating import activate
from randomization.ceremony.beacons import SOURCES, Plan, Source
from randomization.ceremony.importing import Weighed, import_list, weigh
from randomization.ceremony.listing import (
    RECORDS,
    Listed,
    announcement,
    key_text,
    listing,
    minutes,
    published,
    record_text,
    standing,
)
from randomization.ceremony.making import (
    abandon,
    announce,
    beacon,
    generate,
    plan_again,
    publish,
    seal_seed,
    specify,
)
from randomization.ceremony.reading import COLUMNS, NUMBER
from randomization.ceremony.records import Announcement, Line
from randomization.ceremony.records import minutes as lines
from randomization.ceremony.reproducing import Reproduced, confirm, export
from randomization.ceremony.steps import (
    MEANINGS,
    NEEDED,
    NEEDS,
    TITLES,
    Standing,
    Step,
    to_come,
    why_not,
)
from randomization.design import IMPORTED
from randomization.design import from_canonical as read_spec
from randomization.opened import Vault

__all__ = [
    "COLUMNS", "IMPORTED", "MEANINGS", "NEEDED", "NEEDS", "NUMBER", "RECORDS", "SOURCES",
    "TITLES", "Announcement", "Line", "Listed", "Plan", "Reproduced", "Source", "Standing",
    "Step", "Weighed", "abandon", "activate", "announce", "announcement", "beacon",
    "confirm", "export", "generate", "import_list", "key_text", "lines", "listing",
    "minutes", "plan_again", "publish", "published", "read_spec", "record_text",
    "reproduce", "reproduce_with",
    "seal_seed", "specify", "standing", "to_come", "weigh", "why_not",
]  # fmt: skip


def reproduce(sealed: str, key_file: Path, file: bytes | None = None) -> Reproduced:
    """Make a list again on a machine that has the vault's key, and needs nothing else."""
    return reproducing.reproduce(sealed, seal.load_keys(key_file), file)


def reproduce_with(sealed: str, vault: Vault) -> Reproduced:
    """Make a list again with the keys of an opened vault, as training copies do."""
    return reproducing.reproduce(sealed, vault.keys, None)
