"""`ecrf prove`: run the proof of blinding on an installation, and print it.

Everything is read and nothing is written, but for a rehearsal in a folder of its own that is
removed. Keys are used in this process alone; what is printed tells no arm.
"""

import json
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import click
from rich.console import Console

from ecrf.cli.installation import Installation, opened, refusals_shown
from ecrf.cli.proving import records, rehearsing, search, setup
from ecrf.cli.proving.result import Outcome, Result, judged
from ecrf.kernel import clock
from ecrf.kernel.text import T
from ecrf.study import versions
from ecrf.study.canonical import canonical
from ecrf.study.model import Study
from randomization import api
from randomization.proving import api as proving

WROTE = "{passed} passed, {failed} failed, {left} not run"


@click.command()
@click.argument("study_id", metavar="STUDY")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="The PDF to write."
)
@click.option(
    "--also",
    "folders",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder to search besides the data directory, such as that of the backups.",
)
@click.option(
    "--participants", type=click.IntRange(4, 400), default=24, show_default=True,
    help="How many participants the rehearsal carries through each of its two worlds.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def prove(
    study_id: str, out: Path | None, folders: tuple[Path, ...], participants: int,
    *, as_json: bool,
) -> None:  # fmt: skip
    """Prove the blinding of STUDY on this installation, or on a copy of it.

    Reads only. No arm is printed, nor a figure that could tell one. Exit status: 0 when nothing
    failed, 1 when something did.
    """
    with refusals_shown(), opened() as place:
        with place.database.read() as session:
            study, fingerprint = versions.in_force(session, study_id)
        with Console(stderr=True).status("Proving the blind …"):
            found = list(_results(place, study, folders, participants))
        made = clock.now()
        if out is not None:
            from ecrf.cli.proving import paper  # noqa: PLC0415 (the PDF library loads slowly)

            training = str(place.config.environment) != "production"
            roots = proving.roots(place.vault, study_id)
            report = paper.Report(study, fingerprint, roots, found, made)
            out.write_bytes(report.draw(training=training))
    _show(study, fingerprint, found, made, as_json=as_json)
    if any(one.outcome is Outcome.FAILED for one in found):
        raise click.exceptions.Exit(1)


def _results(
    place: Installation, study: Study, folders: tuple[Path, ...], participants: int
) -> Iterator[Result]:
    vault = api.open_vault(place.config, place.vault)
    yield from setup.results(place, study.id)
    yield from _searched(place, vault, study, folders)
    yield from records.results(place, vault, study)
    with tempfile.TemporaryDirectory(prefix="ecrf-rehearsal-") as folder:
        yield from rehearsing.results(
            vault, study.id, Path(folder), participants, time.perf_counter
        )


def _searched(
    place: Installation, vault: api.Vault, study: Study, folders: tuple[Path, ...]
) -> Iterator[Result]:
    """Search files and rows for what opens arms, and for the names of arms."""
    config = place.config
    looked = [config.data_dir, *folders]
    keys = {config.vault_key_file.resolve(), config.signing_key_file.resolve()}
    secrets = search.coded(proving.secrets(vault, study.id))
    hits = [*search.in_files(looked, keys, secrets), *search.in_rows(place.database, secrets)]
    yield judged(
        "secrets", T("Keys, seeds and specifications"),
        T("Every file of the data directory and of the folders named, packed ones opened, and "
          "every row of the main database is searched for the vault's keys, seeds and list "
          "specifications: as they are, in hexadecimal, in base64."),
        T("None was found outside of the key files."), tuple(hit.message() for hit in hits),
    )  # fmt: skip
    names = search.labels(study, canonical(study))
    hits = [*search.in_files(looked, keys, names), *search.in_rows(place.database, names)]
    yield judged(
        "names", T("Names of arms"),
        T("The same files and rows are searched for the names of the arms outside of the "
          "study's own definition."),
        T("{n} name(s) looked for; none was found elsewhere.", n=len(names)),
        tuple(hit.message() for hit in hits),
    )  # fmt: skip


def _show(
    study: Study, fingerprint: str, found: list[Result], made: datetime, *, as_json: bool
) -> None:
    if as_json:
        click.echo(json.dumps(_plain(study, fingerprint, found, made), ensure_ascii=False))
        return
    for one in found:
        click.echo(f"{one.outcome.value:8} {one.title.in_('en')}: {one.found.in_('en')}")
        for line in one.details:
            click.echo(f"         {line.in_('en')}")
    counts = {outcome: sum(one.outcome is outcome for one in found) for outcome in Outcome}
    click.echo(
        WROTE.format(
            passed=counts[Outcome.PASSED], failed=counts[Outcome.FAILED],
            left=counts[Outcome.NOT_RUN],
        )
    )  # fmt: skip


def _plain(
    study: Study, fingerprint: str, found: list[Result], made: datetime
) -> dict[str, object]:
    return {
        "study": study.id, "version": study.version, "fingerprint": fingerprint,
        "made_at": made.isoformat(),
        "results": [
            {
                "id": one.id, "outcome": one.outcome.value,
                **{
                    f"{name}{end}": text.in_(locale)
                    for name, text in (("title", one.title), ("found", one.found))
                    for end, locale in (("", "en"), ("_zh", "zh"))
                },
                "details": [line.in_("en") for line in one.details],
            }
            for one in found
        ],
    }  # fmt: skip
