"""Days on which a participant was told to take nothing. They do not count as due."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from ecrf.kernel.access import Right
from ecrf.kernel.errors import Problem, Unacceptable
from ecrf.kernel.ledger import Act, By
from ecrf.kernel.text import T
from randomization import kits
from randomization.opened import Vault, permitted
from randomization.supplying import books
from randomization.supplying.said import said
from randomization.supplying.tables import Hold


class Held(NamedTuple):
    """A hold: the first and the last day without a dose."""

    participant: str
    first: date
    last: date
    reason: str
    by_name: str


def hold(
    vault: Vault, by: By, study: str, site: str, participant: str, days: tuple[date, date],
    reason: str,
) -> None:  # fmt: skip
    """Note that a randomized participant was to take nothing from one day to another."""
    role = permitted(by, Right.KIT_DISPENSE, study, site)
    why = said(reason, "hold_reason")
    first, last = days
    if first > last:
        wrong = T("The last day cannot be before the first.")
        raise Unacceptable(wrong, [Problem("last", wrong)])
    refs = {"participant": participant, "first": first.isoformat(), "last": last.isoformat()}
    act = Act("dose:hold", role, study, site, f"participant:{participant}", refs, why)

    def do(session: Session) -> tuple[None, Mapping[str, object]]:
        kits.allocation(session, study, site, participant)
        session.execute(
            insert(Hold).values(
                study=study, environment=vault.environment, site=site, participant=participant,
                first=first, last=last, reason=why, by_id=by.actor.id, by_name=by.actor.name,
                at=by.at,
            )
        )  # fmt: skip
        return None, {}

    books.enter(vault, by, act, do)


def read(vault: Vault, study: str, sites: Sequence[str]) -> list[Held]:
    """Return the holds at these sites, the latest first."""
    with vault.database.read() as session:
        rows = session.execute(
            select(Hold.participant, Hold.first, Hold.last, Hold.reason, Hold.by_name)
            .where(
                Hold.study == study, Hold.environment == vault.environment,
                Hold.site.in_(sites),
            )
            .order_by(Hold.first.desc(), Hold.id)
        )  # fmt: skip
        return [Held._make(row) for row in rows]


def without(held: Sequence[Held], participant: str, first: date, last: date) -> int:
    """Return how many days of [first, last) are held; overlapping holds count once."""
    days = {
        ordinal
        for one in held
        if one.participant == participant
        for ordinal in range(one.first.toordinal(), one.last.toordinal() + 1)
    }
    return sum(first.toordinal() <= day < last.toordinal() for day in days)
