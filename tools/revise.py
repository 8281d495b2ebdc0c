"""Write the next revision of a schema: the difference between its migrations and its tables.

    python -m tools.revise main "What changes"

Read what it writes: a renamed column looks like one dropped and one added, a table made anew
on SQLite loses its triggers, and what becomes of rows that are there is written by hand.
"""

import re
import subprocess
import sys
from pathlib import Path

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.operations.ops import AddColumnOp, CreateTableOp
from alembic.runtime.migration import MigrationContext
from sqlalchemy import CheckConstraint, Column, DefaultClause, Integer, inspect

from ecrf import migrations
from ecrf.kernel.append_only import guarded, triggers
from ecrf.kernel.db import Instant, make_engine
from tests import postgres
from tools.schemas import metadata

PAGE = '''"""{message}."""

import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = {down!r}
branch_labels = None
depends_on = None

{triggers}
def upgrade() -> None:
    """Carry the change out."""
{code}
'''
TRIGGERS = """
REFUSALS = {
%s}

"""
REFUSE = """
    for statement in REFUSALS[op.get_bind().dialect.name]:
        op.execute(statement)"""


def main(which, message):
    """Write the revision's file, formatted, and print its path."""
    down = migrations.head(which)
    number = f"{int(down or 0) + 1:04}"
    known, code = _difference(which)
    guards = [
        table
        for table in metadata(which).sorted_tables
        if guarded(table) and not _names(table) <= known
    ]
    page = PAGE.format(
        message=message,
        revision=number,
        down=down,
        triggers=TRIGGERS % _refusals(guards) if guards else "",
        code=code + (REFUSE if guards else ""),
    )
    slug = re.sub(r"\W+", "_", message.lower())
    folder = Path(migrations.__file__).parent / which / "versions"
    folder.mkdir(exist_ok=True)
    path = folder / f"{number}_{slug}.py"
    path.write_text(page)
    subprocess.run(["ruff", "format", "-q", path], check=True)
    print(path)


def _difference(which):
    """Return the names of the triggers there are, and the code that leads to the models."""
    with postgres.running() as server:
        url = server.create()
        if migrations.head(which):
            migrations.upgrade(url, which)
        engine = make_engine(url)
        with engine.connect() as connection:
            context = MigrationContext.configure(connection, opts=migrations.COMPARE)
            operations = produce_migrations(context, metadata(which)).upgrade_ops
            for part in operations.ops:
                if isinstance(part, CreateTableOp):
                    part.info = {}
            filled = _fill(operations)
            code = render_python_code(
                operations, render_as_batch=True, render_item=_render, migration_context=context
            )
            code += _changed_checks(which, connection, server) + _unfill(filled)
            known = set(connection.exec_driver_sql("SELECT tgname FROM pg_trigger").scalars())
        engine.dispose()
    lines = [line for line in code.splitlines() if "# ###" not in line]
    return known, "\n".join(lines).rstrip()


def _names(table):
    """Return the names of a table's triggers on PostgreSQL."""
    made = " ".join(triggers(table, "postgresql"))
    return set(re.findall(r"CREATE TRIGGER (\w+)", made))


def _fill(operations):
    """Give rows that are there the empty value in new columns; return {table: columns}."""
    filled = {}
    for table in operations.ops:
        for part in getattr(table, "ops", ()):
            if isinstance(part, AddColumnOp) and not part.column.nullable:
                part.column = Column(part.column.name, part.column.type, nullable=False)
                empty = "0" if isinstance(part.column.type, Integer) else ""
                part.column.server_default = DefaultClause(empty)
                filled.setdefault(part.table_name, []).append(part.column.name)
    return filled


def _unfill(filled):
    """Write that new rows say themselves what stands in the columns."""
    code = ""
    for table, columns in filled.items():
        lines = (f"batch_op.alter_column({name!r}, server_default=None)" for name in columns)
        body = "".join(f"\n        {line}" for line in lines)
        code += f"\n    with op.batch_alter_table({table!r}) as batch_op:{body}\n"
    return code


def _changed_checks(which, connection, server):
    """Write the checks that are otherwise, or new; a comparison does not see them."""
    engine = make_engine(server.create())
    metadata(which).create_all(engine)
    before, after = inspect(connection), inspect(engine)
    code = ""
    for name in before.get_table_names():
        if name not in metadata(which).tables:
            continue
        old, new = (
            {c["name"]: c["sqltext"] for c in seen.get_check_constraints(name)}
            for seen in (before, after)
        )
        texts = _checks(metadata(which).tables[name])
        lines = [
            f"batch_op.drop_constraint(op.f({key!r}), type_='check')"
            for key in old
            if old[key] != new.get(key)
        ]
        lines += [
            f"batch_op.create_check_constraint(op.f({key!r}), {texts[key]!r})"
            for key in new
            if new[key] != old.get(key)
        ]
        if lines:
            body = "".join(f"\n        {line}" for line in lines)
            code += f"\n    with op.batch_alter_table({name!r}) as batch_op:{body}\n"
    engine.dispose()
    return code


def _checks(table):
    """Return {name: text} of a table's checks."""
    found = {
        c.name: str(c.sqltext) for c in table.constraints if isinstance(c, CheckConstraint)
    }
    return dict(sorted(found.items()))


def _render(kind, thing, _context):
    """Write an instant as the plain column it is, so that a revision depends on no code."""
    return "sa.DateTime()" if kind == "type" and isinstance(thing, Instant) else False


def _refusals(tables):
    lines = ""
    for dialect in ("sqlite", "postgresql"):
        statements = dict.fromkeys(s for table in tables for s in triggers(table, dialect))
        lines += f"{dialect!r}: {tuple(statements)},\n"
    return lines


if __name__ == "__main__":
    main(*sys.argv[1:])
