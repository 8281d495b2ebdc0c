"""Moving kits: all of those named, or none; as the table of moves allows."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import case, select, update
from sqlalchemy.orm import Session

from ecrf.kernel.errors import Conflict, NotFound, Problem
from ecrf.kernel.text import T, Text
from randomization import numbers, supply
from randomization.opened import Vault
from randomization.supply import MOVES, Move, State
from randomization.tables import Kit


class Found(NamedTuple):
    """A kit as far as its way goes."""

    id: int
    number: str
    site: str
    state: State
    participant: str | None
    visit: str | None


COLUMNS = (Kit.id, Kit.number, Kit.site, Kit.state, Kit.participant, Kit.visit)


def read(row: Iterable[object]) -> Found:
    kit = Found(*row)  # type: ignore[arg-type]
    return kit._replace(state=State(kit.state))


def find(
    session: Session, vault: Vault, study: str, sites: Sequence[str], typed: Sequence[str]
) -> list[Found]:
    """Return the kits of these numbers at these sites; refuse a slip, and what is not there."""
    wanted = list(dict.fromkeys(numbers.tidy(number) for number in typed if number.strip()))
    for number in wanted:
        if not numbers.valid(number):
            _refuse(T("{number} is not a kit number: one of its digits is wrong.",
                      number=number))  # fmt: skip
    rows = session.execute(
        select(*COLUMNS)
        .where(
            Kit.study == study, Kit.environment == vault.environment,
            Kit.site.in_(sites), Kit.number.in_(wanted),
        )
        .order_by(Kit.number)
    )  # fmt: skip
    found = [read(row) for row in rows]
    missing = set(wanted) - {kit.number for kit in found}
    if missing or not wanted:
        number = min(missing, default="–")
        raise _not_here(number)
    return found


def move(session: Session, kits: Sequence[Found], step: Move, **values: object) -> None:
    """Move all of the kits in one statement; refuse when one of them may not."""
    if not kits:
        return
    for kit in kits:
        if supply.after(kit.state, step) is None:
            _refuse(
                T("Kit {number} is {state}; this cannot be done with it.",
                  number=kit.number, state=supply.STATES[kit.state])
            )  # fmt: skip
    targets = {kit.state: MOVES[kit.state, step].value for kit in kits}
    session.execute(
        update(Kit)
        .where(Kit.id.in_([kit.id for kit in kits]))
        .values(
            state=case(*[(Kit.state == s.value, to) for s, to in targets.items()]), **values
        )
        .execution_options(synchronize_session=False)
    )


def _not_here(number: str) -> NotFound:
    wrong = T("There is no kit {number} at this site.", number=number)
    return NotFound(wrong, [Problem("number", wrong)])


def _refuse(wrong: Text) -> None:
    raise Conflict(wrong, [Problem("number", wrong)])
