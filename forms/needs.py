"""Which conditional forms a visit asks for, decided by answers and kept with the visit.

Deciding is pure. What was decided is stored, so that lists of many visits cost no more than
without conditions; it is decided anew when an answer changes that a condition reads, and when
a visit is added.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import NamedTuple, Protocol

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from ecrf.kernel.access import Right
from ecrf.kernel.chain import Change
from ecrf.kernel.ledger import LEDGER, Act, By, participant_chain
from ecrf.study.consequences import Condition
from ecrf.study.expr import loops, paths
from ecrf.study.model import Form, Study, Words
from ecrf.study.values import truth
from forms.answers import Answer
from forms.context import Context, Entered, scope
from forms.lookup import Found, order_of, others
from visits.rows import ParticipantRow
from visits.tables import Visit

BESIDE = Form(id="conditions", title=Words(en="Conditions", zh="条件"), sections=())
ASKED_OR_NOT = ("required", "conditional")


class Person(Protocol):
    """A participant as far as their conditions need to know one."""

    @property
    def id(self) -> int: ...
    @property
    def site(self) -> str: ...


class Place(NamedTuple):
    """A visit as far as conditions look at it."""

    id: int
    plan: str
    key: str
    held_on: date | None
    position: int
    asked: str
    spared: str


class Need(NamedTuple):
    """The conditional forms that are required at a visit, and those it does not need."""

    asked: str = ""
    spared: str = ""


def decide(study: Study, place: Place, site: str, entries: Sequence[Entered]) -> Need:
    """Return what the conditions make of the forms of one visit."""
    context = Context(
        visit=place.plan, visit_key=place.key, visit_date=place.held_on,
        order=order_of(place.held_on, place.position), site=site, entries=entries,
    )  # fmt: skip
    sheet = scope(study, BESIDE, {}, context)
    verdicts = {
        condition.form: truth(sheet.evaluate(condition.when))
        for condition in conditions_at(study, place.plan)
    }
    return Need(
        "".join(f"{form}|" for form, verdict in sorted(verdicts.items()) if verdict is True),
        "".join(f"{form}|" for form, verdict in sorted(verdicts.items()) if verdict is False),
    )


def conditions_at(study: Study, plan: str) -> Iterator[Condition]:
    """Yield the conditions that decide about a form of the visit."""
    planned = {a.form for a in study.forms_at(plan) if a.need in ASKED_OR_NOT}
    for condition in study.consequences.conditions:
        if condition.form in planned and plan in (condition.visits or (plan,)):
            yield condition


def follow(session: Session, found: Found, answers: Mapping[str, Answer]) -> list[Change]:
    """Decide anew when the save changed what a condition reads; else do nothing."""
    read = [key for form, key in _read(found.study) if form == found.form.id]
    if all(found.answers.get(key) == answers.get(key) for key in read):
        return []
    return refresh(session, found.participant, found.study)


def refresh(session: Session, who: Person, study: Study) -> list[Change]:
    """Decide every visit of the participant anew, and store what changed."""
    if not study.consequences.conditions:
        return []
    forms = frozenset(form for form, _ in _read(study))
    entries = others(session, who.id, None, forms)
    rows = session.execute(
        select(
            Visit.id, Visit.plan, Visit.key, Visit.held_on, Visit.position, Visit.asked,
            Visit.spared,
        )
        .where(Visit.participant_id == who.id)
        .order_by(Visit.position)
    )  # fmt: skip
    decided = [(p, decide(study, p, who.site, entries)) for p in (Place(*row) for row in rows)]
    moved = [(place, need) for place, need in decided if (place.asked, place.spared) != need]
    if moved:
        session.connection().execute(
            update(Visit)
            .where(Visit.id == bindparam("of_visit"))
            .values(asked=bindparam("now_asked"), spared=bindparam("now_spared")),
            [
                {"of_visit": place.id, "now_asked": need.asked, "now_spared": need.spared}
                for place, need in moved
            ],
        )
    return [
        Change(f"{place.key}.{name}", old or None, new or None)
        for place, need in moved
        for name, old, new in (
            ("asked", place.asked, need.asked), ("spared", place.spared, need.spared),
        )
        if old != new
    ]  # fmt: skip


def added(session: Session, by: By, who: ParticipantRow, study: Study) -> None:
    """Decide for a visit that was just added, and write down what came of it."""
    changes = refresh(session, who, study)
    if changes:
        act = Act(
            "visit:ask", by.actor.role_for(Right.ENTRY_WRITE, who.study, who.site), who.study,
            who.site, key=f"participant:{who.id}", refs={"participant": who.code},
            changes=changes,
        )  # fmt: skip
        LEDGER.record(session, by, participant_chain(who.study, who.code), act)


def _read(study: Study) -> Iterator[tuple[str, str]]:
    """Yield the form and item of every answer that some condition reads."""
    for condition in study.consequences.conditions:
        tree = condition.when.tree
        for path in (*paths(tree), *(f"{rows}.{column}" for rows, column in loops(tree))):
            parts = path.split(".")
            for n in (0, 1):
                if parts[n : n + 1] and parts[n] in study.forms:
                    yield parts[n], ".".join(parts[n + 1 :])
                    break
