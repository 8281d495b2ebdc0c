"""Write entries: the one module that turns a plan into rows.

Every write decides first, then changes the entry's row on condition of the version seen, moves
the queries of rules, and writes its one act on the participant's chain, all in one transaction.
At most seven statements with the looking up; the eighth finds out who asks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from ecrf.kernel.access import Right, Role
from ecrf.kernel.chain import Change, Head
from ecrf.kernel.errors import Conflict, Problem, Stale, Unacceptable
from ecrf.kernel.ledger import LEDGER, Act, By
from ecrf.kernel.people import Person
from ecrf.kernel.text import T
from ecrf.study.model import Words
from forms import answers, consequences, due, lookup, raised, store
from forms.adjudicating import opening
from forms.answers import Answer, Given, called
from forms.files import keeping as files
from forms.finding import Finding
from forms.following import recomputing
from forms.laboratory import alerts
from forms.lookup import Found
from forms.plan import Edit, Plan, plan
from forms.raised import Moves
from forms.reminding import following as reminding
from forms.review import verified
from forms.unblinded import following as unblinded
from forms.unlocking import items
from visits import refusals


@dataclass(frozen=True, slots=True)
class Saved:
    """What a save did: the plan carried out, the entry, how many queries it moved.

    `again` says that the very same save had been stored already and nothing was done.
    """

    plan: Plan
    entry_id: int
    version: int
    opened: int
    closed: int
    again: bool = False


class ReasonNeeded(Unacceptable):
    """Earlier answers would change and nobody said why; `edits` are those answers."""

    def __init__(self, found: Found, edits: tuple[Edit, ...]) -> None:
        cells = found.form.cells
        super().__init__(
            T("Say why answers given earlier are being changed."),
            [
                Problem(
                    edit.key,
                    T(
                        "{item}: say why “{old}” becomes “{new}”.",
                        item=called(cells[edit.key]), old=shown(edit.old), new=shown(edit.new),
                    ),
                )
                for edit in edits
            ],
        )  # fmt: skip
        self.edits = edits


def save(
    session: Session,
    by: By,
    found: Found,
    given: Mapping[str, Given],
    *,
    seen_version: int,
    reason: str | None,
    complete: bool,
    origin: Mapping[str, object] | None = None,
    settled: Right | None = None,
) -> Saved:
    """Lay `given` over the entry and return what came of it.

    `found` was looked up with its chain locked. `seen_version` is the version the person was
    looking at, 0 before the first save. A form once complete stays complete. `origin` is what
    the act says of where the answers come from, such as a file. `settled` is given for a form
    that was entered twice: the right under which its two copies become one.
    """
    right = settled or Right.ENTRY_WRITE
    role = lookup.role(by, right, found.participant)
    due.require(session, found, by.at)
    if settled is None:
        due.require_single(found)
    decided = plan(found.study, found.form, found.answers, given, found.context)
    status = "complete" if complete or found.status == "complete" else "draft"
    if found.version != seen_version:
        return _already(session, by, found, decided, status, seen_version)
    items.require(found, decided)
    reason = _require_acceptable(found, decided, reason) or (reason if settled else None)
    moves = _moves(session, found, decided, status)
    altered = bool(decided.edits) or status != found.status
    if found.entry and not (altered or moves.opened or moves.closed):
        return Saved(decided, found.entry.id, found.version, 0, 0)
    files.follow(session, by, found, decided)
    row = store.Row(status, answers.dump(decided.answers), found.version + altered)
    written = store.write(session, by, found, row)
    if written is None:
        now = lookup.again(session, by.actor, found, right)
        due.require(session, now, by.at)
        decided = plan(now.study, now.form, now.answers, given, now.context)
        return _already(session, by, now, decided, status, seen_version)
    raised.store(session, by, found, written, moves)
    refs = _derived(found, decided) | raised.told(moves) | dict(origin or {})
    refs |= alerts.follow(session, by, found, written, row.version, decided)
    changes = [Change(e.key, stored(e.old), stored(e.new)) for e in decided.edits]
    head = _record(session, by, role, found, "entry:save", written, row, refs, changes, reason)
    _follow(session, by, role, found, decided, written, row, head)
    return Saved(decided, written, row.version, len(moves.opened), len(moves.closed))


def _follow(
    session: Session, by: By, role: Role, found: Found, decided: Plan, written: int,
    row: store.Row, head: Head,
) -> None:  # fmt: skip
    """Carry out what the study says follows elsewhere from what was saved."""
    answers_now = decided.answers
    recomputing.follow(session, by, role, found, written, answers_now, head, row.version)
    consequences.follow(session, by, role, found, answers_now, row.status)
    reminding.follow(session, by, found, written, answers_now)
    unblinded.follow(session, by, found, written, answers_now)
    if row.status == "complete":
        opening.follow(session, by, role, found, answers_now, written)


def not_done(session: Session, by: By, found: Found, reason: str) -> int:
    """Say that the whole form was not done, and why; return the entry's id.

    Refused while somebody's answers stand in it: those are taken out first, with a reason.
    """
    role = lookup.role(by, Right.ENTRY_WRITE, found.participant)
    due.require(session, found, by.at)
    items.require_all(found)
    cells = found.form.cells
    if any(key in cells and cells[key].question.derive is None for key in found.answers):
        raise Conflict(
            T("This form has answers. Take them out before you mark it as not done.")
        )
    why = refusals.require_reason(reason)
    gone = Moves(closed=_live(session, found))
    row = store.Row("not done", {}, found.version + 1)
    written = store.write(session, by, found, row)
    if written is None:
        raise Stale(T("Somebody changed this form a moment ago. Open it again."))
    raised.store(session, by, found, written, gone)
    refs = {"derived": sorted(found.answers)} | raised.told(gone)
    changes = [Change(item, stored(answer), None) for item, answer in found.answers.items()]
    head = _record(session, by, role, found, "entry:not-done", written, row, refs, changes, why)
    recomputing.follow(session, by, role, found, written, {}, head, row.version)
    reminding.follow(session, by, found, written, {})
    return written


def require_readable(found: Found, decided: Plan) -> None:
    """Refuse a plan with answers that cannot be taken, naming each."""
    if decided.refusals:
        n = len(decided.refusals)
        raise Unacceptable(
            T("Nothing was saved: {n} answer(s) cannot be taken.", n=n),
            [_named(found, problem) for problem in decided.refusals],
        )


def _require_acceptable(found: Found, decided: Plan, reason: str | None) -> str | None:
    require_readable(found, decided)
    if not decided.overwrites and found.status != "not done":
        return None
    if not (reason or "").strip():
        raise ReasonNeeded(found, _overwritten(found, decided))
    return refusals.require_reason(reason or "")


def _named(found: Found, problem: Problem) -> Problem:
    """Put the item's name before the words of a study's check, which may stand in many rows."""
    cell = found.form.cells.get(problem.item)
    if cell is None or not isinstance(problem.message, Words):
        return problem
    named = T("{item}: {message}", item=called(cell), message=problem.message)
    return Problem(problem.item, named)


def _overwritten(found: Found, decided: Plan) -> tuple[Edit, ...]:
    cells = found.form.cells
    return tuple(
        edit
        for edit in decided.edits
        if edit.retyped and cells[edit.key].question.derive is None
    )


def shown(answer: Answer | None) -> str:
    """Return an answer on one line as it was given: with its unit, or why it is missing."""
    if answer is None:
        return "–"
    return answer.missing or f"{answer.text} {answer.unit}".strip()


def stored(answer: Answer | None) -> object:
    """Return an answer as acts tell it."""
    return None if answer is None else answers.dump({"": answer})[""]


def _already(
    session: Session, by: By, found: Found, decided: Plan, status: str, seen_version: int
) -> Saved:
    """Answer the very same save sent twice as done; tell anybody else that they came second."""
    entry = found.entry
    twice = (
        entry is not None
        and entry.version == seen_version + 1
        and entry.saved_by == by.actor.id
        and entry.status == status
        and not decided.edits
        and not decided.refusals
    )
    if entry is not None and twice:
        return Saved(decided, entry.id, entry.version, 0, 0, again=True)
    name = session.scalar(
        select(Person.name).where(Person.id == (entry.saved_by if entry else None))
    )
    raise Stale(
        T(
            "{name} saved this form while you had it open: it is at version {now}, you saw "
            "version {seen}. Nothing of yours was stored.",
            name=name or "–", now=found.version, seen=seen_version,
        )
    )  # fmt: skip


def _moves(session: Session, found: Found, decided: Plan, status: str) -> Moves:
    def wanted(finding: Finding) -> bool:
        return status == "complete" or finding.item in decided.answers

    def before() -> frozenset[raised.Mark]:
        was = plan(found.study, found.form, found.answers, {}, found.context)
        return raised.marks(was.findings)

    queries = raised.known(session, found.entry.id) if found.entry else ()
    edited = {edit.key for edit in decided.edits}
    return raised.decide(decided.findings, queries, edited=edited, wanted=wanted, before=before)


def _live(session: Session, found: Found) -> tuple[raised.Known, ...]:
    queries = raised.known(session, found.entry.id) if found.entry else ()
    return tuple(query for query in queries if query.status in raised.LIVE)


def _record(
    session: Session,
    by: By,
    role: Role,
    found: Found,
    action: str,
    entry_id: int,
    row: store.Row,
    more: Mapping[str, object],
    changes: Sequence[Change],
    reason: str | None,
) -> Head:
    refs = {
        "participant": found.participant.code,
        "visit": found.visit.key,
        "form": found.form.id,
        "number": found.number,
        "version": row.version,
        "status": row.status,
        "protocol": found.fingerprint,
        **verified.told(found.entry, row.answers),
        **more,
    }
    act = Act(
        action, role, found.participant.study, found.participant.site,
        key=f"entry:{entry_id}", refs=refs, reason=reason, changes=changes,
    )  # fmt: skip
    head = lookup.locked_head(found)
    return LEDGER.write(session, by, [(head, act)])[head.chain]


def _derived(found: Found, decided: Plan) -> dict[str, object]:
    """Name the changed items that nobody typed: the ledger tells computing from entering."""
    cells = found.form.cells
    derived = [
        edit.key
        for edit in decided.edits
        if edit.key in cells and cells[edit.key].question.derive is not None
    ]
    return {"derived": derived} if derived else {}
