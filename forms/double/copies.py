"""The two copies of a form that is entered twice: finding them, and saving one's own.

Nobody is shown another's copy before both are complete; the pages of the ledger do not show
their values at all. When the second is complete and both agree, the entry is made at once.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from ecrf.kernel.access import Right, Role
from ecrf.kernel.chain import Change
from ecrf.kernel.errors import Conflict, Stale
from ecrf.kernel.ledger import LEDGER, Act, By
from ecrf.kernel.people import Person
from ecrf.kernel.text import T
from forms import answers, due, entries, lookup
from forms.answers import Answer, Given
from forms.double import comparing
from forms.double.comparing import Difference
from forms.double.tables import Copy
from forms.lookup import Found
from forms.plan import Plan, plan

COPY = "double:"


class Held(NamedTuple):
    """A copy, and who entered it."""

    row: Copy
    name: str

    @property
    def complete(self) -> bool:
        return self.row.status == "complete"

    @property
    def answers(self) -> Mapping[str, Answer]:
        return answers.load(self.row.answers)


class Pair(NamedTuple):
    """The copies there are of one form, the one begun first in front; at most two."""

    held: tuple[Held, ...]

    def of(self, person_id: int) -> Held | None:
        return next((held for held in self.held if held.row.person_id == person_id), None)

    @property
    def full(self) -> bool:
        """Say whether two people have begun."""
        return len(self.held) == 2

    @property
    def complete(self) -> bool:
        """Say whether both are complete, so that they may be compared."""
        return self.full and all(held.complete for held in self.held)

    @property
    def names(self) -> str:
        return ", ".join(held.name for held in self.held)

    def differences(self, found: Found) -> tuple[Difference, ...]:
        """Return what they differ in; asked for when both are complete."""
        one, other = self.held
        return tuple(comparing.differences(found.form, one.answers, other.answers))


def pair(session: Session, found: Found) -> Pair:
    """Return the copies of the form. One statement."""
    rows = session.execute(
        select(Copy, Person.name)
        .join(Person, Person.id == Copy.person_id)
        .where(
            Copy.visit_id == found.visit.id,
            Copy.form == found.form.id,
            Copy.number == found.number,
        )
        .order_by(Copy.seat)
    ).all()
    for row in rows:
        session.expunge(row.Copy)
    return Pair(tuple(Held(row.Copy, row.name) for row in rows))


def save(
    session: Session,
    by: By,
    found: Found,
    given: Mapping[str, Given],
    *,
    seen_version: int,
    complete: bool,
) -> Pair:
    """Lay `given` over the person's own copy and return the copies as they are then.

    `found` was looked up with its chain locked. `complete` hands the copy in: after that it
    cannot be changed.
    """
    role = lookup.role(by, Right.ENTRY_WRITE, found.participant)
    require(found)
    due.require(session, found)
    now = pair(session, found)
    mine = now.of(by.actor.id)
    stored = mine.answers if mine else {}
    decided = plan(found.study, found.form, stored, given, found.context)
    status = "complete" if complete else "draft"
    if _again(mine, decided, status, seen_version):
        return now
    _require_turn(now, mine, seen_version)
    entries.require_readable(found, decided)
    found = _write(session, by, role, found, now, decided, status)
    after = pair(session, found)
    if complete and after.complete and not after.differences(found):
        agree(session, by, found, after)
    return after


def agree(session: Session, by: By, found: Found, both: Pair) -> None:
    """Make the entry of two copies that agree."""
    final = comparing.merged(found.form, both.held[0].answers, {})
    entries.save(
        session, by, found, final, seen_version=found.version, complete=True,
        reason=T("Entered twice with the same answers.").in_("en"),
        origin=told(both, ()), settled=Right.ENTRY_WRITE,
    )  # fmt: skip


def told(both: Pair, differing: tuple[Difference, ...]) -> dict[str, object]:
    """Return what the act of the entry says of the copies it comes from."""
    return {
        "double": [f"{COPY}{held.row.id}" for held in both.held],
        "differences": [difference.key for difference in differing],
    }


def require(found: Found) -> None:
    """Refuse a form that is not entered twice, or was settled already."""
    if not due.twice(found):
        raise Conflict(T("{form} does not wait for two entries.", form=found.form.title))


def _again(mine: Held | None, decided: Plan, status: str, seen_version: int) -> bool:
    """Say whether the very same save was stored already."""
    return (
        mine is not None
        and mine.row.version == seen_version + 1
        and mine.row.status == status
        and not decided.edits
        and not decided.refusals
    )


def _require_turn(now: Pair, mine: Held | None, seen_version: int) -> None:
    if mine is None and now.full:
        raise Conflict(T("Two people entered this form already: {names}.", names=now.names))
    if mine is not None and mine.complete:
        raise Conflict(T("You handed in your entry of this form. It cannot be changed."))
    if seen_version != (mine.row.version if mine else 0):
        raise Stale(T("You saved this form in another window. Open it again."))


def _write(
    session: Session, by: By, role: Role, found: Found, now: Pair, decided: Plan, status: str
) -> Found:
    """Write the copy and its act; return the place with the chain as it is then."""
    mine = now.of(by.actor.id)
    kept = {
        "status": status, "answers": answers.dump(decided.answers), "saved_at": by.at,
        "protocol": found.fingerprint, "version": 1 + (mine.row.version if mine else 0),
    }  # fmt: skip
    seat = mine.row.seat if mine else 1 + len(now.held)
    copy_id = mine.row.id if mine else _begin(session, by, found, seat, kept)
    if mine:
        session.execute(update(Copy).where(Copy.id == copy_id).values(**kept))
    refs = {
        "participant": found.participant.code, "visit": found.visit.key,
        "form": found.form.id, "number": found.number, "seat": seat,
        "version": kept["version"], "status": status, "protocol": found.fingerprint,
    }  # fmt: skip
    changes = [
        Change(e.key, entries.stored(e.old), entries.stored(e.new)) for e in decided.edits
    ]
    who = found.participant
    action = "double:complete" if status == "complete" else "double:save"
    act = Act(
        action, role, who.study, who.site, key=f"{COPY}{copy_id}", refs=refs, changes=changes
    )
    heads = LEDGER.write(session, by, [(lookup.locked_head(found), act)])
    return replace(found, head=heads[lookup.locked_head(found).chain])


def _begin(
    session: Session, by: By, found: Found, seat: int, kept: Mapping[str, object]
) -> int:
    return session.execute(
        insert(Copy)
        .values(
            participant_id=found.participant.id, visit_id=found.visit.id, form=found.form.id,
            number=found.number, seat=seat, person_id=by.actor.id, **kept,
        )
        .returning(Copy.id)
    ).scalar_one()  # fmt: skip
