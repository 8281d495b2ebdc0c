"""`ecrf randomization ceremony reproduce`, `record`: the second machine, and what is filed."""

import json
from pathlib import Path

import click

from ecrf.cli.ceremony_hand import AS, FILE, STUDY
from ecrf.cli.installation import command_by, opened, refusals_shown
from ecrf.cli.randomization import LIST
from randomization import api as lists_api
from randomization.ceremony import api


@click.command()
@click.argument("sealed", type=FILE)
@click.option("--key-file", type=FILE, required=True, help="A copy of the vault's key file.")
@click.option("--file", "file", type=FILE, help="The CSV, if the list was imported.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def reproduce(sealed: Path, key_file: Path, file: Path | None, *, as_json: bool) -> None:
    """Make the list again from the sealed copy, on another machine; print its root.

    Needs no installation and no database. Uses the second implementation. Delete the copies of
    the sealed file and of the key afterwards.
    """
    with refusals_shown():
        csv = file.read_bytes() if file else None
        found = api.reproduce(sealed.read_text("utf-8"), key_file, csv)
    if as_json:
        click.echo(json.dumps(found._asdict()))
        return
    click.echo(
        f"study: {found.study}\nlist: {found.list}\nenvironment: {found.environment}\n"
        f"slots asked for: {found.slots}\nmerkle root: {found.root}\ncheck value: {found.check}"
    )
    if found.software != found.software_here:
        click.echo(f"made with {found.software}; here is {found.software_here}", err=True)


@click.command()
@click.argument("record", type=click.Choice(api.RECORDS))
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="A PDF file.")
@STUDY
@LIST
@AS
def record(record: str, out: Path | None, study_id: str, number: int, username: str) -> None:
    """Print a record of STUDY's list as text, or write it as a PDF."""
    with refusals_shown(), opened() as place:
        with place.database.read() as session:
            by = command_by(session, username)
        vault = lists_api.open_vault(place.config, place.vault)
        if out is not None:
            from ecrf.web.vault.lists import paper  # noqa: PLC0415 (the PDF library is slow)

            out.write_bytes(paper.drawn(vault, by, study_id, number, record))
            click.echo(out)
            return
        text = api.record_text(vault, by, study_id, number, record)
    click.echo(text, nl=False)
