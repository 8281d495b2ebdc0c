"""How many are randomized, and how many may be: what people see before they ask.

The vault counts again under its own lock; what is counted here only spares a refusal.
"""

from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ecrf.kernel.text import T, Text
from ecrf.study.model import Study
from visits.allocating.tables import Asking
from visits.rows import ParticipantRow
from visits.tables import Participant


class Most(NamedTuple):
    """How many may be randomized in the study, at a site, in a stratum; None: any number."""

    study: int | None
    site: int | None
    stratum: int | None


class Counted(NamedTuple):
    """A cap, and how many are randomized under it."""

    where: Text
    most: int
    randomized: int


def most(study: Study, site: str, stratum: str | None) -> Most:
    """Return the caps for a participant of a site in a stratum."""
    if study.randomization is None:
        return Most(None, None, None)
    caps = study.randomization.caps
    total = study.planned if caps.total is None else caps.total
    return Most(total, caps.sites.get(site), caps.strata.get(stratum or ""))


def counted(
    session: Session, study: Study, who: ParticipantRow, stratum: str | None
) -> tuple[Counted, ...]:
    """Return the caps that hold for the participant with their counts. One statement.

    Nothing is counted for who is randomized: they have their place.
    """
    if who.random_number is not None:
        return ()
    in_stratum = (
        select(Asking.id)
        .where(
            Asking.participant_id == Participant.id, Asking.kind == "asked",
            Asking.stratum == stratum,
        )
        .exists()
    )  # fmt: skip
    row = session.execute(
        select(
            func.count(),
            func.count().filter(Participant.site == who.site),
            func.count().filter(in_stratum),
        ).where(Participant.study == who.study, Participant.random_number.is_not(None))
    ).one()
    names = (T("in the study"), T("at this site"), T("in this stratum"))
    caps = most(study, who.site, stratum)
    return tuple(
        Counted(name, cap, count)
        for name, cap, count in zip(names, caps, row, strict=True)
        if cap is not None
    )
