"""Open a site for enrolment, or close it: its participants go on, nobody new comes in.

Only an open site enrols and randomizes (`visits.participants`, `forms.randomizing`). Freezing
and locking what a site has entered is another thing: `forms.locking`.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from ecrf.kernel.access import Actor, Right, Role
from ecrf.kernel.chain import Change
from ecrf.kernel.errors import Conflict, NotAllowed, NotFound
from ecrf.kernel.ledger import LEDGER, Act, By, study_chain
from ecrf.kernel.people import Site
from ecrf.kernel.text import T
from visits import refusals
from visits.tables import Participant

OPEN, CLOSE = "site:open", "site:close"


class Standing(NamedTuple):
    """A site with how many it has enrolled and randomized."""

    code: str
    name_en: str
    name_zh: str
    open: bool
    enrolled: int
    randomized: int


def listing(session: Session, actor: Actor, study: str) -> Sequence[Standing]:
    """Return the sites the person may open and close, in the order of codes. One statement."""
    held = actor.sites(Right.SITE_OPEN, study)
    theirs = [] if held is None else [Site.code.in_(sorted(held))]
    rows = session.execute(
        select(
            Site.code, Site.name_en, Site.name_zh, Site.open,
            func.count(Participant.id), func.count(Participant.randomized_on),
        )
        .outerjoin(
            Participant, (Participant.study == Site.study) & (Participant.site == Site.code)
        )
        .where(Site.study == study, *theirs)
        .group_by(Site.code, Site.name_en, Site.name_zh, Site.open)
        .order_by(Site.code)
    )  # fmt: skip
    return [Standing(*row) for row in rows]


def set_open(session: Session, by: By, study: str, code: str, reason: str, *, to: bool) -> None:
    """Open or close a site, and say why; refuse what it is already."""
    role = _role(by, study, code)
    why = refusals.require_reason(reason)
    changed = session.scalar(
        update(Site)
        .where(Site.study == study, Site.code == code, Site.open.is_(not to))
        .values(open=to)
        .returning(Site.id)
    )
    if changed is None:
        _refuse(session, study, code, to=to)
    act = Act(
        OPEN if to else CLOSE, role, study, code, key=f"site:{code}", reason=why,
        changes=[Change("open", not to, to)],
    )  # fmt: skip
    LEDGER.record(session, by, study_chain(study), act)


def _role(by: By, study: str, code: str) -> Role:
    role = by.actor.role_for(Right.SITE_OPEN, study, code)
    if role is None:
        raise NotAllowed(T("Your role does not include this."))
    return role


def _refuse(session: Session, study: str, code: str, *, to: bool) -> None:
    there = select(Site.id).where(Site.study == study, Site.code == code)
    if session.scalar(there) is None:
        raise NotFound(T("There is no site {site} in this study.", site=code))
    if to:
        raise Conflict(T("Site {site} is open already.", site=code))
    raise Conflict(T("Site {site} is closed already.", site=code))
