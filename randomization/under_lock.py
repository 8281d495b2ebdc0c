"""What is read with the vault's lock when participants are put on slots: two statements.

The lock is the study's chain head; what was read before the lock was had is read again.
"""

from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Executable,
    Integer,
    Row,
    ScalarSelect,
    Select,
    String,
    and_,
    bindparam,
    func,
    select,
    union_all,
)
from sqlalchemy.orm import Session, aliased

from randomization.desk import Counts, Desk, Found, Wish
from randomization.opened import NotNow, Vault, vault_chain
from randomization.tables import LEDGER, SLOTS, Allocation, ListRow, Shelf, Slot

SEEN = LEDGER.chain.alias("seen")
Done = aliased(Allocation, name="done")
STUDY: BindParameter[str] = bindparam("study")
ENVIRONMENT: BindParameter[str] = bindparam("environment")


def desk(
    session: Session, vault: Vault, study: str, wishes: Sequence[Wish], *, counting: bool
) -> Desk:
    """Lock the study's chain head and read what the wishes need; with `counting`, too, how
    many are randomized.

    PostgreSQL gives the locked row as it is now, and all others as they were when the
    statement began. So the head is read twice, once without the lock: when the two differ,
    somebody was waited for, and the statement is sent again, now holding the lock.
    """
    lines = _lines(wishes)
    parameters = _parameters(vault, study, wishes, lines)
    query = _list(len(lines) if counting else 0)
    while True:
        rows = session.execute(query, parameters).all()
        if not rows:
            raise NotNow("no active list")
        if rows[0].size == rows[0].seen_size:
            break
    free = session.scalars(
        _slots(len(lines)), {**parameters, "list_id": rows[0].ListRow.id}
    ).all()
    counts = _counted(rows[0], lines) if counting else Counts()
    return Desk(session, vault, wishes, Found(rows, free, counts))


class Line(NamedTuple):
    """Where slots are wanted."""

    site: str
    stratum: str


def _lines(wishes: Sequence[Wish]) -> list[Line]:
    """Return each place once; the last is repeated up to a power of two, so that there are
    few different questions.
    """
    lines = list(dict.fromkeys(Line(wish.site, wish.stratum) for wish in wishes))
    return lines + lines[-1:] * ((1 << (len(lines) - 1).bit_length()) - len(lines))


@cache
def _list(counted: int) -> Select[Any]:
    """Build the question for the lock, the list, its last receipt and former answers: one row,
    or one for each wish that was answered before.

    For the first `counted` lines it asks, too, how many are randomized. It is built once for
    each number, for building it takes longer than answering it.
    """
    chain = LEDGER.chain
    return (
        select(
            chain.c.name, chain.c.size, chain.c.link, chain.c.last_at,
            SEEN.c.size.label("seen_size"), ListRow, Shelf.key.label("shelf_key"),
            Done.participant, Done.asked, Done.receipt, Done.signature,
            _last(Allocation.serial).label("serial"),
            _last(Allocation.receipt_hash).label("previous"),
            *(_counts(counted) if counted else ()),
        )
        .select_from(ListRow)
        .join(chain, chain.c.name == bindparam("chain"))
        .join(SEEN, SEEN.c.name == chain.c.name)
        .outerjoin(
            Done,
            and_(
                Done.study == STUDY,
                Done.participant.in_(bindparam("participants", expanding=True)),
            ),
        )
        .outerjoin(Shelf, and_(Shelf.study == STUDY, Shelf.environment == ENVIRONMENT))
        .where(
            ListRow.study == STUDY, ListRow.environment == ENVIRONMENT,
            ListRow.state == "active",
        )
        .with_for_update(of=chain)
    )  # fmt: skip


def _last(column: Any) -> ScalarSelect[Any]:
    """Return what stands in the list's last allocation."""
    return (
        select(column)
        .where(Allocation.list_id == ListRow.id)
        .correlate(ListRow)
        .order_by(Allocation.serial.desc())
        .limit(1)
        .scalar_subquery()
    )


def _counts(lines: int) -> list[ColumnElement[int]]:
    return [
        _given().label("in_study"),
        *(_given(Allocation.site == _of("site", n)).label(f"at_site_{n}")
          for n in range(lines)),
        *(_given(Allocation.stratum == _of("stratum", n)).label(f"in_stratum_{n}")
          for n in range(lines)),
    ]  # fmt: skip


def _given(*of: ColumnElement[bool]) -> ScalarSelect[int]:
    """Return how many of the study are randomized, on whichever of its lists."""
    here = aliased(ListRow)
    count = (
        select(func.count()).select_from(Allocation).join(here, here.id == Allocation.list_id)
    )
    return count.where(
        Allocation.study == STUDY, here.environment == ENVIRONMENT, *of
    ).scalar_subquery()


@cache
def _slots(lines: int) -> Executable:
    """Build the question for the next slots, in list order.

    Each line follows the index of the list's positions from where it stands, so that it takes
    as long in a list of any length.
    """
    here = bindparam("list_id", type_=Integer)

    def following(n: int) -> Select[Any]:
        stratum = _of("stratum", n)
        last = (
            select(Allocation.position)
            .where(Allocation.list_id == here, Allocation.stratum == stratum)
            .order_by(Allocation.position.desc())
            .limit(1)
            .scalar_subquery()
        )
        waiting = (
            select(SLOTS)
            .where(SLOTS.c.list_id == here, SLOTS.c.stratum == stratum)
            .where(SLOTS.c.position > func.coalesce(last, 0))
            .order_by(SLOTS.c.position)
            .limit(bindparam(f"many_{n}", type_=Integer))
        )
        return select(waiting.subquery(f"line_{n}"))

    parts = [following(n) for n in range(lines)]
    found = union_all(*parts) if lines > 1 else parts[0]
    return select(Slot).from_statement(found)


def _of(what: str, n: int) -> BindParameter[str]:
    return bindparam(f"{what}_{n}", type_=String)


def _parameters(
    vault: Vault, study: str, wishes: Sequence[Wish], lines: Sequence[Line]
) -> dict[str, object]:
    many = Counter(wish.stratum for wish in wishes)
    given: dict[str, object] = {
        "study": study, "environment": vault.environment, "chain": vault_chain(study),
        "participants": [wish.participant for wish in wishes],
    }  # fmt: skip
    for n, line in enumerate(lines):
        given[f"site_{n}"], given[f"stratum_{n}"] = line
        given[f"many_{n}"] = many.pop(line.stratum, 0)
    return given


def _counted(row: Row[Any], lines: Sequence[Line]) -> Counts:
    """Return how many are randomized in the study, at the sites, in the strata."""
    counted = Counts({"study": row.in_study})
    for n, line in enumerate(lines):
        counted["site", line.site] = getattr(row, f"at_site_{n}")
        counted["stratum", line.stratum] = getattr(row, f"in_stratum_{n}")
    return counted
