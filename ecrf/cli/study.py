"""`ecrf study`: definitions of studies, checked, compared and approved."""

import json
from pathlib import Path
from typing import Any

import click

from ecrf.cli import amending, laboratory
from ecrf.cli.installation import command_by, configured, opened, refusals_shown, system_by
from ecrf.kernel import accounts
from ecrf.kernel.accounts import WrongPassword
from ecrf.kernel.text import say
from ecrf.study import authored, shipped, versions, yamlfile
from ecrf.study.canonical import fingerprint
from ecrf.study.diff import diff as differences
from ecrf.study.findings import Finding, errors
from ecrf.study.model import Study
from ecrf.study.read import Reading
from ecrf.study.rules import rules

DIRECTORY = click.Path(exists=True, file_okay=False, path_type=Path)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


class Unreadable(click.ClickException):
    """The folder holds no study."""

    exit_code = 2


@click.group()
def study() -> None:
    """Definitions of studies: YAML folders."""


@study.command()
@click.argument("directory", type=DIRECTORY)
@AS_JSON
def check(directory: Path, as_json: bool) -> None:
    """Print every finding on the study in DIRECTORY and on the forms of its library.

    Exit status: 0 without errors (there may be warnings), 1 with errors, 2 when there is no
    study to be read.
    """
    reading = _reading(directory)
    reading = reading._replace(findings=shipped.shelf(directory).findings)
    if as_json:
        _print(_as_json(reading))
    else:
        for finding in reading.findings:
            click.echo(_line(finding))
        if reading.study is not None:
            sound = reading.study
            click.echo(f"{sound.id} {sound.version}: {fingerprint(sound)}")
    if reading.study is None or errors(reading.findings):
        raise click.exceptions.Exit(1)


@study.command()
@click.argument("old", type=DIRECTORY)
@click.argument("new", type=DIRECTORY)
@click.option("--database", is_flag=True, help="Count the forms there are that it concerns.")
@AS_JSON
def diff(old: Path, new: Path, *, database: bool, as_json: bool) -> None:
    """Print what changes from the study in OLD to the one in NEW, in plain words.

    Exit status: 0, 1 when one of them has errors, 2 when there is no study to be read.
    """
    before, after = _study(old), _study(new)
    found = differences(before, after)
    counts = amending.counts(before, after, found) if database else [None] * len(found)
    if as_json:
        _print(
            [
                {"form": d.form, "impact": d.impact, **_both(d.message),
                 **(count._asdict() if count else {})}
                for d, count in zip(found, counts, strict=True)
            ]
        )  # fmt: skip
        return
    locale = configured().locale
    for difference, count in zip(found, counts, strict=True):
        words = amending.words(count) if count else None
        more = f"; {words.in_(locale)}" if words else ""
        click.echo(f"{difference.message.in_(locale)}{more}")


@study.command()
@click.argument("directory", type=DIRECTORY)
@click.option("--as", "username", required=True, help="User name of the one who approves.")
@click.option("--password", prompt=True, hide_input=True)
def approve(directory: Path, username: str, password: str) -> None:
    """Approve the study in DIRECTORY; the second, different person puts it in force."""
    found = _study(directory)
    with refusals_shown(), opened() as place:
        try:
            with place.database.write() as session:
                by = command_by(session, username, password)
                approval = versions.approve(session, by, found)
                if approval.in_force:
                    laboratory.begin(session, by, found)
        except WrongPassword as wrong:
            with place.database.write() as session:
                accounts.note_failure(session, system_by(), wrong.person_id, username)
            raise
    said = amending.standing(approval)
    click.echo(f"{found.id} {found.version} is {said}: {approval.fingerprint}")


@study.command("list")
@AS_JSON
def list_(as_json: bool) -> None:
    """List the studies at hand: those shipped, or those in ECRF_PROTOCOLS."""
    config = configured()
    found = [_summary(shipped.folder(config, name)) for name in shipped.ids(config)]
    if as_json:
        _print(found)
        return
    for one in found:
        click.echo(f"{one['id']}  {one['version']}  {one['title'].get(config.locale, '')}")


@study.command()
@click.argument("study_id", metavar="STUDY")
@AS_JSON
def checks(study_id: str, as_json: bool) -> None:
    """List every rule of STUDY: id, version, severity, place, message.

    STUDY is the id of a study at hand or the folder of one.
    """
    folder = Path(study_id)
    with refusals_shown():
        known = folder if folder.is_dir() else shipped.folder(configured(), study_id)
    found = [
        {**rule._asdict(), "message": say(rule.message, "en"),
         "message_zh": say(rule.message, "zh")}
        for rule in rules(_study(known))
    ]  # fmt: skip
    if as_json:
        _print(found)
        return
    for one in found:
        click.echo("  ".join(one[name] for name in ("id", "version", "severity", "message")))


@study.command()
def schema() -> None:
    """Print the JSON Schema of the YAML files, for editors."""
    _print(authored.schema())


for command in amending.COMMANDS:
    study.add_command(command)


def _reading(directory: Path) -> Reading:
    if not (directory / "study.yaml").is_file():
        raise Unreadable(f"{directory} holds no study.yaml, so it is no study.")
    return shipped.reading(directory)


def _study(directory: Path) -> Study:
    reading = _reading(directory)
    if reading.study is None:
        lines = [_line(finding) for finding in errors(reading.findings)]
        raise click.ClickException("\n".join(["The definition has errors.", *lines]))
    return reading.study


def _line(finding: Finding) -> str:
    place = f"{finding.file}:{finding.line}:{finding.column}"
    return f"{place}: {finding.severity}: {finding.message.in_(configured().locale)}"


def _as_json(reading: Reading) -> dict[str, Any]:
    return {
        "study": reading.study and reading.study.id,
        "fingerprint": reading.study and fingerprint(reading.study),
        "findings": [
            {
                "severity": finding.severity,
                "file": finding.file,
                "line": finding.line,
                "column": finding.column,
                **_both(finding.message),
            }
            for finding in reading.findings
        ],
    }


def _both(message: object) -> dict[str, str]:
    return {"message": say(message, "en"), "message_zh": say(message, "zh")}


def _summary(folder: Path) -> dict[str, Any]:
    node = yamlfile.load(folder / "study.yaml").node
    written = node.plain() if node is not None else None
    known = written if isinstance(written, dict) else {}
    title = known.get("short_title")
    return {
        "id": folder.name,
        "version": str(known.get("version", "?")),
        "title": title if isinstance(title, dict) else {},
    }


def _print(value: object) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))
