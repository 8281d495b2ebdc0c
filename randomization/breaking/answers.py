"""Answers of code breaks that wait for a named person: in the vault, never in a message."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, select

from ecrf.kernel.access import RIGHTS, Actor, Right
from ecrf.kernel.errors import NotFound
from ecrf.kernel.ledger import By
from ecrf.kernel.text import T
from randomization import reveal
from randomization.breaking.tables import BreakCall, BreakOpened
from randomization.opened import Vault
from randomization.reveal import Disclosure
from randomization.tables import Reveal


class Waiting(NamedTuple):
    """An answer: whose code was broken by whom and why; `opened_at` None waits."""

    call_id: int
    site: str
    participant: str
    why: str
    by_name: str
    at: datetime
    telephone: str
    contacted: bool
    opened_at: datetime | None
    opened_by: str | None


def listing(vault: Vault, actor: Actor, study: str) -> tuple[Waiting, ...]:
    """Return the answers that were sent to a role this person holds, the newest first."""
    roles = {grant.role for grant in actor.grants if Right.BREAK_RECEIVE in RIGHTS[grant.role]}
    query = _answers(study).where(BreakCall.to_role.in_(sorted(roles)))
    with vault.database.read() as session:
        rows = session.execute(query.order_by(Reveal.id.desc()))
        found = [Waiting._make(row) for row in rows]
    return tuple(one for one in found if actor.may(Right.BREAK_RECEIVE, study, one.site))


def receive(vault: Vault, by: By, study: str, call_id: int) -> tuple[Waiting, Disclosure]:
    """Open one answer; that it is opened is written down first. A second time is refused."""
    one = next((a for a in listing(vault, by.actor, study) if a.call_id == call_id), None)
    if one is None:
        raise NotFound(T("No such answer waits for you."))
    reason = f"answer of code break {call_id}"
    found = reveal.open_answer(vault, by, study, one.site, one.participant, call_id, reason)
    return one, found


def _answers(study: str) -> Select[Any]:
    opened = select(Reveal).subquery("opened")
    return (
        select(
            BreakCall.reveal_id, Reveal.site, Reveal.participant, Reveal.reason_class,
            Reveal.by_name, Reveal.at, BreakCall.telephone, BreakCall.contacted,
            opened.c.at, opened.c.by_name,
        )
        .join(Reveal, Reveal.id == BreakCall.reveal_id)
        .outerjoin(BreakOpened, BreakOpened.call_id == BreakCall.reveal_id)
        .outerjoin(opened, opened.c.id == BreakOpened.reveal_id)
        .where(Reveal.study == study)
    )  # fmt: skip
