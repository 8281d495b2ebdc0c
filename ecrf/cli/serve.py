"""`ecrf init` and `ecrf serve`: make an installation, and answer requests."""

import click
import waitress

from ecrf import migrations
from ecrf.cli import duties
from ecrf.cli.installation import (
    Installation,
    configured,
    first_person,
    opened,
    refusals_shown,
    system_by,
)
from ecrf.kernel import accounts, chance, clock, keys
from ecrf.kernel.access import Grant, Role
from ecrf.kernel.chance import Draw
from ecrf.kernel.config import Config
from ecrf.study import shipped
from ecrf.web import blinded, both, randomize, vault
from ecrf.web.services import Services
from randomization import api

THREADS = 8


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
@click.option("--port", default=8000, show_default=True)
def serve(host: str, port: int) -> None:
    """Serve the blinded app and the vault app behind one port."""
    with opened() as place:
        run(place, host, port)


def build(config: Config, draw: Draw = chance.system) -> None:
    """Make the data directory, bring both databases to the newest schema, make missing keys."""
    config.data_dir.mkdir(parents=True, exist_ok=True)
    config.vault_key_file.parent.mkdir(parents=True, exist_ok=True)
    migrations.upgrade(config.database_url, "main")
    migrations.upgrade(config.vault_database_url, "vault")
    keys.make(config.signing_key_file, lambda: draw(keys.SEED_BYTES))
    api.make_key_file(config.vault_key_file, draw)


def run(place: Installation, host: str, port: int) -> None:
    """Answer requests until the process is stopped."""
    given = Services(place.config, place.database, clock.now, chance.system)
    keeper = api.open_vault(place.config, place.vault)
    inner = blinded.create(given)
    randomize.connect(inner, keeper)
    app = both.behind_one_port(inner, vault.create(given, keeper))
    duties.Rounds(place).go(clock.now())
    click.echo(f"Serving on http://{host}:{port}  (stop with Ctrl-C)")
    waitress.serve(app, host=host, port=port, threads=THREADS, ident=None)
