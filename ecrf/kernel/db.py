"""One database: the column kinds every table is made of, and the two ways to use a session.

Writing on SQLite takes the write lock at BEGIN: the driver's default (lock at the first write)
silently lets two transactions read the same free slot. A process-wide lock in front of it makes
the queue fair. On PostgreSQL a transaction is READ COMMITTED and locks the rows it decides on.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import partial
from threading import RLock
from typing import Annotated, Any

from sqlalchemy import (
    JSON,
    Connection,
    Date,
    DateTime,
    Dialect,
    Engine,
    MetaData,
    String,
    TypeDecorator,
    create_engine,
    event,
)
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column
from sqlalchemy.pool import ConnectionPoolEntry

CONNECT_SECONDS = 5


class Instant(TypeDecorator[datetime]):
    """A point in time: naive UTC in the table, aware in Python; naive values are refused."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


Key = Annotated[int, mapped_column(primary_key=True)]
Code = Annotated[str, mapped_column(String(64))]

CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """The tables of the main (blinded) database."""

    metadata = MetaData(naming_convention=CONVENTION)
    type_annotation_map = {
        datetime: Instant,
        date: Date,
        dict[str, Any]: JSON,
        list[Any]: JSON,
    }


class Database:
    """An engine made the one right way, with a session for reading and one for writing.

    `lasting` False is for what is made anew after a power failure, such as a training copy in
    the making: SQLite then does not wait for the disk.
    """

    def __init__(self, url: str, *, lasting: bool = True) -> None:
        self.engine = make_engine(url, lasting=lasting)
        self._reading = self.engine.execution_options(reading=True)
        if self.engine.dialect.name == "postgresql":
            self._reading = self._reading.execution_options(isolation_level="REPEATABLE READ")
        self._queue = RLock() if self.engine.dialect.name == "sqlite" else None

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Give a session that sees one state and changes nothing."""
        with Session(self._reading) as session:
            yield session
            session.rollback()

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Give a session that is one transaction: committed at the end, or undone whole."""
        if self._queue is None:
            with Session(self.engine) as session, session.begin():
                yield session
            return
        with self._queue, Session(self.engine) as session, session.begin():
            yield session

    def dispose(self) -> None:
        self.engine.dispose()


def make_engine(url: str, *, lasting: bool = True) -> Engine:
    """Return the engine for `url` (sqlite or postgresql); no other module may make one."""
    # What people typed stands in the parameters; an error that reaches a log shows none.
    engine = create_engine(url, hide_parameters=True, connect_args=_arguments(url))
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", partial(_set_up_sqlite, "FULL" if lasting else "OFF"))
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _arguments(url: str) -> dict[str, object]:
    """A server that is away is noticed soon: in an emergency nobody can wait for minutes."""
    waits = url.startswith("postgresql") and "connect_timeout" not in url
    return {"connect_timeout": CONNECT_SECONDS} if waits else {}


def _set_up_sqlite(synchronous: str, connection: Any, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None
    for pragma in (
        "journal_mode = WAL",
        f"synchronous = {synchronous}",
        "busy_timeout = 30000",
        "foreign_keys = ON",
        "secure_delete = ON",
    ):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    reading = connection.get_execution_options().get("reading")
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
