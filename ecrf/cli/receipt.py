"""`ecrf randomization receipt`: check a receipt, from its file or from its QR code."""

import json
from pathlib import Path

import click

from randomization import api

KEY_LINE = "vault key:"


@click.command()
@click.argument("receipt", metavar="FILE|TEXT")
@click.option(
    "--publication",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help="The published text of the list; its line “vault key” says whose signature counts.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def receipt(receipt: str, publication: Path, *, as_json: bool) -> None:
    """Say whether the vault signed this receipt.

    FILE holds the receipt as the page shows it and as the QR code reads: its text and, on a
    line of its own, the signature; `-` reads it from standard input. Exit status 1 when it is
    not signed with the published key. Needs no installation.
    """
    published = publication.read_text(encoding="utf-8")
    found = api.check_receipt(_line(published, KEY_LINE), _read(receipt))
    if found is None:
        raise click.ClickException("This receipt was not signed with the published key.")
    said = json.loads(found.text)
    if as_json:
        click.echo(json.dumps(said))
        return
    for name in ("study", "site", "participant", "random_number", "stratum", "at", "list"):
        click.echo(f"{name}: {said[name]}")
    click.echo(f"kits: {', '.join(said['kits']) or '–'}")
    click.echo("The published key signed this receipt.")


def _read(given: str) -> str:
    if given.lstrip().startswith("{"):
        return given.replace("\\n", "\n")
    with click.open_file(given, encoding="utf-8") as file:
        return str(file.read())


def _line(published: str, name: str) -> str:
    lines = (line for line in published.splitlines() if line.startswith(name))
    return next(lines, "").removeprefix(name).strip()
