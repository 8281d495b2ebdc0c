"""Forced allocation: two people of the unblinded side set a precondition aside.

What may be set aside is the supply and the caps. The slot is the next one of the stratum all
the same, so nobody can choose an arm. One person proposes, another confirms; both acts are on
the vault's chain, and the receipt says `forced`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from ecrf.kernel.access import Right, Role
from ecrf.kernel.errors import Conflict, NotFound, Problem, Unacceptable
from ecrf.kernel.ledger import Act, By
from ecrf.kernel.text import T
from randomization import allocate
from randomization.allocate import Forced
from randomization.asking import Request
from randomization.forcing_tables import Forcing, ForcingSettled
from randomization.opened import Vault, lock, one_message, permitted
from randomization.receipts import Receipt
from randomization.tables import LEDGER, Allocation

LONGEST = 1000
CARRIED_OUT, DECLINED = "carried out", "declined"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposal as its readers see it; `outcome` is empty while a second person is awaited."""

    id: int
    site: str
    participant: str
    stratum: str
    supply: bool
    cap: bool
    reason: str
    by_id: int
    by_name: str
    at: datetime
    outcome: str = ""
    settled_by: str = ""
    settled_at: datetime | None = None


def propose(
    vault: Vault, by: By, request: Request, *, supply: bool, cap: bool, reason: str
) -> int:
    """Propose that the participant be randomized on what their site asked; return its number.

    Refuses when nothing is set aside, no reason is given, they are randomized, or a proposal
    for them waits.
    """
    role = permitted(by, Right.ALLOCATION_FORCE, request.study, request.site)
    said = _reason(reason)
    if not (supply or cap):
        wrong = T("Say which precondition is set aside.")
        raise Unacceptable(wrong, [Problem("supply", wrong)])
    with vault.database.write() as session:
        head = lock(session, request.study)
        _require_free(session, vault, request)
        number: int = session.scalars(
            insert(Forcing)
            .values(
                study=request.study, environment=vault.environment, site=request.site,
                participant=request.participant, stratum=request.stratum, visit=request.visit,
                kits=request.kits, usable_until=request.usable_until,
                most_study=request.most_study, most_site=request.most_site,
                most_stratum=request.most_stratum, supply=supply, cap=cap, reason=said,
                by_id=by.actor.id, by_name=by.actor.name, at=by.at,
            )
            .returning(Forcing.id)
        ).one()  # fmt: skip
        refs = {"stratum": request.stratum, "supply": supply, "cap": cap}
        act = _act("forcing:propose", role, request, number, refs, said)
        LEDGER.write(session, by, [(head, act)])
    return number


def confirm(vault: Vault, by: By, study: str, number: int, reason: str) -> Receipt:
    """Carry a proposal of somebody else out; the caller has had the password typed again.

    Asked again after it was carried out, the same person hears the same receipt.
    """
    found = _find(vault, study, number)
    request = _request(found)
    role = permitted(by, Right.ALLOCATION_FORCE, study, found.site)
    said = _reason(reason)
    refused = _act("forcing:refuse", role, request, number, {})
    with one_message(vault, by, refused), vault.database.write() as session:
        head = lock(session, study)
        settled = session.get(ForcingSettled, number)
        if settled is None or settled.outcome != CARRIED_OUT or settled.by_id != by.actor.id:
            _require_second(by, found, settled)
            _settle(session, by, number, CARRIED_OUT, said)
            act = _act("forcing:confirm", role, request, number, {}, said)
            LEDGER.write(session, by, [(head, act)])
        aside = _aside(request) if found.cap else request
        return allocate.put(session, vault, by, role, aside, Forced(found.supply))


def decline(vault: Vault, by: By, study: str, number: int, reason: str) -> None:
    """End a proposal without carrying it out; its own author may do so, too."""
    found = _find(vault, study, number)
    role = permitted(by, Right.ALLOCATION_FORCE, study, found.site)
    said = _reason(reason)
    with vault.database.write() as session:
        head = lock(session, study)
        if session.get(ForcingSettled, number) is not None:
            raise _settled_already()
        _settle(session, by, number, DECLINED, said)
        act = _act("forcing:decline", role, _request(found), number, {}, said)
        LEDGER.write(session, by, [(head, act)])


def proposals(vault: Vault, by: By, study: str) -> tuple[Proposal, ...]:
    """Return the proposals of a study at the person's sites, the newest first."""
    sites = by.actor.sites(Right.ALLOCATION_FORCE, study)
    mine = [] if sites is None else [Forcing.site.in_(sorted(sites))]
    with vault.database.read() as session:
        rows = session.execute(
            select(Forcing, ForcingSettled)
            .outerjoin(ForcingSettled, ForcingSettled.forcing_id == Forcing.id)
            .where(Forcing.study == study, Forcing.environment == vault.environment, *mine)
            .order_by(Forcing.id.desc())
        )
        return tuple(_proposal(row.Forcing, row.ForcingSettled) for row in rows)


def _proposal(made: Forcing, settled: ForcingSettled | None) -> Proposal:
    found = Proposal(
        made.id, made.site, made.participant, made.stratum, made.supply, made.cap,
        made.reason, made.by_id, made.by_name, made.at,
    )  # fmt: skip
    if settled is None:
        return found
    return replace(
        found, outcome=settled.outcome, settled_by=settled.by_name, settled_at=settled.at
    )


def _require_free(session: Session, vault: Vault, request: Request) -> None:
    mine = (request.study, request.participant)
    done = session.scalar(
        select(Allocation.id).where(
            Allocation.study == mine[0], Allocation.participant == mine[1]
        )
    )
    if done is not None:
        raise Conflict(T("{code} is randomized already.", code=request.participant))
    waiting = session.scalar(
        select(Forcing.id)
        .outerjoin(ForcingSettled, ForcingSettled.forcing_id == Forcing.id)
        .where(
            Forcing.study == mine[0], Forcing.participant == mine[1],
            Forcing.environment == vault.environment, ForcingSettled.forcing_id.is_(None),
        )
    )  # fmt: skip
    if waiting is not None:
        raise Conflict(
            T("A proposal for {code} waits for a second person.", code=request.participant)
        )


def _require_second(by: By, found: Forcing, settled: ForcingSettled | None) -> None:
    if settled is not None:
        raise _settled_already()
    if found.by_id == by.actor.id:
        raise Conflict(T("You proposed it; somebody else has to confirm it."))


def _settled_already() -> Conflict:
    return Conflict(T("This proposal was carried out or declined already."))


def _settle(session: Session, by: By, number: int, outcome: str, reason: str) -> None:
    session.execute(
        insert(ForcingSettled).values(
            forcing_id=number, outcome=outcome, reason=reason, by_id=by.actor.id,
            by_name=by.actor.name, at=by.at,
        )
    )  # fmt: skip


def _find(vault: Vault, study: str, number: int) -> Forcing:
    with vault.database.read() as session:
        found = session.scalars(
            select(Forcing).where(
                Forcing.id == number, Forcing.study == study,
                Forcing.environment == vault.environment,
            )
        ).one_or_none()  # fmt: skip
        if found is None:
            raise NotFound(T("There is no proposal {n} in this study.", n=number))
        session.expunge(found)
    return found


def _request(found: Forcing) -> Request:
    return Request(
        found.study, found.site, found.participant, found.stratum, found.visit, found.kits,
        found.usable_until, found.most_study, found.most_site, found.most_stratum,
    )  # fmt: skip


def _aside(request: Request) -> Request:
    return replace(request, most_study=None, most_site=None, most_stratum=None)


def _reason(given: str) -> str:
    said = given.strip()
    if not 0 < len(said) <= LONGEST:
        wrong = T("Say in 1 to {n} characters why.", n=LONGEST)
        raise Unacceptable(wrong, [Problem("reason", wrong)])
    return said


def _act(
    action: str, role: Role, request: Request, number: int, refs: Mapping[str, object],
    reason: str | None = None,
) -> Act:  # fmt: skip
    named = {"participant": request.participant, "forcing": number, **refs}
    key = f"participant:{request.participant}"
    return Act(action, role, request.study, request.site, key, named, reason)
