"""What must be so before a process of one zone starts, when the vault is apart.

Each function returns what is wrong, as sentences for whoever installs it; none means start.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import inspect, make_url
from sqlalchemy.exc import DBAPIError

from ecrf.kernel import keys
from ecrf.kernel.config import Config
from ecrf.kernel.db import Database
from ecrf.kernel.errors import Unavailable

VAULT_URL = "ECRF_VAULT_DATABASE_URL"


def blinded(config: Config) -> Iterator[str]:
    """Yield every way in which this process could reach what opens arms."""
    if VAULT_URL in config.named:
        yield f"{VAULT_URL} is set; the blinded process must not hold it. Unset it."
    if os.access(config.vault_key_file, os.R_OK):
        yield (
            f"The vault's key file {config.vault_key_file} can be read by this user. Give it "
            "to the vault's own user with mode 600, in a folder with mode 700."
        )
    file = _file(config.vault_database_url)
    if file is not None and os.access(file, os.R_OK):
        yield (
            f"The vault's database {file} can be read by this user. Give its folder to the "
            "vault's own user with mode 700."
        )
    yield from _secret(config)


def vault(config: Config, main: Database, own: Database) -> Iterator[str]:
    """Yield what is wrong with the vault's key, its secret, or its two databases."""
    try:
        keys.load(config.vault_key_file)
    except Unavailable as wrong:
        yield str(wrong)
    yield from databases(main, own)
    yield from _secret(config)


def databases(main: Database, own: Database) -> Iterator[str]:
    """Yield what is wrong when the two databases are one, by whatever two names."""
    tables = []
    for database in (main, own):
        try:
            tables.append(set(inspect(database.engine).get_table_names()))
        except DBAPIError:
            yield f"The database {database.engine.url} cannot be opened by this user."
            return
    if "slot" in tables[0]:
        yield "The main database holds the vault's tables; each needs a database of its own."
    elif "person" in tables[1]:
        yield f"{VAULT_URL} names the main database; the vault needs its own."
    elif "slot" not in tables[1]:
        yield f"{VAULT_URL} names a database without tables of a vault; see `ecrf init`."


def _secret(config: Config) -> Iterator[str]:
    try:
        keys.load_shared(config.secret_file)
    except Unavailable as wrong:
        yield f"ECRF_SECRET_FILE: {wrong}"


def _file(url: str) -> Path | None:
    """Return the file of a database that is one."""
    parsed = make_url(url)
    named = parsed.get_backend_name() == "sqlite" and parsed.database
    return Path(named) if named else None
