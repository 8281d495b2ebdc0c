"""`ecrf randomization ceremony`: a list step by step, each signed with the password."""

from pathlib import Path

import click

from ecrf.cli.ceremony_hand import (
    FILE,
    FILED,
    MOMENT,
    SOURCE,
    WORDS,
    hand_of,
    moment,
    read_spec,
    signed,
    spec,
)
from ecrf.cli.ceremony_records import record, reproduce
from ecrf.cli.randomization import OPTION, SCHEME, options_of
from randomization.ceremony import api


@click.group()
def ceremony() -> None:
    """How a list is made: specification, seed, beacon, list, second machine, two people.

    In production there is no other way. Each step is signed with the password. No command
    prints an arm or the size of a block.
    """


@ceremony.command()
@click.option(
    "--block", "blocks", type=int, multiple=True,
    help="A block size; give it once for each size. Known to the vault only.",
)  # fmt: skip
@SCHEME
@OPTION
@click.option("--imported", is_flag=True, help="The list was made elsewhere, no scheme here.")
@click.option("--slots", type=int, help="Slots per stratum; the study's number by default.")
@click.option("--file", "file", type=FILE, help="The specification as canonical JSON instead.")
@signed
def specify(
    study_id: str, blocks: tuple[int, ...], scheme: str, options: tuple[str, ...],
    slots: int | None, file: Path | None, number: int, username: str, password: str | None,
    *, imported: bool,
) -> None:  # fmt: skip
    """Sign the specification of a list. The unblinded statistician begins the ceremony."""
    with hand_of(study_id, username, password) as hand:
        if file is not None:
            given = read_spec(file, hand.study)
        else:
            told = {} if imported else options_of(blocks, options)
            name = api.IMPORTED if imported else scheme
            given = spec(hand, number, name, told, slots)
        stands = api.specify(hand.vault, hand.by, given)
    click.echo(f"specification hash: {stands.spec_hash}\nsoftware: {stands.software}")


@ceremony.command("seal")
@SOURCE
@WORDS
@MOMENT
@signed
def seal_command(
    study_id: str, source: str, words: str, known_from: str, number: int, username: str,
    password: str | None,
) -> None:  # fmt: skip
    """Draw the seed, seal it, choose the beacon; print the first publication to be filed."""
    plan = api.Plan(api.Source(source), words, moment(known_from))
    with hand_of(study_id, username, password) as hand:
        api.seal_seed(hand.vault, hand.by, study_id, number, plan)
        click.echo(api.announcement(hand.vault, hand.by, study_id, number).text(), nl=False)


@ceremony.command()
@SOURCE
@WORDS
@MOMENT
@signed
def replan(
    study_id: str, source: str, words: str, known_from: str, number: int, username: str,
    password: str | None,
) -> None:  # fmt: skip
    """Choose a later beacon, as long as the first publication is not filed."""
    plan = api.Plan(api.Source(source), words, moment(known_from))
    with hand_of(study_id, username, password) as hand:
        api.plan_again(hand.vault, hand.by, study_id, number, plan)
        click.echo(api.announcement(hand.vault, hand.by, study_id, number).text(), nl=False)


@ceremony.command()
@FILED
@signed
def announce(
    study_id: str, filed: str, number: int, username: str, password: str | None
) -> None:
    """Record that the first publication was filed, before the beacon can be known."""
    with hand_of(study_id, username, password) as hand:
        api.announce(hand.vault, hand.by, study_id, number, filed)
    click.echo("Recorded.")


@ceremony.command()
@click.option("--value", required=True, help="The value as its source gave it.")
@signed
def beacon(study_id: str, value: str, number: int, username: str, password: str | None) -> None:
    """Mix the announced value into the seed. It cannot be changed afterwards."""
    with hand_of(study_id, username, password) as hand:
        api.beacon(hand.vault, hand.by, study_id, number, value)
    click.echo("Recorded.")


@ceremony.command()
@signed
def generate(study_id: str, number: int, username: str, password: str | None) -> None:
    """Make the list, check it inside the vault, seal it; print the second publication."""
    with hand_of(study_id, username, password) as hand:
        made = api.generate(hand.vault, hand.by, study_id, number)
    click.echo(made.text(), nl=False)


@ceremony.command("import")
@click.argument("file", type=FILE)
@click.option("--check", "only", is_flag=True, help="Only check the file; nothing is kept.")
@signed
def import_command(
    study_id: str, file: Path, number: int, username: str, password: str | None, *, only: bool
) -> None:
    """Seal a list made elsewhere: a CSV with stratum, position, arm [, random number].

    How the arms of the file keep the ratio is shown on the vault's pages only.
    """
    content = file.read_bytes()
    with hand_of(study_id, username, password) as hand:
        found = api.weigh(hand.vault, hand.by, study_id, number, content)
        kept = sum(one.kept for one in found.strata)
        click.echo(f"{kept} of {len(found.strata)} strata keep the ratio", err=True)
        if found.ordered:
            click.echo("The random numbers rise with the position.", err=True)
        if only:
            click.echo(f"file hash: {found.file}")
            return
        made = api.import_list(hand.vault, hand.by, study_id, number, content)
    click.echo(made.text(), nl=False)


@ceremony.command()
@FILED
@signed
def publish(
    study_id: str, filed: str, number: int, username: str, password: str | None
) -> None:
    """Record that the second publication was filed: root, hashes, beacon."""
    with hand_of(study_id, username, password) as hand:
        made = api.publish(hand.vault, hand.by, study_id, number, filed)
    click.echo(made.text(), nl=False)


@ceremony.command()
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True)
@signed
def export(study_id: str, out: Path, number: int, username: str, password: str | None) -> None:
    """Write the sealed copy for the second machine; only the vault's key opens it."""
    with hand_of(study_id, username, password) as hand:
        text = api.export(hand.vault, hand.by, study_id, number)
    out.touch(mode=0o600)
    out.write_text(text, "utf-8")
    click.echo(out)


@ceremony.command()
@click.option("--root", required=True, help="The root the second machine printed.")
@click.option("--check", required=True, help="The check value the second machine printed.")
@click.option("--where", "at", required=True, help="On which machine.")
@signed
def confirm(
    study_id: str, root: str, check: str, at: str, number: int, username: str,
    password: str | None,
) -> None:  # fmt: skip
    """Record which root a second person found. Exit status 1 when it is another one."""
    with hand_of(study_id, username, password) as hand:
        stands = api.confirm(hand.vault, hand.by, study_id, number, root, check, at)
    if stands.disagreed:
        raise click.ClickException("Another root: this list can never be activated.")
    click.echo("The same root.")


@ceremony.command()
@signed
def activate(study_id: str, number: int, username: str, password: str | None) -> None:
    """Sign the activation. With the second person's signature the list serves."""
    with hand_of(study_id, username, password) as hand:
        stands = api.activate(hand.vault, hand.by, study_id, number)
    signed = len(stands.all(api.Step.ACTIVATE))
    click.echo(f"{signed} of {api.NEEDED} have signed.")


@ceremony.command()
@click.option("--reason", required=True)
@signed
def abandon(
    study_id: str, reason: str, number: int, username: str, password: str | None
) -> None:
    """End a ceremony for good. Its number stays taken; the minutes keep the reason."""
    with hand_of(study_id, username, password) as hand:
        api.abandon(hand.vault, hand.by, study_id, number, reason)
    click.echo("Abandoned.")


ceremony.add_command(reproduce)
ceremony.add_command(record)
