"""`ecrf lock`: show the gates; freeze, lock or unlock a study or a part of it."""

import json
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click
from sqlalchemy.orm import Session

from ecrf.cli.installation import Installation, command_by, opened, refusals_shown
from ecrf.kernel import accounts, checkpoints
from ecrf.kernel.access import Right
from ecrf.kernel.ledger import By
from forms import gates, locking, scope
from forms.closing import covering, requests, waivers
from forms.closing.covering import Kind
from forms.gates import Blocker
from forms.locking import NotReady
from forms.scope import Scope
from forms.unlocking import turns
from visits.refusals import require_reason

DECISIONS = ("approve", "refuse", "relock")
ACTS = ("check", "freeze", "lift", "ask", "lock", "withdraw", "waive", "unlock", *DECISIONS)
TOLD = ("checkpoint", "changes", "summary", "locks")


class Wanted(NamedTuple):
    """What the command was given beside the place."""

    act: str
    reason: str
    zone: str
    until: str | None
    items: tuple[str, ...]
    unlock: int | None
    marks: tuple[str, ...]


@click.command()
@click.argument("study")
@click.option("--site", help="Only this site.")
@click.option("--participant", help="Only this participant.")
@click.option("--visit", help="Only this visit of the participant.")
@click.option("--form", help="Only this form of the visit.")
@click.option("--number", default=1, show_default=True, help="Which of a repeating form.")
@click.option(
    "--do", "act", type=click.Choice(ACTS), default="lock", show_default=True,
    help="check only lists what stands in the way; ask is the first half of a study's lock.",
)  # fmt: skip
@click.option("--reason", default="", help="Why; needed for everything but check and approve.")
@click.option("--zone", default="UTC", show_default=True, help="Time zone of the signature.")
@click.option("--until", help="unlock: the end, in that zone, such as 2026-03-05T18:00.")
@click.option("--item", "items", multiple=True, help="unlock: only this item of the form.")
@click.option("--unlock", "unlock", type=int, help="approve, refuse, relock: which unlock.")
@click.option("--mark", "marks", multiple=True, help="waive: what, as check --json names it.")
@click.option("--as", "username", required=True, help="User name of the data manager.")
@click.option("--password", help="Asked for when it is not given.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def lock(
    study: str, site: str | None, participant: str | None, visit: str | None,
    form: str | None, number: int, act: str, reason: str, zone: str, until: str | None,
    items: tuple[str, ...], unlock: int | None, marks: tuple[str, ...], username: str,
    password: str | None, *, as_json: bool,
) -> None:  # fmt: skip
    """Lock STUDY, or a part of it, when nothing stands in the way; else list what does.

    A whole study takes two people: one with --do ask, another one with --do lock. What is
    locked is unlocked for a while by two: --do unlock, then --do approve.
    Exit status: 0 done (or nothing in the way), 1 refused or something is in the way.
    """
    named = {"site": site, "participant": participant, "visit": visit, "form": form}
    right = Right.DATA_FREEZE if act in ("freeze", "lift") else Right.DATA_LOCK
    wanted = Wanted(act, reason, zone, until, items, unlock, marks)
    with refusals_shown(), opened() as place:
        if act == "check":
            left = _check(place, username, study, named, number)
            _print(left, None, as_json=as_json)
            raise SystemExit(1 if left else 0)
        secret = password or click.prompt("Password", hide_input=True)
        with place.database.write() as session:
            by = command_by(session, username)
            accounts.confirm(session, by, secret)
            try:
                if unlock is not None and act in DECISIONS:
                    done = _decide(session, by, place, study, wanted)
                else:
                    target = scope.find(session, by.actor, right, study, number=number, **named)
                    done = _do(session, by, place, target, wanted)
            except NotReady as refused:
                _print(refused.blockers, None, as_json=as_json)
                raise SystemExit(1) from None
        _print((), {"did": act, **done}, as_json=as_json)


def _check(
    place: Installation, username: str, study: str, named: dict[str, str | None], number: int
) -> tuple[Blocker, ...]:
    with place.database.read() as session:
        by = command_by(session, username)
        target = scope.find(session, by.actor, Right.DATA_LOCK, study, number=number, **named)
        verifier = checkpoints.desk(place.config).signer.verifier
        found = gates.gates(session, target, by.at, verifier)
        return waivers.split(session, study, found)[0]


def _do(
    session: Session, by: By, place: Installation, target: Scope, wanted: Wanted
) -> dict[str, object]:
    reason, zone = wanted.reason, wanted.zone
    desk = checkpoints.desk(place.config)
    match wanted.act:
        case "freeze":
            return {"id": locking.freeze(session, by, target, reason).id}
        case "lift":
            return {"id": locking.lift(session, by, target, reason).id}
        case "ask":
            return {"id": locking.ask(session, by, desk, target, reason, zone)}
        case "withdraw":
            role = covering.role_for(by, Kind.LOCK, target)
            requests.withdraw(session, by, role, target.study, require_reason(reason))
            return {"id": target.study}
        case "unlock":
            until = _moment(wanted.until, zone)
            return {"id": turns.ask(session, by, target, reason, until, wanted.items)}
        case "waive":
            found = gates.open_ends(session, target, by.at)
            return {"id": waivers.waive(session, by, target, found, wanted.marks, reason)}
        case "lock":
            done = locking.lock(session, by, desk, target, reason, zone)
            return {"id": done.id, "checkpoint": done.checkpoint}
        case _:
            raise click.UsageError("Say which unlock with --unlock.")


def _decide(
    session: Session, by: By, place: Installation, study: str, wanted: Wanted
) -> dict[str, object]:
    """Approve or refuse an unlock, or lock again what it opened."""
    row, target = turns.find(session, by.actor, study, wanted.unlock or 0)
    if wanted.act == "approve":
        turns.approve(session, by, target, row)
        return {"id": row.id}
    if wanted.act == "refuse":
        turns.refuse(session, by, target, row, wanted.reason)
        return {"id": row.id}
    desk = checkpoints.desk(place.config)
    closed = turns.close(session, by, desk, target, row, wanted.reason, wanted.zone)
    told = {"changes": closed.changed, "summary": closed.summary, "locks": list(closed.locks)}
    return {"id": row.id, **told}


def _moment(given: str | None, zone: str) -> datetime:
    try:
        local = datetime.fromisoformat(given or "")
        return local.replace(tzinfo=local.tzinfo or ZoneInfo(zone))
    except (ValueError, ZoneInfoNotFoundError):
        raise click.UsageError("Give the end with --until, such as 2026-03-05T18:00.") from None


def _print(
    blockers: tuple[Blocker, ...], done: dict[str, object] | None, *, as_json: bool
) -> None:
    if as_json:
        listed = [
            {"kind": b.kind.value, "text": str(b.text), "place": b.place, "mark": b.mark}
            for b in blockers
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
        told = "".join(f", {name} {value}" for name, value in done.items() if name in TOLD)
        click.echo(f"Done: {done['did']} {done['id']}{told}.")
