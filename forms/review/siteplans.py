"""What a site has of its own in place of the study's plan of verification, with the reason."""

from collections import defaultdict
from collections.abc import Mapping

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from ecrf.kernel.access import Right, Role
from ecrf.kernel.chain import Change
from ecrf.kernel.errors import Conflict, NotAllowed, NotFound
from ecrf.kernel.ledger import LEDGER, Act, By, study_chain
from ecrf.kernel.people import Site
from ecrf.kernel.text import T
from ecrf.study.model import Study
from ecrf.study.reviewing import Extents
from forms.review.plan import EVERY_FORM
from forms.review.tables import SitePlan
from forms.upsert import insert_for
from visits import refusals

KEPT = ("items", "otherwise", "sample", "first", "reason", "by", "at")
Plans = Mapping[str, Mapping[str, Extents]]


def set_(
    session: Session, by: By, study: Study, site: str, form: str, holds: Extents, reason: str
) -> None:
    """Let `holds` count at the site, for one form or (form empty) for all."""
    role = _require(session, by, study, site, form)
    why = refusals.require_reason(reason)
    head = LEDGER.head(session, study_chain(study.id))
    before = of_study(session, study.id).get(site, {}).get(form)
    if before == holds:
        raise Conflict(T("This is what counts there already."))
    statement = insert_for(session.get_bind().dialect.name, SitePlan)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["study", "site", "form"],
            set_={name: statement.excluded[name] for name in KEPT},
        ),
        {
            "study": study.id, "site": site, "form": form, **holds.model_dump(),
            "reason": why, "by": by.actor.id, "at": by.at,
        },
    )  # fmt: skip
    change = Change("plan", before and before.model_dump(), holds.model_dump())
    LEDGER.write(session, by, [(head, _act(role, study, site, form, why, change))])


def drop(session: Session, by: By, study: Study, site: str, form: str, reason: str) -> None:
    """Let the study's own plan count at the site again."""
    role = _require(session, by, study, site, form)
    why = refusals.require_reason(reason)
    head = LEDGER.head(session, study_chain(study.id))
    before = of_study(session, study.id).get(site, {}).get(form)
    if before is None:
        raise Conflict(T("The study's plan counts there already."))
    session.execute(
        delete(SitePlan).where(
            SitePlan.study == study.id, SitePlan.site == site, SitePlan.form == form
        )
    )
    change = Change("plan", before.model_dump(), None)
    LEDGER.write(session, by, [(head, _act(role, study, site, form, why, change))])


def of_study(session: Session, study_id: str) -> Plans:
    """Return what sites have of their own: by site, then by form."""
    found: defaultdict[str, dict[str, Extents]] = defaultdict(dict)
    for row in session.scalars(select(SitePlan).where(SitePlan.study == study_id)):
        found[row.site][row.form] = Extents.model_validate(
            {name: getattr(row, name) for name in Extents.model_fields}
        )
    return found


def listing(session: Session, study_id: str) -> list[SitePlan]:
    """Return the same with who decided it, when and why."""
    query = select(SitePlan).where(SitePlan.study == study_id)
    return list(session.scalars(query.order_by(SitePlan.site, SitePlan.form)))


def _require(session: Session, by: By, study: Study, site: str, form: str) -> Role:
    role = by.actor.role_for(Right.VERIFICATION_PLAN, study.id, site)
    if role is None:
        raise NotAllowed(T("Your role does not include this."))
    known = select(Site.code).where(Site.study == study.id, Site.code == site)
    if session.scalar(known) is None:
        raise NotFound(T("There is no such study or site."))
    if form not in (EVERY_FORM, *study.forms):
        raise NotFound(T("The study has no form {form}.", form=form))
    return role


def _act(role: Role, study: Study, site: str, form: str, why: str, change: Change) -> Act:
    return Act(
        "verification:plan", role, study.id, site, refs={"form": form} if form else {},
        reason=why, changes=[change],
    )  # fmt: skip
