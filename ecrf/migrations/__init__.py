"""The schemas of both databases, step by step, with Alembic.

`main` is the blinded database, `vault` the one that knows arms; their steps never meet. Nothing
here knows a table: a revision says what it makes, and a comparison takes the metadata as an
argument. There are no steps back; the way back is a restore from a backup.
"""

import warnings
from pathlib import Path
from typing import Any, Literal, cast

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, MetaData, event

from ecrf.kernel.db import make_engine

Which = Literal["main", "vault"]
COMPARE = {"compare_type": True, "compare_server_default": True}


class BrokenReference(Exception):
    """A migration left rows that point at nothing; it was undone."""


def upgrade(url: str, which: Which, to: str = "head") -> None:
    """Bring the database at `url` to the newest schema, or to `to`, wholly or not at all.

    A table that SQLite makes anew looks at its neighbours, whose indexes on expressions it
    cannot see and leaves alone.
    """
    engine = make_engine(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _pause_references)
    try:
        with engine.begin() as connection, warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*expression-based index")
            command.upgrade(config(which, connection), to)
            _references_hold(connection)
    finally:
        engine.dispose()


def head(which: Which) -> str:
    """Return the name of the newest revision."""
    return cast("str", ScriptDirectory.from_config(config(which)).get_current_head())


def current(engine: Engine) -> str | None:
    """Return the revision a database stands at; None while it has no schema."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def check(engine: Engine, metadata: MetaData) -> list[Any]:
    """Return what a database lacks or has too much, compared with `metadata`.

    SQLite hides indexes on expressions; they are compared on PostgreSQL only.
    """
    with engine.connect() as connection, warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*expression-based index")
        context = MigrationContext.configure(connection, opts=COMPARE)
        return list(compare_metadata(context, metadata))


def config(which: Which, connection: Connection | None = None) -> Config:
    """Return Alembic's configuration for one of the two schemas."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent / which))
    made.set_main_option("path_separator", "os")
    made.attributes["connection"] = connection
    return made


def _pause_references(connection: Any, _record: object) -> None:
    """SQLite makes a table anew to change it; foreign keys and triggers would refuse."""
    for pragma in ("foreign_keys = OFF", "legacy_alter_table = ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _references_hold(connection: Connection) -> None:
    if connection.dialect.name != "sqlite":
        return
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if broken is not None:
        raise BrokenReference(f"a row of {broken[0]} points at no row of {broken[2]}")
