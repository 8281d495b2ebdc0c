"""Carry out what follows from a change: rows, queries and acts, each in one statement.

The participant's chain is locked, so no save of theirs comes in between; what is locked is
left as it is, and a query tells the data manager what it would be.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import NamedTuple

from sqlalchemy import Update, bindparam, select, update
from sqlalchemy.orm import Session

from ecrf.kernel.access import Role
from ecrf.kernel.chain import Change, Head
from ecrf.kernel.ledger import LEDGER, Act, By
from forms import answers, raised
from forms.answers import Answer
from forms.finding import Finding
from forms.following import settling
from forms.following.settling import Outcome
from forms.following.standing import Standing
from forms.laboratory import alerts
from forms.raised import Known, Moves
from forms.review import verified
from forms.tables import Entry, Query
from visits.tables import Participant

KEPT = ("answers", "verified", "version", "protocol")


class Done(NamedTuple):
    """What came of it, in numbers."""

    recomputed: int = 0
    opened: int = 0
    closed: int = 0


def carry_out(
    session: Session,
    by: By,
    role: Role | None,
    who: Participant,
    head: Callable[[], Head],
    entries: Sequence[Standing],
    outcomes: Sequence[Outcome],
    cause: Mapping[str, object],
) -> Done:
    """Store what changes; nothing is sent when nothing does. Five statements at most."""
    queries = _known(session, [outcome.entry.id for outcome in outcomes])
    decided = [(o, _moves(o, entries, queries.get(o.entry.id, ()))) for o in outcomes]
    stirred = [(o.entry.id, _alerts(o, entries)) for o in outcomes]
    warned = {entry: alerted for entry, alerted in stirred if any(alerted)}
    moved = [
        (o, moves) for o, moves in decided if _altered(o) or any(moves) or o.entry.id in warned
    ]
    if not moved:
        return Done()
    changed = [outcome for outcome, _ in moved if _altered(outcome)]
    if changed:
        session.connection().execute(_update(), [_row(outcome) for outcome in changed])
    raised.put(session, [
        row
        for outcome, moves in moved
        for row in raised.rows(by, raised.Spot(
            outcome.entry.id, outcome.entry.visit_id, outcome.entry.form.id,
            outcome.entry.number, who.id, who.study, who.site,
        ), moves)
    ])  # fmt: skip
    at, acts = head(), []
    for outcome, moves in moved:
        spot = _spot(who, outcome)
        told = alerts.move(session, by, spot, warned.get(outcome.entry.id, alerts.Moved()))
        acts.append((at, _act(role, who, outcome, moves, cause, told)))
    LEDGER.write(session, by, acts)
    return Done(
        len(changed),
        sum(len(moves.opened) for _, moves in moved),
        sum(len(moves.closed) for _, moves in moved),
    )


def _alerts(outcome: Outcome, entries: Sequence[Standing]) -> alerts.Moved:
    """Return the safety alerts that begin or cease to hold, as a save would move them."""
    entry = outcome.entry
    if entry.locked:
        return alerts.Moved()
    context = settling.beside(entry, entries, {other.id: other.was for other in entries})
    findings = outcome.decided.findings
    return alerts.compare(entry.study, entry.form, entry.was, context, findings)


def _spot(who: Participant, outcome: Outcome) -> alerts.Spot:
    entry = outcome.entry
    version = entry.version + _altered(outcome)
    return alerts.Spot(who, entry.study, entry.form.id, entry.id, version)


def _altered(outcome: Outcome) -> bool:
    entry = outcome.entry
    return bool(outcome.edits or entry.origin) and not entry.locked


def _known(session: Session, ids: Sequence[int]) -> Mapping[int, Sequence[Known]]:
    if not ids:
        return {}
    found: dict[int, list[Known]] = {}
    rows = session.execute(
        select(
            Query.entry_id, Query.item, Query.rule, Query.status, Query.text_en, Query.text_zh
        )
        .where(Query.entry_id.in_(ids), Query.rule != "")
        .order_by(Query.id)
    )
    for entry_id, *rest in rows:
        found.setdefault(entry_id or 0, []).append(Known(*rest))
    return found


def _moves(outcome: Outcome, entries: Sequence[Standing], known: Sequence[Known]) -> Moves:
    entry, edited = outcome.entry, {edit.key for edit in outcome.edits}

    def wanted(finding: Finding) -> bool:
        return entry.status == "complete" or finding.item in outcome.decided.answers

    def before() -> frozenset[raised.Mark]:
        was = settling.before(entry, entries)
        return raised.marks((*was.findings, *was.broken))

    if entry.locked:
        # Nothing else can be answered there any more.
        known = [query for query in known if query.rule == "outdated"]
    return raised.decide(outcome.findings, known, edited=edited, wanted=wanted, before=before)


@cache
def _update() -> Update:
    columns = Entry.__table__.c
    return (
        update(Entry.__table__)  # type: ignore[arg-type]
        .where(columns.id == bindparam("of_id"), columns.version == bindparam("of_version"))
        .values({name: bindparam(f"new_{name}", type_=columns[name].type) for name in KEPT})
    )


def _row(outcome: Outcome) -> Mapping[str, object]:
    entry, document = outcome.entry, answers.dump(outcome.decided.answers)
    return {
        "of_id": entry.id, "of_version": entry.version, "new_answers": document,
        "new_verified": verified.after(_kept(entry), document),
        "new_version": entry.version + 1, "new_protocol": entry.protocol,
    }  # fmt: skip


class _Kept(NamedTuple):
    answers: dict[str, object]
    verified: dict[str, int] | None


def _kept(entry: Standing) -> _Kept:
    return _Kept(entry.document.parts, entry.verified)


def _act(
    role: Role | None,
    who: Participant,
    outcome: Outcome,
    moves: Moves,
    cause: Mapping[str, object],
    alerted: Mapping[str, object],
) -> Act:
    entry, altered = outcome.entry, _altered(outcome)
    edits = outcome.edits if altered else ()
    document = answers.dump(outcome.decided.answers)
    lost = verified.lost(_kept(entry), document) if altered else []
    refs = {
        "participant": who.code, "visit": entry.context.visit_key, "form": entry.form.id,
        "number": entry.number, "version": entry.version + altered, "status": entry.status,
        "protocol": entry.protocol, "cause": dict(cause),
        **({"derived": [edit.key for edit in edits]} if edits else {}),
        **({"unverified": lost} if lost else {}),
        **raised.told(moves),
        **alerted,
    }  # fmt: skip
    action = "entry:upgrade" if entry.origin else "entry:recompute"
    return Act(
        action, role, who.study, who.site, key=f"entry:{entry.id}", refs=refs,
        changes=[Change(edit.key, _json(edit.old), _json(edit.new)) for edit in edits],
    )  # fmt: skip


def _json(answer: Answer | None) -> object:
    return None if answer is None else answers.dump({"": answer})[""]
