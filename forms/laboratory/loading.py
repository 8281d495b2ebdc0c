"""The ranges of a study: read once per process and edition, changed by editions.

Which edition stands comes with the looking up of an entry (`edition`), so that a save sends no
statement for the ranges it has read before.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import ScalarSelect, String, bindparam, insert, select, update
from sqlalchemy.orm import Session

from ecrf.kernel import chain
from ecrf.kernel.access import Right
from ecrf.kernel.chain import Change
from ecrf.kernel.errors import NotAllowed
from ecrf.kernel.ledger import LEDGER, Act, By, study_chain
from ecrf.kernel.text import T
from ecrf.study.model import Study
from forms.laboratory.ranges import Range, Ranges, by_analyte
from forms.laboratory.tables import RangeEdition, RangeRow

KEPT = 32
_KNOWN: dict[str, Ranges] = {}
KEY = ("site", "laboratory", "analyte", "sex", "age_from", "age_to", "starts_on")
COLUMNS = (*KEY, "low", "high", "source")


class Loaded(NamedTuple):
    """What loading did."""

    added: int
    retired: int
    same: int


def edition() -> ScalarSelect[Any]:
    """Return the print of the ranges of study `:of_study`, as part of another question."""
    return (
        select(RangeEdition.print)
        .where(RangeEdition.study == bindparam("of_study", type_=String))
        .order_by(RangeEdition.id.desc())
        .limit(1)
        .scalar_subquery()
    )


def ranges(session: Session, study: Study, form: str, standing: str | None) -> Ranges:
    """Return the ranges in force, for a form that has results; none for other forms."""
    laboratory = study.laboratory
    if standing is None or laboratory is None or form not in laboratory.by_form:
        return {}
    if standing not in _KNOWN:
        found = by_analyte(in_force(session, study.id))
        while len(_KNOWN) >= KEPT:
            _KNOWN.pop(next(iter(_KNOWN)), None)
        _KNOWN[standing] = found
    return _KNOWN[standing]


def in_force(session: Session, study_id: str) -> list[Range]:
    """Return every range that is not retired, in the order they were added."""
    c = RangeRow.__table__.c
    query = select(c.id, *(c[name] for name in COLUMNS)).where(
        c.study == study_id, c.retired_in.is_(None)
    )
    rows = session.execute(query.order_by(c.id))
    return [
        Range._make((*row[:8], _figure(row.low), _figure(row.high), row.source)) for row in rows
    ]


def load(
    session: Session, by: By, study_id: str, wanted: Sequence[Range], sha256: str
) -> Loaded:
    """Put ranges in force: each replaces the one of the same place, people and first day.

    `wanted` come without an id. What is in force already is left alone; when nothing changes
    there is no act.
    """
    role = by.actor.role_for(Right.LABORATORY_MANAGE, study_id)
    if role is None:
        raise NotAllowed(T("Your role does not change reference ranges."))
    head = LEDGER.head(session, study_chain(study_id))
    standing = {_key(known): known for known in in_force(session, study_id)}
    changed = {_key(new): new for new in wanted if _bare(standing.get(_key(new))) != _bare(new)}
    retired = [standing[key] for key in changed if key in standing]
    if not changed:
        return Loaded(0, 0, len(wanted))
    _store(session, by, study_id, list(changed.values()), retired, sha256)
    act = Act(
        "laboratory:ranges", role, study_id, key=f"ranges:{study_id}",
        refs={"sha256": sha256},
        changes=[
            Change(_named(key), _said(standing.get(key)), _said(new))
            for key, new in changed.items()
        ],
    )  # fmt: skip
    LEDGER.write(session, by, [(head, act)])
    return Loaded(len(changed) - len(retired), len(retired), len(wanted) - len(changed))


def _store(
    session: Session,
    by: By,
    study_id: str,
    new: Sequence[Range],
    retired: Sequence[Range],
    sha256: str,
) -> None:
    row = {"study": study_id, "print": "", "sha256": sha256, "at": by.at, "by": by.actor.id}
    made = session.execute(insert(RangeEdition).values(row).returning(RangeEdition.id))
    number = made.scalar_one()
    if retired:
        session.execute(
            update(RangeRow)
            .where(RangeRow.id.in_([known.id for known in retired]))
            .values(retired_in=number)
        )
    session.execute(
        insert(RangeRow),
        [{**_columns(known), "study": study_id, "added_in": number} for known in new],
    )
    standing = _print(in_force(session, study_id))
    session.execute(
        update(RangeEdition).where(RangeEdition.id == number).values(print=standing)
    )


def _print(known: Iterable[Range]) -> str:
    """Return the SHA-256 of all ranges with their numbers: equal prints, equal ranges."""
    content = [list(map(str, one)) for one in known]
    return hashlib.sha256(chain.canonical(content).encode()).hexdigest()


def _columns(known: Range) -> Mapping[str, object]:
    return {
        **{name: getattr(known, name) for name in COLUMNS},
        "low": None if known.low is None else format(known.low, "f"),
        "high": None if known.high is None else format(known.high, "f"),
    }


def _key(known: Range) -> tuple[object, ...]:
    return tuple(getattr(known, name) for name in KEY)


def _named(key: tuple[object, ...]) -> str:
    return " ".join(str(part) for part in key if part not in ("", None))[:110]


def _bare(known: Range | None) -> Range | None:
    return None if known is None else known._replace(id=0)


def _said(known: Range | None) -> object:
    if known is None:
        return None
    columns = _columns(known)
    return {name: columns[name] for name in ("low", "high", "source")}


def _figure(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
