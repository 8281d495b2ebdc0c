"""Check a study as a whole: what no single file can show. Pure."""

from collections.abc import Iterator

from ecrf.study import (
    cases,
    check_adjudication,
    check_allocating,
    check_breaking,
    check_closed,
    check_consequences,
    check_forms,
    check_formulas,
    check_laboratory,
    check_plan,
    check_review,
    circles,
)
from ecrf.study.findings import Finding, Nowhere, Places, Problem, located
from ecrf.study.model import Study
from ecrf.study.references import Names


def check(study: Study, places: Places | None = None) -> tuple[Finding, ...]:
    """Return all findings on the study; without `places` they name spots of the model."""
    return located(problems(study), places or Nowhere())


def problems(study: Study, lost: frozenset[str] = frozenset()) -> Iterator[Problem]:
    """Yield all that is wrong; nothing is said about forms that could not be read (`lost`)."""
    names = Names(study, lost)
    yield from check_forms.problems(study)
    yield from check_plan.problems(study, lost)
    yield from check_review.problems(study, lost)
    yield from check_adjudication.problems(study, lost)
    yield from check_closed.problems(study, lost)
    yield from check_consequences.problems(study, lost)
    yield from check_allocating.problems(study, lost)
    yield from check_laboratory.problems(names)
    yield from check_breaking.problems(names)
    yield from check_formulas.problems(names)
    yield from circles.problems(names)
    yield from cases.problems(names)
