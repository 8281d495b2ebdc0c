"""`ecrf randomization offline-pack`, `combine`, `offline-card`, `offline-cards`.

A code break by telephone: the site has a card, the desk its complement. Neither tells anything
alone.
"""

import json
from pathlib import Path

import click

from ecrf.cli.installation import Installation, command_by, opened, refusals_shown
from ecrf.cli.randomization import AS, AS_JSON
from ecrf.kernel.text import T
from ecrf.study import versions
from randomization import api as vault_api
from randomization.breaking import api

FILES = ("site-cards.pdf", "desk-list.pdf", "instructions.pdf")


@click.command("offline-pack")
@click.argument("study_id", metavar="STUDY")
@click.argument("site")
@click.option(
    "--for", "kind", type=click.Choice([api.KITS, api.SLOTS]), default=api.KITS,
    show_default=True, help="A card for each kit at the site, or each slot of its strata.",
)  # fmt: skip
@click.option("--desk", required=True, help="Telephone number of the desk, printed on cards.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="An empty folder for the three files.",
)
@AS
def pack(study_id: str, site: str, kind: str, desk: str, out: Path, username: str) -> None:
    """Make the cards for SITE and their complement for the 24/7 desk.

    Print both, bring each to its own house, then delete the files: whoever has both learns
    every treatment of the site.
    """
    from ecrf.cli import offline_papers  # noqa: PLC0415 (the PDF library is slow to load)

    if out.exists() and any(out.iterdir()):
        raise click.UsageError(f"{out} is not empty.")
    with refusals_shown(), opened() as place:
        with place.database.read() as session:
            by = command_by(session, username)
            study, _ = versions.in_force(session, study_id)
        made = api.make_pack(_vault(place), by, study_id, site, kind)
        papers = offline_papers.papers(study, made, desk, by.at, place.config.environment)
    out.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name, content in zip(FILES, papers, strict=True):
        (out / name).touch(mode=0o600)
        (out / name).write_bytes(content)
        click.echo(out / name)
    click.echo(f"pack {made.number}: {len(made.cards)} cards")


@click.command()
@click.argument("site_share")
@click.argument("desk_share")
def combine(site_share: str, desk_share: str) -> None:
    """Add the SITE_SHARE of a card and the DESK_SHARE of the list, digit by digit.

    Needs no installation. Prints the number to look up in the legend of the card, as adding by
    hand and forgetting tens does.
    """
    with refusals_shown():
        place = api.combine(site_share, desk_share)
    click.echo(api.word(place))


@click.command("offline-card")
@click.argument("study_id", metavar="STUDY")
@click.argument("pack_number", metavar="PACK", type=int)
@click.argument("number", metavar="CARD", type=int)
@click.argument("outcome", type=click.Choice(api.OUTCOMES))
@click.option("--note", default="", help="Who was there, how long it took, what went wrong.")
@click.option(
    "--why",
    type=click.Choice([why.value for why in api.Why if why is not api.Why.SAFETY]),
    help="For an opened card: the class of reason.",
)
@click.option("--reason", default="", help="For an opened card: what happened.")
@AS
@click.option("--password", prompt=True, hide_input=True)
def card(
    study_id: str, pack_number: int, number: int, outcome: str, note: str, why: str | None,
    reason: str, username: str, password: str,
) -> None:  # fmt: skip
    """Write down what became of a CARD of a PACK: intact, drill, opened, missing, destroyed.

    An opened card is a code break: it is told like every other, and its impact is assessed.
    """
    if outcome == "opened" and not (why and reason):
        raise click.UsageError("An opened card needs --why and --reason.")
    told = api.Why(why) if why else api.Why.OTHER
    with refusals_shown(), opened() as place:
        with place.database.write() as session:
            by = command_by(session, username, password)
        vault = _vault(place)
        if outcome == "opened":
            about = api.about(vault, study_id, pack_number, number)
            site, code = api.holder(vault, study_id, about)
            call = api.Call(by.draw(api.REF_BYTES).hex(), "offline card")
            api.send_code(vault, by, study_id, site, code, told, reason, call)
        about = api.see_card(vault, by, study_id, pack_number, number, outcome, note)
    click.echo(f"card {number} of pack {pack_number} ({about}): {outcome}")


@click.command("offline-cards")
@click.argument("study_id", metavar="STUDY")
@click.option("--drills", is_flag=True, help="List the drills instead of the packs.")
@AS_JSON
def cards(study_id: str, drills: bool, as_json: bool) -> None:
    """List the packs of STUDY with what became of their cards, for reconciliation."""
    with refusals_shown(), opened() as place:
        vault = _vault(place)
        if drills:
            lines = [one._asdict() for one in api.cards_seen(vault, study_id, "drill")]
        else:
            lines = [one._asdict() for one in api.packs_standing(vault, study_id)]
    if as_json:
        click.echo(json.dumps(lines, default=str))
        return
    for line in lines or [{"": T("None.").in_("en")}]:
        click.echo("  ".join(f"{name} {value}".strip() for name, value in line.items()))


def _vault(place: Installation) -> vault_api.Vault:
    return vault_api.open_vault(place.config, place.vault)
