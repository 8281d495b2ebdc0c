"""What a freeze, a lock and an unlock cover: chains they hold, rows they move, acts they tell.

States are set in one statement per table, however much is covered.
"""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum

from sqlalchemy import ColumnElement, literal, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from ecrf.kernel.access import Actor, Right, Role
from ecrf.kernel.chain import Change, Head
from ecrf.kernel.db import Base
from ecrf.kernel.errors import NotAllowed
from ecrf.kernel.ledger import LEDGER, Act, By, participant_chain, study_chain
from ecrf.kernel.people import Site
from ecrf.kernel.text import T
from ecrf.study.tables import StudyRow
from forms.scope import Level, Scope, stored
from forms.tables import Entry, Lock
from visits.tables import Participant, Visit

STATE = "#state"


class Kind(StrEnum):
    """What was set: `freeze` stops the sites, `lock` stops everyone."""

    FREEZE = "freeze"
    LOCK = "lock"


RIGHT = {Kind.FREEZE: Right.DATA_FREEZE, Kind.LOCK: Right.DATA_LOCK}
WHOLE = frozenset({Level.STUDY, Level.SITE, Level.PARTICIPANT})
"""What is locked only by who may lock whole casebooks."""
STATES = {Kind.FREEZE: "frozen", Kind.LOCK: "locked"}
BELOW = {Kind.FREEZE: ("open",), Kind.LOCK: ("open", "frozen")}


def standing(session: Session, study: str) -> list[Lock]:
    """Return the freezes and locks of a study that stand, oldest first."""
    query = select(Lock).where(Lock.study == study, Lock.lifted_at.is_(None))
    return list(session.scalars(query.order_by(Lock.id)))


def role_for(by: By, kind: Kind, scope: Scope) -> Role:
    """Return the role under which something of this kind is set; raise NotAllowed."""
    if not may(by.actor, kind, scope):
        raise NotAllowed(T("Your role does not include this."))
    role = by.actor.role_for(RIGHT[kind], scope.study, scope.site)
    if role is None:
        raise NotAllowed(T("Your role does not include this."))
    return role


def may(actor: Actor, kind: Kind, scope: Scope) -> bool:
    """Say whether somebody may freeze or lock this; whole casebooks take one more right."""
    whole = kind is Kind.LOCK and scope.level in WHOLE
    rights = (RIGHT[kind], Right.DATA_LOCK_WHOLE) if whole else (RIGHT[kind],)
    held = [actor.sites(right, scope.study) for right in rights]
    return all(sites is None or scope.site in sites for sites in held)


def hold(session: Session, scope: Scope) -> dict[str, Head]:
    """Hold the study's or site's row, so that nobody is enrolled, then the chain heads."""
    if scope.level is Level.STUDY:
        session.execute(
            select(StudyRow.id).where(StudyRow.id == scope.study).with_for_update()
        ).one()
    elif scope.level is Level.SITE:
        session.execute(
            select(Site.id)
            .where(Site.study == scope.study, Site.code == scope.site)
            .with_for_update()
        ).one()
    c = LEDGER.chain.c
    covered = select(literal(participant_chain(scope.study, "")) + Participant.code).where(
        scope.participants()
    )
    rows = session.execute(
        select(c.name, c.size, c.link, c.last_at)
        .where(c.name.in_(covered))
        .order_by(c.name)
        .with_for_update()
    )
    heads = {row.name: Head(*row) for row in rows}
    if scope.level in (Level.STUDY, Level.SITE):
        name = study_chain(scope.study)
        heads[name] = LEDGER.head(session, name)
    return heads


def over(session: Session, scope: Scope) -> list[Lock]:
    """Return what stands on this scope and above it, oldest first."""
    return [row for row in standing(session, scope.study) if _covers(scope, row)]


def _covers(scope: Scope, row: Lock) -> bool:
    return scope.within(Level(row.scope), row.target)


def set_(session: Session, scope: Scope, kind: Kind) -> None:
    """Move everything in the scope up to the state of `kind`; one statement per table."""
    move(session, scope, BELOW[kind], STATES[kind])


def move(session: Session, scope: Scope, old: Sequence[str], new: str) -> None:
    people = select(Participant.id).where(scope.participants()).scalar_subquery()
    for table, column, where in _tables(scope, people):
        session.connection().execute(
            update(table).where(where, column.in_(old)).values(state=new)
        )


def _tables(
    scope: Scope, people: ColumnElement[int]
) -> Iterator[tuple[type[Base], InstrumentedAttribute[str], ColumnElement[bool]]]:
    depth = list(Level).index(scope.level)
    if depth <= 0:
        yield StudyRow, StudyRow.state, StudyRow.id == scope.study
    if depth <= 1:
        at = Site.study == scope.study
        yield Site, Site.state, at if scope.site is None else at & (Site.code == scope.site)
    if depth <= 2:
        yield Participant, Participant.state, scope.participants()
    if depth <= 3:
        yield Visit, Visit.state, Visit.participant_id.in_(people) & scope.visits()
    yield Entry, Entry.state, entries_of(scope, people)


def entries_of(scope: Scope, people: ColumnElement[int]) -> ColumnElement[bool]:
    at = Entry.participant_id.in_(people) & scope.entries()
    return at if scope.visit_id is None else at & (Entry.visit_id == scope.visit_id)


def restore(session: Session, scope: Scope) -> None:
    """Open everything in the scope, then set again what the standing locks say."""
    move(session, scope, ("frozen", "locked"), "open")
    for row in standing(session, scope.study):
        inner = stored(session, row.study, Level(row.scope), row.target)
        covered = scope if _covers(scope, row) else inner
        if covered.within(scope.level, scope.key):
            set_(session, covered, Kind(row.kind))


def tell(
    session: Session,
    by: By,
    role: Role,
    scope: Scope,
    heads: dict[str, Head],
    action: str,
    key: str,
    states: tuple[str | None, str] | None,
    reason: str,
    more: Mapping[str, object],
) -> None:
    """Write one act on every chain the scope touches."""
    refs: dict[str, object] = {
        **more, "scope": scope.level.value, "site": scope.site,
        "participant": scope.participant, "visit": scope.visit, "form": scope.form,
        "number": scope.number,
    }  # fmt: skip
    said = {name: value for name, value in refs.items() if value is not None}
    act = Act(
        action, role, scope.study, scope.site, key=key, refs=said, reason=reason,
        changes=[Change(STATE, *states)] if states else [],
    )  # fmt: skip
    LEDGER.write(session, by, [(head, act) for head in heads.values()])
