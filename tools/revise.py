"""Write the next revision of a schema: the difference between its migrations and its tables.

    python -m tools.revise main "What changes"

Read what it writes: a renamed column looks like one dropped and one added, and a table made
anew on SQLite loses its triggers.
"""

import re
import subprocess
import sys
from pathlib import Path

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.operations.ops import CreateTableOp
from alembic.runtime.migration import MigrationContext

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
    made, code = _difference(which)
    guards = [t for name in made if guarded(t := metadata(which).tables[name])]
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
    """Return the tables newly made, and the code that leads to the models."""
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
            code = render_python_code(
                operations, render_as_batch=True, render_item=_render, migration_context=context
            )
        engine.dispose()
    made = [part.table_name for part in operations.ops if isinstance(part, CreateTableOp)]
    lines = [line for line in code.splitlines() if "# ###" not in line]
    return made, "\n".join(lines).rstrip()


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
