"""The one question of an allocation, built once: building it takes longer than answering it."""

from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    ScalarSelect,
    Select,
    Subquery,
    and_,
    bindparam,
    func,
    select,
    true,
)
from sqlalchemy.orm import InstrumentedAttribute, aliased

from randomization import shelf
from randomization.tables import LEDGER, Allocation, Kit, ListRow, Shelf, Slot

Done = aliased(Allocation, name="done")
SEEN = LEDGER.chain.alias("seen")
MINE = Allocation.list_id == ListRow.id


def _next(counted: InstrumentedAttribute[int], *of: ColumnElement[bool]) -> ScalarSelect[int]:
    """Return the number after the highest so far, 1 for the first."""
    last = func.coalesce(func.max(counted), 0)
    return select(last + 1).where(*of).correlate(ListRow).scalar_subquery()


def _previous() -> ScalarSelect[str]:
    """Return the hash of the list's last receipt."""
    return (
        select(Allocation.receipt_hash)
        .where(MINE)
        .correlate(ListRow)
        .order_by(Allocation.serial.desc())
        .limit(1)
        .scalar_subquery()
    )


def _few() -> Subquery:
    """Return the first kits of the shelf, by the random sequence."""
    return (
        select(*shelf.COLUMNS, Kit.sequence)
        .where(shelf.ON_SHELF)
        .order_by(Kit.sequence)
        .limit(bindparam("rows"))
        .subquery("few")
    )


def _given(*of: ColumnElement[bool]) -> ScalarSelect[int]:
    """Return how many of the study are randomized, on whichever of its lists."""
    here = aliased(ListRow)
    count = (
        select(func.count()).select_from(Allocation).join(here, here.id == Allocation.list_id)
    )
    mine = (Allocation.study == bindparam("study"),
            here.environment == bindparam("environment"))  # fmt: skip
    return count.where(*mine, *of).scalar_subquery()


def _counts() -> tuple[Any, ...]:
    return (
        _given().label("in_study"),
        _given(Allocation.site == bindparam("site")).label("at_site"),
        _given(Allocation.stratum == bindparam("stratum")).label("in_stratum"),
    )


def _query(*more: Any) -> Select[Any]:
    """Build the one question: lock, list, next slot, last receipt, former answer, kits.

    Its parameters are those of `_parameters`; it is built once, for building it takes longer
    than answering it.
    """
    study: BindParameter[str] = bindparam("study")
    stratum: BindParameter[str] = bindparam("stratum")
    environment: BindParameter[str] = bindparam("environment")
    chain, few = LEDGER.chain, _few()
    position = _next(Allocation.position, MINE, Allocation.stratum == stratum)
    return (
        select(
            chain.c.name, chain.c.size, chain.c.link, chain.c.last_at,
            SEEN.c.size.label("seen_size"), ListRow, Slot, Done,
            _next(Allocation.serial, MINE).label("serial"), _previous().label("previous"),
            Shelf.key.label("shelf_key"),
            few.c.kit_id, few.c.kit_number, few.c.ciphertext, few.c.nonce, *more,
        )
        .select_from(ListRow)
        .join(chain, chain.c.name == bindparam("chain"))
        .join(SEEN, SEEN.c.name == chain.c.name)
        .outerjoin(
            Slot,
            and_(
                Slot.list_id == ListRow.id,
                Slot.stratum == stratum,
                Slot.position == position,
            ),
        )
        .outerjoin(
            Done,
            and_(Done.study == study, Done.participant == bindparam("participant")),
        )
        .outerjoin(
            Shelf,
            and_(Shelf.study == study, Shelf.environment == environment),
        )
        .outerjoin(few, true())
        .where(
            ListRow.study == study,
            ListRow.environment == environment,
            ListRow.state == "active",
        )
        .order_by(few.c.sequence)
        .with_for_update(of=chain)
    )  # fmt: skip


QUERY = _query()
COUNTING = _query(*_counts())
"""The same with counts, for a study with caps."""
