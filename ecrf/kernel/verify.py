"""Verify a ledger: every link, commitment, order, head and checkpoint recomputed from the rows.

A flaw names the chain and the act at which the ledger stops being what was written. What it
finds: an act changed, inserted, removed, moved, a cut tail, a chain that vanished, a header
column that differs from its header, a checkpoint altered or missing, an older copy restored.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from ecrf.kernel import chain, notes
from ecrf.kernel.checkpoints import WHOLE
from ecrf.kernel.keys import Verifier
from ecrf.kernel.ledger import LEDGER, Ledger
from ecrf.kernel.text import Message, T


class Row(NamedTuple):
    """An act as stored."""

    chain: str
    seq: int
    at: datetime
    actor_id: int
    action: str
    key: str | None
    header: str
    changes: str
    link: str


class Kind(StrEnum):
    MISSING = "missing"
    ALTERED = "altered"
    CONTENT = "content"
    COLUMNS = "columns"
    ORDER = "order"
    HEAD = "head"
    CUT = "cut"
    CHECKPOINT = "checkpoint"
    OUTSIDE = "outside"


class Flaw(NamedTuple):
    """One thing wrong; `seq` is None when it concerns a whole chain or a checkpoint."""

    kind: Kind
    chain: str
    seq: int | None
    message: Message


@dataclass(frozen=True, slots=True)
class Seen:
    """A verified reading: how much was read, and what was wrong with it."""

    chains: int
    acts: int
    checkpoints: int
    flaws: tuple[Flaw, ...]


def verify(
    session: Session,
    verifier: Verifier | None = None,
    outside: Iterable[tuple[int, str]] = (),
    *,
    only: Iterable[str] | None = None,
    ledger: Ledger = LEDGER,
) -> Seen:
    """Read the whole ledger, or the chains `only`, and return what is wrong with it."""
    names = None if only is None else sorted(only)
    heads = _heads(session, ledger, names)
    marks, checkpoints, flaws = _checkpoints(session, ledger, verifier)
    flaws += _outside(dict(outside), checkpoints)
    if names is not None:
        marks = {name: marks[name] for name in names if name in marks}
    walk = Walk(heads, marks)
    found = list(walk.over(_rows(session, ledger, names)))
    return Seen(len(heads), walk.acts, len(checkpoints), (*found, *flaws))


def _heads(session: Session, ledger: Ledger, names: list[str] | None) -> dict[str, chain.Head]:
    c = ledger.chain.c
    query = select(c.name, c.size, c.link, c.last_at)
    if names is not None:
        query = query.where(c.name.in_(names))
    return {row.name: chain.Head(*row) for row in session.execute(query)}


def _rows(session: Session, ledger: Ledger, names: list[str] | None) -> Iterator[Row]:
    c = ledger.act.c
    query = select(*(c[name] for name in Row._fields)).order_by(c.chain, c.seq)
    if names is not None:
        query = query.where(c.chain.in_(names))
    for row in session.execute(query.execution_options(yield_per=500)):
        yield Row(*row)


class Mark(NamedTuple):
    """What a checkpoint saw of a chain at one size."""

    number: int
    link: str


class Walk:
    """One pass over the acts of chains whose heads, and sizes at checkpoints, are known."""

    def __init__(
        self, heads: Mapping[str, chain.Head], marks: Mapping[str, Mapping[int, Mark]]
    ) -> None:
        self.acts = 0
        self._heads = heads
        self._marks = marks

    def over(self, rows: Iterable[Row]) -> Iterator[Flaw]:
        """Yield the flaws of `rows`, which come chain by chain in the order of `seq`."""
        seen: set[str] = set()
        at = chain.start("")
        for row in rows:
            if row.chain != at.chain:
                yield from self._end(at)
                at = chain.start(row.chain)
                seen.add(row.chain)
            self.acts += 1
            if row.seq > at.size:
                text = T("Act {seq} of chain {chain} is missing.", seq=at.size, chain=at.chain)
                yield Flaw(Kind.MISSING, at.chain, at.size, text)
            yield from check(row, at)
            at = chain.Head(row.chain, row.seq + 1, row.link, row.at)
            yield from self._mark(at)
        yield from self._end(at)
        for name in sorted(set(self._heads) | set(self._marks)):
            if name not in seen:
                yield from self._end(chain.start(name))

    def _mark(self, at: chain.Head) -> Iterator[Flaw]:
        mark = self._marks.get(at.chain, {}).get(at.size)
        if mark is not None and mark.link != at.link:
            text = T(
                "Chain {chain} up to act {seq} is not what checkpoint {number} covers.",
                chain=at.chain, seq=at.size - 1, number=mark.number,
            )  # fmt: skip
            yield Flaw(Kind.CHECKPOINT, at.chain, at.size - 1, text)

    def _end(self, at: chain.Head) -> Iterator[Flaw]:
        if not at.chain:
            return
        head = self._heads.get(at.chain)
        if head is None or head != at:
            text = T(
                "Chain {chain} has {size} acts, but its head says {head}.",
                chain=at.chain, size=at.size, head="-" if head is None else head.size,
            )  # fmt: skip
            yield Flaw(Kind.HEAD, at.chain, at.size, text)
        for size, mark in sorted(self._marks.get(at.chain, {}).items()):
            if size > at.size:
                text = T(
                    "Chain {chain} has {size} acts; checkpoint {number} saw {seen}.",
                    chain=at.chain, size=at.size, number=mark.number, seen=size,
                )  # fmt: skip
                yield Flaw(Kind.CUT, at.chain, at.size, text)
                return


def check(row: Row, at: chain.Head) -> Iterator[Flaw]:
    """Yield what is wrong with one act that follows `at`."""
    where = {"seq": row.seq, "chain": row.chain}
    try:
        header: dict[str, Any] = json.loads(row.header)
        content: list[dict[str, object]] = json.loads(row.changes)
        commits = [chain.commitment(change) for change in content]
        follows = chain.follow(at.link, row.header) == row.link
    except (ValueError, KeyError, TypeError):
        text = T("Act {seq} of chain {chain} cannot be read.", **where)
        yield Flaw(Kind.ALTERED, row.chain, row.seq, text)
        return
    if not follows:
        text = T(
            "Act {seq} of chain {chain} does not follow the one before: one of the two was "
            "altered, inserted or moved.",
            **where,
        )
        yield Flaw(Kind.ALTERED, row.chain, row.seq, text)
    if commits != header.get("commits"):
        text = T("The values in act {seq} of chain {chain} are not those written.", **where)
        yield Flaw(Kind.CONTENT, row.chain, row.seq, text)
    if _columns(row) != _stated(header):
        text = T("The columns of act {seq} of chain {chain} differ from its header.", **where)
        yield Flaw(Kind.COLUMNS, row.chain, row.seq, text)
    if at.last_at is not None and row.at <= at.last_at:
        text = T("Act {seq} of chain {chain} is not later than the one before.", **where)
        yield Flaw(Kind.ORDER, row.chain, row.seq, text)


def _columns(row: Row) -> tuple[object, ...]:
    return row.chain, row.seq, chain.stamp(row.at), row.actor_id, row.action, row.key


def _stated(header: Mapping[str, object]) -> tuple[object, ...]:
    names = ("chain", "seq", "at", "actor", "action", "key")
    return tuple(header.get(name) for name in names)


def _checkpoints(
    session: Session, ledger: Ledger, verifier: Verifier | None
) -> tuple[dict[str, dict[int, Mark]], dict[int, str], list[Flaw]]:
    """Return what the checkpoints saw of each chain, their notes, and their own flaws."""
    c = ledger.checkpoint.c
    marks: dict[str, dict[int, Mark]] = {}
    kept: dict[int, str] = {}
    flaws: list[Flaw] = []
    heads: dict[str, tuple[int, str]] = {}
    previous = notes.FIRST
    for row in session.execute(select(c.number, c.note, c.heads).order_by(c.number)):
        if row.number != len(kept):
            text = T("Checkpoint {number} is missing.", number=len(kept))
            flaws.append(Flaw(Kind.CHECKPOINT, "", len(kept), text))
            return marks, kept, flaws
        try:
            moved = notes.load_heads([row.heads])
            heads = moved if row.number % WHOLE == 0 else _after(heads, row.heads)
            good = _good(row.note, row.number, heads, previous, verifier)
        except ValueError:
            moved, good = {}, False
        if not good:
            text = T("Checkpoint {number} is not what was signed.", number=row.number)
            flaws.append(Flaw(Kind.CHECKPOINT, "", row.number, text))
        for name, (size, link) in moved.items():
            marks.setdefault(name, {}).setdefault(size, Mark(row.number, link))
        kept[row.number] = row.note
        previous = notes.digest(row.note)
    return marks, kept, flaws


def _after(heads: Mapping[str, tuple[int, str]], moved: str) -> dict[str, tuple[int, str]]:
    return notes.load_heads([notes.dump_heads({}, heads), moved])


def _good(
    note: str,
    number: int,
    heads: notes.Heads,
    previous: str,
    verifier: Verifier | None,
) -> bool:
    said = notes.read(note)
    same = (said.number, said.chains, said.root, said.previous) == (
        number, len(heads), notes.root(heads), previous,
    )  # fmt: skip
    return same and (verifier is None or notes.stands(note, verifier))


def _outside(handed: Mapping[int, str], kept: Mapping[int, str]) -> list[Flaw]:
    """Compare the notes handed out with those kept: an older copy lacks the newest ones."""
    flaws = []
    for number, note in sorted(handed.items()):
        if kept.get(number) != note:
            text = T(
                "Checkpoint {number} was handed out, but the ledger does not have it as it "
                "was: an older or another copy of the database is in use.",
                number=number,
            )
            flaws.append(Flaw(Kind.OUTSIDE, "", number, text))
    return flaws
