"""Making the vault's tables in an empty database."""

from ecrf.kernel.db import Database
from randomization.closed import tables as closed
from randomization.supplying import tables
from randomization.tables import VaultBase

MAKERS = (closed, tables)


def create(database: Database) -> None:
    """Make the tables that are not there yet, with their append-only triggers."""
    VaultBase.metadata.create_all(database.engine)
