"""What every command of a ceremony begins with: the options, the password, the vault."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import click

from ecrf.cli.installation import command_by, opened, refusals_shown
from ecrf.cli.randomization import LIST
from ecrf.kernel.errors import NotFound, Refused
from ecrf.kernel.ledger import By
from ecrf.kernel.text import T
from ecrf.study import strata, versions
from ecrf.study.model import Study
from randomization import api as lists_api
from randomization.ceremony import api

STUDY = click.argument("study_id", metavar="STUDY")
AS = click.option("--as", "username", required=True, help="User name of the one who signs.")
PASSWORD = click.option("--password", help="Asked for when it is not given.")
FILED = click.option(
    "--filed", required=True, help="Where it was filed outside of this system."
)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
SOURCE = click.option(
    "--source", required=True, type=click.Choice([source.value for source in api.Source]),
    help="Source of the beacon.",
)  # fmt: skip
WORDS = click.option("--words", required=True, help="Which value, such as a round or a pulse.")
MOMENT = click.option(
    "--known-from", required=True, metavar="MOMENT",
    help="From when on the value is known: 2026-03-05T10:00, UTC unless it says otherwise.",
)  # fmt: skip
Command = Callable[..., Any]


class Hand(NamedTuple):
    """Who signs, the opened vault, the study in force."""

    by: By
    vault: lists_api.Vault
    study: Study


def signed(command: Command) -> Command:
    """Add what every signed step takes."""
    for part in (PASSWORD, AS, LIST, STUDY):
        command = part(command)
    return command


@contextmanager
def hand_of(study_id: str, username: str, password: str | None) -> Iterator[Hand]:
    """Give who signs and the opened vault, after asking for and checking the password."""
    secret = password or click.prompt("Password", hide_input=True)
    with refusals_shown(), opened() as place:
        with place.database.write() as session:
            by = command_by(session, username, secret)
            study, _ = versions.in_force(session, study_id)
        if study.randomization is None:
            raise Refused(T("Nobody is randomized in this study."))
        yield Hand(by, lists_api.open_vault(place.config, place.vault), study)


def spec(
    hand: Hand, number: int, scheme: str, options: dict[str, tuple[int, ...]],
    slots: int | None,
) -> lists_api.Spec:  # fmt: skip
    rule = hand.study.randomization
    if rule is None:
        raise NotFound(T("Nobody is randomized in this study."))
    try:
        return lists_api.Spec(
            hand.study.id, number, hand.vault.environment, scheme, tuple(rule.ratio.items()),
            options, strata.names(hand.study), slots or rule.slots_per_stratum,
        )  # fmt: skip
    except ValueError as wrong:
        raise click.UsageError(str(wrong)) from None


def read_spec(file: Path, study: Study) -> lists_api.Spec:
    """Return the specification in a file; its study, ratio and strata must be STUDY's."""
    try:
        given = api.read_spec(file.read_text("utf-8"))
    except (ValueError, KeyError, TypeError, AttributeError) as wrong:
        raise click.UsageError(f"{file} is no specification: {wrong}") from None
    rule = study.randomization
    ratio = tuple(rule.ratio.items()) if rule else ()
    if (given.study, given.ratio, given.strata) != (study.id, ratio, strata.names(study)):
        raise click.UsageError(f"{file}: study, ratio or strata are not those of {study.id}")
    return given


def moment(typed: str) -> datetime:
    """Return the moment that was typed; UTC unless it says otherwise."""
    try:
        told = datetime.fromisoformat(typed)
    except ValueError:
        raise click.UsageError(f"{typed} is no moment; write 2026-03-05T10:00") from None
    return told if told.tzinfo else told.replace(tzinfo=UTC)
