"""What a casebook says of one participant: visits, forms, signatures, changes, queries.

Everything is read in the session given, which should be one snapshot. Masked items come
without their values.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from ecrf.kernel.access import Actor, Right
from ecrf.kernel.ledger import LEDGER, REASON, participant_chain
from ecrf.kernel.people import Person
from ecrf.kernel.signatures import Signature
from ecrf.study import versions
from ecrf.study.model import Form, Study, VisitPlan
from forms.tables import Entry, Query, QueryMessage
from forms.unblinded import later
from reports import trail
from reports.trail import Place, Trail
from visits import lookup
from visits.rows import DeviationRow, ParticipantRow, VisitRow

Answers = Mapping[str, Mapping[str, str]]


class Signed(NamedTuple):
    """A signature as printed; `stands` until the entry is changed."""

    name: str
    role: str
    meaning_en: str
    meaning_zh: str
    at: datetime
    zone: str
    stands: bool
    content_hash: str


class Change(NamedTuple):
    """An answer given earlier that was changed or taken out."""

    number: int
    entry_id: int
    visit: str
    form: str
    item: str
    old: Mapping[str, str]
    new: Mapping[str, str]
    name: str
    role: str
    at: datetime
    reason: str


class Filled(NamedTuple):
    """One entry, with the definition it is pinned to."""

    id: int
    visit: VisitRow
    plan: VisitPlan | None
    study: Study
    fingerprint: str
    form: Form
    number: int
    status: str
    answers: Answers
    saved_at: datetime
    saved_by: str
    signatures: tuple[Signed, ...]
    later: bool = False

    @property
    def place(self) -> Place:
        return Place(self.visit.key, self.form.id, self.number)


class Asked(NamedTuple):
    """A query with the turns of its thread."""

    visit: str
    form: str
    item: str
    status: str
    text_en: str
    text_zh: str
    turns: tuple[str, ...]


class Book(NamedTuple):
    """Everything a casebook says."""

    study: Study
    who: ParticipantRow
    at: datetime
    head: str
    acts: int
    visits: tuple[VisitRow, ...]
    entries: tuple[Filled, ...]
    changes: tuple[Change, ...]
    queries: tuple[Asked, ...]
    deviations: tuple[DeviationRow, ...]
    trail: Trail


def read(session: Session, actor: Actor, study_id: str, code: str, at: datetime) -> Book:
    """Return the book of a participant the actor may read; else NotFound."""
    who = lookup.participant(session, actor, study_id, code, Right.ENTRY_READ)
    name = participant_chain(study_id, code)
    c = LEDGER.chain.c
    head = session.execute(select(c.link, c.size).where(c.name == name)).one()
    visits = lookup.visits(session, who.id)
    entries = _entries(session, who, {visit.id: visit for visit in visits})
    study = versions.model(session, who.protocol)
    return Book(
        study,
        who,
        at,
        head.link,
        head.size,
        visits,
        entries,
        tuple(_changes(session, name, {entry.id: entry for entry in entries})),
        _queries(session, entries),
        lookup.deviations(session, who.id),
        trail.read(session, name, _masked(study, entries), _settled(entries)),
    )


def _masked(study: Study, entries: Sequence[Filled]) -> Mapping[str, Sequence[str]]:
    """Return the masked items of the forms, under any definition in use."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for form in (*study.forms.values(), *(entry.form for entry in entries)):
        found[form.id] += [key for key in form.cells if masked(form, key)]
    return found


def _settled(entries: Sequence[Filled]) -> frozenset[Place]:
    return frozenset(entry.place for entry in entries if entry.status == "complete")


def _entries(
    session: Session, who: ParticipantRow, visits: Mapping[int, VisitRow]
) -> tuple[Filled, ...]:
    rows = session.execute(
        select(
            Entry.id, Entry.visit_id, Entry.form, Entry.number, Entry.protocol, Entry.status,
            Entry.answers, Entry.saved_at, Person.name, Entry.signature_id,
            Entry.signed_version, Entry.version,
        )
        .join(Person, Person.id == Entry.saved_by)
        .where(Entry.participant_id == who.id)
    ).all()  # fmt: skip
    marked = later.after_unblinding(session, who.unblinded_at, [row.id for row in rows])
    signed = _signatures(session, {row.id: row for row in rows})
    found = [
        _filled(session, row, visits[row.visit_id], signed)._replace(later=row.id in marked)
        for row in rows
    ]
    return tuple(sorted(found, key=_place))


def _filled(
    session: Session, row: Any, visit: VisitRow, signed: Mapping[int, list[Signed]]
) -> Filled:
    study = versions.model(session, row.protocol)
    return Filled(
        row.id, visit, study.visit.get(visit.plan), study, row.protocol,
        study.forms[row.form], row.number, row.status, row.answers, row.saved_at, row.name,
        tuple(signed.get(row.id, ())),
    )  # fmt: skip


def _place(filled: Filled) -> tuple[int, str, int, int]:
    order = [a.form for a in filled.study.forms_at(filled.visit.plan)]
    at = order.index(filled.form.id) if filled.form.id in order else len(order)
    return filled.visit.position, filled.visit.key, at, filled.number


def _signatures(session: Session, entries: Mapping[int, Any]) -> Mapping[int, list[Signed]]:
    found: defaultdict[int, list[Signed]] = defaultdict(list)
    targets = {f"entry:{entry_id}": entry_id for entry_id in entries}
    rows = session.scalars(
        select(Signature).where(Signature.target.in_(targets)).order_by(Signature.id)
    )
    for row in rows:
        entry = entries[targets[row.target]]
        stands = entry.signature_id == row.id and entry.signed_version == entry.version
        found[entry.id].append(
            Signed(
                row.printed_name, row.role, row.meaning_en, row.meaning_zh, row.at, row.zone,
                stands, row.content_hash,
            )
        )  # fmt: skip
    return found


def _changes(session: Session, chain: str, entries: Mapping[int, Filled]) -> list[Change]:
    """Return every answer that took the place of another or was taken out, oldest first."""
    c = LEDGER.act.c
    rows = session.execute(
        select(c.key, c.at, c.header, c.changes)
        .where(c.chain == chain, c.key.startswith("entry:"))
        .order_by(c.seq)
    )
    found: list[Change] = []
    for row in rows:
        entry = entries.get(int(row.key.removeprefix("entry:")))
        parts = json.loads(row.changes)
        reason = next((p["new"] for p in parts if p["item"] == REASON), "")
        header = json.loads(row.header)
        if entry is not None and any(masked(entry.form, part["item"]) for part in parts):
            reason = ""
        for part in parts:
            if part["item"].startswith("#") or part["old"] is None or entry is None:
                continue
            found.append(
                Change(
                    len(found) + 1, entry.id, entry.visit.key, entry.form.id, part["item"],
                    part["old"], part["new"] or {}, header["name"], header["role"] or "",
                    row.at, reason,
                )
            )  # fmt: skip
    return found


def _queries(session: Session, entries: Sequence[Filled]) -> tuple[Asked, ...]:
    mine = {entry.id: entry for entry in entries}
    rows = session.execute(
        select(Query.id, Query.entry_id, Query.item, Query.status, Query.text_en, Query.text_zh)
        .where(Query.entry_id.in_(mine))
        .order_by(Query.id)
    ).all()
    turns: defaultdict[int, list[str]] = defaultdict(list)
    said = session.execute(
        select(QueryMessage.query_id, QueryMessage.by_name, QueryMessage.text)
        .where(QueryMessage.query_id.in_([row.id for row in rows]))
        .order_by(QueryMessage.id)
    )
    for turn in said:
        turns[turn.query_id].append(f"{turn.by_name}: {turn.text}")
    return tuple(
        Asked(
            mine[row.entry_id].visit.key, mine[row.entry_id].form.id, row.item, row.status,
            row.text_en, row.text_zh, tuple(turns[row.id]),
        )
        for row in rows
        if not masked(mine[row.entry_id].form, row.item)
    )  # fmt: skip


def masked(form: Form, key: str) -> bool:
    """Say whether an item is one that blinded papers leave out."""
    cell = form.cells.get(key)
    return cell is not None and cell.question.blinding == "masked"
