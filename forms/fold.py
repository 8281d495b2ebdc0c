"""Fold the ledger: what the acts of an entry, oldest first, say its answers are.

Current answers equal the fold; where they do not, somebody changed the tables past the door. A
signature binds the fold at its place in the chain.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from ecrf.kernel.ledger import LEDGER
from ecrf.kernel.signatures import Signature
from ecrf.kernel.text import Message, T
from forms import binding
from forms.review import verified
from forms.tables import Entry
from visits.tables import Participant

ENTRY = "entry:"
STATING = ("entry:save", "entry:recompute", "entry:not-done", "entry:upgrade")
"""The acts that say what an entry is from now on."""
STATED = ("version", "status", "protocol", "form", "number", "visit")
SIGNED = ("version", "protocol", "form", "number", "visit")


@dataclass(slots=True)
class Folded:
    """An entry as its acts make it."""

    answers: dict[str, Any] = field(default_factory=dict)
    verified: dict[str, int] = field(default_factory=dict)
    signatures: dict[int, tuple[int, str]] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)


class Telling(NamedTuple):
    """One act as the fold needs it."""

    key: str
    action: str
    header: str
    changes: str


class Difference(NamedTuple):
    """An entry, or a signature of it, that the ledger does not bear out."""

    entry_id: int
    message: Message


def apply(folded: Folded, act: Telling) -> None:
    """Lay one act over what came before; keys that begin with # are no answers."""
    for change in json.loads(act.changes):
        item = change["item"]
        if item.startswith("#"):
            continue
        if change["new"] is None:
            folded.answers.pop(item, None)
        else:
            folded.answers[item] = change["new"]
    refs = json.loads(act.header)["refs"]
    if act.action in STATING:
        folded.facts = {name: refs[name] for name in STATED}
    verified.tell(folded.verified, act.action, refs)


def binds(folded: Folded, refs: Mapping[str, Any]) -> bool:
    """Say whether an act of signing binds the entry as it is told to be."""
    same = all(
        refs.get(name) == value for name, value in folded.facts.items() if name in SIGNED
    )
    return same and refs["content"] == binding.digest(folded.answers, refs)


def fold(acts: Iterable[Telling]) -> tuple[dict[int, Folded], list[int]]:
    """Return the entries by id, and the ids of those whose signature binds something else."""
    found: dict[int, Folded] = {}
    wrong: list[int] = []
    for act in acts:
        entry_id = int(act.key.removeprefix(ENTRY))
        folded = found.setdefault(entry_id, Folded())
        apply(folded, act)
        if act.action == "entry:sign":
            refs = json.loads(act.header)["refs"]
            folded.signatures[refs["signature"]] = refs["version"], refs["content"]
            if not binds(folded, refs):
                wrong.append(entry_id)
    return found, wrong


def acts(session: Session, chains: Iterable[str]) -> Iterator[Telling]:
    """Yield the acts on entries of the chains, each chain in its order."""
    c = LEDGER.act.c
    query = (
        select(c.key, c.action, c.header, c.changes)
        .where(c.chain.in_(sorted(chains)), c.key.startswith(ENTRY))
        .order_by(c.chain, c.seq)
        .execution_options(yield_per=500)
    )
    for row in session.execute(query):
        yield Telling(*row)


def differences(
    session: Session, chains: Iterable[str], participants: Iterable[int]
) -> Iterator[Difference]:
    """Yield the entries of these participants that differ from the fold of these chains."""
    folded, wrong = fold(acts(session, chains))
    participants = sorted(participants)
    wrong += _moved(session, folded, participants)
    for entry_id in wrong:
        text = T("A signature of form number {id} binds other answers.", id=entry_id)
        yield Difference(entry_id, text)
    rows = session.execute(
        select(
            Entry.id, Entry.answers, Entry.verified, Entry.version, Entry.status,
            Entry.protocol, Entry.form, Participant.code,
        )
        .join(Participant, Participant.id == Entry.participant_id)
        .where(Participant.id.in_(participants))
        .order_by(Entry.id)
        .execution_options(yield_per=500)
    )  # fmt: skip
    for row in rows:
        told = folded.pop(row.id, Folded())
        stored = {
            name: getattr(row, name) for name in ("version", "status", "protocol", "form")
        }
        if (
            row.answers != told.answers
            or (row.verified or {}) != told.verified
            or not _agree(stored, told.facts)
        ):
            text = T(
                "The answers of form {form} of {participant} are not what the ledger says.",
                form=row.form.upper(), participant=row.code,
            )  # fmt: skip
            yield Difference(row.id, text)
    for entry_id in sorted(folded):
        text = T("The ledger knows form number {id}, which is gone.", id=entry_id)
        yield Difference(entry_id, text)


def _agree(stored: Mapping[str, object], told: Mapping[str, object]) -> bool:
    return all(told.get(name) == value for name, value in stored.items())


def _moved(
    session: Session, folded: Mapping[int, Folded], participants: Sequence[int]
) -> Iterator[int]:
    """Yield the entries whose stored signatures are not those the ledger tells of."""
    target = ENTRY + Entry.id.cast(Signature.target.type)
    rows = session.execute(
        select(
            Entry.id, Entry.signature_id, Entry.signed_version, Signature.id.label("own"),
            Signature.version, Signature.content_hash,
        )
        .outerjoin(Signature, Signature.target == target)
        .where(Entry.participant_id.in_(participants))
        .order_by(Entry.id)
    )  # fmt: skip
    for entry_id, group in groupby(rows, key=attrgetter("id")):
        found = list(group)
        told = folded.get(entry_id, Folded()).signatures
        stored = {row.own: (row.version, row.content_hash) for row in found if row.own}
        last = max(told, default=None)
        current = (last, None if last is None else told[last][0])
        if stored != told or (found[0].signature_id, found[0].signed_version) != current:
            yield entry_id
