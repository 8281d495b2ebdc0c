"""Move a site's open entries to a later version, as a job: a participant a step.

Each step is one transaction under the lock of the participant's chain, so that no save comes in
between; who saves afterwards with an older version of the form is told so. Doing it twice
changes nothing the second time. What is frozen or locked stays under the version it has.
"""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ecrf.kernel import jobs
from ecrf.kernel.access import Right, Role
from ecrf.kernel.chain import Change, Head
from ecrf.kernel.chance import Draw
from ecrf.kernel.errors import Conflict, NotAllowed
from ecrf.kernel.jobs import Step, Taken, Work
from ecrf.kernel.ledger import LEDGER, Act, By, participant_chain, study_chain
from ecrf.kernel.people import Site
from ecrf.kernel.text import T
from ecrf.study import at_sites, versions
from forms.amending import replacing, trying
from forms.amending.weighing import Target
from forms.following import storing
from forms.quality import everyone
from forms.quality.everyone import Whole
from visits.tables import Participant
from visits.windows import civil_date

KIND = "amendment"
COUNTED = (
    "participants", "moved", "recomputed", "kept", "opened", "closed", "signatures", "held",
)  # fmt: skip


def ask(session: Session, by: By, study_id: str, site: str, fingerprint: str) -> int:
    """Ask for a site's entries to be moved to the version in force there; return the job."""
    role = by.actor.role_for(Right.STUDY_APPROVE, study_id)
    if role is None:
        raise NotAllowed(T("Your role does not include this."))
    zone = session.scalar(select(Site.zone).where(Site.study == study_id, Site.code == site))
    today = civil_date(by.at, zone or "UTC")
    if at_sites.at(session, study_id, site, today) != fingerprint:
        raise Conflict(T("This version is not in force at {site} today.", site=site))
    arguments = {"site": site, "fingerprint": fingerprint, "role": role}
    job = jobs.ask(session, study_id, KIND, arguments, by.actor.id, by.at)
    refs = {"job": job, "site": site, "fingerprint": fingerprint}
    act = Act("study:upgrade", role, study_id, site, key=f"job:{job}", refs=refs)
    LEDGER.record(session, by, study_chain(study_id), act)
    return job


def work(draw: Draw) -> Work:
    """Return the work of one step."""

    def step(session: Session, taken: Taken, at: datetime) -> Step:
        return _step(session, jobs.by_asker(session, taken, at, draw), taken)

    return step


def _step(session: Session, by: By, taken: Taken) -> Step:
    study, sites = taken.study, {str(taken.arguments["site"])}
    total = everyone.count(session, study, sites)
    known = {name: int(taken.result.get(name, 0)) for name in COUNTED}
    upcoming = everyone.following(session, study, taken.cursor, sites)
    if upcoming is None:
        return Step(None, known, total)
    head = LEDGER.head(session, participant_chain(study, upcoming.who.code))
    # What was read before the lock may be older than it.
    whole = everyone.following(session, study, taken.cursor, sites) or upcoming
    done = {"held": 1} if whole.held != "open" else _move(session, by, taken, whole, head)
    added = {name: known[name] + done.get(name, 0) for name in COUNTED}
    return Step(whole.who.id, {**added, "participants": added["participants"] + 1}, total)


def _move(
    session: Session, by: By, taken: Taken, whole: Whole, head: Head
) -> Mapping[str, int]:
    fingerprint, role = str(taken.arguments["fingerprint"]), Role(taken.arguments["role"])
    target = Target(versions.model(session, fingerprint), fingerprint)
    cause: Mapping[str, object] = {"job": taken.id, "amendment": fingerprint}
    head = _participant(session, by, role, whole.who, target, head, cause)
    weighed = trying.weighed(session, whole, target)
    done = storing.carry_out(
        session, by, role, whole.who, lambda: head, weighed.entries, weighed.outcomes, cause
    )
    moved = sum(verdict.moved for verdict in weighed.verdicts)
    return {
        "moved": moved, "recomputed": done.recomputed - moved,
        "kept": sum(verdict.kept is not None for verdict in weighed.verdicts),
        "opened": done.opened, "closed": done.closed,
        "signatures": sum(verdict.breaks for verdict in weighed.verdicts),
    }  # fmt: skip


def _participant(
    session: Session,
    by: By,
    role: Role,
    who: Participant,
    target: Target,
    head: Head,
    cause: Mapping[str, object],
) -> Head:
    """Put the participant and their planned visits under the version; return the new head."""
    if who.protocol == target.fingerprint:
        return head
    old = versions.model(session, who.protocol)
    changes = replacing.carry_out(session, who, old, target.study)
    session.execute(
        update(Participant)
        .where(Participant.id == who.id)
        .values(protocol=target.fingerprint)
        .execution_options(synchronize_session=False)
    )
    act = Act(
        "participant:upgrade", role, who.study, who.site, key=f"participant:{who.id}",
        refs={"participant": who.code, "cause": dict(cause)},
        changes=[Change("protocol", who.protocol, target.fingerprint), *changes],
    )  # fmt: skip
    return LEDGER.write(session, by, [(head, act)])[head.chain]
