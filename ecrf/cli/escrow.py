"""`ecrf randomization escrow`, `recover`: the vault's key on three cards, any two suffice."""

from pathlib import Path

import click

from ecrf.cli.installation import command_by, configured, opened, refusals_shown
from randomization import api


@click.command()
@click.argument("study_id", metavar="STUDY")
@click.option(
    "--holder",
    "holders",
    multiple=True,
    required=True,
    help="Who keeps a share; give it three times, for three different houses.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="An empty folder for the three cards.",
)
@click.option("--as", "username", required=True, help="User name of the one who acts.")
def escrow(study_id: str, holders: tuple[str, ...], out: Path, username: str) -> None:
    """Share the vault's key out to three holders, one card (PDF) each.

    Print each card for its holder alone and then delete the files. Any two cards give the key
    back; one alone tells nothing.
    """
    from ecrf.cli.cards import card  # noqa: PLC0415 (the PDF library is slow to load)

    if out.exists() and any(out.iterdir()):
        raise click.UsageError(f"{out} is not empty.")
    with refusals_shown(), opened() as place:
        with place.database.read() as session:
            by = command_by(session, username)
        vault = api.open_vault(place.config, place.vault)
        shares = api.split(vault, by, study_id, place.config.vault_key_file, holders)
        out.mkdir(parents=True, exist_ok=True, mode=0o700)
        for number, share in enumerate(shares, start=1):
            path = out / f"share-{number}.pdf"
            path.touch(mode=0o600)
            path.write_bytes(card(study_id, number, share, by.at, place.config.environment))
            click.echo(f"{path}: {share.holder}")
    click.echo(f"check value of the key: {shares[0].check}")


@click.command()
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The new key file; the one of the settings by default.",
)
def recover(out: Path | None) -> None:
    """Make the vault's key file again from the words of two cards."""
    words = [click.prompt(f"Words of card {n}", hide_input=True) for n in ("one", "two")]
    with refusals_shown():
        path = out or configured().vault_key_file
        check = api.restore(path, api.recover(words))
    click.echo(f"{path} written. Compare the check value with the cards: {check}")
