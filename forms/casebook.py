"""How far a visit's forms are: one word for each cell of the participant × visit grid. Pure.

The word is found by precedence, not by counting: what most needs somebody is what is said.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple, Protocol

from ecrf.study.model import Assessment, Study

SOON = timedelta(days=7)


class Standing(StrEnum):
    """The words for the state of a visit or a form, the same on every page."""

    LOCKED = "locked"
    FROZEN = "frozen"
    QUERIES = "has queries"
    ANSWERED = "answered"
    OVERDUE = "overdue"
    IN_PROGRESS = "in progress"
    SIGNED = "signed"
    COMPLETE = "complete"
    MISSED = "missed"
    NOT_DONE = "not done"
    DUE = "due"
    NOT_STARTED = "not started"


class Counts(NamedTuple):
    """The entries of one visit by what they are; `required` counts forms that must be there."""

    drafts: int = 0
    complete: int = 0
    not_done: int = 0
    required: int = 0
    queries: int = 0
    answered: int = 0


class VisitFacts(Protocol):
    """What the word for a visit depends on besides its entries."""

    @property
    def plan(self) -> str: ...
    @property
    def asked(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def first(self) -> date | None: ...
    @property
    def due(self) -> date | None: ...


def required(study: Study, plan_id: str, asked: str = "") -> tuple[str, ...]:
    """Return the forms that must be filled at a visit and are defined, in page order.

    `asked` are the conditional forms that answers make due there, each with a | behind it.
    """
    return tuple(
        a.form
        for a in study.forms_at(plan_id)
        if a.form in study.forms and need(study, a, asked) == "required"
    )


def need(study: Study, cell: Assessment, asked: str, spared: str = "") -> str:
    """Return how much a form is needed at one visit: a word of the matrix, or "not needed"."""
    if f"|{cell.form}|" in f"|{asked}":
        return "required"
    if f"|{cell.form}|" in f"|{spared}":
        return "not needed"
    return "conditional" if waits(study, cell) else cell.need


def waits(study: Study, cell: Assessment) -> bool:
    """Say whether only a condition of the study makes the form required at the visit."""
    return cell.need in ("required", "conditional") and any(
        condition.form == cell.form and cell.visit in (condition.visits or (cell.visit,))
        for condition in study.consequences.conditions
    )


def missing(study: Study, plan_id: str, counts: Counts, asked: str = "") -> int:
    """Return how many required forms are neither complete nor marked as not done."""
    return max(0, len(required(study, plan_id, asked)) - counts.required)


def standing(
    study: Study, visit: VisitFacts, lock: str, counts: Counts, today: date
) -> Standing:
    """Return the word for a visit; `lock` is the strongest lock that covers it."""
    if lock != "open":
        return Standing(lock)
    if counts.queries:
        return Standing.QUERIES
    if counts.answered:
        return Standing.ANSWERED
    if visit.status == "missed":
        return Standing.MISSED
    if visit.status == "planned" and not _entered(counts):
        return _waiting(visit, today)
    if counts.drafts or missing(study, visit.plan, counts, visit.asked):
        return Standing.IN_PROGRESS
    return Standing.COMPLETE


def form_standing(
    *, lock: str, status: str | None, signed: bool, queries: int, answered: int = 0
) -> Standing:
    """Return the word for one form; `status` is None while it has no entry."""
    if lock != "open":
        return Standing(lock)
    if queries:
        return Standing.QUERIES
    if answered:
        return Standing.ANSWERED
    if status is None:
        return Standing.NOT_STARTED
    if status == "not done":
        return Standing.NOT_DONE
    if status == "draft":
        return Standing.IN_PROGRESS
    return Standing.SIGNED if signed else Standing.COMPLETE


def worst(standings: Iterable[Standing]) -> Standing:
    """Return the word for several visits of one column: the first by precedence."""
    order: Sequence[Standing] = tuple(Standing)
    return min(standings, key=order.index, default=Standing.NOT_STARTED)


def _entered(counts: Counts) -> bool:
    return bool(counts.drafts or counts.complete or counts.not_done)


def _waiting(visit: VisitFacts, today: date) -> Standing:
    if visit.due is None:
        return Standing.NOT_STARTED
    if today > visit.due:
        return Standing.OVERDUE
    opens = visit.first or visit.due
    return Standing.DUE if opens <= today + SOON else Standing.NOT_STARTED
