"""Deviations that an entry is, by rules of the study: raised and withdrawn with its answers.

The caller decides which rules hold, holds the participant's chain, and puts the changes into
an act of its own.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from ecrf.kernel.chain import Change
from ecrf.kernel.ledger import By
from ecrf.study.consequences import Departure
from visits.tables import Deviation


class Where(NamedTuple):
    """The entry whose answers depart from the protocol."""

    participant_id: int
    visit_id: int
    form: str
    number: int


def judge(
    session: Session, by: By, where: Where, departures: Sequence[Departure]
) -> list[Change]:
    """Make the standing deviations of an entry those of `departures`; return what changed."""
    rows = session.execute(
        select(Deviation.rule, Deviation.id).where(
            Deviation.participant_id == where.participant_id,
            Deviation.form == where.form,
            Deviation.number == where.number,
            Deviation.visit_id == where.visit_id,
            Deviation.withdrawn_at.is_(None),
        )
    )
    standing = {row.rule: row.id for row in rows}
    wanted = {rule.id: rule for rule in departures}
    gone = [key for rule, key in standing.items() if rule not in wanted]
    new = [rule for name, rule in wanted.items() if name not in standing]
    if gone:
        session.execute(
            update(Deviation)
            .where(Deviation.id.in_(gone))
            .values(withdrawn_at=by.at)
            .execution_options(synchronize_session=False)
        )
    if new:
        session.execute(insert(Deviation), [_row(by, where, rule) for rule in new])
    raised = [Change(f"deviation {rule.id}", None, rule.message.en) for rule in new]
    withdrawn = [
        Change(f"deviation {rule}", "standing", None)
        for rule in sorted(standing)
        if rule not in wanted
    ]
    return raised + withdrawn


def _row(by: By, where: Where, rule: Departure) -> dict[str, object]:
    return {
        **where._asdict(), "category": rule.category, "severity": rule.severity,
        "rule": rule.id, "text_en": rule.message.en[:400], "text_zh": rule.message.zh[:400],
        "raised_at": by.at,
    }  # fmt: skip
