"""Enrol participants, and write down when one fails the screening or leaves the trial."""

from dataclasses import replace

from sqlalchemy import and_, insert, select, update
from sqlalchemy.orm import Session

from ecrf.kernel import chain
from ecrf.kernel.access import Right, Role
from ecrf.kernel.chain import Change
from ecrf.kernel.errors import Conflict, NotFound, Stale
from ecrf.kernel.ledger import LEDGER, Act, By, participant_chain, study_chain
from ecrf.kernel.people import Site
from ecrf.kernel.text import T
from ecrf.study import at_sites, versions
from ecrf.study.model import Study
from ecrf.study.tables import SiteVersion, StudyRow
from visits import refusals, schedule
from visits.rows import ParticipantRow
from visits.tables import Participant, Visit
from visits.windows import civil_date

SCREENING = "screening"
SCREEN_FAILED = "screen failed"
RANDOMIZED = "randomized"
ENDED = "ended"


def enrol(
    session: Session, by: By, study: Study, fingerprint: str, site_code: str
) -> ParticipantRow:
    """Make the next participant of a site, with their visits and their own ledger chain.

    Eight statements. The study's row is held until the end, so that no lock of the study can
    slip in between.
    """
    role = by.actor.role_for(Right.PARTICIPANT_ENROL, study.id, site_code)
    if role is None:
        raise NotFound(T("Site {site} is not one of your sites.", site=site_code))
    _require_in_force(session, by, study.id, site_code, fingerprint)
    number, zone = _next_number(session, study.id, site_code)
    row = ParticipantRow(
        id=0, study=study.id, site=site_code, code=f"{site_code}-{number:03d}", number=number,
        status=SCREENING, state="open", protocol=fingerprint, enrolled_at=by.at,
        randomized_on=None, random_number=None, unblinded_at=None, zone=zone,
        site_state="open", study_state="open",
    )  # fmt: skip
    made = replace(row, id=_insert(session, by, row))
    _insert_visits(session, study, made)
    _announce(session, by, role, made)
    return made


def definition(session: Session, by: By, study_id: str, site_code: str) -> tuple[Study, str]:
    """Return the version that is in force at a site today, and its fingerprint."""
    _, fingerprint = _today(session, by, study_id, site_code, hold=False)
    return versions.model(session, fingerprint), fingerprint


def screen_fail(session: Session, by: By, who: ParticipantRow, reason: str) -> None:
    """Write down that the participant will not be randomized, and why."""
    if who.status != SCREENING:
        raise Conflict(T("{code} is no longer in screening, so cannot fail it.", code=who.code))
    _leave(session, by, who, "participant:screen-fail", SCREEN_FAILED, reason)


def end(session: Session, by: By, who: ParticipantRow, reason: str) -> None:
    """Write down that a randomized participant has left the trial, completed or not."""
    if who.status != RANDOMIZED:
        raise Conflict(T("{code} is not randomized, so cannot end the trial.", code=who.code))
    _leave(session, by, who, "participant:end", ENDED, reason)


def _leave(
    session: Session, by: By, who: ParticipantRow, action: str, status: str, reason: str
) -> None:
    refusals.require_open(who.lock, who.code)
    why = refusals.require_reason(reason)
    head = LEDGER.head(session, participant_chain(who.study, who.code))
    left = session.execute(
        update(Participant)
        .where(
            Participant.id == who.id,
            Participant.status == who.status,
            Participant.state == "open",
        )
        .values(status=status)
        .returning(Participant.id)
    ).all()
    if not left:
        raise refusals.changed_meanwhile(who.code)
    session.execute(
        update(Visit)
        .where(Visit.participant_id == who.id, Visit.due.is_not(None))
        .values(due=None)
    )
    act = Act(
        action, by.actor.role_for(Right.ENTRY_WRITE, who.study, who.site), who.study, who.site,
        key=f"participant:{who.id}", refs={"participant": who.code}, reason=why,
        changes=[Change("status", who.status, status)],
    )  # fmt: skip
    LEDGER.write(session, by, [(head, act)])


def _require_in_force(
    session: Session, by: By, study_id: str, site: str, fingerprint: str
) -> None:
    """Refuse a version that is not in force at the site today; hold the study's row."""
    state, today = _today(session, by, study_id, site, hold=True)
    refusals.require_open(state, study_id)
    if today != fingerprint:
        raise Stale(T("A new version of the study came into force. Open the page again."))


def _today(
    session: Session, by: By, study_id: str, site: str, *, hold: bool
) -> tuple[str, str]:
    """Return the study's state and the version in force at a site today. One statement."""
    query = (
        select(
            StudyRow.state, StudyRow.fingerprint, Site.zone, SiteVersion.effective_on,
            SiteVersion.fingerprint.label("dated"),
        )
        .outerjoin(Site, and_(Site.study == StudyRow.id, Site.code == site))
        .outerjoin(
            SiteVersion, and_(SiteVersion.study == StudyRow.id, SiteVersion.site == site)
        )
        .where(StudyRow.id == study_id)
        .order_by(SiteVersion.effective_on, SiteVersion.id)
    )  # fmt: skip
    held = query.with_for_update(read=True, of=StudyRow) if hold else query
    rows = session.execute(held).all()
    if not rows:
        raise NotFound(T("There is no study {study} here.", study=study_id))
    dated = ((row.effective_on, row.dated) for row in rows)
    day = civil_date(by.at, rows[0].zone or "UTC")
    return rows[0].state, at_sites.chosen(rows[0].fingerprint, dated, day)


def _next_number(session: Session, study_id: str, site_code: str) -> tuple[int, str]:
    """Return the number after the last one given at the site, and the site's zone."""
    found = session.execute(
        update(Site)
        .where(Site.study == study_id, Site.code == site_code)
        .values(enrolled=Site.enrolled + 1)
        .returning(Site.enrolled, Site.zone, Site.open, Site.state)
    ).one_or_none()
    if found is None:
        raise NotFound(T("Site {site} is not one of your sites.", site=site_code))
    refusals.require_open(found.state, site_code)
    if not found.open:
        raise Conflict(
            T("Site {site} is not open: nobody can be enrolled there now.", site=site_code)
        )
    return found.enrolled, found.zone


def _insert(session: Session, by: By, row: ParticipantRow) -> int:
    key: int | None = session.scalar(
        insert(Participant)
        .values(
            study=row.study, site=row.site, code=row.code, number=row.number,
            status=row.status, state=row.state, protocol=row.protocol,
            enrolled_at=row.enrolled_at, enrolled_by=by.actor.id,
        )
        .returning(Participant.id)
    )  # fmt: skip
    assert key is not None  # noqa: S101 (RETURNING gives the new key)
    return key


def _insert_visits(session: Session, study: Study, who: ParticipantRow) -> None:
    """Insert the scheduled visits in one statement; the screening is due from today on."""
    screening = schedule.screening_plan(study)
    today = civil_date(who.enrolled_at, who.zone)
    session.execute(
        insert(Visit).execution_options(render_nulls=True),
        [
            {
                "participant_id": who.id, "study": who.study, "plan": place.plan.id,
                "key": place.key, "kind": place.plan.kind.value, "position": place.position,
                "status": "planned", "state": "open",
                "due": today if place.plan is screening else None,
            }
            for place in schedule.scheduled(study)
        ],
    )  # fmt: skip


def _announce(session: Session, by: By, role: Role, who: ParticipantRow) -> None:
    """Start the participant's chain, and say on the study's chain that it exists."""
    name = participant_chain(who.study, who.code)
    refs = {"participant": who.code, "chain": name}
    first = Act(
        "participant:enrol", role, who.study, who.site, key=f"participant:{who.id}", refs=refs,
        changes=[
            Change("code", None, who.code),
            Change("status", None, who.status),
            Change("protocol", None, who.protocol),
        ],
    )  # fmt: skip
    told = Act("participant:announce", role, who.study, who.site, refs=refs)
    head = LEDGER.head(session, study_chain(who.study))
    LEDGER.write(session, by, [(chain.start(name), first), (head, told)])
