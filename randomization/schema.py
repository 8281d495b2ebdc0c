"""Making the vault's tables in an empty database."""

from ecrf.kernel.db import Database
from randomization.breaking import tables as breaking
from randomization.supplying import tables
from randomization.tables import VaultBase

MAKERS = (breaking, tables)


def create(database: Database) -> None:
    """Make the tables that are not there yet, with their append-only triggers."""
    VaultBase.metadata.create_all(database.engine)
