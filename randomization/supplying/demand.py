"""How many sets a site gets next. Pure and blind: it reckons with visits, not with arms.

Nobody knows on which arm those are whose visits come next, so as many sets are reckoned with as
would do if all were on the arm with the smallest share. The shelf counts in complete sets.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Mode(StrEnum):
    """When a site gets more."""

    NONE = "none"
    LEVELS = "levels"
    PREDICTIVE = "predictive"


@dataclass(frozen=True, slots=True)
class Rule:
    """Levels, or buffers of the prediction, in sets; what a site without anything gets."""

    mode: Mode
    seed: int
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Need:
    """Kits a site's visits may need until a new shipment can come, and until the one after."""

    site: str
    soon: int
    later: int


@dataclass(frozen=True, slots=True)
class Shelf:
    """Complete sets that lie there, sets that are coming, whether anything ever came."""

    sets: int
    coming: int
    begun: bool


def complete(held: Mapping[str, int], ratio: Mapping[str, int]) -> int:
    """Return how many whole sets there are; of the scarcest kind they are made of."""
    return min(held.get(kind, 0) // each for kind, each in ratio.items())


def sets_for(kits: int, ratio: Mapping[str, int]) -> int:
    """Return how many sets hold so many kits of each kind, whichever kind is needed."""
    least = min(ratio.values())
    return -(-kits // least)


def wanted(rule: Rule, shelf: Shelf, soon: int, later: int) -> int:
    """Return the sets to be ordered; `soon` and `later` are needs in sets."""
    have = shelf.sets + shelf.coming
    if rule.mode is Mode.NONE:
        return 0
    if not shelf.begun and not have and rule.seed:
        return rule.seed
    if rule.mode is Mode.LEVELS:
        soon = later = 0
    return max(0, later + rule.high - have) if have <= soon + rule.low else 0
