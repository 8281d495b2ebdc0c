"""Deviations the system raises by itself: a visit held outside its window."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from ecrf.kernel.chain import Change
from ecrf.kernel.ledger import By
from ecrf.kernel.text import Message, T
from ecrf.study.model import VisitPlan
from visits.tables import Deviation
from visits.windows import Span

RULE = "visit window"
MINOR = "minor"


class Held(NamedTuple):
    """A visit as it was held, beside the window it should have been in (None: any day)."""

    visit_id: int
    plan: VisitPlan
    where: Span | None
    held_on: date | None

    @property
    def departure(self) -> Message | None:
        """Say how far outside its window the visit was held; None when it was not."""
        days = 0
        if self.where is not None and self.held_on is not None:
            days = self.where.days_out(self.held_on)
        if self.where is None or days == 0:
            return None
        values = {
            "visit": self.plan.label, "on": self.held_on, "n": abs(days),
            "first": self.where.first, "last": self.where.last,
        }  # fmt: skip
        if days < 0:
            return T(
                "{visit} was held on {on}, {n} day(s) before its window {first} to {last}.",
                **values,
            )
        return T(
            "{visit} was held on {on}, {n} day(s) after its window {first} to {last}.", **values
        )


def judge(
    session: Session, by: By, participant_id: int, visits: Sequence[Held]
) -> list[Change]:
    """Make the standing deviations fit how the visits were held; return what changed.

    A deviation whose words no longer hold is withdrawn and keeps its row; a new one is raised
    beside it.
    """
    standing = _standing(session, participant_id)
    changes: list[Change] = []
    gone: list[int] = []
    new: list[dict[str, object]] = []
    for held in visits:
        said = held.departure
        text = None if said is None else said.in_("en")
        key, old = standing.get(held.visit_id, (None, None))
        if text == old:
            continue
        if key is not None:
            gone.append(key)
        if said is not None:
            new.append(_row(by, participant_id, held, said))
        changes.append(Change(f"{held.plan.id}.deviation", old, text))
    if gone:
        session.execute(
            update(Deviation).where(Deviation.id.in_(gone)).values(withdrawn_at=by.at)
        )
    if new:
        session.execute(insert(Deviation), new)
    return changes


def _standing(session: Session, participant_id: int) -> dict[int, tuple[int, str]]:
    rows = session.execute(
        select(Deviation.visit_id, Deviation.id, Deviation.text_en).where(
            Deviation.participant_id == participant_id,
            Deviation.rule == RULE,
            Deviation.withdrawn_at.is_(None),
        )
    )
    return {row.visit_id: (row.id, row.text_en) for row in rows}


def _row(by: By, participant_id: int, held: Held, said: Message) -> dict[str, object]:
    return {
        "participant_id": participant_id, "visit_id": held.visit_id, "category": RULE,
        "severity": MINOR, "rule": RULE, "text_en": said.in_("en"), "text_zh": said.in_("zh"),
        "raised_at": by.at,
    }  # fmt: skip
