"""Commands for laboratory results: reference ranges and files of results."""

import json
from pathlib import Path

import click
from sqlalchemy.orm import Session

from ecrf.cli.installation import command_by, opened, refusals_shown
from ecrf.kernel.access import Right
from ecrf.kernel.errors import Unacceptable
from ecrf.kernel.ledger import By
from ecrf.kernel.text import T
from ecrf.study import versions, yamlfile
from ecrf.study.model import Study
from forms.laboratory import accepting, loading, sheet, staging
from forms.laboratory.mapping import Reading, reading

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
AS = click.option("--as", "username", required=True, help="User name of the one who does it.")
PASSWORD = click.option("--password", prompt=True, hide_input=True)


@click.group()
def laboratory() -> None:
    """Reference ranges of laboratories, and their files of results."""


@laboratory.command("ranges")
@click.argument("study")
@click.argument("table", type=FILE)
@AS
@PASSWORD
def ranges(study: str, table: Path, username: str, password: str) -> None:
    """Put the reference ranges of TABLE (CSV) in force in STUDY.

    Exit status: 0 done, 1 refused or a line is wrong.
    """
    with refusals_shown(), opened() as place, place.database.write() as session:
        by = command_by(session, username, password)
        definition, _ = versions.in_force(session, study)
        done = put(session, by, definition, table)
    click.echo(f"{done.added} added, {done.retired} replaced, {done.same} as before.")


def put(
    session: Session, by: By, study: Study, table: Path, *, lenient: bool = False
) -> loading.Loaded:
    """Load a table of ranges; `lenient` passes over analytes the study has not."""
    with table.open("rb") as stream:
        sha256 = staging.digest(stream)
    with table.open(encoding="utf-8-sig", newline="") as lines:
        found = sheet.read(lines, study, lenient=lenient)
    if found.problems:
        raise Unacceptable(
            T("No range was changed: {n} line(s) are wrong.", n=len(found.problems)),
            found.problems,
        )
    return loading.load(session, by, study.id, found.ranges, sha256)


def begin(session: Session, by: By, study: Study) -> None:
    """Put the illustrative ranges in force where a study has none yet."""
    if study.laboratory is None or not by.actor.may(Right.LABORATORY_MANAGE, study.id):
        return
    if not loading.in_force(session, study.id):
        put(session, by, study, sheet.illustrative(), lenient=True)


@laboratory.command("import")
@click.argument("study")
@click.argument("file", type=FILE)
@click.option("--laboratory", "name", required=True, help="Name of the laboratory.")
@click.option("--mapping", type=FILE, help="YAML with columns, tests, units, visits.")
@click.option("--accept", is_flag=True, help="Take in the good lines, too.")
@click.option("--reason", default="", help="Why answers given earlier change.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@AS
@PASSWORD
def import_(
    study: str, file: Path, name: str, mapping: Path | None, reason: str, username: str,
    password: str, *, accept: bool, as_json: bool,
) -> None:  # fmt: skip
    """Look at the results in FILE (CSV) line by line; with --accept take the good ones in.

    The same file again changes nothing; one that was stopped half way goes on.
    Exit status: 0 every line is good, 1 refused, 3 some lines cannot be taken.
    """
    with refusals_shown(), opened() as place:
        how = _mapping(mapping)
        with file.open("rb") as stream, place.database.write() as session:
            by = command_by(session, username, password)
            definition, _ = versions.in_force(session, study)
            upload = staging.Upload(file.name, name, stream)
            staged = staging.stage(session, by, definition, upload, how)
        left = 1 if accept else 0
        while left:
            with place.database.write() as session:
                by = command_by(session, username)
                row = accepting.find(session, by.actor, study, staged.file_id)
                if row.status in ("accepted", "dropped"):
                    break
                left = accepting.accept(session, by, row, reason).left
            click.echo(f"{left} line(s) left …", err=True)
        with place.database.read() as session:
            counts = dict(accepting.counts(session, staged.file_id))
    _print(staged, counts, as_json=as_json)
    if counts.get("wrong") or counts.get("refused"):
        raise SystemExit(3)


def _mapping(path: Path | None) -> Reading:
    if path is None:
        return Reading()
    loaded = yamlfile.document(path)
    return reading(loaded if isinstance(loaded, dict) else {})


def _print(staged: staging.Staged, counts: dict[str, int], *, as_json: bool) -> None:
    if as_json:
        told = {"file": staged.file_id, "again": staged.again, "lines": counts}
        click.echo(json.dumps(told))
        return
    if staged.again:
        click.echo(f"This very file was sent before: number {staged.file_id}.")
    for status, number in sorted(counts.items()):
        click.echo(f"{number:7} {status}")
