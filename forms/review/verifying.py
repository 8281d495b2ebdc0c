"""Verify items of an entry against their source, and take that back.

Nobody who verifies changes an answer. What is verified is bound to the version the person saw.
"""

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import update
from sqlalchemy.orm import Session

from ecrf.kernel.access import Right, Role
from ecrf.kernel.errors import Conflict, Problem, Stale, Unacceptable
from ecrf.kernel.ledger import LEDGER, Act, By
from ecrf.kernel.text import T
from forms import ladder, lookup
from forms.answers import called
from forms.lookup import Found
from forms.review.plan import verifiable
from forms.review.verified import CHANGED, UNVERIFY, VERIFY
from forms.tables import Entry
from visits import refusals


class _Turn(NamedTuple):
    """One act about the map of an entry."""

    action: str
    word: str
    items: list[str]
    known: dict[str, int]
    why: str | None = None


def verify(
    session: Session, by: By, found: Found, items: Collection[str], *, seen_version: int
) -> int:
    """Say that the items agree with their source; return how many were not verified before.

    `found` was looked up with its chain locked.
    """
    role = lookup.role(by, Right.DATA_VERIFY, found.participant)
    entry = _require(session, by, found, items, seen_version)
    known = dict(entry.verified or {})
    fresh = sorted(key for key in set(items) if known.get(key, CHANGED) == CHANGED)
    if not fresh:
        raise Conflict(T("There is nothing left to verify here."))
    known.update(dict.fromkeys(fresh, entry.version))
    _write(session, by, role, found, entry, _Turn(VERIFY, "verified", fresh, known))
    return len(fresh)


def unverify(
    session: Session,
    by: By,
    found: Found,
    items: Collection[str],
    reason: str,
    *,
    seen_version: int,
) -> int:
    """Take back that the items agree with their source, and say why."""
    role = lookup.role(by, Right.DATA_VERIFY, found.participant)
    entry = _require(session, by, found, items, seen_version)
    why = refusals.require_reason(reason)
    known = dict(entry.verified or {})
    gone = sorted(key for key in set(items) if known.pop(key, None) is not None)
    if not gone:
        raise Conflict(T("None of these items is verified."))
    _write(session, by, role, found, entry, _Turn(UNVERIFY, "unverified", gone, known, why))
    return len(gone)


def _require(
    session: Session, by: By, found: Found, items: Collection[str], seen_version: int
) -> Entry:
    ladder.require(session, found.place, ladder.UNLOCKED, by.at)
    entry, cells = found.entry, found.form.cells
    if entry is None or entry.status != "complete":
        raise Conflict(T("{form} is verified when it is complete.", form=found.form.title))
    if entry.version != seen_version:
        raise Stale(T("This form was changed after you opened it. Compare it again."))
    if not items:
        wrong = T("Choose what you have compared with the source.")
        raise Unacceptable(wrong, [Problem("verify", wrong)])
    for key in sorted(set(items) - verifiable(found.form)):
        wrong = (
            T(
                "{item} is computed: there is no source to compare it with.",
                item=called(cells[key]),
            )
            if key in cells
            else T("{form} has no item {item}.", form=found.form.title, item=key)
        )
        raise Unacceptable(wrong, [Problem("verify", wrong)])
    return entry


def _write(
    session: Session, by: By, role: Role, found: Found, entry: Entry, turn: _Turn
) -> None:
    written = session.connection().scalar(
        update(Entry)
        .where(
            Entry.id == entry.id,
            Entry.version == entry.version,
            ladder.writable(ladder.UNLOCKED, by.at),
        )
        .values(verified=turn.known)
        .returning(Entry.id)
    )
    if written is None:
        raise Stale(T("This form was changed or locked a moment ago. Compare it again."))
    who = found.participant
    refs = {
        "participant": who.code, "visit": found.visit.key, "form": found.form.id,
        "number": found.number, "version": entry.version, turn.word: turn.items,
    }  # fmt: skip
    act = Act(
        turn.action, role, who.study, who.site, key=f"entry:{entry.id}", refs=refs,
        reason=turn.why,
    )  # fmt: skip
    LEDGER.write(session, by, [(lookup.locked_head(found), act)])
