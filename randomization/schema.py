"""Making the vault's tables in an empty database."""

from ecrf.kernel.db import Database
from randomization import forcing_tables
from randomization.breaking import tables as breaking
from randomization.ceremony import tables as ceremonies
from randomization.closed import tables as closed
from randomization.minimising import tables as minimising
from randomization.supplying import tables as supplying
from randomization.tables import VaultBase

MAKERS = (breaking, ceremonies, closed, forcing_tables, minimising, supplying)


def create(database: Database) -> None:
    """Make the tables that are not there yet, with their append-only triggers."""
    VaultBase.metadata.create_all(database.engine)
