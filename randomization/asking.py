"""What the blinded side may ask of the vault, in plain words that hold no arm.

Four questions and no more. This module and `wire` are all of the vault that the blinded process
ever loads; who answers, in the same process or in another, is not its business.
"""

import hashlib
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple, Protocol

from ecrf.kernel.chain import canonical
from ecrf.kernel.errors import Unavailable
from ecrf.kernel.ledger import By
from ecrf.kernel.text import T
from randomization.receipts import Receipt

__all__ = [
    "REFERENCE_BYTES", "Answers", "Checked", "KitNumber", "Receipt", "Request", "Visit",
    "unavailable",
]  # fmt: skip
REFERENCE_BYTES = 4


@dataclass(frozen=True, slots=True)
class Request:
    """What the blinded side asks: a participant, the stratum, kits for the first visit.

    `kits` may be 0. A kit must be usable until `usable_until`, that day included. `most_…` are
    how many may be randomized in the study, at the site, in the stratum; None: any number.
    """

    study: str
    site: str
    participant: str
    stratum: str
    visit: str
    kits: int
    usable_until: date
    most_study: int | None = None
    most_site: int | None = None
    most_stratum: int | None = None

    @property
    def capped(self) -> bool:
        return (self.most_study, self.most_site, self.most_stratum) != (None, None, None)

    def asked(self) -> str:
        """Return the hash of what may not differ when it is asked again."""
        parts = [self.study, self.site, self.participant, self.stratum]
        return hashlib.sha256(canonical(parts).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Visit:
    """The visit of a participant that kits are for."""

    study: str
    site: str
    participant: str
    visit: str


class KitNumber(NamedTuple):
    """A kit number, the visit it is for, whether it was handed out, and whether it is gone."""

    number: str
    visit: str
    dispensed: bool
    gone: bool


class Checked(NamedTuple):
    """How much of a study's vault was checked, and how many flaws there are; not which."""

    slots: int
    allocations: int
    flaws: int


class Answers(Protocol):
    """Who answers the four questions: an opened vault, or a line to one in its own process.

    Each may be asked again after a failure: what was done is said again, not done twice. Every
    cause of failure gives the one message of `unavailable`.
    """

    def randomize(self, by: By, asked: Request) -> Receipt:
        """Put the participant on the next slot, or say again what was said."""

    def assign_kits(
        self, by: By, visit: Visit, count: int, usable_until: date
    ) -> tuple[str, ...]:
        """Take kits for a visit; return their numbers."""

    def release_kits(self, by: By, visit: Visit) -> tuple[KitNumber, ...]:
        """Return the numbers of the kits assigned to a visit; nothing is changed."""

    def verify(self, by: By, study: str) -> Checked:
        """Make every list of the study again from its seed, and follow every receipt."""


def unavailable(reference: str) -> Unavailable:
    """Return the one refusal, whatever the cause: no kit, no slot, no database, no vault."""
    return Unavailable(
        T(
            "This is not possible at the moment; nothing was changed. Tell the study's support "
            "the reference {reference}.",
            reference=reference,
        )
    )
