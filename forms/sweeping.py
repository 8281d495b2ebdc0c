"""The sweeper: what the vault has given and this side has not stored, stored.

Between the vault's commit and ours lies a moment in which a process can die. Whoever asks again
hears the same answer; for what nobody asks again there is this. It only stores what the vault
has already given, puts nobody on a slot, and doing it twice changes nothing.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from ecrf.kernel.db import Database
from ecrf.kernel.ledger import By
from forms import randomizing
from visits import randomized
from visits.allocating import asking
from visits.randomized import DISPENSED, GONE, Drawn, Known, Late
from visits.tables import KitGiven, Participant

RANK = {"assigned": 0, DISPENSED: 1, GONE: 2}


class Answer(NamedTuple):
    """What the vault once answered, and the site it answered."""

    site: str
    drawn: Drawn


class Keeper(Protocol):
    """What the sweeper asks of the vault; no answer depends on an arm."""

    def randomized(self, study: str) -> Mapping[str, str]:
        """Return the participants on a slot, each with the site."""

    def answer(self, study: str, participant: str, zone: str) -> Answer | None:
        """Say again what was answered for a participant whose site is in `zone`."""

    def kits(self, study: str) -> Mapping[str, Sequence[Known]]:
        """Return the kits of every participant."""


class Swept(NamedTuple):
    """What a sweep did: codes stored, codes whose kits were brought up to date; and what it
    cannot mend: codes the vault knows and this side does not, and the other way round.
    """

    stored: tuple[str, ...] = ()
    followed: tuple[str, ...] = ()
    strangers: tuple[str, ...] = ()
    unanswered: tuple[str, ...] = ()

    @property
    def sound(self) -> bool:
        return not self.strangers and not self.unanswered


class Here(NamedTuple):
    """A participant as this side has them."""

    site: str
    random_number: str | None
    kits: Mapping[str, str]


def sweep(database: Database, by: By, keeper: Keeper, study_id: str) -> Swept:
    """Bring this side to what the vault has given. Statements go with what is amiss."""
    there = keeper.randomized(study_id)
    with database.read() as session:
        here = _here(session, study_id)
    strangers = tuple(c for c in there if c not in here or here[c].site != there[c])
    waiting = [
        code for code in there if code not in strangers and here[code].random_number is None
    ]
    stored = tuple(code for code in waiting if _store(database, by, keeper, study_id, code))
    followed = _follow_kits(database, by, keeper, study_id)
    known = [code for code, one in here.items() if one.random_number is not None]
    unanswered = tuple(code for code in known if code not in there)
    return Swept(stored, followed, strangers, unanswered)


def _store(database: Database, by: By, keeper: Keeper, study_id: str, code: str) -> bool:
    """Store one answer, with the chain locked; False when somebody was faster."""
    with database.write() as session:
        at = randomizing.find(session, by, study_id, code, lock=True, right=None)
        answer = keeper.answer(study_id, code, at.who.zone)
        if at.who.random_number is not None or answer is None:
            return False
        late = Late(_cause(session, at.who.id))
        randomized.store(
            session, by, at.study, at.who, at.head, at.visit_id, answer.drawn, late
        )
    return True


def _cause(session: Session, participant_id: int) -> str:
    """Say why the answer is stored by a job, for the ledger."""
    asked = asking.last(session, participant_id)
    if asked is None:
        return "The vault had an answer that nobody at this side had asked for."
    return f"The answer to what {asked.by_name} asked at {asked.at.isoformat()} came late."


def _follow_kits(database: Database, by: By, keeper: Keeper, study_id: str) -> tuple[str, ...]:
    there = keeper.kits(study_id)
    with database.read() as session:
        here = _here(session, study_id)
    behind = [
        code
        for code, known in there.items()
        if code in here and here[code].random_number is not None
        and any(_behind(here[code].kits, kit) for kit in known)
    ]  # fmt: skip
    for code in behind:
        with database.write() as session:
            at = randomizing.find(session, by, study_id, code, lock=True, right=None)
            randomized.follow(session, by, at.who, there[code])
    return tuple(behind)


def _behind(held: Mapping[str, str], kit: Known) -> bool:
    status = GONE if kit.gone else DISPENSED if kit.dispensed else "assigned"
    return kit.number not in held or RANK[held[kit.number]] < RANK[status]


def _here(session: Session, study_id: str) -> dict[str, Here]:
    """Return the participants of a study with their kits. One statement."""
    rows = session.execute(
        select(
            Participant.code, Participant.site, Participant.random_number, KitGiven.number,
            KitGiven.status,
        )
        .outerjoin(KitGiven, KitGiven.participant_id == Participant.id)
        .where(Participant.study == study_id)
        .order_by(Participant.id, KitGiven.id)
    )  # fmt: skip
    found: dict[str, Here] = {}
    for row in rows:
        one = found.setdefault(row.code, Here(row.site, row.random_number, {}))
        if row.number is not None:
            found[row.code] = one._replace(kits={**one.kits, row.number: row.status})
    return found
