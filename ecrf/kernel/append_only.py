"""Tables the database itself defends: those that only grow, and those with a rule of their own.

`guard(table)` marks a table that only grows where it is defined; `follow` adds what the
database itself does when a row comes in; `defend` gives a table other triggers. Making the
table then makes the triggers too, and a migration carries the statements of `triggers`.
Somebody who owns the database can still drop a trigger; the hash chains are there to show it.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Table, event

MARK = "append_only"
FOLLOWS = "follows"
DEFENDED = "defended"
FUNCTION = """
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING
        MESSAGE = TG_TABLE_NAME || ' is append-only', ERRCODE = 'restrict_violation';
END $$
""".strip()


def guard(table: Table) -> None:
    """Make `table` append-only wherever it is created."""
    table.info[MARK] = True
    event.listen(table, "after_create", _refuse)


def follow(table: Table, sqlite: Sequence[str], postgresql: Sequence[str]) -> None:
    """Have the database itself carry out what follows from a new row of a guarded table."""
    table.info[FOLLOWS] = {"sqlite": tuple(sqlite), "postgresql": tuple(postgresql)}


def defend(table: Table, sqlite: Sequence[str], postgresql: Sequence[str]) -> None:
    """Give a table triggers that refuse what its own rule forbids, wherever it is created."""
    table.info[DEFENDED] = {"sqlite": tuple(sqlite), "postgresql": tuple(postgresql)}
    event.listen(table, "after_create", _refuse)


def guarded(table: Table) -> bool:
    """Say whether the database refuses anything of this table."""
    return bool(table.info.get(MARK) or table.info.get(DEFENDED))


def triggers(table: Table, dialect: str) -> tuple[str, ...]:
    """Return the statements that make `table` refuse changes on this kind of database."""
    defended: dict[str, tuple[str, ...]] | None = table.info.get(DEFENDED)
    if defended is not None:
        return defended[dialect]
    refusing = _postgresql(table) if dialect == "postgresql" else _sqlite(table)
    follows: dict[str, tuple[str, ...]] = table.info.get(FOLLOWS, {})
    return (*refusing, *follows.get(dialect, ()))


def _postgresql(table: Table) -> tuple[str, ...]:
    return (
        FUNCTION,
        (
            f"CREATE TRIGGER {table.name}_append_only"
            f' BEFORE UPDATE OR DELETE OR TRUNCATE ON "{table.name}"'
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        ),
    )


def _sqlite(table: Table) -> tuple[str, ...]:
    """Refuse UPDATE, DELETE, and the hidden DELETE of INSERT OR REPLACE."""
    name = table.name
    refuse = f"BEGIN SELECT RAISE(ABORT, '{name} is append-only'); END"
    same = " AND ".join(f'"{c.name}" = NEW."{c.name}"' for c in table.primary_key)
    return (
        f'CREATE TRIGGER {name}_no_update BEFORE UPDATE ON "{name}" {refuse}',
        f'CREATE TRIGGER {name}_no_delete BEFORE DELETE ON "{name}" {refuse}',
        (
            f'CREATE TRIGGER {name}_no_replace BEFORE INSERT ON "{name}"'
            f' WHEN EXISTS (SELECT 1 FROM "{name}" WHERE {same}) {refuse}'
        ),
    )


def _refuse(table: Table, connection: Connection, **_options: Any) -> None:
    for statement in triggers(table, connection.dialect.name):
        connection.exec_driver_sql(statement)
