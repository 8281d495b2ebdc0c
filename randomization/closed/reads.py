"""The record of reads: who looked at whose arm, or at the whole randomization, when, what for.

It is read from the vault's ledger, where every read was written before its answer left. No arm
is opened for it. A new kind of read is one whose act begins with `reveal:`, or stands here.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from ecrf.kernel.access import Right
from ecrf.kernel.errors import NotAllowed
from ecrf.kernel.ledger import Act, By
from ecrf.kernel.text import Message, T
from randomization.opened import Vault, lock, vault_chain
from randomization.tables import LEDGER

PREFIX = "reveal:"
KINDS: Mapping[str, Message] = {
    "reveal:preparation": T("Preparation"),
    "reveal:code break": T("Code break"),
    "reveal:safety reporting": T("Safety reporting"),
    "reveal:answer": T("Answer of a code break opened"),
    "batch:read": T("Products and lots of a batch read"),
    "closed:open": T("Arms opened for a closed report"),
    "closed:read": T("Closed report read"),
    "closed:codes": T("Codes of a closed report resolved"),
    "closed:specification": T("Specification of the list read"),
    "list:reveal": T("Whole randomization laid open"),
    "list:unblinded package": T("Unblinded package made"),
}
OTHER = T("Other read of an arm")
ALARM = "reads:alarm"
ABOUT = ("report", "list", "participants", "form")


class Read(NamedTuple):
    """One read; `refs` name the report or the list it was of, `why` the class of reason."""

    at: datetime
    person: int
    name: str
    role: str
    action: str
    site: str
    participant: str
    why: str
    refs: Mapping[str, object]

    @property
    def kind(self) -> Message:
        return KINDS.get(self.action, OTHER)


def is_read() -> ColumnElement[bool]:
    """Return the condition on acts of the vault that are reads."""
    action = LEDGER.act.c.action
    return or_(action.in_(KINDS), action.like(f"{PREFIX}%"))


def record(vault: Vault, by: By, study: str, most: int | None = None) -> list[Read]:
    """Return the reads, the newest first; for the statistician and the auditor."""
    if not by.actor.may(Right.READS_READ, study):
        raise NotAllowed(T("Your role does not include this."))
    with vault.database.read() as session:
        return list(_reads(session, study, most))


def reads_for_proof(vault: Vault, by: By, study: str) -> list[Read]:
    """Return every read for the proof of item 19, which names people but shows nobody's arm."""
    if not by.actor.may(Right.RANDOMIZATION_READ, study):
        raise NotAllowed(T("Your role does not include this."))
    with vault.database.read() as session:
        return list(_reads(session, study, None))


def _reads(session: Session, study: str, most: int | None) -> Iterator[Read]:
    c = LEDGER.act.c
    query = (
        select(c.at, c.header)
        .where(c.chain == vault_chain(study), is_read())
        .order_by(c.seq.desc())
    )
    for row in session.execute(query if most is None else query.limit(most)):
        header = json.loads(row.header)
        refs = header["refs"]
        yield Read(
            row.at, header["actor"], header["name"], header["role"] or "", header["action"],
            header["site"] or "", str(refs.get("participant", "")),
            str(refs.get("reason_class", "")),
            {key: refs[key] for key in ABOUT if key in refs},
        )  # fmt: skip


def count(vault: Vault, study: str, person: int, since: datetime) -> int:
    """Return how many arms a person has looked at since then."""
    c = LEDGER.act.c
    query = select(func.count()).where(
        c.chain == vault_chain(study), c.actor_id == person, c.at >= since,
        c.action.like(f"{PREFIX}%"),
    )  # fmt: skip
    with vault.database.read() as session:
        return session.scalar(query) or 0


def alarmed(vault: Vault, by: By, study: str, day: str) -> bool:
    """Say whether the day's alarm about this person is written down already."""
    with vault.database.read() as session:
        return _alarmed(session, by, study, day)


def raise_alarm(vault: Vault, by: By, study: str, day: str, reads: int) -> None:
    """Write down, once a day, that a person looked at many arms."""
    with vault.database.write() as session:
        head = lock(session, study)
        if not _alarmed(session, by, study, day):
            refs = {"day": day, "reads": reads}
            act = Act(ALARM, None, study, key=_alarm(by, day), refs=refs)
            LEDGER.write(session, by, [(head, act)])


def _alarmed(session: Session, by: By, study: str, day: str) -> bool:
    c = LEDGER.act.c
    there = select(c.seq).where(c.chain == vault_chain(study), c.key == _alarm(by, day))
    return session.scalar(there) is not None


def _alarm(by: By, day: str) -> str:
    return f"{ALARM}:{by.actor.id}:{day}"
