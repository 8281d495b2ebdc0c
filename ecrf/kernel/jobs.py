"""Long work done apart from a request, in small steps that survive a crash.

A job is asked for in the transaction of who asks. A worker takes the oldest one that nobody
holds, keeps its lease alive, and does one step per transaction: the step's rows, its acts and
the new cursor are committed together, so that whoever takes the job over goes on exactly there.
A step that fails is tried again, at most `TRIES` times.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import JSON, Index, String, and_, func, insert, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from ecrf.kernel.access import Actor
from ecrf.kernel.chance import Draw
from ecrf.kernel.db import Base, Code, Database, Key
from ecrf.kernel.errors import Refused
from ecrf.kernel.ledger import By, Origin
from ecrf.kernel.people import Person

LEASE = timedelta(seconds=60)
TRIES = 3
WAITING, RUNNING, DONE, FAILED = "waiting", "running", "done", "failed"


class Job(Base):
    """One piece of long work. `cursor` is how far it has come; `progress` of `total` steps.

    `state`: waiting, running, done, failed. `holder` keeps it until `leased_until`.
    """

    __tablename__ = "job"
    __table_args__ = (
        Index("ix_job_state", "state", "id"),
        Index("ix_job_study", "study", "id"),
    )

    id: Mapped[Key]
    kind: Mapped[Code]
    study: Mapped[Code]
    arguments: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(String(12), default=WAITING)
    cursor: Mapped[int] = mapped_column(default=0)
    progress: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    result: Mapped[dict[str, Any]] = mapped_column(JSON)
    tries: Mapped[int] = mapped_column(default=0)
    asked_by: Mapped[int]
    asked_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    holder: Mapped[Code | None]
    leased_until: Mapped[datetime | None]


@dataclass(frozen=True, slots=True)
class Taken:
    """A job as its holder sees it."""

    id: int
    kind: str
    study: str
    arguments: Mapping[str, Any]
    cursor: int
    progress: int
    result: Mapping[str, Any]
    asked_by: int


@dataclass(frozen=True, slots=True)
class Step:
    """What one step did: the new cursor, None at the end, and the result so far."""

    cursor: int | None
    result: Mapping[str, Any]
    total: int


Work = Callable[[Session, Taken, datetime], Step]


def by_asker(session: Session, taken: Taken, at: datetime, draw: Draw) -> By:
    """Return the one in whose name a job acts: who asked for it, with no grant of their own.

    What they may do was decided when they asked, and stands in the job's arguments.
    """
    name = session.scalar(select(Person.name).where(Person.id == taken.asked_by))
    return By(Actor(taken.asked_by, name or "–", frozenset()), at, Origin.JOB, draw)


def ask(
    session: Session, study: str, kind: str, arguments: Mapping[str, Any], by: int, at: datetime
) -> int:
    """Ask for a job and return its id; one that waits for the same already is the answer."""
    waiting = session.scalars(
        select(Job).where(Job.study == study, Job.kind == kind, Job.state == WAITING)
    )
    for job in waiting:
        if job.arguments == arguments:
            return job.id
    made = session.execute(
        insert(Job)
        .values(
            kind=kind, study=study, arguments=dict(arguments), result={}, asked_by=by,
            asked_at=at,
        )
        .returning(Job.id)
    )  # fmt: skip
    return made.scalar_one()


def take(session: Session, kinds: frozenset[str], holder: str, at: datetime) -> Taken | None:
    """Take the oldest job that waits, or whose holder has let the lease run out."""
    free = or_(Job.state == WAITING, and_(Job.state == RUNNING, Job.leased_until < at))
    job = session.scalars(
        select(Job)
        .where(Job.kind.in_(sorted(kinds)), free)
        .order_by(Job.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).one_or_none()
    if job is None:
        return None
    left = job.tries + (job.state == RUNNING)
    values: dict[str, object] = {
        "state": RUNNING, "holder": holder, "leased_until": at + LEASE, "tries": left,
        "started_at": job.started_at or at,
    }  # fmt: skip
    if left >= TRIES:
        values = {"state": FAILED, "holder": None, "leased_until": None, "finished_at": at}
    session.execute(update(Job).where(Job.id == job.id).values(values))
    return None if left >= TRIES else _taken(job)


def advance(session: Session, taken: Taken, holder: str, at: datetime, work: Work) -> bool:
    """Do one step in this transaction; return whether the job goes on.

    The lease is renewed first and on condition that it is still ours: who has lost it changes
    nothing.
    """
    renewed = session.scalars(
        update(Job)
        .where(Job.id == taken.id, Job.holder == holder, Job.state == RUNNING)
        .values(leased_until=at + LEASE)
        .returning(Job)
    ).one_or_none()
    if renewed is None:
        return False
    step = work(session, _taken(renewed), at)
    values: dict[str, object] = {"result": dict(step.result), "total": step.total, "tries": 0}
    if step.cursor is None:
        values |= {"state": DONE, "finished_at": at, "holder": None, "leased_until": None}
    else:
        values |= {"cursor": step.cursor, "progress": Job.progress + 1}
    session.execute(update(Job).where(Job.id == taken.id).values(values))
    return step.cursor is not None


def run(
    database: Database, works: Mapping[str, Work], holder: str, clock: Callable[[], datetime]
) -> bool:
    """Take one job and do it to its end; return whether there was one.

    A refusal ends the job with its words. Anything else leaves it for another try.
    """
    with database.write() as session:
        taken = take(session, frozenset(works), holder, clock())
    if taken is None:
        return False
    try:
        going = True
        while going:
            with database.write() as session:
                going = advance(session, taken, holder, clock(), works[taken.kind])
    except Refused as refusal:
        with database.write() as session:
            _fail(session, taken, clock(), str(refusal))
    return True


def _fail(session: Session, taken: Taken, at: datetime, why: str) -> None:
    session.execute(
        update(Job)
        .where(Job.id == taken.id)
        .values(
            state=FAILED, finished_at=at, holder=None, leased_until=None,
            result={**taken.result, "refused": why},
        )
    )  # fmt: skip


def listing(session: Session, study: str, kind: str, limit: int = 10) -> list[Job]:
    """Return the latest jobs of a kind, the newest first."""
    return list(
        session.scalars(
            select(Job)
            .where(Job.study == study, Job.kind == kind)
            .order_by(Job.id.desc())
            .limit(limit)
        )
    )


def waiting(session: Session) -> int:
    """Return how many jobs wait or run."""
    states = (WAITING, RUNNING)
    return session.scalar(select(func.count()).where(Job.state.in_(states))) or 0


def _taken(job: Job) -> Taken:
    return Taken(
        job.id, job.kind, job.study, job.arguments, job.cursor, job.progress, job.result,
        job.asked_by,
    )  # fmt: skip
