"""Amendments by command: put a version in force at a site, try it dry, apply it."""

import csv
import sys
from collections.abc import Sequence
from datetime import datetime

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from ecrf.cli.installation import command_by, configured, opened, refusals_shown
from ecrf.kernel.errors import NotFound
from ecrf.kernel.text import Message, T, say
from ecrf.study import at_sites, versions
from ecrf.study.diff import Difference
from ecrf.study.model import Study
from ecrf.study.tables import ProtocolVersion, StudyRow
from ecrf.study.versions import Approval
from forms.amending import applying, counting, trying
from forms.amending.counting import Count
from forms.quality.everyone import Whole

AS = click.option("--as", "username", required=True, help="User name of the one who does it.")
PASSWORD = click.option("--password", prompt=True, hide_input=True)
DAY = click.DateTime(["%Y-%m-%d"])
COLUMNS = ("participant", "visit", "form", "number", "item", "label", "what", "text")
VERSION = click.option(
    "--version", "version", help="Its label or fingerprint; the newest approved without it."
)


@click.command()
@click.argument("study")
@click.argument("site")
@VERSION
@click.option("--ethics-on", type=DAY, required=True, help="Day of the ethics approval.")
@click.option("--reference", required=True, help="Number of the ethics approval.")
@click.option("--effective-on", type=DAY, required=True, help="In force from this day on.")
@AS
@PASSWORD
def adopt(
    study: str,
    site: str,
    version: str | None,
    ethics_on: datetime,
    reference: str,
    effective_on: datetime,
    username: str,
    password: str,
) -> None:
    """Put an approved version of STUDY in force at SITE."""
    with refusals_shown(), opened() as place, place.database.write() as session:
        by = command_by(session, username, password)
        fingerprint = _fingerprint(session, study, version)
        at_sites.adopt(
            session, by, study, site, fingerprint, ethics_on=ethics_on.date(),
            effective_on=effective_on.date(), reference=reference,
        )  # fmt: skip
    click.echo(f"{study} {fingerprint[:12]} is in force at {site} from {effective_on.date()}.")


@click.command("try")
@click.argument("study")
@click.argument("site")
@VERSION
@click.option("--lines", is_flag=True, help="Print every line as CSV, not the totals.")
def try_dry(study: str, site: str, version: str | None, *, lines: bool) -> None:
    """Print what applying a version of STUDY would do at SITE; nothing changes."""
    with refusals_shown(), opened() as place, place.database.read() as session:
        fingerprint = _fingerprint(session, study, version)
        found = trying.run(session, study, site, fingerprint)
        if not lines:
            for name, number in trying.totals(found, 0)[0].items():
                click.echo(f"{name:<14}{number:>8}")
            return
        writer, locale = csv.writer(sys.stdout), configured().locale
        writer.writerow(COLUMNS)
        for one in found:
            if not isinstance(one, Whole):
                writer.writerow([say(getattr(one, name), locale) for name in COLUMNS])


@click.command("apply")
@click.argument("study")
@click.argument("site")
@VERSION
@AS
@PASSWORD
def apply(study: str, site: str, version: str | None, username: str, password: str) -> None:
    """Ask for the open forms of SITE to be moved to a version; `ecrf worker` does it."""
    with refusals_shown(), opened() as place, place.database.write() as session:
        by = command_by(session, username, password)
        job = applying.ask(session, by, study, site, _fingerprint(session, study, version))
    click.echo(f"Job {job} waits for a worker.")


COMMANDS = (adopt, try_dry, apply)


def counts(old: Study, new: Study, found: Sequence[Difference]) -> list[Count]:
    """Count the forms of this installation that the differences concern."""
    with opened() as place, place.database.read() as session:
        return counting.count(session, old, new, found)


def words(count: Count) -> Message | None:
    """Say a count; None when there are no forms it concerns."""
    if not count.entries:
        return None
    if count.outside is not None:
        return T("{n} forms hold an answer outside", n=count.outside)
    return T("{n} forms, {answered} with an answer", n=count.entries, answered=count.answered)


def standing(approval: Approval) -> str:
    """Say where a version stands after an approval."""
    if not approval.in_force:
        return "approved once; a second person has to approve"
    return "in force" if approval.first else "approved; put it in force with `ecrf study adopt`"


def _fingerprint(session: Session, study: str, version: str | None) -> str:
    if version is None:
        return versions.in_force(session, study)[1]
    found = session.scalar(
        select(ProtocolVersion.fingerprint)
        .join(StudyRow, StudyRow.id == ProtocolVersion.study)
        .where(
            ProtocolVersion.study == study, ProtocolVersion.second_at.is_not(None),
            (ProtocolVersion.version == version) | (ProtocolVersion.fingerprint == version),
        )
    )  # fmt: skip
    if found is None:
        raise NotFound(T("There is no approved version {version}.", version=version))
    return found
