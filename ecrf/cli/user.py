"""`ecrf user`: accounts and their roles."""

import click

from ecrf.cli.installation import command_by, opened, refusals_shown
from ecrf.kernel import accounts, addresses
from ecrf.kernel.access import Grant, Role

ROLES = click.Choice([role.value for role in Role])


@click.group()
def user() -> None:
    """Accounts of people, and the roles they hold."""


@user.command()
@click.argument("username")
@click.option("--name", required=True, help="Full name, as printed with signatures.")
@click.option("--password", prompt=True, hide_input=True, confirmation_prompt=True)
@click.option("--as", "administrator", required=True, help="User name of the administrator.")
def add(username: str, name: str, password: str, administrator: str) -> None:
    """Make the account USERNAME."""
    with refusals_shown(), opened() as place, place.database.write() as session:
        by = command_by(session, administrator)
        person_id = accounts.add(session, by, username, name, password)
    click.echo(f"{username} is person {person_id}.")


@user.command()
@click.argument("username")
@click.argument("address")
@click.option("--reason", required=True)
@click.option("--as", "administrator", required=True, help="User name of the administrator.")
def email(username: str, address: str, reason: str, administrator: str) -> None:
    """Send the notices for USERNAME to ADDRESS; "" sends none."""
    with refusals_shown(), opened() as place, place.database.write() as session:
        by = command_by(session, administrator)
        person = accounts.actor(session, username, by.at)
        addresses.set_email(session, by, person.id, address, reason)
    click.echo(f"Notices for {username} go to {address or 'nobody'}.")


@user.command()
@click.argument("username")
@click.argument("study")
@click.argument("role", type=ROLES)
@click.option("--site", help="Code of the one site; without it, every site.")
@click.option("--reason", required=True)
@click.option("--as", "administrator", required=True, help="User name of the administrator.")
def grant(
    username: str, study: str, role: str, site: str | None, reason: str, administrator: str
) -> None:
    """Give USERNAME the ROLE in STUDY."""
    _change(username, Grant(study, Role(role), site), reason, administrator, ending=False)
    click.echo(f"{username} is now {role} in {study}.")


@user.command()
@click.argument("username")
@click.argument("study")
@click.argument("role", type=ROLES)
@click.option("--site", help="Code of the one site; without it, every site.")
@click.option("--reason", required=True)
@click.option("--as", "administrator", required=True, help="User name of the administrator.")
def end(
    username: str, study: str, role: str, site: str | None, reason: str, administrator: str
) -> None:
    """End the ROLE of USERNAME in STUDY, at once."""
    _change(username, Grant(study, Role(role), site), reason, administrator, ending=True)
    click.echo(f"{username} is no longer {role} in {study}.")


def _change(
    username: str, held: Grant, reason: str, administrator: str, *, ending: bool
) -> None:
    with refusals_shown(), opened() as place, place.database.write() as session:
        by = command_by(session, administrator)
        person = accounts.actor(session, username, by.at)
        if held.site is not None:
            accounts.require_sites(session, held.study, [held.site])
        act = accounts.end if ending else accounts.give
        act(session, by, person.id, held, reason)
