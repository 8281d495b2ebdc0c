"""What the page of an entry shows of verification, review and signatures."""

from collections.abc import Mapping
from dataclasses import dataclass

from flask import g

from ecrf.kernel import reauthentication
from ecrf.kernel.access import Right
from ecrf.kernel.reauthentication import Means
from ecrf.study import versions
from forms import signing
from forms.lookup import Found
from forms.review import listing, marks, plan, siteplans
from forms.review import since as later
from forms.review.marks import RIGHT, Kind, Mark
from forms.review.plan import Tally
from forms.review.since import Since
from forms.tables import Entry

LOOKS_AFTER = (Right.DATA_VERIFY, Right.REVIEW_DATA, Right.REVIEW_MEDICAL)


@dataclass(frozen=True, slots=True)
class Reviewed:
    """Everything about looking after one entry; `since` is set when its signature is broken."""

    tally: Tally
    known: Mapping[str, int]
    marks: tuple[Mark, ...]
    kinds: tuple[Kind, ...]
    verifies: bool
    looks_after: bool
    complete: bool
    since: Since | None
    means: Means

    def state(self, key: str) -> str:
        """Return the word for one item, "" when there is nothing to say about it."""
        if key in self.tally.changed:
            return "changed since verified"
        if self.known.get(key):
            return "verified"
        return "to verify" if self.verifies and key in self.tally.due else ""


def around(found: Found) -> Reviewed:
    """Gather it; nothing is asked of the database for whoever only enters data."""
    entry = found.entry
    may = _may(found)
    looks_after = entry is not None and any(right in may for right in LOOKS_AFTER)
    signs = entry is not None and Right.ENTRY_SIGN in may and found.form.signed is not None
    return Reviewed(
        tally=_tally(found, entry, looks_after=looks_after),
        known=(entry.verified if entry else None) or {},
        marks=tuple(marks.of_entry(g.session, entry)) if entry and looks_after else (),
        kinds=tuple(kind for kind, right in RIGHT.items() if right in may),
        verifies=looks_after and Right.DATA_VERIFY in may,
        looks_after=looks_after,
        complete=found.status == "complete",
        since=later.since(g.session, entry) if entry and signing.broken(entry) else None,
        means=_means(found) if signs and g.present else Means(),
    )


def _means(found: Found) -> Means:
    return reauthentication.means(g.session, g.present, pin=found.study.signing.pin)


def _may(found: Found) -> frozenset[Right]:
    who = found.participant
    wanted = (*LOOKS_AFTER, Right.ENTRY_SIGN)
    return frozenset(right for right in wanted if g.actor.may(right, who.study, who.site))


def _tally(found: Found, entry: Entry | None, *, looks_after: bool) -> Tally:
    if entry is None or not looks_after:
        return plan.tally((), (), entry.verified if entry else None)
    who = found.participant
    study, _ = versions.in_force(g.session, who.study)
    own = siteplans.of_study(g.session, who.study).get(who.site, {})
    holds = plan.extents(study.verification, own, entry.form, found.visit.plan)
    drawn = listing.drawn(g.session, who.study, who.code, who.number)
    wanted = plan.wanted(study, found.form, holds, drawn)
    answered = entry.answers if entry.status == "complete" else ()
    return plan.tally(wanted, answered, entry.verified)
