"""Deviations that the randomization itself is: under an exception, in a wrong stratum."""

from collections.abc import Sequence

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from ecrf.kernel.chain import Change
from ecrf.kernel.ledger import By
from ecrf.kernel.text import T
from ecrf.study.consequences import Raised
from visits.tables import Deviation

EXCEPTION = "RANDOMIZED_UNDER_EXCEPTION"
WRONG_STRATUM = "WRONG_STRATUM"
CATEGORY = "randomization"


def raised(
    session: Session, by: By, participant_id: int, visit_id: int
) -> Sequence[Change]:  # fmt: skip
    """Raise the deviation of a randomization under an exception; why is in the vault only."""
    said = T("Randomized under an exception, decided by two people of the unblinded side.")
    session.execute(
        insert(Deviation).values(
            participant_id=participant_id, visit_id=visit_id, category=CATEGORY,
            severity="major", rule=EXCEPTION, text_en=said.in_("en"), text_zh=said.in_("zh"),
            raised_at=by.at,
        )
    )  # fmt: skip
    return [Change(f"deviation {EXCEPTION}", None, said.in_("en"))]


def stratum(
    session: Session, by: By, participant_id: int, rule: Raised | None, *, wrong: bool
) -> list[Change]:
    """Make the deviation of a wrong stratum stand or not, if the study knows of one."""
    if rule is None:
        return []
    standing = session.scalar(
        select(Deviation.id).where(
            Deviation.participant_id == participant_id, Deviation.rule == WRONG_STRATUM,
            Deviation.withdrawn_at.is_(None),
        )
    )  # fmt: skip
    if wrong and standing is None:
        session.execute(
            insert(Deviation).values(
                participant_id=participant_id, category=rule.category, severity=rule.severity,
                rule=WRONG_STRATUM, text_en=rule.message.en[:400],
                text_zh=rule.message.zh[:400], raised_at=by.at,
            )
        )  # fmt: skip
        return [Change(f"deviation {WRONG_STRATUM}", None, rule.message.en)]
    if not wrong and standing is not None:
        session.execute(
            update(Deviation).where(Deviation.id == standing).values(withdrawn_at=by.at)
        )
        return [Change(f"deviation {WRONG_STRATUM}", "standing", None)]
    return []
