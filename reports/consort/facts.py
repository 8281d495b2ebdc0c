"""What the texts of CONSORT 2025 items 17a to 20b rest on. Pure data.

What comes from the vault is put in by whoever may ask it; nothing here knows the vault.
"""

from collections.abc import Mapping
from typing import NamedTuple


class Person(NamedTuple):
    """Somebody by the number and name of their account."""

    id: int
    name: str


class Did(NamedTuple):
    """What a person did how often."""

    person: Person
    times: int


class Drawn(NamedTuple):
    """A list as it may be known. `restriction` None: kept from the reader."""

    version: int
    state: str
    scheme: str
    ratio: tuple[tuple[str, int], ...]
    strata: int
    root: str
    seed_commitment: str
    spec_hash: str
    software: str
    generated: str
    published: str
    activated: str
    allocated: int
    restriction: Mapping[str, tuple[int, ...]] | None = None


class Handled(NamedTuple):
    """An act on a list."""

    at: str
    person: Person
    action: str
    list_version: int


class Looked(NamedTuple):
    """A read on the vault's ledger; `broke` says that it was the break of one code."""

    at: str
    person: Person
    action: str
    broke: bool
    participant: str


class Decided(NamedTuple):
    """An enrolment or a randomization on the ledger of the blinded side."""

    at: str
    person: Person
    participant: str


class Ledgers(NamedTuple):
    """What the proof rests on: the root over the blinded side's heads, the vault's head."""

    chains: int
    acts: int
    root: str
    vault_acts: int
    vault_link: str


class Flow(NamedTuple):
    """How many were enrolled, screened out and randomized; `arms` only after unblinding."""

    enrolled: int
    excluded: int
    screening: int
    randomized: int
    arms: tuple[tuple[str, int, int, int], ...] = ()


class Facts(NamedTuple):
    """Everything the texts are written from. `granted` are the holders of each role ever."""

    at: str
    lists: tuple[Drawn, ...]
    handled: tuple[Handled, ...]
    reads: tuple[Looked, ...]
    enrolled: tuple[Decided, ...]
    randomized: tuple[Decided, ...]
    granted: Mapping[str, tuple[Person, ...]]
    ledgers: Ledgers
    kits: int
    flow: Flow
