"""The ledger: append-only chains of acts, written in the transaction of the act itself.

One chain per participant, one per study, one for the system; the vault keeps its own ledger in
its own database through the same class. A head is locked before it is followed, and always in
the order participant, study, system, so that two acts cannot wait for one another.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    insert,
    select,
)
from sqlalchemy.orm import Session

from ecrf.kernel import chain
from ecrf.kernel.access import Actor, Role
from ecrf.kernel.append_only import follow, guard
from ecrf.kernel.chain import Change, Head
from ecrf.kernel.chance import Draw
from ecrf.kernel.db import Base, Instant
from ecrf.kernel.errors import Unavailable
from ecrf.kernel.text import T

SALT_BYTES = 16
SYSTEM = "system"
REASON = "#reason"
ADVANCE_SQLITE = (
    (
        "CREATE TRIGGER act_in_order BEFORE INSERT ON act"
        " WHEN (SELECT size FROM chain WHERE name = NEW.chain) IS NOT NEW.seq"
        " BEGIN SELECT RAISE(ABORT, 'act is append-only: not the next of its chain'); END"
    ),
    (
        "CREATE TRIGGER act_advances AFTER INSERT ON act BEGIN"
        " UPDATE chain SET size = NEW.seq + 1, link = NEW.link, last_at = NEW.at"
        " WHERE name = NEW.chain; END"
    ),
)
ADVANCE_POSTGRESQL = (
    (
        "CREATE OR REPLACE FUNCTION advance_chain() RETURNS trigger LANGUAGE plpgsql AS $$"
        " BEGIN UPDATE chain SET size = NEW.seq + 1, link = NEW.link, last_at = NEW.at"
        " WHERE name = NEW.chain AND size = NEW.seq;"
        " IF NOT FOUND THEN RAISE EXCEPTION USING"
        " MESSAGE = 'act is append-only: not the next of its chain',"
        " ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$"
    ),
    (
        "CREATE TRIGGER act_advances BEFORE INSERT ON act"
        " FOR EACH ROW EXECUTE FUNCTION advance_chain()"
    ),
)


class Origin(StrEnum):
    """The way an act came in."""

    PAGE = "page"
    API = "api"
    IMPORT = "import"
    COMMAND = "command"
    JOB = "job"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class By:
    """Who does it, when, by which way, and the randomness it may use."""

    actor: Actor
    at: datetime
    origin: Origin
    draw: Draw = field(repr=False)


@dataclass(frozen=True, slots=True)
class Act:
    """What is to be written on a chain.

    `refs` name what the act concerns (study, participant, visit, form, …); `key` is the one
    thing it is looked up by later, such as `entry:12`.
    """

    action: str
    role: Role | None
    study: str | None = None
    site: str | None = None
    key: str | None = None
    refs: Mapping[str, object] = field(default_factory=dict)
    reason: str | None = None
    changes: Sequence[Change] = ()


class Ledger:
    """The three tables of a ledger in one database, and the ways to write and read them."""

    def __init__(self, metadata: MetaData) -> None:
        self.chain = Table(
            "chain",
            metadata,
            Column("name", String(120), primary_key=True),
            Column("size", Integer, nullable=False),
            Column("link", String(64), nullable=False),
            Column("last_at", Instant),
        )
        self.act = Table(
            "act",
            metadata,
            Column("chain", ForeignKey("chain.name"), primary_key=True),
            Column("seq", Integer, primary_key=True, autoincrement=False),
            Column("at", Instant, nullable=False, index=True),
            Column("actor_id", Integer, nullable=False, index=True),
            Column("action", String(64), nullable=False, index=True),
            Column("key", String(120), index=True),
            Column("header", Text, nullable=False),
            Column("changes", Text, nullable=False),
            Column("link", String(64), nullable=False),
            CheckConstraint("seq >= 0", name="seq_from_zero"),
        )
        self.checkpoint = Table(
            "checkpoint",
            metadata,
            Column("number", Integer, primary_key=True, autoincrement=False),
            Column("at", Instant, nullable=False),
            Column("note", Text, nullable=False),
            Column("heads", Text, nullable=False),
        )
        guard(self.act)
        follow(self.act, ADVANCE_SQLITE, ADVANCE_POSTGRESQL)
        guard(self.checkpoint)

    def head(self, session: Session, name: str) -> Head:
        """Lock the chain's head until the transaction ends, and return it."""
        columns = self.chain.c
        row = session.execute(
            select(columns.name, columns.size, columns.link, columns.last_at)
            .where(columns.name == name)
            .with_for_update()
        ).one_or_none()
        if row is None:
            raise Unavailable(T("The ledger chain {name} is missing.", name=name))
        return Head(*row)

    def write(
        self, session: Session, by: By, acts: Sequence[tuple[Head, Act]]
    ) -> dict[str, Head]:
        """Append `acts` of one person, each after its locked head; see `write_all`."""
        return self.write_all(session, [(by, head, act) for head, act in acts])

    def write_all(
        self, session: Session, acts: Sequence[tuple[By, Head, Act]]
    ) -> dict[str, Head]:
        """Append `acts`, each after its locked head; return the new heads by chain.

        A head of size 0 is a new chain. One statement however many acts, two with a new
        chain: the database itself moves the heads, and refuses an act out of order.
        """
        heads: dict[str, Head] = {}
        fresh = {head.chain for _, head, _ in acts if head.size == 0}
        rows = []
        for by, given, act in acts:
            head = heads.get(given.chain, given)
            changes = [*act.changes, *_reason(act)]
            salts = [by.draw(SALT_BYTES) for _ in changes]
            sealed, heads[given.chain] = chain.seal(
                head, by.at, _facts(by, act), changes, salts
            )
            rows.append({
                "chain": sealed.chain, "seq": sealed.seq, "at": sealed.at,
                "actor_id": by.actor.id, "action": act.action, "key": act.key,
                "header": sealed.header, "changes": sealed.changes, "link": sealed.link,
            })  # fmt: skip
        if fresh:
            session.execute(insert(self.chain), [_begun(name) for name in sorted(fresh)])
        session.execute(insert(self.act), rows)
        return heads

    def record(self, session: Session, by: By, name: str, act: Act) -> Head:
        """Lock chain `name` and append one act to it."""
        return self.write(session, by, [(self.head(session, name), act)])[name]

    def acts(
        self, session: Session, *, chain_name: str | None = None, key: str | None = None
    ) -> Iterator[tuple[Any, ...]]:
        """Yield (chain, seq, at, header, changes, link) in order, streamed."""
        c = self.act.c
        query = select(c.chain, c.seq, c.at, c.header, c.changes, c.link)
        if chain_name is not None:
            query = query.where(c.chain == chain_name)
        if key is not None:
            query = query.where(c.key == key)
        ordered = query.order_by(c.chain, c.seq).execution_options(yield_per=500)
        yield from session.execute(ordered)


def _begun(name: str) -> dict[str, object]:
    empty = chain.start(name)
    return {"name": name, "size": empty.size, "link": empty.link, "last_at": None}


def _facts(by: By, act: Act) -> dict[str, object]:
    return {
        "actor": by.actor.id,
        "name": by.actor.name,
        "role": act.role,
        "origin": by.origin,
        "action": act.action,
        "study": act.study,
        "site": act.site,
        "key": act.key,
        "refs": dict(act.refs),
    }


def _reason(act: Act) -> list[Change]:
    """A reason is free text, so it is committed to like a change and can be redacted."""
    return [] if act.reason is None else [Change(REASON, None, act.reason)]


def participant_chain(study: str, code: str) -> str:
    return f"participant:{study}/{code}"


def study_chain(study: str) -> str:
    return f"study:{study}"


LEDGER = Ledger(Base.metadata)
