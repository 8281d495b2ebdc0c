"""The vault's side of a demonstration: the list, the shelves, randomizing and dispensing."""

from dataclasses import dataclass
from datetime import timedelta

from ecrf.cli.demonstration.stage import Stage
from randomization import api

KIT_LIFE = timedelta(days=3 * 365)


@dataclass(frozen=True, slots=True)
class Dispensary:
    """What the unblinded side does in a demonstration."""

    stage: Stage
    vault: api.Vault
