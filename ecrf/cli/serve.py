"""`ecrf init` and `ecrf serve`: make an installation, and answer requests."""

import logging
import os
import sys
from typing import Any

import click
import waitress
from waitress.server import create_server

from ecrf.cli import duties
from ecrf.cli.installation import (
    Installation,
    configured,
    first_person,
    opened,
    refusals_shown,
    system_by,
)
from ecrf.kernel import accounts, chance, clock, keys, zones
from ecrf.kernel.access import Grant, Role
from ecrf.kernel.chance import Draw
from ecrf.kernel.config import Config
from ecrf.study import shipped
from ecrf.web import alone, blinded, both, randomize, vault_address
from ecrf.web.services import Services
from ecrf.web.vault import app as vault
from ecrf.web.vault import service
from randomization import api, wire

THREADS = 8
NARROW_THREADS = 4
PORT, VAULT_PORT = 8000, 8800
SECRET_BYTES = 32


@click.command()
@click.option("--admin", required=True, help="User name of the first administrator.")
@click.option("--name", required=True, help="Their full name, as printed with signatures.")
@click.option("--password", prompt=True, hide_input=True, confirmation_prompt=True)
def init(admin: str, name: str, password: str) -> None:
    """Create both databases, the keys and the first administrator."""
    config = configured()
    build(config)
    with refusals_shown(), opened(config) as place, place.database.write() as session:
        if not first_person(session):
            raise click.ClickException("This installation has people already.")
        by = system_by()
        accounts.set_up(session, by)
        person_id = accounts.add(session, by, admin, name, password)
        for study in shipped.ids(config.protocols):
            grant = Grant(study, Role.ADMINISTRATOR)
            accounts.give(session, by, person_id, grant, "first administrator")
    click.echo(f"Ready in {config.data_dir}. Next: ecrf study approve, then ecrf serve.")


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option(
    "--port", type=int, help="Default: 8000; of the vault's pages with --only vault: 8800."
)
@click.option(
    "--only",
    type=click.Choice(["blinded", "vault"]),
    help="Serve one of the two apps, as the operating-system user of its side.",
)
def serve(host: str, port: int | None, only: str | None) -> None:
    """Serve the blinded app and the vault app behind one port, or one of them.

    Apart, the blinded app asks the vault at ECRF_VAULT_ADDRESS: docs/two-processes.md.
    """
    if only == "blinded":
        become_blinded(host, port or PORT)
    with refusals_shown(), opened() as place:
        if only == "vault":
            run_vault(place, host, port or VAULT_PORT)
        else:
            run(place, host, port or PORT)


def build(config: Config, draw: Draw = chance.system) -> None:
    """Make the data directory, bring both databases to the newest schema, make missing keys."""
    config.data_dir.mkdir(parents=True, exist_ok=True)
    config.vault_key_file.parent.mkdir(parents=True, exist_ok=True)
    from ecrf import migrations  # noqa: PLC0415 (slow to load; serving needs none)

    migrations.upgrade(config.database_url, "main")
    migrations.upgrade(config.vault_database_url, "vault")
    keys.make(config.signing_key_file, lambda: draw(keys.SEED_BYTES))
    api.make_key_file(config.vault_key_file, draw)
    keys.make(config.secret_file, lambda: draw(SECRET_BYTES))


def become_blinded(host: str, port: int) -> None:
    """Go on as the blinded process: another program, so that nothing of the vault is loaded."""
    safe = [] if "" in sys.path else ["-P"]
    program = [sys.executable, *safe, "-m", alone.__name__]
    os.execv(sys.executable, [*program, "--host", host, "--port", str(port)])  # noqa: S606 (no shell)


def run(place: Installation, host: str, port: int) -> None:
    """Answer requests until the process is stopped."""
    given = _services(place)
    keeper = api.open_vault(place.config, place.vault)
    inner = blinded.create(given)
    randomize.connect(inner, keeper)
    app = both.behind_one_port(inner, vault.create(given, keeper))
    duties.Rounds(place).go(clock.now())
    click.echo(f"Serving on http://{host}:{port}  (stop with Ctrl-C)")
    waitress.serve(app, host=host, port=port, threads=THREADS, ident=None)


def run_vault(place: Installation, host: str, port: int) -> None:
    """Answer the vault's pages, and at its address the four questions, until stopped."""
    try:
        address = vault_address.read(place.config.vault_address)
    except ValueError as wrong:
        raise click.UsageError(str(wrong)) from None
    flaws = list(zones.vault(place.config, place.database, place.vault))
    if flaws:
        raise click.ClickException("The vault does not start.\n" + "\n".join(flaws))
    keeper, given = api.open_vault(place.config, place.vault), _services(place)
    secret = keys.load_shared(place.config.secret_file)
    narrow = service.Service(keeper, secret, clock.now, chance.system)
    click.echo(f"Serving the vault on http://{host}:{port}/vault/  (stop with Ctrl-C)")
    click.echo(f"Answering the blinded app at {place.config.vault_address}")
    _serve_together(
        (narrow, {**address.listening(), "threads": NARROW_THREADS,
                  "max_request_body_size": wire.LONGEST_QUESTION}),
        (vault.create(given, keeper), {"host": host, "port": port, "threads": THREADS}),
    )  # fmt: skip


def _serve_together(*apps: tuple[Any, dict[str, object]]) -> None:
    """Serve several apps in one loop, so that none of them can end without the other."""
    logging.basicConfig()
    sockets: dict[int, object] = {}
    servers = [create_server(app, map=sockets, ident=None, **told) for app, told in apps]
    servers[-1].run()


def _services(place: Installation) -> Services:
    return Services(place.config, place.database, clock.now, chance.system)
