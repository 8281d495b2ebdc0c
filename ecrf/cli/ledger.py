"""`ecrf ledger`: check the chains, sign where they stand, hand out the public key."""

import json
from collections.abc import Iterator

import click
from rich.console import Console
from sqlalchemy import select
from sqlalchemy.orm import Session

from ecrf.cli.installation import opened, refusals_shown, system_by
from ecrf.kernel import checkpoints, verify
from ecrf.kernel.ledger import participant_chain
from ecrf.kernel.verify import Flaw, Kind
from forms import fold
from visits.tables import Participant


@click.group()
def ledger() -> None:
    """The audit trail: its chains and their checkpoints."""


@ledger.command("verify")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def verify_command(*, as_json: bool) -> None:
    """Check every act, chain, checkpoint and signature, and that the answers are their fold.

    Exit status: 0 all good, 1 something is wrong (each thing named), 2 wrong call.
    """
    with refusals_shown(), opened() as place:
        desk = checkpoints.desk(place.config)
        status = Console(stderr=True).status("Checking the ledger …")
        with status, place.database.read() as session:
            handed = list(checkpoints.outside(desk.folder))
            seen = verify.verify(session, desk.signer.verifier, handed)
            flaws = [*seen.flaws, *_fold(session)]
    lines = [f"{flaw.kind.value}: {flaw.message}" for flaw in flaws]
    if as_json:
        click.echo(
            json.dumps({
                "chains": seen.chains, "acts": seen.acts, "checkpoints": seen.checkpoints,
                "handed_out": len(handed),
                "flaws": [
                    {"kind": flaw.kind.value, "chain": flaw.chain, "seq": flaw.seq,
                     "text": str(flaw.message)}
                    for flaw in flaws
                ],
            })
        )  # fmt: skip
    else:
        for line in lines:
            click.echo(line)
        click.echo(
            f"{seen.acts} acts on {seen.chains} chains, {seen.checkpoints} checkpoints "
            f"({len(handed)} handed out): {'good' if not lines else f'{len(lines)} wrong'}"
        )
    raise SystemExit(1 if lines else 0)


def _fold(session: Session) -> Iterator[Flaw]:
    """Yield the entries of all studies that are not what their acts say."""
    rows = session.execute(select(Participant.id, Participant.study, Participant.code)).all()
    chains = [participant_chain(row.study, row.code) for row in rows]
    for found in fold.differences(session, chains, [row.id for row in rows]):
        yield Flaw(Kind.CONTENT, f"entry:{found.entry_id}", None, found.message)


@ledger.command()
def checkpoint() -> None:
    """Sign where every chain stands, in the database and in the folder outside of it."""
    with refusals_shown(), opened() as place:
        desk = checkpoints.desk(place.config)
        with place.database.write() as session:
            made = checkpoints.make(session, system_by(), desk)
    click.echo(made.note, nl=False)
    click.echo(f"Written to {desk.folder / f'{made.number:06}.txt'}; keep a copy elsewhere.")


@ledger.command()
def key() -> None:
    """Print the public key that checkpoints and packages are signed with."""
    with refusals_shown(), opened() as place:
        click.echo(checkpoints.desk(place.config).signer.verifier.text())
