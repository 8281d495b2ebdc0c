"""The blinded process: `python -m ecrf.web.alone`, which `ecrf serve --only blinded` becomes.

A process of its own loads nothing that could open an arm, so the command, which knows the
vault too, makes way for this module. It holds the main database, the line to the vault, and
neither the vault's key nor its database.
"""

import click
import waitress
from flask import Flask
from sqlalchemy import inspect

from ecrf.kernel import chance, clock, config, zones
from ecrf.kernel.config import Config
from ecrf.kernel.db import Database
from ecrf.kernel.errors import Unavailable
from ecrf.web import blinded, randomize, vault_client
from ecrf.web.services import Services

THREADS = 8


def create(settings: Config, database: Database) -> Flask:
    """Return the blinded app, which asks a vault in another process."""
    app = blinded.create(Services(settings, database, clock.now, chance.system))
    randomize.connect(app, vault_client.line(settings, clock.now, chance.system))
    return app


def checked(settings: Config) -> Config:
    """Return the settings without the vault's place; refuse what could open an arm."""
    flaws = list(zones.blinded(settings))
    if flaws:
        raise click.ClickException("The blinded process does not start.\n" + "\n".join(flaws))
    return settings.without_vault()


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True)
def main(host: str, port: int) -> None:
    """Serve the blinded app alone; the vault answers in a process of its own."""
    try:
        settings = checked(config.read())
        database = Database(settings.database_url)
        if not inspect(database.engine).has_table("person"):
            raise click.ClickException("There is no installation here yet: run `ecrf init`.")
        app = create(settings, database)
    except (ValueError, Unavailable) as wrong:
        raise click.ClickException(str(wrong)) from None
    click.echo(f"Serving the blinded app on http://{host}:{port}  (stop with Ctrl-C)")
    waitress.serve(app, host=host, port=port, threads=THREADS, ident=None)


if __name__ == "__main__":
    main()
