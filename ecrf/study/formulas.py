"""Every expression of a study, with where it stands and what it may look at. Pure."""

from collections.abc import Iterator
from typing import NamedTuple

from ecrf.study.findings import Spot
from ecrf.study.model import Check, Expression, Form, Grid, Question, Study


class Formula(NamedTuple):
    """An expression at `spot`; `here` is the form whose items it may name directly.

    `grid` is set in a column's expressions. `question` is whose value, need or presence it
    decides; None in checks and in what belongs to the whole study.
    """

    spot: Spot
    expression: Expression
    here: Form | None = None
    grid: Grid | None = None
    question: Question | None = None


class Placed(NamedTuple):
    """A question of a form, with its grid when it is a column."""

    spot: Spot
    form: Form
    question: Question
    grid: Grid | None = None


def placed(form: Form) -> Iterator[Placed]:
    """Yield every question of a form with its spot."""
    for s, section in enumerate(form.sections):
        for m, member in enumerate(section.members):
            spot: Spot = ("forms", form.id, "sections", s, "members", m)
            if isinstance(member, Grid):
                for c, column in enumerate(member.columns):
                    yield Placed((*spot, "columns", c), form, column, member)
            else:
                yield Placed(spot, form, member)


def grid_of(form: Form, check: Check) -> Grid | None:
    """Return the grid in whose every row a check is asked: its item is `GRID.column`."""
    name, _, column = check.item.partition(".")
    grid = form.grids.get(name)
    known = grid is not None and any(column == question.id for question in grid.columns)
    return grid if known else None


def formulas(study: Study) -> Iterator[Formula]:
    """Yield every expression of the study."""
    for form in study.forms.values():
        for spot, _, question, grid in placed(form):
            for name in ("require", "show", "derive"):
                expression = getattr(question, name)
                if isinstance(expression, Expression):
                    yield Formula((*spot, name), expression, form, grid, question)
        for n, check in enumerate(form.checks):
            spot = ("forms", form.id, "checks", n, "when")
            yield Formula(spot, check.when, form, grid_of(form, check))
    yield from _of_the_whole(study)


def _of_the_whole(study: Study) -> Iterator[Formula]:
    if study.consent is not None:
        yield Formula(("consent",), study.consent)
    for n, endpoint in enumerate(study.endpoints):
        if endpoint.derive is not None:
            yield Formula(("endpoints", n, "derive"), endpoint.derive)
    rule = study.adjudication
    if rule is not None and rule.form in study.forms:
        event = study.forms[rule.form]
        yield Formula(("adjudication", "when"), rule.when, event)
        yield Formula(("adjudication", "site_says"), rule.site_says, event)
    for spot, expression, place in study.consequences.spotted():
        if place is None or place in study.forms:
            yield Formula(spot, expression, study.forms.get(place or ""))
    design = study.randomization
    if design is None:
        return
    here = study.forms.get(design.form)
    yield Formula(("randomization", "eligible"), design.eligible, here)
    for n, factor in enumerate(design.factors):
        if isinstance(factor.from_, Expression):
            yield Formula(("randomization", "factors", n, "from_"), factor.from_, here)
