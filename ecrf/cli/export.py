"""`ecrf export` and `ecrf verify`: packages of a lock or a cut-off, and their check."""

import json
from pathlib import Path

import click

from ecrf.cli import unblinded
from ecrf.cli.installation import command_by, opened, refusals_shown
from ecrf.kernel import checkpoints
from ecrf.kernel.config import Environment
from ecrf.kernel.text import LOCALES
from reports import package, printing, verify


@click.command()
@click.argument("study")
@click.option("--lock", "lock_id", type=int, help="Number of the lock; without it, as of now.")
@click.option(
    "--unblinded",
    "bundle",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The bundle of an unblinded study: makes the package of its lock with arms.",
)
@click.option("--casebook", "code", help="A participant's casebook (PDF) instead.")
@click.option("--language", type=click.Choice(LOCALES), default="en", show_default=True)
@click.option("--out", type=click.Path(path_type=Path), help="Folder to write to.")
@click.option("--as", "username", required=True, help="User name of the person who exports.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def export(
    study: str, lock_id: int | None, bundle: Path | None, code: str | None, language: str,
    out: Path | None, username: str, *, as_json: bool,
) -> None:  # fmt: skip
    """Make the blinded package of STUDY, or a casebook, and write that down in the ledger.

    With --unblinded the package of a lock has arms, too: taken from a bundle that two people
    signed for, and checked before.
    """
    if bundle is not None and code is not None:
        raise click.UsageError("A casebook has no arms: leave --casebook or --unblinded out.")
    with refusals_shown(), opened() as place:
        folder = out or place.config.data_dir / package.FOLDER
        with place.database.write() as session:
            by = command_by(session, username)
            if bundle is not None:
                made = unblinded.make(place, session, by, folder, study, bundle, lock_id)
                facts = {"path": str(made.path), "sha256": made.sha256, "bytes": made.bytes}
            elif code is None:
                desk = checkpoints.desk(place.config)
                made = package.make(place.database, session, by, desk, folder, study, lock_id)
                facts = {"path": str(made.path), "sha256": made.sha256, "bytes": made.bytes}
            else:
                training = place.config.environment is Environment.TRAINING
                wanted = printing.Wanted(language, training)
                book = printing.casebook(place.database, session, by, study, code, wanted)
                folder.mkdir(parents=True, exist_ok=True)
                path = folder / book.name
                path.write_bytes(book.content)
                facts = {
                    "path": str(path), "sha256": book.sha256, "bytes": len(book.content),
                }  # fmt: skip
    click.echo(json.dumps(facts) if as_json else f"{facts['path']}\nSHA-256 {facts['sha256']}")


@click.command("verify")
@click.argument("path", metavar="PACKAGE", type=click.Path(path_type=Path))
@click.option("--key", help="Public key trusted beforehand; see `ecrf ledger key`.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def verify_command(path: Path, key: str | None, *, as_json: bool) -> None:
    """Check a PACKAGE: sums, chains, commitments, checkpoint, and data against the ledger.

    Exit status: 0 all good, 1 something is wrong (named), 2 this is no package.
    """
    try:
        result = unblinded.with_arms(str(path), verify.verify(str(path), key))
    except verify.NoPackage as error:
        click.echo(str(error), err=True)
        raise SystemExit(2) from None
    if as_json:
        faults = [
            {"kind": fault.kind, "where": fault.where, "text": str(fault)}
            for fault in result.faults
        ]
        click.echo(json.dumps(result._asdict() | {"faults": faults}, ensure_ascii=False))
    else:
        click.echo(verify.report(result))
    raise SystemExit(1 if result.faults else 0)
