"""What an entry that ends the participation does to the rows, and how it is undone.

The callers hold the participant's chain and put the changes into an act of their own.
"""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Protocol

from sqlalchemy import and_, case, select, update
from sqlalchemy.orm import Session

from ecrf.kernel.chain import Change
from ecrf.study.model import Study, VisitKind
from visits.participants import ENDED, RANDOMIZED, SCREEN_FAILED, SCREENING
from visits.tables import Participant, Visit

RUNNING = (SCREENING, RANDOMIZED)


class Person(Protocol):
    """A participant as far as leaving and coming back need to know one."""

    @property
    def id(self) -> int: ...
    @property
    def randomized_on(self) -> date | None: ...


def leave(session: Session, who: Person, study: Study, *, entirely: bool) -> list[Change]:
    """End the participation; unless `entirely`, the calls that follow the end stay due."""
    ended = ENDED if who.randomized_on else SCREEN_FAILED
    running = RANDOMIZED if who.randomized_on else SCREENING
    if not _turn(session, who, running, ended):
        return []
    kept = [] if entirely else _after_the_end(study)
    session.execute(
        update(Visit)
        .where(
            Visit.participant_id == who.id, Visit.due.is_not(None), Visit.plan.not_in(kept)
        )
        .values(due=None)
        .execution_options(synchronize_session=False)
    )  # fmt: skip
    return [Change("status", running, ended)]


def come_back(session: Session, who: Person, study: Study) -> list[Change]:
    """Undo `leave`: what is still planned is due again."""
    ended = ENDED if who.randomized_on else SCREEN_FAILED
    running = RANDOMIZED if who.randomized_on else SCREENING
    if not _turn(session, who, ended, running):
        return []
    expected = [
        plan.id for plan in study.visits if plan.kind is VisitKind.PLANNED and not plan.optional
    ]
    session.execute(
        update(Visit)
        .where(Visit.participant_id == who.id, Visit.plan.in_(expected))
        .values(due=case((Visit.status == "planned", Visit.last)))
        .execution_options(synchronize_session=False)
    )
    return [Change("status", ended, running)]


def unplace(session: Session, who: Person, study: Study, anchor: str) -> Sequence[Change]:
    """Take the windows counted from `anchor` away: its date is no longer known."""
    plans = [plan.id for plan in study.visits if plan.anchor == anchor]
    placed = and_(
        Visit.participant_id == who.id, Visit.plan.in_(plans), Visit.first.is_not(None)
    )
    rows = session.execute(
        select(Visit.key, Visit.first, Visit.target, Visit.last).where(placed)
    ).all()
    if rows:
        session.execute(
            update(Visit)
            .where(placed)
            .values(first=None, target=None, last=None, due=None)
            .execution_options(synchronize_session=False)
        )
    return [
        Change(f"{row.key}.window", f"{row.first}/{row.target}/{row.last}", None)
        for row in rows
    ]


def _turn(session: Session, who: Person, old: str, new: str) -> bool:
    turned = session.execute(
        update(Participant)
        .where(Participant.id == who.id, Participant.status == old)
        .values(status=new)
        .returning(Participant.id)
        .execution_options(synchronize_session=False)
    ).all()
    return bool(turned)


def _after_the_end(study: Study) -> Collection[str]:
    return [plan.id for plan in study.visits if plan.anchor != "randomization"]
