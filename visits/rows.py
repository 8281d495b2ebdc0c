"""Participants and visits as stored: plain rows, and the columns each is read from."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from ecrf.kernel.people import Site
from ecrf.study.tables import StudyRow
from visits.tables import Participant, Visit
from visits.windows import Span

LADDER = ("open", "frozen", "locked")


def strongest(*states: str) -> str:
    """Return the one of these lock states that forbids most."""
    return max(states, key=LADDER.index)


@dataclass(frozen=True, slots=True)
class ParticipantRow:
    """A participant as stored, with the zone of the site and every lock that covers them."""

    id: int
    study: str
    site: str
    code: str
    number: int
    status: str
    state: str
    protocol: str
    enrolled_at: datetime
    randomized_on: date | None
    random_number: str | None
    unblinded_at: datetime | None
    zone: str
    site_state: str
    study_state: str

    @property
    def lock(self) -> str:
        """The strongest of the locks on participant, site and study."""
        return strongest(self.state, self.site_state, self.study_state)


@dataclass(frozen=True, slots=True)
class VisitRow:
    """A visit as stored."""

    id: int
    participant_id: int
    plan: str
    key: str
    kind: str
    position: int
    status: str
    state: str
    first: date | None
    target: date | None
    last: date | None
    due: date | None
    held_on: date | None
    missed_reason: str | None
    asked: str = ""
    spared: str = ""
    open_until: datetime | None = None

    def unlocked(self, at: datetime) -> bool:
        """Say whether the visit is unlocked at that moment, whatever is locked above it."""
        return self.open_until is not None and at < self.open_until

    @property
    def span(self) -> Span | None:
        """The placed window, if its anchor is known."""
        if self.first is None or self.target is None or self.last is None:
            return None
        return Span(self.first, self.target, self.last)


class DeviationRow(NamedTuple):
    """A standing departure from the protocol, said in both languages."""

    visit: str | None
    category: str
    severity: str
    text_en: str
    text_zh: str
    raised_at: datetime
    form: str | None = None
    number: int | None = None

    def in_(self, locale: str) -> str:
        return self.text_zh if locale == "zh" else self.text_en


class KitRow(NamedTuple):
    """A kit number given to a visit."""

    visit: str
    number: str
    status: str


PARTICIPANT = (
    Participant.id, Participant.study, Participant.site, Participant.code, Participant.number,
    Participant.status, Participant.state, Participant.protocol, Participant.enrolled_at,
    Participant.randomized_on, Participant.random_number, Participant.unblinded_at, Site.zone,
    Site.state, StudyRow.state,
)  # fmt: skip
VISIT = (
    Visit.id, Visit.participant_id, Visit.plan, Visit.key, Visit.kind, Visit.position,
    Visit.status, Visit.state, Visit.first, Visit.target, Visit.last, Visit.due, Visit.held_on,
    Visit.missed_reason, Visit.asked, Visit.spared, Visit.open_until,
)  # fmt: skip


def read_participant(row: Iterable[Any]) -> ParticipantRow:
    """Return what a selection of `PARTICIPANT` gave."""
    return ParticipantRow(*row)


def read_visit(row: Iterable[Any]) -> VisitRow:
    """Return what a selection of `VISIT` gave."""
    return VisitRow(*row)
