"""Waivers: things in the way of a lock that somebody lets pass, one by one, saying why.

A waiver holds for exactly the blocker it names, wherever on the ladder the lock is set.
"""

from collections.abc import Collection, Sequence

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from ecrf.kernel.chain import Change
from ecrf.kernel.errors import Conflict, NotAllowed, NotFound
from ecrf.kernel.ledger import LEDGER, Act, By, study_chain
from ecrf.kernel.text import T
from forms.closing.covering import Kind, role_for
from forms.closing.tables import Waiver
from forms.gates import FIRM, Blocker
from forms.scope import Scope
from visits.refusals import require_reason


def standing(session: Session, study: str) -> dict[str, Waiver]:
    """Return what is waived in a study, by the mark of the blocker. One statement."""
    query = select(Waiver).where(Waiver.study == study, Waiver.withdrawn_at.is_(None))
    return {row.mark: row for row in session.scalars(query.order_by(Waiver.id))}


def split(
    session: Session, study: str, found: Sequence[Blocker]
) -> tuple[tuple[Blocker, ...], tuple[Waiver, ...]]:
    """Return the blockers that are left, and the waivers of the others."""
    if not found:
        return (), ()
    known = standing(session, study)
    left = tuple(blocker for blocker in found if blocker.mark not in known)
    return left, tuple(known[one.mark] for one in found if one.mark in known)


def waive(
    session: Session,
    by: By,
    scope: Scope,
    found: Sequence[Blocker],
    marks: Collection[str],
    reason: str,
) -> int:
    """Let the blockers of these marks pass, each by an act of its own; return how many."""
    role = role_for(by, Kind.LOCK, scope)
    why = require_reason(reason)
    head = LEDGER.head(session, study_chain(scope.study))
    known = standing(session, scope.study)
    there = {blocker.mark: blocker for blocker in found if blocker.mark in set(marks)}
    chosen = [one for mark, one in there.items() if mark not in known]
    if not chosen:
        raise Conflict(T("Choose what is to be waived; it must still be in the way."))
    for blocker in chosen:
        if blocker.kind in FIRM:
            raise NotAllowed(T("This cannot be waived: {what}", what=blocker.text))
    session.execute(
        insert(Waiver),
        [
            {
                "study": scope.study, "site": scope.site, "mark": one.mark,
                "kind": one.kind.value, "place": one.place,
                "text_en": one.text.in_("en")[:600], "text_zh": one.text.in_("zh")[:600],
                "reason": why, "by": by.actor.id, "at": by.at,
            }
            for one in chosen
        ],
    )  # fmt: skip
    acts = [
        Act(
            "lock:waive", role, scope.study, scope.site, key=f"waiver:{one.mark[:16]}",
            refs={"gate": one.kind.value, "place": one.place, "mark": one.mark}, reason=why,
            changes=[Change("#waived", None, one.text.in_("en"))],
        )
        for one in chosen
    ]  # fmt: skip
    LEDGER.write(session, by, [(head, act) for act in acts])
    return len(chosen)


def withdraw(session: Session, by: By, scope: Scope, mark: str, reason: str) -> None:
    """Take a waiver back: what it let pass is in the way again."""
    role = role_for(by, Kind.LOCK, scope)
    why = require_reason(reason)
    head = LEDGER.head(session, study_chain(scope.study))
    row = standing(session, scope.study).get(mark)
    if row is None or scope.site not in (None, row.site):
        raise NotFound(T("There is no such waiver."))
    session.connection().execute(
        update(Waiver).where(Waiver.id == row.id).values(withdrawn_at=by.at)
    )
    act = Act(
        "lock:unwaive", role, scope.study, scope.site, key=f"waiver:{mark[:16]}",
        refs={"gate": row.kind, "place": row.place, "mark": mark}, reason=why,
        changes=[Change("#waived", row.text_en, None)],
    )  # fmt: skip
    LEDGER.write(session, by, [(head, act)])
