"""INSERT … ON CONFLICT, which both databases spell alike and SQLAlchemy keeps apart."""

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from ecrf.kernel.db import Base


def insert_or(session: Session, table: type[Base]) -> postgresql.Insert | sqlite.Insert:
    """Return an INSERT that takes `on_conflict_do_update` or `on_conflict_do_nothing`."""
    return insert_for(session.get_bind().dialect.name, table)


def insert_for(dialect: str, table: type[Base]) -> postgresql.Insert | sqlite.Insert:
    """Return the same for a kind of database, so that a statement can be made once."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
