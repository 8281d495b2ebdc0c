"""Sign many entries of one participant at once, each with a signature of its own.

The page lists exactly what will be signed; what is sent back names entry and version of every
line, and anything else than what is there now is refused as a whole.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ecrf.kernel.access import Actor, Right
from ecrf.kernel.errors import Conflict, NotAllowed, Stale
from ecrf.kernel.ledger import LEDGER, By, participant_chain
from ecrf.kernel.text import T
from ecrf.study import versions
from ecrf.study.model import Form
from forms import ladder, raised, signing
from forms.ladder import Place, Rung
from forms.review.occasions import Occasion
from forms.signing import Leaf
from forms.tables import Entry, Query
from visits import lookup
from visits.rows import ParticipantRow, strongest
from visits.tables import Visit


class Line(NamedTuple):
    """One entry of the occasion. `state`: to sign, signed, broken, in progress, locked."""

    leaf: Leaf
    form: Form
    plan: str
    state: str
    queries: int

    @property
    def signable(self) -> bool:
        return self.state in ("to sign", "broken")


@dataclass(frozen=True, slots=True)
class Batch:
    """The entries of one participant that an occasion is about, in the order of visits."""

    who: ParticipantRow
    occasion: Occasion
    lines: tuple[Line, ...]

    @property
    def ready(self) -> tuple[Line, ...]:
        return tuple(line for line in self.lines if line.signable)

    @property
    def seen(self) -> dict[int, int]:
        """Return what a page that shows this batch sends back: versions by entry."""
        return {line.leaf.entry.id: line.leaf.entry.version for line in self.ready}


def gather(
    session: Session, actor: Actor, study_id: str, code: str, occasion: Occasion
) -> Batch:
    """Return the batch if the actor may sign at the participant's site. Two statements."""
    who = lookup.participant(session, actor, study_id, code, Right.ENTRY_SIGN)
    return Batch(who, occasion, tuple(_lines(session, who, occasion)))


def sign(
    session: Session,
    by: By,
    study_id: str,
    code: str,
    occasion: Occasion,
    seen: Mapping[int, int],
    zone: str,
) -> int:
    """Sign what was listed, all of it or nothing; return the number of signatures.

    The caller has had the password typed again. One signature and one act for each entry.
    """
    who = lookup.participant(session, by.actor, study_id, code, Right.ENTRY_SIGN)
    role = by.actor.role_for(Right.ENTRY_SIGN, who.study, who.site)
    if role is None:
        raise NotAllowed(T("Your role does not include this."))
    head = LEDGER.head(session, participant_chain(study_id, code))
    batch = gather(session, by.actor, study_id, code, occasion)
    ladder.require(session, _place(batch.who), ladder.UNLOCKED)
    if not batch.ready:
        raise Conflict(T("There is nothing here to be signed."))
    if batch.seen != dict(seen):
        raise Stale(
            T("What is listed has changed since you opened the page. Read it again, then sign.")
        )
    leaves = [line.leaf for line in batch.ready]
    made = signing.bind(session, by, role, leaves, zone)
    acts = [
        signing.told(by, role, who.study, who.site, leaf, key, occasion.name)
        for leaf, key in zip(leaves, made, strict=True)
    ]
    LEDGER.write(session, by, [(head, act) for act in acts])
    return len(made)


def _place(who: ParticipantRow) -> Place:
    rungs = (
        Rung("study", who.study_state), Rung("site", who.site_state),
        Rung("participant", who.state),
    )  # fmt: skip
    return Place(who.study, who.site, who.id, 0, None, rungs)


def _lines(session: Session, who: ParticipantRow, occasion: Occasion) -> Iterator[Line]:
    live = (
        select(func.count(Query.id))
        .where(Query.entry_id == Entry.id, Query.status.in_(raised.LIVE))
        .scalar_subquery()
    )
    rows = session.execute(
        select(Entry, Visit.key, Visit.plan, Visit.state, live.label("queries"))
        .join(Visit, Visit.id == Entry.visit_id)
        .where(Entry.participant_id == who.id, Entry.status != "not done")
        .order_by(Visit.position, Entry.form, Entry.number)
    )
    for row in rows.all():
        session.expunge(row.Entry)
        form = versions.model(session, row.Entry.protocol).forms[row.Entry.form]
        meaning = occasion.meaning(form, row.plan, row.key)
        if meaning is not None:
            leaf = Leaf(row.Entry, who.code, row.key, meaning)
            yield Line(leaf, form, row.plan, _state(row), row.queries)


def _state(row: Any) -> str:
    entry = row.Entry
    if entry.status == "draft":
        return "in progress"
    if signing.standing(entry):
        return "signed"
    if strongest(entry.state, row.state) == "locked":
        return "locked"
    return "broken" if signing.broken(entry) else "to sign"
