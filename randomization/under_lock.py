"""What is read with the vault's lock when participants are put on slots: one statement.

The lock is the study's chain head; what was read before the lock was had is read again.
"""

from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Integer,
    ScalarSelect,
    Select,
    String,
    Subquery,
    and_,
    bindparam,
    func,
    literal_column,
    select,
    true,
    union_all,
)
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from randomization import shelf
from randomization.desk import Desk, Wish, window
from randomization.opened import NotNow, Vault, vault_chain
from randomization.tables import LEDGER, Allocation, Kit, ListRow, Shelf, Slot

SEEN = LEDGER.chain.alias("seen")
Done = aliased(Allocation, name="done")


def desk(
    session: Session, vault: Vault, study: str, wishes: Sequence[Wish], *, counting: bool
) -> Desk:
    """Lock the study's chain head and read what the wishes need; with `counting`, too, how
    many are randomized.

    PostgreSQL gives the locked row as it is now, and all others as they were when the
    statement began. So the head is read twice, once without the lock: when the two differ,
    somebody was waited for, and the statement is sent again, now holding the lock.
    """
    query = _query(len(wishes), counting=counting)
    parameters = _parameters(vault, study, wishes)
    while True:
        rows = session.execute(query, parameters).all()
        if not rows:
            raise NotNow("no active list")
        if rows[0].size == rows[0].seen_size:
            return Desk(session, vault, rows, wishes)


MINE = Allocation.list_id == ListRow.id


def _next(
    counted: InstrumentedAttribute[int],
    *of: ColumnElement[bool],
    beside: Subquery | None = None,
) -> ScalarSelect[int]:
    """Return the number after the highest so far, 1 for the first."""
    last = func.coalesce(func.max(counted), 0)
    outer: list[Any] = [ListRow] if beside is None else [ListRow, beside]
    return select(last + 1).where(MINE, *of).correlate(*outer).scalar_subquery()


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
    """Return the first kits of the first wish's shelf, by the random sequence."""
    return (
        select(*shelf.COLUMNS, Kit.sequence)
        .where(shelf.ON_SHELF)
        .order_by(Kit.sequence)
        .limit(bindparam("rows"))
        .subquery("few")
    )


def _wish(count: int) -> Subquery:
    """Return the wishes as a table: their order, stratum, rank within it, participant."""
    lines = [
        select(
            literal_column(str(n), Integer).label("n"),
            bindparam(f"stratum_{n}", type_=String).label("stratum"),
            bindparam(f"rank_{n}", type_=Integer).label("rank"),
            bindparam(f"site_{n}", type_=String).label("site"),
            bindparam(f"participant_{n}", type_=String).label("participant"),
        )
        for n in range(count)
    ]
    return (union_all(*lines) if count > 1 else lines[0]).subquery("wish")


def _given(wish: Subquery, *of: ColumnElement[bool]) -> ScalarSelect[int]:
    """Return how many of the study are randomized, on whichever of its lists."""
    here = aliased(ListRow)
    count = (
        select(func.count()).select_from(Allocation).join(here, here.id == Allocation.list_id)
    )
    mine = (Allocation.study == bindparam("study"),
            here.environment == bindparam("environment"))  # fmt: skip
    return count.where(*mine, *of).correlate(wish).scalar_subquery()


def _counts(wish: Subquery) -> tuple[Any, ...]:
    return (
        _given(wish).label("in_study"),
        _given(wish, Allocation.site == wish.c.site).label("at_site"),
        _given(wish, Allocation.stratum == wish.c.stratum).label("in_stratum"),
    )


@cache
def _query(count: int, *, counting: bool) -> Select[Any]:
    """Build the one question: lock, list, next slots, last receipt, former answers, kits.

    Its parameters are those of `_parameters`; it is built once for each number of wishes, for
    building it takes longer than answering it.
    """
    study: BindParameter[str] = bindparam("study")
    environment: BindParameter[str] = bindparam("environment")
    chain, few, wish = LEDGER.chain, _few(), _wish(count)
    position = _next(Allocation.position, Allocation.stratum == wish.c.stratum, beside=wish)
    return (
        select(
            chain.c.name, chain.c.size, chain.c.link, chain.c.last_at,
            SEEN.c.size.label("seen_size"), ListRow, Slot, wish.c.n, wish.c.participant,
            Done.asked, Done.receipt, Done.signature,
            _next(Allocation.serial).label("serial"), _previous().label("previous"),
            Shelf.key.label("shelf_key"),
            few.c.kit_id, few.c.kit_number, few.c.ciphertext, few.c.nonce,
            *(_counts(wish) if counting else ()),
        )
        .select_from(ListRow)
        .join(chain, chain.c.name == bindparam("chain"))
        .join(SEEN, SEEN.c.name == chain.c.name)
        .join(wish, true())
        .outerjoin(
            Slot,
            and_(
                Slot.list_id == ListRow.id, Slot.stratum == wish.c.stratum,
                Slot.position == position + wish.c.rank,
            ),
        )
        .outerjoin(
            Done,
            and_(Done.study == study, Done.participant == wish.c.participant),
        )
        .outerjoin(Shelf, and_(Shelf.study == study, Shelf.environment == environment))
        .outerjoin(few, wish.c.n == 0)
        .where(
            ListRow.study == study, ListRow.environment == environment,
            ListRow.state == "active",
        )
        .order_by(wish.c.n, few.c.sequence)
        .with_for_update(of=chain)
    )  # fmt: skip


def _parameters(vault: Vault, study: str, wishes: Sequence[Wish]) -> dict[str, object]:
    place, before = wishes[0].place, Counter[str]()
    given: dict[str, object] = {
        "study": study, "environment": vault.environment, "chain": vault_chain(study),
        "site": place.site, "usable_until": place.usable_until, "rows": window(wishes),
    }  # fmt: skip
    for n, wish in enumerate(wishes):
        given[f"stratum_{n}"], given[f"site_{n}"] = wish.stratum, wish.site
        given[f"participant_{n}"] = wish.participant
        given[f"rank_{n}"] = before[wish.stratum]
        before[wish.stratum] += 1
    return given
