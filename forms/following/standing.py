"""All entries of one participant as they stand, in one statement, with what a plan needs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Select, Text, bindparam, cast, func, select
from sqlalchemy.orm import Session

from ecrf.study import versions
from ecrf.study.model import Form, Study
from forms.answers import Answer, Document
from forms.context import Context, Entered
from forms.laboratory.ranges import Ranges
from forms.lookup import order_of
from forms.tables import Entry
from visits.tables import KitGiven, Visit


@dataclass(frozen=True, slots=True)
class Standing:
    """One entry. `locked` says that it, or its visit, takes no change any more.

    `was` are the answers before the change all this follows from; mostly the same. `origin` is
    the definition the entry comes from when it is about to be moved to `study`.
    """

    id: int
    visit_id: int
    study: Study
    form: Form
    number: int
    context: Context
    protocol: str
    status: str
    locked: bool
    version: int
    answers: Mapping[str, Answer]
    was: Mapping[str, Answer]
    document: Document
    verified: dict[str, int] | None
    origin: tuple[Study, Form] | None = None

    def entered(self, now: Mapping[str, Answer]) -> Entered:
        """Return the entry as others read it, with the answers `now`."""
        here = self.context
        return Entered(
            here.visit, here.visit_key, here.order, self.form.id, self.number, now,
            here.visit_date,
        )  # fmt: skip


def load(
    session: Session,
    participant_id: int,
    base: Context,
    ranges: Callable[[Study, str], Ranges],
    was: Mapping[int, Mapping[str, Answer]],
    at: datetime | None = None,
) -> tuple[Standing, ...]:
    """Return the entries of a participant, the earliest visit first.

    `base` is a context of this participant; `was` gives answers as they were by entry. An
    entry of a form its definition does not have is left out. `at` is the moment at which what
    is unlocked still is so; without one nothing is.
    """
    found = []
    for row in session.execute(_entries(), {"of_participant": participant_id}):
        study = versions.model(session, row.protocol)
        form = study.forms.get(row.form)
        if form is not None and row.status != "not done":
            found.append(_standing(row, study, form, base, ranges, was.get(row.id), at))
    return tuple(sorted(found, key=lambda one: (one.context.order, one.number, one.id)))


def _standing(
    row: Any,
    study: Study,
    form: Form,
    base: Context,
    ranges: Callable[[Study, str], Ranges],
    was: Mapping[str, Answer] | None,
    at: datetime | None,
) -> Standing:
    unlocked = at is not None and row.open_until is not None and at < row.open_until
    now = Document(row.answers)
    context = replace(
        base, visit=row.plan, visit_key=row.key, visit_date=row.held_on,
        order=order_of(row.held_on, row.position), number=row.number,
        kits=tuple(sorted(row.kits.split(","))) if row.kits else (),
        ranges=ranges(study, form.id), entries=(), overrides={},
    )  # fmt: skip
    return Standing(
        row.id, row.visit_id, study, form, row.number, context, row.protocol, row.status,
        "locked" in (row.state, row.visit_state) and not unlocked, row.version, now,
        now if was is None else was, now, row.verified,
    )  # fmt: skip


@cache
def _entries() -> Select[*tuple[Any, ...]]:
    kits = (
        select(func.aggregate_strings(KitGiven.number, ","))
        .where(KitGiven.visit_id == Visit.id)
        .correlate(Visit)
        .scalar_subquery()
        .label("kits")
    )
    return (
        select(
            Entry.id, Entry.visit_id, Entry.form, Entry.number, Entry.protocol, Entry.status,
            Entry.state, Entry.open_until, Entry.version, Entry.verified,
            cast(Entry.answers, Text).label("answers"), Visit.plan, Visit.key,
            Visit.held_on, Visit.position, Visit.state.label("visit_state"), kits,
        )
        .join(Visit, Visit.id == Entry.visit_id)
        .where(Entry.participant_id == bindparam("of_participant"))
        .order_by(Entry.id)
    )  # fmt: skip
