"""`ecrf randomization sign`, `reveal`, `verify`: the end of the blind, and its check."""

import json
from importlib.resources import files
from pathlib import Path

import click
from sqlalchemy import select

from ecrf.cli.installation import Installation, command_by, opened, refusals_shown
from ecrf.cli.randomization import AS, AS_JSON, LIST
from ecrf.kernel.errors import Conflict
from ecrf.kernel.ledger import By
from ecrf.kernel.text import T
from ecrf.study.tables import StudyRow
from randomization import api

BUNDLE, VERIFIER, PUBLISHED = "bundle.json", "verify_bundle.py", "publication.txt"


@click.command()
@click.argument("study_id", metavar="STUDY")
@LIST
@AS
@click.option("--password", help="Asked for when it is not given.")
def sign(study_id: str, number: int, username: str, password: str | None) -> None:
    """Sign the unblinding of STUDY, which has to be locked. Two different people sign."""
    secret = password or click.prompt("Password", hide_input=True)
    with refusals_shown(), opened() as place:
        with place.database.write() as session:
            by = command_by(session, username, secret)
        _require_locked(place, study_id)
        signed = api.sign_unblinding(
            _vault(place), by, study_id, number, f"study {study_id} locked"
        )
    click.echo(f"{signed} of {api.SIGNERS} have signed.")


@click.command()
@click.argument("study_id", metavar="STUDY")
@LIST
@AS
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="The folder for the bundle and the program that checks it.",
)
def reveal(study_id: str, number: int, username: str, out: Path) -> None:
    """Lay the randomization of a locked STUDY open, once two people have signed.

    Writes the bundle, what was published before the first participant, and a program that
    checks one against the other without this system.
    """
    with refusals_shown(), opened() as place:
        by = _by(place, username)
        _require_locked(place, study_id)
        vault = _vault(place)
        text = api.bundle(vault, by, study_id, number)
        published = api.published(vault, study_id, number).text()
    out.mkdir(parents=True, exist_ok=True)
    (out / BUNDLE).write_text(text, "utf-8")
    (out / PUBLISHED).write_text(published, "utf-8")
    (out / VERIFIER).write_bytes((files("randomization") / VERIFIER).read_bytes())
    click.echo(f"{out / BUNDLE}\nCheck it: python {out / VERIFIER} {out / BUNDLE}")


@click.command()
@click.argument("bundle", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--publication",
    "publications",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="What was made known before the first participant, as filed outside; once for each.",
)
@AS_JSON
def verify(bundle: Path, publications: tuple[Path, ...], as_json: bool) -> None:
    """Check a revealed randomization: list, receipts, kits, order and gaps.

    Needs no installation. Exit status 1 when something is wrong, 2 when it is no bundle.
    """
    try:
        content = api.load_bundle(str(bundle))
    except ValueError as wrong:
        raise click.UsageError(f"{bundle} is no bundle: {wrong}") from None
    filed = "".join(path.read_text("utf-8") for path in publications)
    found = api.verify_bundle(content, filed)
    if as_json:
        click.echo(json.dumps(found._asdict()))
    else:
        counted = ", ".join(f"{count} {name}" for name, count in found.counts.items())
        click.echo("\n".join(found.faults) or f"Good: {counted}.")
    raise SystemExit(1 if found.faults else 0)


def _require_locked(place: Installation, study_id: str) -> None:
    with place.database.read() as session:
        state = session.scalar(select(StudyRow.state).where(StudyRow.id == study_id))
    if state != "locked":
        raise Conflict(T("{study} is unblinded when its data are locked.", study=study_id))


def _by(place: Installation, username: str) -> By:
    with place.database.read() as session:
        return command_by(session, username)


def _vault(place: Installation) -> api.Vault:
    return api.open_vault(place.config, place.vault)
