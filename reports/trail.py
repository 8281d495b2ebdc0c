"""The audit trail of one participant as paper tells it: every act on its forms, in order.

What is masked comes without values and reasons. The copies of a form entered twice are told
once they were settled; before, nobody reads them.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from ecrf.kernel.ledger import LEDGER
from forms import history
from forms.double.copies import COPY
from forms.history import Line

KINDS = ("entry:", "query:", COPY, "visit:")
CHUNK = 200


class Place(NamedTuple):
    """What an act is about; without a form it is about the visit, or the participant."""

    visit: str
    form: str
    number: int


class Told(NamedTuple):
    """One act; `seq` is its place in the participant's chain."""

    seq: int
    lines: tuple[Line, ...]
    masked: frozenset[str]


Trail = Mapping[Place, tuple[Told, ...]]


def read(
    session: Session,
    chain: str,
    masked: Mapping[str, Collection[str]],
    settled: Collection[Place],
) -> Trail:
    """Return the acts by what they are about, oldest first.

    `masked` are the items by form whose values stay hidden; `settled` the forms that are
    complete. One statement, streamed.
    """
    found: defaultdict[Place, list[Told]] = defaultdict(list)
    for seq, action, place, lines in _acts(session, chain):
        if action.startswith(COPY) and place not in settled:
            continue
        hidden = {line.item for line in lines} & set(masked.get(place.form, ()))
        if hidden and action.startswith("query:"):
            continue
        shown = tuple(_shown(line, hidden) for line in lines)
        found[place].append(Told(seq, shown, frozenset(hidden)))
    return {place: tuple(told) for place, told in found.items()}


def _shown(line: Line, hidden: Collection[str]) -> Line:
    """Take out what is masked, and with any of it the reason, which may repeat it."""
    if line.item in hidden:
        return line._replace(old=None, new=None, reason="")
    return line._replace(reason="") if hidden else line


def _acts(session: Session, chain: str) -> Iterator[tuple[int, str, Place, Sequence[Line]]]:
    c = LEDGER.act.c
    rows = session.execute(
        select(c.seq, c.at, c.action, c.header, c.changes)
        .where(c.chain == chain, or_(*(c.action.startswith(kind) for kind in KINDS)))
        .order_by(c.seq)
        .execution_options(yield_per=CHUNK)
    )
    for row in rows:
        refs: Mapping[str, Any] = json.loads(row.header)["refs"]
        place = Place(
            refs.get("visit") or "", refs.get("form") or "", int(refs.get("number") or 0)
        )
        yield row.seq, row.action, place, history.lines(row.at, row.header, row.changes)
