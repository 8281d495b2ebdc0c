"""Settle what two people entered differently: a third decides, item by item, and says why."""

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy.orm import Session

from ecrf.kernel.access import Right
from ecrf.kernel.errors import Conflict, Problem, Unacceptable
from ecrf.kernel.ledger import By
from ecrf.kernel.text import T
from forms import entries, lookup
from forms.answers import Given, called
from forms.double import comparing, copies
from forms.double.copies import Pair
from forms.entries import Saved
from forms.lookup import Found
from visits import refusals


class Settled(NamedTuple):
    """The pair that was settled, and what the save of the entry did."""

    both: Pair
    saved: Saved


def settle(
    session: Session, by: By, found: Found, chosen: Mapping[str, Given], reason: str
) -> Settled:
    """Make the entry of both copies, with what was chosen where they differ.

    `found` was looked up with its chain locked. Every difference must be chosen about; an
    empty answer may be the choice.
    """
    lookup.role(by, Right.DOUBLE_SETTLE, found.participant)
    copies.require(found)
    both = copies.pair(session, found)
    if not both.complete:
        raise Conflict(T("Both entries have to be complete before they are compared."))
    if both.of(by.actor.id) is not None:
        raise Conflict(
            T("You entered this form yourself. A third person settles the differences.")
        )
    differing = both.differences(found)
    cells = found.form.cells
    open_ = [d.key for d in differing if d.key not in chosen]
    if open_:
        raise Unacceptable(
            T("Choose which answer is right for {n} item(s).", n=len(open_)),
            [
                Problem(key, T("{item}: choose an answer.", item=called(cells[key])))
                for key in open_
            ],
        )
    why = refusals.require_reason(reason)
    wanted = {d.key: chosen[d.key] for d in differing}
    saved = entries.save(
        session, by, found, comparing.merged(found.form, both.held[0].answers, wanted),
        seen_version=found.version, reason=why, complete=True,
        origin=copies.told(both, differing), settled=Right.DOUBLE_SETTLE,
    )  # fmt: skip
    return Settled(both, saved)
