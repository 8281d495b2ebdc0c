"""`ecrf lock`: show the gates; freeze, lock or unlock a study or a part of it."""

import json

import click
from sqlalchemy.orm import Session

from ecrf.cli.installation import Installation, command_by, opened, refusals_shown
from ecrf.kernel import accounts, checkpoints
from ecrf.kernel.access import Right
from ecrf.kernel.ledger import By
from forms import gates, locking, scope
from forms.gates import Blocker
from forms.locking import NotReady
from forms.scope import Scope


@click.command()
@click.argument("study")
@click.option("--site", help="Only this site.")
@click.option("--participant", help="Only this participant.")
@click.option("--visit", help="Only this visit of the participant.")
@click.option("--form", help="Only this form of the visit.")
@click.option("--number", default=1, show_default=True, help="Which of a repeating form.")
@click.option(
    "--do", "act", type=click.Choice(["check", "freeze", "lock", "unlock"]), default="lock",
    show_default=True, help="check only lists what stands in the way.",
)  # fmt: skip
@click.option("--reason", default="", help="Why; needed for everything but check.")
@click.option("--zone", default="UTC", show_default=True, help="Time zone of the signature.")
@click.option("--as", "username", required=True, help="User name of the data manager.")
@click.option("--password", help="Asked for when it is not given.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def lock(
    study: str, site: str | None, participant: str | None, visit: str | None,
    form: str | None, number: int, act: str, reason: str, zone: str, username: str,
    password: str | None, *, as_json: bool,
) -> None:  # fmt: skip
    """Lock STUDY, or a part of it, when nothing stands in the way; else list what does.

    Exit status: 0 done (or nothing in the way), 1 refused or something is in the way.
    """
    named = {"site": site, "participant": participant, "visit": visit, "form": form}
    right = Right.DATA_FREEZE if act == "freeze" else Right.DATA_LOCK
    with refusals_shown(), opened() as place:
        if act == "check":
            blockers = _check(place, username, study, named, number)
            _print(blockers, None, as_json=as_json)
            raise SystemExit(1 if blockers else 0)
        secret = password or click.prompt("Password", hide_input=True)
        with place.database.write() as session:
            by = command_by(session, username)
            accounts.confirm(session, by, secret)
            target = scope.find(session, by.actor, right, study, number=number, **named)
            try:
                done = _do(session, by, place, act, target, reason, zone)
            except NotReady as refused:
                _print(refused.blockers, None, as_json=as_json)
                raise SystemExit(1) from None
        _print((), {"id": done.id, "checkpoint": done.checkpoint, "did": act}, as_json=as_json)


def _check(
    place: Installation, username: str, study: str, named: dict[str, str | None], number: int
) -> tuple[Blocker, ...]:
    with place.database.read() as session:
        by = command_by(session, username)
        target = scope.find(session, by.actor, Right.DATA_LOCK, study, number=number, **named)
        verifier = checkpoints.desk(place.config).signer.verifier
        return gates.gates(session, target, by.at, verifier)


def _do(
    session: Session, by: By, place: Installation, act: str, target: Scope, reason: str,
    zone: str,
) -> locking.Done:  # fmt: skip
    if act == "freeze":
        return locking.freeze(session, by, target, reason)
    if act == "unlock":
        return locking.unlock(session, by, target, reason)
    return locking.lock(session, by, checkpoints.desk(place.config), target, reason, zone)


def _print(
    blockers: tuple[Blocker, ...], done: dict[str, object] | None, *, as_json: bool
) -> None:
    if as_json:
        listed = [
            {"kind": b.kind.value, "text": str(b.text), "place": b.place} for b in blockers
        ]
        click.echo(json.dumps({"done": done, "blockers": listed}, ensure_ascii=False))
        return
    for blocker in blockers:
        click.echo(f"{blocker.kind.value:10} {blocker.place:28} {blocker.text}")
    if done is None:
        click.echo(
            f"{len(blockers)} thing(s) in the way." if blockers else "Nothing is in the way."
        )
    else:
        at = done["checkpoint"]
        told = "" if at is None else f", checkpoint {at}"
        click.echo(f"Done: {done['did']} {done['id']}{told}.")
