"""`ecrf randomization resupply`: order for every site what its coming visits may need."""

import json
from datetime import datetime

import click

from ecrf.cli.installation import command_by, opened, refusals_shown
from ecrf.kernel import clock
from ecrf.kernel.access import Right
from ecrf.kernel.text import Message, T
from ecrf.study import versions
from ecrf.web.vault.supply import needs
from randomization import api as vault_api
from randomization.supplying import api
from visits import lookup
from visits.windows import civil_date


@click.command()
@click.argument("study_id", metavar="STUDY")
@click.option(
    "--date",
    "day",
    type=click.DateTime(["%Y-%m-%d"]),
    help="The day it is for; today by default.",
)
@click.option("--dry-run", is_flag=True, help="Show it and order nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--as", "username", required=True, help="User name of a supply manager.")
def resupply(
    study_id: str, day: datetime | None, username: str, *, dry_run: bool, as_json: bool
) -> None:
    """Order whole sets for the sites of STUDY, as `supply.stocking` says.

    Run again for the same day it orders nothing more; a timer may run it every night. An order
    waits for another supply manager to approve it.
    """
    with refusals_shown(), opened() as place:
        with place.database.read() as session:
            by = command_by(session, username)
            study, _ = versions.in_force(session, study_id)
            sites = lookup.sites(session, by.actor, study_id, Right.SUPPLY_MANAGE)
            zone = next((site.zone for site in sites), "UTC")
            today = day.date() if day else civil_date(clock.now(), zone)
            plan = needs.plan(session, study, sites, today)
        vault = vault_api.open_vault(place.config, place.vault)
        lines = (api.foresee if dry_run else api.resupply)(vault, by, plan)
    if as_json:
        click.echo(json.dumps([line._asdict() for line in lines]))
        return
    for line in lines:
        click.echo(str(_said(line)))


def _said(line: api.Foreseen) -> Message:
    return T(
        "{site}: {sets} sets there, {coming} coming, {soon} and {later} needed, {order} "
        "ordered",
        site=line.site, sets=line.sets, coming=line.coming, soon=line.soon, later=line.later,
        order=line.order,
    )  # fmt: skip
