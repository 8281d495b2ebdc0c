"""What double entry waits for: forms entered once, and forms whose two entries differ."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session

from ecrf.kernel.access import Actor, Right
from ecrf.kernel.people import Person
from forms.double.tables import Copy
from forms.tables import Entry
from visits.tables import Participant, Visit


class Waiting(NamedTuple):
    """A form with copies and without its entry. `complete` counts the copies handed in."""

    participant: str
    visit: str
    form: str
    number: int
    people: tuple[tuple[int, str], ...]
    complete: int

    @property
    def compares(self) -> bool:
        """Say whether both are there, so that somebody has to settle them."""
        return self.complete == 2

    def begun_by(self, person_id: int) -> bool:
        return any(person_id == known for known, _ in self.people)


def listing(session: Session, actor: Actor, study_id: str) -> list[Waiting]:
    """Return what waits at the sites the actor reads. One statement."""
    sites = actor.sites(Right.ENTRY_READ, study_id)
    mine = Participant.study == study_id
    if sites is not None:
        mine = mine & Participant.site.in_(sorted(sites))
    return list(of(session, mine))


def of(session: Session, *conditions: ColumnElement[bool]) -> Iterator[Waiting]:
    """Yield what waits among the participants and visits that meet the conditions."""
    rows = session.execute(
        select(
            Participant.code, Visit.key, Copy.form, Copy.number, Copy.status, Person.id,
            Person.name,
        )
        .join(Participant, Participant.id == Copy.participant_id)
        .join(Visit, Visit.id == Copy.visit_id)
        .join(Person, Person.id == Copy.person_id)
        .outerjoin(
            Entry,
            and_(
                Entry.visit_id == Copy.visit_id,
                Entry.form == Copy.form,
                Entry.number == Copy.number,
            ),
        )
        .where(*conditions, Entry.id.is_(None))
        .order_by(
            Participant.code, Visit.position, Visit.key, Copy.form, Copy.number, Copy.seat
        )
    ).all()  # fmt: skip
    for place, held in groupby(rows, key=lambda row: tuple(row[:4])):
        yield _waiting(place, list(held))


def _waiting(place: tuple[str, str, str, int], held: Iterable[tuple[object, ...]]) -> Waiting:
    found = list(held)
    people = tuple((int(str(row[5])), str(row[6])) for row in found)
    return Waiting(*place, people, sum(row[4] == "complete" for row in found))
