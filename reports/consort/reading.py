"""Read from the blinded side who enrolled and randomized, who held which role, and the flow."""

import json
from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ecrf.kernel import checkpoints, notes
from ecrf.kernel.chain import stamp
from ecrf.kernel.ledger import LEDGER
from ecrf.kernel.people import GrantRow, Person
from reports.consort import facts
from reports.consort.facts import Decided, Flow
from visits.tables import Participant

ENROL, RANDOMIZE = "participant:enrol", "participant:randomize"


class Blinded(NamedTuple):
    """What the blinded side's own records say."""

    enrolled: tuple[Decided, ...]
    randomized: tuple[Decided, ...]
    granted: Mapping[str, tuple[facts.Person, ...]]
    chains: int
    acts: int
    root: str
    flow: Flow


def read(session: Session, study: str) -> Blinded:
    heads = checkpoints.heads(session)
    return Blinded(
        _decided(session, study, ENROL), _decided(session, study, RANDOMIZE),
        _granted(session, study), len(heads), sum(size for size, _ in heads.values()),
        notes.root(heads).hex(), _flow(session, study),
    )  # fmt: skip


def _decided(session: Session, study: str, action: str) -> tuple[Decided, ...]:
    """Return the acts of one kind, by the chains of the study's participants."""
    c = LEDGER.act.c
    rows = session.execute(
        select(c.at, c.header)
        .where(c.action == action, c.chain.like(f"participant:{study}/%"))
        .order_by(c.at, c.chain, c.seq)
    )
    found = []
    for row in rows:
        header = json.loads(row.header)
        person = facts.Person(header["actor"], header["name"])
        found.append(Decided(stamp(row.at), person, header["refs"]["participant"]))
    return tuple(found)


def _granted(session: Session, study: str) -> Mapping[str, tuple[facts.Person, ...]]:
    """Return who ever held each role; ended grants count."""
    rows = session.execute(
        select(GrantRow.role, Person.id, Person.name)
        .join(Person, Person.id == GrantRow.person_id)
        .where(GrantRow.study == study)
        .distinct()
        .order_by(GrantRow.role, Person.id)
    )
    found: dict[str, list[facts.Person]] = {}
    for row in rows:
        found.setdefault(row.role, []).append(facts.Person(row.id, row.name))
    return {role: tuple(people) for role, people in found.items()}


def _flow(session: Session, study: str) -> Flow:
    rows = session.execute(
        select(Participant.status, func.count())
        .where(Participant.study == study, Participant.randomized_on.is_(None))
        .group_by(Participant.status)
    )
    counted: dict[str, int] = {row.status: row[1] for row in rows}
    randomized = session.scalar(
        select(func.count(Participant.id)).where(
            Participant.study == study, Participant.randomized_on.is_not(None)
        )
    )
    excluded = counted.get("screen failed", 0)
    waiting = sum(counted.values()) - excluded
    return Flow(sum(counted.values()) + (randomized or 0), excluded, waiting, randomized or 0)
