"""What is to be verified of an entry, and how far that is. Pure.

Whether a participant is in the sample follows from their lot: a number that was drawn when the
participant was enrolled (the first link of their ledger chain), so that it is the same for ever
and no site can know it beforehand.
"""

import hashlib
from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import NamedTuple

from ecrf.study import critical
from ecrf.study.model import Form, ItemType, Study
from ecrf.study.reviewing import Extent, Extents, Verification
from forms.review.verified import CHANGED

EVERY_FORM = ""


class Stand(StrEnum):
    """How far the verification of an entry is."""

    NOTHING = "nothing to verify"
    OPEN = "to verify"
    PARTLY = "partly verified"
    CHANGED = "changed since verified"
    VERIFIED = "verified"


class Tally(NamedTuple):
    """The items of an entry that are to be verified, and those that are so."""

    due: frozenset[str] = frozenset()
    done: frozenset[str] = frozenset()
    changed: frozenset[str] = frozenset()

    @property
    def remaining(self) -> frozenset[str]:
        return self.due - self.done

    @property
    def stand(self) -> Stand:
        if self.changed:
            return Stand.CHANGED
        if not self.due:
            return Stand.NOTHING
        if not self.remaining:
            return Stand.VERIFIED
        return Stand.PARTLY if self.done else Stand.OPEN


class Drawn(NamedTuple):
    """What the sample depends on: the participant's number at the site, and their lot."""

    number: int
    lot: int


def lot(link: str) -> int:
    """Return a number from 0 to 99 for the first link of a participant's chain."""
    return int(hashlib.sha256(f"verification:{link}".encode()).hexdigest()[:12], 16) % 100


def extents(plan: Verification, own: Mapping[str, Extents], form: str, visit: str) -> Extents:
    """Return what holds for a form at a visit; what the site has of its own comes first."""
    return own.get(form) or own.get(EVERY_FORM) or plan.extents(form, visit)


def wanted(study: Study, form: Form, holds: Extents, drawn: Drawn) -> frozenset[str]:
    """Return the items of the form that are verified for this participant."""
    return keys(study, form, extent(holds, drawn))


def extent(holds: Extents, drawn: Drawn) -> Extent:
    """Return how much of a form is verified for this participant."""
    sampled = drawn.number <= holds.first or drawn.lot < holds.sample
    return holds.items if sampled else holds.otherwise


def keys(study: Study, form: Form, extent: Extent) -> frozenset[str]:
    """Return the items of the form of which so much is verified."""
    if extent == "none":
        return frozenset()
    known = verifiable(form)
    return known if extent == "all" else known & critical.keys(study, form)


def verifiable(form: Form) -> frozenset[str]:
    """Return the items that have a source: those that somebody enters."""
    return frozenset(
        key
        for key, cell in form.cells.items()
        if cell.question.derive is None and cell.question.type is not ItemType.NOTE
    )


def tally(
    wanted: Collection[str], answered: Collection[str], verified: Mapping[str, int] | None
) -> Tally:
    """Count: what is wanted and answered is due, and whatever was changed since verified."""
    known = verified or {}
    changed = frozenset(key for key, at in known.items() if at == CHANGED)
    due = frozenset(wanted).intersection(answered) | changed
    return Tally(due, frozenset(key for key in due if known.get(key, CHANGED)), changed)
