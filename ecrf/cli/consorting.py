"""`ecrf randomization consort`: items 17a to 20b and the flow, written from the records."""

from pathlib import Path

import click

from ecrf.cli.installation import Installation, command_by, opened, refusals_shown
from ecrf.cli.randomization import AS
from ecrf.kernel.access import Right
from ecrf.kernel.errors import NotAllowed
from ecrf.kernel.text import LOCALES, T
from ecrf.study import versions
from ecrf.web.vault.oversight import consorting
from randomization import api
from randomization.closed import api as closed
from reports.closed import reading
from reports.consort import text
from reports.read import Selection


@click.command()
@click.argument("study_id", metavar="STUDY")
@AS
@click.option("--language", type=click.Choice(LOCALES), help="Both when it is not given.")
@click.option(
    "--unblinded",
    "bundle",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The bundle of an unblinded study: the flow is told by arm.",
)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="File to write.")
def consort(
    study_id: str, username: str, language: str | None, bundle: Path | None, out: Path | None
) -> None:
    """Write CONSORT 2025 items 17a, 17b, 18, 19, 20a, 20b and 22a of STUDY from its records.

    Item 19 is found by laying the ledger of who enrolled and randomized beside the vault's
    ledger of who read the list or an arm. Sizes of blocks are told to the unblinded
    statistician only, and that is written down.
    """
    with refusals_shown(), opened() as place:
        made = _written(place, study_id, username, language, bundle)
    if out is None:
        click.echo(made)
    else:
        out.write_text(made, "utf-8")
        click.echo(str(out))


def _written(
    place: Installation, study_id: str, username: str, language: str | None, bundle: Path | None
) -> str:
    vault = api.open_vault(place.config, place.vault)
    with place.database.read() as session:
        by = command_by(session, username)
        if not by.actor.may(Right.RANDOMIZATION_READ, study_id):
            raise NotAllowed(T("Your role does not include this."))
        study, _ = versions.in_force(session, study_id)
        facts = consorting.facts(session, vault, by, study)
        if bundle is not None:
            records = reading.records(
                session, Selection(study_id, None, by.at), study, by.at.date()
            )
            arms = {t.participant: t.arm for t in _treatments(bundle)}
            facts = consorting.by_arm(facts, study, records, arms)
    return text.bilingual(study, facts) if language is None else text.written(
        study, facts, language
    )  # fmt: skip


def _treatments(bundle: Path) -> tuple[closed.Treatment, ...]:
    return closed.treatments(api.load_bundle(str(bundle)))
