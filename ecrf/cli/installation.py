"""Opening what the settings name: databases, keys; and who gives a command."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import click
from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from ecrf.kernel import accounts, chance, clock
from ecrf.kernel.accounts import NOBODY
from ecrf.kernel.config import Config, read
from ecrf.kernel.db import Database
from ecrf.kernel.errors import Refused
from ecrf.kernel.ledger import By, Origin
from ecrf.kernel.people import Person


@dataclass(frozen=True, slots=True)
class Installation:
    """An installation as the commands see it."""

    config: Config
    database: Database
    vault: Database


def configured() -> Config:
    """Read the settings from the environment; end the command when one cannot be right."""
    try:
        return read()
    except ValueError as wrong:
        raise click.UsageError(str(wrong)) from None


@contextmanager
def opened(config: Config | None = None, *, lasting: bool = True) -> Iterator[Installation]:
    """Open the databases of an installation that was made with `ecrf init`."""
    config = config or configured()
    place = Installation(
        config,
        Database(config.database_url, lasting=lasting),
        Database(config.vault_database_url, lasting=lasting),
    )
    try:
        if not inspect(place.database.engine).has_table("person"):
            raise click.ClickException("There is no installation here yet: run `ecrf init`.")
        yield place
    finally:
        place.database.dispose()
        place.vault.dispose()


def system_by() -> By:
    """Return the system itself as the one who acts, now."""
    return By(NOBODY, clock.now(), Origin.COMMAND, chance.system)


def command_by(session: Session, username: str, password: str | None = None) -> By:
    """Return the person as the one who acts; with `password`, only after checking it."""
    now = clock.now()
    if password is not None:
        accounts.check(session, username, password, now)
    return By(accounts.actor(session, username, now), now, Origin.COMMAND, chance.system)


def first_person(session: Session) -> bool:
    """Say whether nobody has an account yet."""
    return session.scalar(select(Person.id).limit(1)) is None


@contextmanager
def refusals_shown() -> Iterator[None]:
    """Turn a refusal into the command's message and exit status 1."""
    try:
        yield
    except Refused as refusal:
        lines = [
            str(refusal),
            *(f"  {p.item}: {p.message.in_('en')}" for p in refusal.problems),
        ]
        raise click.ClickException("\n".join(lines)) from None
