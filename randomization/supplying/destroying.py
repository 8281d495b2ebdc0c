"""Destruction: kits are listed, two people sign, and only while the books close to zero.

Only kits that are returned, rejected or expired are listed. The second signature carries the
destruction out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from ecrf.kernel.access import Right
from ecrf.kernel.errors import Conflict, NotFound, Problem, Unacceptable
from ecrf.kernel.ledger import Act, By
from ecrf.kernel.text import T
from randomization.opened import Vault, permitted
from randomization.supply import MOVES, Move
from randomization.supplying import accounts, books, moving
from randomization.supplying.tables import Destroyed, Destruction, DestructionSigned
from randomization.tables import Kit

LONGEST = 200
NEEDED = 2
DESTROYABLE = tuple(state for state, move in MOVES if move is Move.DESTROY)


@dataclass(frozen=True, slots=True)
class Plan:
    """How, where and when kits of a site are to be destroyed."""

    study: str
    site: str
    method: str
    place: str
    on: date


class Certificate(NamedTuple):
    """A destruction with its kits and who signed it; it stands when two have."""

    number: int
    method: str
    place: str
    on: date
    kits: tuple[str, ...]
    signed: tuple[tuple[str, datetime], ...]

    @property
    def stands(self) -> bool:
        return len(self.signed) >= NEEDED


def propose(vault: Vault, by: By, plan: Plan) -> int:
    """List every kit of the site that is returned, rejected or expired; return the number."""
    role = permitted(by, Right.SUPPLY_READ, plan.study, plan.site)
    for item, said in (("method", plan.method), ("place", plan.place)):
        if not 0 < len(said.strip()) <= LONGEST:
            wrong = T("Write 1 to {n} characters.", n=LONGEST)
            raise Unacceptable(wrong, [Problem(item, wrong)])
    act = Act("destruction:propose", role, plan.study, plan.site)

    def do(session: Session) -> tuple[int, Mapping[str, object]]:
        _require_closed(session, vault, plan.study, plan.site)
        kits = _settled(session, vault, plan)
        if not kits:
            raise Conflict(T("No kit here is returned, rejected or expired."))
        number: int = session.scalars(
            insert(Destruction)
            .values(
                study=plan.study, environment=vault.environment, site=plan.site,
                method=plan.method.strip(), place=plan.place.strip(), on=plan.on, at=by.at,
            )
            .returning(Destruction.id)
        ).one()  # fmt: skip
        session.execute(
            insert(Destroyed),
            [{"kit_id": kit.id, "destruction_id": number} for kit in kits],
        )
        return number, {"destruction": number, "kits": [kit.number for kit in kits]}

    return books.enter(vault, by, act, do)


def sign(vault: Vault, by: By, study: str, site: str, number: int) -> bool:
    """Sign the list; say whether it is carried out with this signature."""
    role = permitted(by, Right.SUPPLY_READ, study, site)
    act = Act("destruction:sign", role, study, site, refs={"destruction": number})

    def do(session: Session) -> tuple[bool, Mapping[str, object]]:
        _require_here(session, vault, study, site, number)
        signed = set(
            session.scalars(
                select(DestructionSigned.by_id).where(
                    DestructionSigned.destruction_id == number
                )
            )
        )
        if by.actor.id in signed:
            raise Conflict(T("You signed this already; somebody else must sign, too."))
        if len(signed) >= NEEDED:
            raise Conflict(T("This destruction is signed by two people already."))
        _require_closed(session, vault, study, site)
        session.execute(
            insert(DestructionSigned).values(
                destruction_id=number, by_id=by.actor.id, by_name=by.actor.name, at=by.at
            )
        )
        done = len(signed) + 1 >= NEEDED
        if done:
            moving.move(session, _listed(session, number), Move.DESTROY)
        return done, {"carried_out": done}

    return books.enter(vault, by, act, do)


def certificates(vault: Vault, study: str, site: str) -> list[Certificate]:
    """Return the destructions of a site, the newest first."""
    with vault.database.read() as session:
        rows = session.execute(
            select(Destruction.id, Destruction.method, Destruction.place, Destruction.on)
            .where(
                Destruction.study == study, Destruction.site == site,
                Destruction.environment == vault.environment,
            )
            .order_by(Destruction.id.desc())
        ).all()  # fmt: skip
        ids = [row.id for row in rows]
        listed = session.execute(
            select(Destroyed.destruction_id, Kit.number)
            .join(Kit, Kit.id == Destroyed.kit_id)
            .where(Destroyed.destruction_id.in_(ids))
            .order_by(Kit.number)
        ).all()
        signed = session.execute(
            select(
                DestructionSigned.destruction_id, DestructionSigned.by_name,
                DestructionSigned.at,
            )
            .where(DestructionSigned.destruction_id.in_(ids))
            .order_by(DestructionSigned.at)
        ).all()  # fmt: skip
    return [
        Certificate(
            *row,
            tuple(one.number for one in listed if one.destruction_id == row.id),
            tuple((one.by_name, one.at) for one in signed if one.destruction_id == row.id),
        )
        for row in rows
    ]


def _require_closed(session: Session, vault: Vault, study: str, site: str) -> None:
    difference = accounts.balanced(session, vault, study, site).difference
    if difference:
        raise Conflict(
            T("The reconciliation of {site} does not close: {n} kits differ. Nothing is "
              "destroyed before they are explained.", site=site, n=difference)
        )  # fmt: skip


def _require_here(session: Session, vault: Vault, study: str, site: str, number: int) -> None:
    here = session.scalar(
        select(Destruction.id).where(
            Destruction.id == number, Destruction.study == study, Destruction.site == site,
            Destruction.environment == vault.environment,
        )
    )  # fmt: skip
    if here is None:
        raise NotFound(T("There is no such destruction here."))


def _settled(session: Session, vault: Vault, plan: Plan) -> list[moving.Found]:
    """Return the kits to be listed: settled, and on no other list."""
    rows = session.execute(
        select(*moving.COLUMNS)
        .where(
            Kit.study == plan.study, Kit.environment == vault.environment,
            Kit.site == plan.site, Kit.state.in_([state.value for state in DESTROYABLE]),
            Kit.id.not_in(select(Destroyed.kit_id)),
        )
        .order_by(Kit.number)
    )  # fmt: skip
    return [moving.read(row) for row in rows]


def _listed(session: Session, number: int) -> list[moving.Found]:
    rows = session.execute(
        select(*moving.COLUMNS)
        .join(Destroyed, Destroyed.kit_id == Kit.id)
        .where(Destroyed.destruction_id == number)
        .order_by(Kit.number)
    )
    return [moving.read(row) for row in rows]
