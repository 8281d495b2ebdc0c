"""`ecrf randomization sweep`: store what the vault has given and this side has not stored."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import click
from sqlalchemy import select

from ecrf.cli.installation import Installation, opened, refusals_shown
from ecrf.kernel import chance, clock, keys
from ecrf.kernel.accounts import NOBODY
from ecrf.kernel.ledger import By, Origin
from ecrf.study.tables import StudyRow
from ecrf.web.randomize import drawn_from
from forms import sweeping
from forms.sweeping import Answer, Swept
from randomization import api
from visits.randomized import Known


@dataclass(frozen=True, slots=True)
class Keeper:
    """The vault as the sweeper sees it."""

    _vault: api.Vault

    def randomized(self, study: str) -> Mapping[str, str]:
        return api.given_to(self._vault, study)

    def answer(self, study: str, participant: str, zone: str) -> Answer | None:
        found = api.given(self._vault, study, participant)
        return None if found is None else Answer(found.site, drawn_from(found.receipt, zone))

    def kits(self, study: str) -> Mapping[str, Sequence[Known]]:
        found = api.given_kits(self._vault, study)
        return {code: [Known(*kit) for kit in kits] for code, kits in found.items()}


@click.command()
@click.argument("study_id", metavar="STUDY")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def sweep(study_id: str, *, as_json: bool) -> None:
    """Store what the vault has given STUDY and the main database does not know yet.

    Nobody is put on a slot by it, and doing it twice changes nothing; `ecrf worker` does it
    every minute. Exit status 1 when the two sides differ in a way that people have to look at.
    """
    with refusals_shown(), opened() as place:
        found = one(place, study_id)
    if as_json:
        click.echo(json.dumps(found._asdict()))
    else:
        _say(found)
    if not found.sound:
        raise click.exceptions.Exit(1)


def one(place: Installation, study_id: str) -> Swept:
    """Sweep one study in the name of nobody."""
    vault = api.open_vault(place.config, place.vault)
    by = By(NOBODY, clock.now(), Origin.JOB, chance.system)
    return sweeping.sweep(place.database, by, Keeper(vault), study_id)


def every(place: Installation) -> dict[str, Swept]:
    """Sweep every study, where the vault's key is; elsewhere nothing."""
    if not keys.readable(place.config.vault_key_file):
        return {}
    with place.database.read() as session:
        studies = session.scalars(select(StudyRow.id).order_by(StudyRow.id)).all()
    return {study: one(place, study) for study in studies}


def _say(found: Swept) -> None:
    names = {
        "stored": "Randomizations stored", "followed": "Kits brought up to date",
        "strangers": "In the vault, unknown here", "unanswered": "Here, unknown to the vault",
    }  # fmt: skip
    for name, title in names.items():
        codes = getattr(found, name)
        if codes:
            click.echo(f"{title}: {', '.join(codes)}")
    if found == Swept():
        click.echo("Both sides agree.")
