"""`ecrf randomization`: a list is generated, published, activated; kits are put on shelves."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime

import click

from ecrf.cli.installation import Installation, command_by, opened, refusals_shown
from ecrf.cli.lazy import LazyGroup
from ecrf.kernel.errors import Refused
from ecrf.kernel.ledger import By
from ecrf.kernel.text import T
from ecrf.study import strata, versions
from ecrf.study.model import Study
from randomization import api

AS = click.option("--as", "username", required=True, help="User name of the one who acts.")
LIST = click.option(
    "--list", "number", default=1, show_default=True, help="Number of the list."
)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
SCHEME = click.option(
    "--scheme", default="permuted_block", show_default=True,
    type=click.Choice(sorted(api.SCHEMES)),
)  # fmt: skip
OPTION = click.option(
    "--option",
    "options",
    multiple=True,
    metavar="NAME=N[,N]",
    help="What else the scheme takes, such as bound=3.",
)


PLACES = {
    "ceremony": "ceremony:ceremony",
    "combine": "offline:combine",
    "consort": "consorting:consort",
    "escrow": "escrow:escrow",
    "offline-card": "offline:card",
    "offline-cards": "offline:cards",
    "offline-pack": "offline:pack",
    "receipt": "receipt:receipt",
    "recover": "escrow:recover",
    "resupply": "resupply:resupply",
    "reveal": "unblinding:reveal",
    "sign": "unblinding:sign",
    "simulate": "simulate_scheme:simulate",
    "sweep": "sweeping:sweep",
    "verify": "unblinding:verify",
}


@click.group(cls=LazyGroup, places=PLACES)
def randomization() -> None:
    """The vault: randomization lists and kits. No command prints an arm."""


@randomization.command()
@click.argument("study_id", metavar="STUDY")
@click.option(
    "--block",
    "blocks",
    type=int,
    multiple=True,
    help="A block size; give it once for each size. Known to the vault only.",
)
@SCHEME
@OPTION
@click.option("--slots", type=int, help="Slots per stratum; the study's number by default.")
@LIST
@AS
@AS_JSON
def generate(
    study_id: str, blocks: tuple[int, ...], scheme: str, options: tuple[str, ...],
    slots: int | None, number: int, username: str, as_json: bool,
) -> None:  # fmt: skip
    """Draw a sealed seed and make the list of STUDY, as a draft."""
    with refusals_shown(), opened() as place:
        by, study = _begin(place, username, study_id)
        spec = _spec(place, study, number, scheme, options_of(blocks, options), slots)
        made = api.generate(_vault(place), by, spec)
    _show(made, as_json)


@randomization.command()
@click.argument("study_id", metavar="STUDY")
@LIST
@AS
@AS_JSON
def publish(study_id: str, number: int, username: str, as_json: bool) -> None:
    """Print what is made known of the list before the first participant, and mark it so.

    File the printed text outside of this system: protocol appendix, registry, ethics committee.
    """
    with refusals_shown(), opened() as place:
        by, study = _begin(place, username, study_id)
        made = api.publish(_vault(place), by, study.id, number)
    _show(made, as_json)


@randomization.command()
@click.argument("study_id", metavar="STUDY")
@LIST
@AS
@AS_JSON
def activate(study_id: str, number: int, username: str, as_json: bool) -> None:
    """Let the published list serve, after opening every slot and finding the published root."""
    with refusals_shown(), opened() as place:
        by, study = _begin(place, username, study_id)
        made = api.activate(_vault(place), by, study.id, number)
    _show(made, as_json)


@randomization.command()
@click.argument("study_id", metavar="STUDY")
@click.argument("site")
@click.option("--batch", required=True, help="Number of the packaging batch, one for all arms.")
@click.option("--expiry", type=click.DateTime(["%Y-%m-%d"]), required=True)
@click.option(
    "--kits",
    "kits",
    type=int,
    required=True,
    help="Kits for each unit of the ratio: with 1:1 that many of each arm.",
)
@AS
def stock(
    study_id: str, site: str, batch: str, expiry: datetime, kits: int, username: str
) -> None:  # fmt: skip
    """Register kits at SITE and print their numbers, in an order that tells no arm."""
    with refusals_shown(), opened() as place:
        by, study = _begin(place, username, study_id)
        numbers = _stock(_vault(place), by, study, site, batch, expiry.date(), kits)
    click.echo("\n".join(numbers))


def options_of(blocks: tuple[int, ...], options: tuple[str, ...]) -> dict[str, tuple[int, ...]]:
    """Return what the scheme is told; UsageError when an option is not NAME=N[,N]."""
    told = {"sizes": blocks} if blocks else {}
    for option in options:
        name, _, values = option.partition("=")
        numbers = values.split(",")
        if not name or not all(number.isascii() and number.isdecimal() for number in numbers):
            raise click.UsageError(f"--option {option}: write NAME=N or NAME=N,N")
        told[name] = tuple(int(number) for number in numbers)
    return told


def _stock(
    vault: api.Vault, by: By, study: Study, site: str, batch: str, expiry: date, kits: int
) -> tuple[str, ...]:
    known = [known.code for known in study.sites]
    if site not in known:
        raise Refused(
            T("Site {code} is not one of {known}.", code=site, known=", ".join(known))
        )
    ratio = study.randomization.ratio if study.randomization else {}
    contents = {arm: weight * kits for arm, weight in ratio.items()}
    return api.register_kits(vault, by, api.Packing(study.id, site, batch, expiry, contents))


def _begin(place: Installation, username: str, study_id: str) -> tuple[By, Study]:
    """Return who acts, and the study in force."""
    with place.database.read() as session:
        by = command_by(session, username)
        study, _ = versions.in_force(session, study_id)
    if study.randomization is None:
        raise Refused(T("Nobody is randomized in this study."))
    return by, study


def _spec(
    place: Installation, study: Study, number: int, scheme: str,
    options: Mapping[str, tuple[int, ...]], slots: int | None,
) -> api.Spec:  # fmt: skip
    rule = study.randomization
    ratio = tuple(rule.ratio.items()) if rule else ()
    count = slots or (rule.slots_per_stratum if rule else 0)
    try:
        return api.Spec(
            study.id, number, place.config.environment, scheme, ratio, options,
            strata.names(study), count,
        )  # fmt: skip
    except ValueError as wrong:
        raise click.UsageError(str(wrong)) from None


def _vault(place: Installation) -> api.Vault:
    return api.open_vault(place.config, place.vault)


def _show(made: api.Publication, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(asdict(made)))
    else:
        click.echo(f"{made.text()}state: {made.state}")
