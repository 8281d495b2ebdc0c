"""What was locked: numbers of everything, the SHA-256 of all answers, and what was waived.

Kept with the lock and, as a digest, in its act: the checkpoint of the lock covers both.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from ecrf.kernel.people import Person
from forms.closing.tables import Waiver
from forms.scope import Scope
from forms.tables import Entry, Query
from visits.tables import Participant, Visit

SOFTWARE = version("ecrf")


def make(
    session: Session,
    scope: Scope,
    passed: Sequence[Waiver],
    before: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the manifest of what the scope holds now. Five statements at most.

    What an earlier manifest says was waived stays said.
    """
    earlier = before["waivers"] if before else []
    now = [one for one in _waivers(session, passed) if one not in earlier]
    found = _entries(session, scope)
    return {
        "software": SOFTWARE,
        "study": scope.study,
        "scope": scope.level.value,
        "name": scope.name,
        "participants": _count(session, scope, Participant.status),
        "visits": _count(session, scope, Visit.status),
        "queries": _count(session, scope, Query.status),
        **found,
        "waivers": [*earlier, *now],
    }


def digest(content: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a manifest."""
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _count(
    session: Session, scope: Scope, status: InstrumentedAttribute[str]
) -> dict[str, int]:
    """Return how many there are of each status."""
    query = select(status, func.count())
    if status is Visit.status:
        query = query.join(Participant, Participant.id == Visit.participant_id)
        query = query.where(scope.visits())
    elif status is Query.status:
        query = query.join(Participant, Participant.id == Query.participant_id)
        query = query.outerjoin(Visit, Visit.id == Query.visit_id)
        query = query.outerjoin(Entry, Entry.id == Query.entry_id)
        query = query.where(scope.visits(), scope.entries())
    rows = session.execute(query.where(scope.participants()).group_by(status).order_by(status))
    return {row[0]: row[1] for row in rows}


def _entries(session: Session, scope: Scope) -> dict[str, Any]:
    """Return the entries by status, the definitions they are of, and the digest of all."""
    rows = session.execute(
        select(
            Participant.code, Visit.key, Entry.form, Entry.number, Entry.version,
            Entry.status, Entry.protocol, Entry.answers, Entry.signed_version,
        )
        .join(Participant, Participant.id == Entry.participant_id)
        .join(Visit, Visit.id == Entry.visit_id)
        .where(scope.participants(), scope.visits(), scope.entries())
        .order_by(Participant.code, Visit.key, Entry.form, Entry.number)
        .execution_options(yield_per=500)
    )  # fmt: skip
    running, counts, definitions, signed = hashlib.sha256(), dict[str, int](), set[str](), 0
    lines = []
    for row in rows:
        lines.append(_line(row))
        counts[row.status] = counts.get(row.status, 0) + 1
        definitions.add(row.protocol)
        signed += row.signed_version == row.version
    for line in sorted(lines):
        running.update(line.encode() + b"\n")
    return {
        "entries": dict(sorted(counts.items())), "signed": signed,
        "definitions": sorted(definitions), "answers": running.hexdigest(),
    }  # fmt: skip


def _line(row: Any) -> str:
    """Return one entry on one line of the list the digest is taken of."""
    kept = json.dumps(row.answers, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    place = (row.code, row.key, row.form, str(row.number), str(row.version), row.status)
    return "\t".join((*place, hashlib.sha256(kept.encode()).hexdigest()))


def _waivers(session: Session, passed: Sequence[Waiver]) -> list[dict[str, str]]:
    if not passed:
        return []
    people = select(Person.id, Person.name).where(Person.id.in_({row.by for row in passed}))
    names = {row.id: row.name for row in session.execute(people)}
    return [
        {
            "gate": row.kind, "place": row.place, "en": row.text_en, "zh": row.text_zh,
            "reason": row.reason, "by": names[row.by], "at": row.at.isoformat(),
        }
        for row in passed
    ]  # fmt: skip
