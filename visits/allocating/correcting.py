"""A stratum that was wrong, corrected as a new fact: the slot stays, and so do the kits.

The vault is never told. A correction can be followed by another one, never taken away.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from ecrf.kernel.access import Right
from ecrf.kernel.chain import Change
from ecrf.kernel.errors import Conflict, NotFound
from ecrf.kernel.ledger import LEDGER, Act, By, participant_chain
from ecrf.kernel.text import T
from ecrf.study import strata
from ecrf.study.model import Factor, Study
from visits import refusals
from visits.allocating import exceptions
from visits.allocating.tables import StratumCorrection
from visits.rows import ParticipantRow
from visits.tables import Participant


class Correction(NamedTuple):
    """A factor, the level somebody was randomized under, and the one that is right."""

    factor: str
    level: str
    true_level: str
    reason: str
    by_name: str
    at: datetime


def correct(
    session: Session, by: By, study: Study, who: ParticipantRow, factor_id: str, true: str,
    reason: str,
) -> None:  # fmt: skip
    """Write down the true level of a factor; the participant stays where they were put.

    Refuses a factor that is not asked (the site is what it is), a level the factor does not
    have, and what is known already.
    """
    role = by.actor.role_for(Right.STRATUM_CORRECT, who.study, who.site)
    if role is None:
        raise NotFound(T("There is no participant {code} at your sites.", code=who.code))
    factor = _factor(study, factor_id)
    why = refusals.require_reason(reason)
    head = LEDGER.head(session, participant_chain(who.study, who.code))
    receipt = session.scalar(select(Participant.receipt).where(Participant.id == who.id))
    under = strata.under(receipt)
    if not under or factor.id not in under:
        raise Conflict(T("{code} was not randomized under this factor.", code=who.code))
    if true not in strata.levels(study, factor):
        raise refusals.unacceptable("true_level", T("Choose a level of this factor."))
    standing = current(session, who.id)
    known = standing[factor.id].true_level if factor.id in standing else under[factor.id]
    if true == known:
        raise refusals.unacceptable("true_level", T("This is what is known already."))
    session.execute(
        insert(StratumCorrection).values(
            participant_id=who.id, factor=factor.id, level=under[factor.id], true_level=true,
            reason=why, by_id=by.actor.id, by_name=by.actor.name, at=by.at,
        )
    )  # fmt: skip
    now = {key: one.true_level for key, one in standing.items()} | {factor.id: true}
    wrong = any(under.get(key) != level for key, level in now.items())
    rule = study.consequences.wrong_stratum
    changes = [
        Change(f"stratum {factor.id}", known, true),
        *exceptions.stratum(session, by, who.id, rule, wrong=wrong),
    ]
    refs = {
        "participant": who.code, "factor": factor.id, "randomized_under": under[factor.id],
        "true": true,
    }  # fmt: skip
    act = Act(
        "stratum:correct", role, who.study, who.site, key=f"participant:{who.id}", refs=refs,
        reason=why, changes=changes,
    )  # fmt: skip
    LEDGER.write(session, by, [(head, act)])


def history(session: Session, participant_id: int) -> tuple[Correction, ...]:
    """Return every correction of a participant, the oldest first."""
    rows = session.scalars(
        select(StratumCorrection)
        .where(StratumCorrection.participant_id == participant_id)
        .order_by(StratumCorrection.id)
    )
    return tuple(
        Correction(row.factor, row.level, row.true_level, row.reason, row.by_name, row.at)
        for row in rows
    )


def current(session: Session, participant_id: int) -> Mapping[str, Correction]:
    """Return the correction of each factor that counts: the last one."""
    return {one.factor: one for one in history(session, participant_id)}


def _factor(study: Study, factor_id: str) -> Factor:
    for factor in study.randomization.factors if study.randomization else ():
        if factor.id == factor_id and factor.from_ != "site":
            return factor
    raise NotFound(T("The study asks for no factor {factor}.", factor=factor_id))
