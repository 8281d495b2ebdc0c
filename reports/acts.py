"""The acts that tell of a selection: which chains, and what stands on them."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from ecrf.kernel.ledger import LEDGER, participant_chain, study_chain
from ecrf.kernel.notes import Heads
from reports.read import Selection, stream
from visits.tables import Participant


class ActRow(NamedTuple):
    """An act as stored."""

    chain: str
    seq: int
    key: str | None
    header: str
    changes: str
    link: str


def chains(session: Session, selection: Selection) -> list[str]:
    """Return the names of the chains the selection is told on, in order.

    The study's own chain tells of every site, so it is left out of a part of the study.
    """
    codes = session.scalars(select(Participant.code).where(selection.covers()))
    names = [participant_chain(selection.study, code) for code in codes]
    own = [] if selection.sites is not None else [study_chain(selection.study)]
    return sorted([*names, *own])


def acts(session: Session, name: str, size: int) -> Iterator[ActRow]:
    """Yield the first `size` acts of a chain."""
    c = LEDGER.act.c
    query = (
        select(*(c[field] for field in ActRow._fields))
        .where(c.chain == name, c.seq < size)
        .order_by(c.seq)
    )
    yield from (ActRow(*row) for row in stream(session, query))


def sizes(names: Sequence[str], heads: Heads) -> dict[str, tuple[int, str]]:
    """Return the heads of the chains named."""
    return {name: heads[name] for name in names if name in heads}
