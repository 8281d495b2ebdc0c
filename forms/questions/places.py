"""What a query can be about: an item, a whole form, the date of a visit, a participant.

A form's place is found by `forms.lookup`, also while nobody has begun the form. This page finds
the places above forms and says how a place is written in a query's row.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Select, and_, literal, select
from sqlalchemy.orm import Session

from ecrf.kernel.access import Actor, Right
from ecrf.kernel.chain import Head
from ecrf.kernel.errors import NotFound, Problem, Unacceptable
from ecrf.kernel.ledger import LEDGER
from ecrf.kernel.people import Site
from ecrf.kernel.text import Message, T
from ecrf.study.tables import StudyRow
from forms import ladder, lookup
from forms.ladder import Place, Rung
from forms.lookup import Found
from forms.tables import Entry
from visits.tables import Participant, Visit

VISIT_DATE = "visit_date"
"""The item of a query about when a visit was held."""


class About(StrEnum):
    """The kinds of places."""

    ITEM = "item"
    FORM = "form"
    VISIT = "visit"
    PARTICIPANT = "participant"


NAMES: Mapping[About, Message] = {
    About.FORM: T("the whole form"),
    About.VISIT: T("the date of the visit"),
    About.PARTICIPANT: T("the participant"),
}
"""What a place without an item is called."""


def about(visit: bool, form: str, item: str) -> About:
    """Return what the parts of a query's place mean together."""
    if form:
        return About.ITEM if item else About.FORM
    return About.VISIT if visit else About.PARTICIPANT


@dataclass(frozen=True, slots=True)
class Spot:
    """A place to ask about. `head` is set when it was looked up to be written."""

    participant: Participant
    site: Site
    study_state: str
    visit: Visit | None
    entry: Entry | None
    form: str
    number: int
    head: Head | None

    @property
    def place(self) -> Place:
        return place(self.study_state, self.site, self.participant, self.visit, self.entry)

    @property
    def key(self) -> str:
        """The key of the visit, "" above the visits."""
        return self.visit.key if self.visit else ""


def of_form(found: Found, item: str) -> Spot:
    """Return the place of an item of a form, or with "" of the whole form."""
    if item and item not in found.form.cells:
        wrong = T("{form} has no item {item}.", form=found.form.title, item=item)
        raise Unacceptable(wrong, [Problem("item", wrong)])
    return Spot(
        found.participant, found.site, found.study_state, found.visit, found.entry,
        found.form.id, found.number, found.head,
    )  # fmt: skip


def above_forms(
    session: Session,
    actor: Actor,
    study_id: str,
    code: str,
    visit_key: str,
    right: Right,
    lock: bool = False,
) -> Spot:
    """Return a visit of a participant, or with "" the participant; else raise NotFound."""
    row = session.execute(_above(study_id, code, visit_key, lock)).one_or_none()
    if row is None or not actor.may(right, study_id, row.Participant.site):
        raise NotFound(T("There is no such participant or visit."))
    if visit_key and row.Visit is None:
        raise NotFound(T("There is no such participant or visit."))
    lookup.detach(session, row)
    head = Head(row.name, row.size, row.link, row.last_at) if lock else None
    return Spot(row.Participant, row.Site, row.study_state, row.Visit, None, "", 0, head)


def _above(study_id: str, code: str, visit_key: str, lock: bool) -> Select[Any]:
    chain = LEDGER.chain.c
    name = literal("participant:") + Participant.study + "/" + Participant.code
    query = (
        select(
            Participant, Site, Visit, StudyRow.state.label("study_state"),
            chain.name, chain.size, chain.link, chain.last_at,
        )
        .join(StudyRow, StudyRow.id == Participant.study)
        .join(Site, and_(Site.study == Participant.study, Site.code == Participant.site))
        .join(LEDGER.chain, chain.name == name)
        .outerjoin(Visit, and_(Visit.participant_id == Participant.id, Visit.key == visit_key))
        .where(Participant.study == study_id, Participant.code == code)
    )  # fmt: skip
    return query.with_for_update(of=LEDGER.chain) if lock else query


def place(
    study_state: str,
    site: Site,
    participant: Participant,
    visit: Visit | None,
    entry: Entry | None,
) -> Place:
    """Return the place on the lock ladder, with no rungs below what the query is about."""
    rungs = [
        Rung("study", study_state),
        Rung("site", site.state),
        Rung("participant", participant.state),
    ]
    rungs += [Rung("visit", visit.state, visit.open_until)] if visit else []
    rungs += [Rung("entry", entry.state, entry.open_until)] if entry else []
    return Place(
        participant.study, participant.site, participant.id, visit.id if visit else 0,
        entry.id if entry else None, tuple(rungs),
    )  # fmt: skip


def require_unlocked(session: Session, spot: Place, at: datetime) -> None:
    """Raise Conflict when queries no longer flow here: something at or above it is locked."""
    ladder.require(session, spot, ladder.UNLOCKED, at)
