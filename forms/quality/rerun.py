"""Run every check of the study again, as a job: a participant a step, each in its own
transaction. What is computed is computed anew, queries open and close; doing it twice changes
nothing the second time.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from ecrf.kernel import jobs
from ecrf.kernel.access import Right, Role
from ecrf.kernel.chance import Draw
from ecrf.kernel.errors import NotAllowed
from ecrf.kernel.jobs import Step, Taken, Work
from ecrf.kernel.ledger import LEDGER, Act, By, participant_chain, study_chain
from ecrf.kernel.text import T
from forms.following import settling, storing
from forms.quality import everyone

KIND = "checks"
COUNTED = ("participants", "recomputed", "opened", "closed", "locked")


def ask(session: Session, by: By, study: str) -> int:
    """Ask for all checks to be run again at the sites the person cleans; return the job."""
    role = by.actor.role_for(Right.QUALITY_MANAGE, study)
    if role is None:
        raise NotAllowed(T("Your role does not include this."))
    held = by.actor.sites(Right.QUALITY_MANAGE, study)
    arguments = {"sites": None if held is None else sorted(held), "role": role}
    job = jobs.ask(session, study, KIND, arguments, by.actor.id, by.at)
    act = Act("quality:rerun", role, study, key=f"job:{job}", refs={"job": job})
    LEDGER.record(session, by, study_chain(study), act)
    return job


def work(draw: Draw) -> Work:
    """Return the work of one step."""

    def step(session: Session, taken: Taken, at: datetime) -> Step:
        return _step(session, jobs.by_asker(session, taken, at, draw), taken)

    return step


def _step(session: Session, by: By, taken: Taken) -> Step:
    sites = taken.arguments["sites"]
    total = everyone.count(session, taken.study, sites)
    known = {name: int(taken.result.get(name, 0)) for name in COUNTED}
    upcoming = everyone.following(session, taken.study, taken.cursor, sites)
    if upcoming is None:
        return Step(None, known, total)
    chain = participant_chain(taken.study, upcoming.who.code)
    head = LEDGER.head(session, chain)
    # What was read before the lock may be older than it.
    whole = everyone.following(session, taken.study, taken.cursor, sites) or upcoming
    if whole.locked:
        return Step(whole.who.id, _added(known, {"participants": 1, "locked": 1}), total)
    done = storing.carry_out(
        session, by, Role(taken.arguments["role"]), whole.who, lambda: head, whole.entries,
        settling.settle(whole.entries, None), {"job": taken.id},
    )  # fmt: skip
    return Step(whole.who.id, _added(known, {"participants": 1, **done._asdict()}), total)


def _added(known: Mapping[str, int], more: Mapping[str, Any]) -> dict[str, int]:
    return {name: known[name] + int(more.get(name, 0)) for name in COUNTED}
