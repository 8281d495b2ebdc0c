"""Participants with all their entries, one after the other, at flat memory."""

from collections.abc import Collection, Iterator
from typing import NamedTuple

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from ecrf.kernel.people import Site
from ecrf.study.model import Study
from ecrf.study.tables import StudyRow
from forms.context import Context
from forms.following import standing
from forms.following.standing import Standing
from forms.laboratory import loading
from forms.laboratory.ranges import Ranges
from forms.laboratory.tables import RangeEdition
from visits.rows import strongest
from visits.tables import Participant
from visits.windows import civil_date

Sites = Collection[str] | None
"""None is every site."""


class Whole(NamedTuple):
    """A participant; `locked` says that nothing of theirs can change any more.

    `held` is the strongest of the locks on the participant and above.
    """

    who: Participant
    entries: tuple[Standing, ...]
    locked: bool
    held: str = "open"


def count(session: Session, study: str, sites: Sites) -> int:
    wanted = select(func.count()).select_from(Participant).where(*_those(study, sites))
    return session.scalar(wanted) or 0


def following(session: Session, study: str, after: int, sites: Sites) -> Whole | None:
    """Return the participant after the id `after`, or None after the last."""
    row = session.execute(
        select(Participant, Site.zone, Site.state, StudyRow.state.label("study_state"))
        .join(Site, (Site.study == Participant.study) & (Site.code == Participant.site))
        .join(StudyRow, StudyRow.id == Participant.study)
        .where(Participant.id > after, *_those(study, sites))
        .order_by(Participant.id)
        .limit(1)
    ).one_or_none()
    if row is None:
        return None
    who = row.Participant
    session.expunge(who)
    edition = session.scalar(
        select(RangeEdition.print)
        .where(RangeEdition.study == study)
        .order_by(RangeEdition.id.desc())
        .limit(1)
    )

    def ranges(model: Study, form: str) -> Ranges:
        return loading.ranges(session, model, form, edition)

    base = Context(
        randomized_on=who.randomized_on, site=who.site, random_number=who.random_number or "",
        unblinded_on=civil_date(who.unblinded_at, row.zone) if who.unblinded_at else None,
    )  # fmt: skip
    entries = standing.load(session, who.id, base, ranges, {})
    held = strongest(who.state, row.state, row.study_state)
    return Whole(who, entries, held == "locked", held)


def each(session: Session, study: str, sites: Sites) -> Iterator[Whole]:
    """Yield every participant in the order of enrolment."""
    after = 0
    while (found := following(session, study, after, sites)) is not None:
        yield found
        after = found.who.id


def _those(study: str, sites: Sites) -> list[ColumnElement[bool]]:
    held = [] if sites is None else [Participant.site.in_(sorted(sites))]
    return [Participant.study == study, *held]
