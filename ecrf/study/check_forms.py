"""Are the forms sound in themselves? Ids, code lists, units, limits, what fits which type."""

from collections.abc import Iterable, Iterator

from ecrf.kernel.text import T
from ecrf.study.build import YES_NO_LIST
from ecrf.study.findings import Problem, Spot
from ecrf.study.formulas import Placed, grid_of, placed
from ecrf.study.model import Form, Grid, ItemType, Question, Study
from ecrf.study.references import RESERVED
from ecrf.study.spelling import suggest

NUMBERS = frozenset({ItemType.INTEGER, ItemType.DECIMAL, ItemType.VAS})
CODED = frozenset({ItemType.CHOICE, ItemType.CHOICES, ItemType.YES_NO})
MAX_PLACES = 10
USUAL_LENGTH = Question.model_fields["max_length"].default
KEYWORDS = frozenset({"and", "or", "not", "in", "if", "else", "for", "is", "True", "False"})


def problems(study: Study) -> Iterator[Problem]:
    for form in study.forms.values():
        yield from _ids(form, study)
        for question in placed(form):
            yield from _question(question, study)
        for spot, grid in _grids(form):
            yield from _grid(spot, grid, study)
        yield from _checks(form)
    yield from _rules(study)


def repeated(spots: Iterable[tuple[Spot, str]]) -> Iterator[Problem]:
    """Yield a problem for each name that was there before."""
    seen: set[str] = set()
    for spot, name in spots:
        if name in seen:
            yield Problem(spot, T("{name} is here twice.", name=name))
        seen.add(name)


def _ids(form: Form, study: Study) -> Iterator[Problem]:
    named, rows = list(_members(form)), list(_rows(form))
    yield from repeated(named)
    yield from repeated(rows)
    for spot, grid in _grids(form):
        columns = [((*spot, "columns", n, "id"), c.id) for n, c in enumerate(grid.columns)]
        yield from repeated(columns)
    for spot, name in (*named, *rows):
        yield from unusable(spot, name)
    taken = {*study.forms, *study.forms_to_come, *study.visit, *(name for _, name in named)}
    for spot, name in rows:
        if name in taken:
            message = T("The row {name} is called like an item, a form or a visit.", name=name)
            yield Problem(spot, message)


def unusable(spot: Spot, name: str) -> Iterator[Problem]:
    """Yield a problem when expressions could not use the name."""
    if name in RESERVED | KEYWORDS or "__" in name:
        yield Problem(spot, T("{name} means something else in expressions.", name=name))


def _members(form: Form) -> Iterator[tuple[Spot, str]]:
    for s, section in enumerate(form.sections):
        for m, member in enumerate(section.members):
            yield ("forms", form.id, "sections", s, "members", m, "id"), member.id


def _grids(form: Form) -> Iterator[tuple[Spot, Grid]]:
    for spot, name in _members(form):
        if name in form.grids:
            yield spot[:-1], form.grids[name]


def _rows(form: Form) -> Iterator[tuple[Spot, str]]:
    for spot, grid in _grids(form):
        yield from (((*spot, "rows", n, "id"), row.id) for n, row in enumerate(grid.rows))


def _question(asked: Placed, study: Study) -> Iterator[Problem]:
    yield from _codes(asked.spot, asked.question, study)
    yield from _missing(asked.spot, asked.question, study)
    yield from _fitting(asked.spot, asked.question)
    yield from _file(asked, study)
    yield from _units(asked.spot, asked.question)
    yield from _limits(asked.spot, asked.question)
    yield from _refers(asked.spot, asked.question, study)


def _refers(spot: Spot, question: Question, study: Study) -> Iterator[Problem]:
    """What names an entry is a number, and the form it names is one that repeats."""
    name = question.refers
    if name is None:
        return
    if question.type is not ItemType.INTEGER:
        yield _needless(spot, "refers", question)
    form = study.forms.get(name)
    if form is not None and not form.repeating:
        message = T("The form {form} does not repeat; it has no numbers.", form=name)
        yield Problem((*spot, "refers"), message)


def _codes(spot: Spot, question: Question, study: Study) -> Iterator[Problem]:
    name = question.codes
    if question.type not in CODED:
        if name is not None:
            yield _needless(spot, "codes", question)
    elif name is None:
        yield Problem(spot, T("{name} offers a choice and needs codes.", name=question.id))
    elif name not in study.codelists:
        message = suggest(T("There is no code list {name}.", name=name), name, study.codelists)
        written = (*spot, "codes") if name != YES_NO_LIST else spot
        yield Problem(written, message)


def _missing(spot: Spot, question: Question, study: Study) -> Iterator[Problem]:
    reasons = study.codelists.get(study.missing_reasons)
    known = [code.value for code in reasons.codes] if reasons else []
    for n, reason in enumerate(question.missing):
        if reason not in known:
            message = T(
                "The code list {list} has no reason {name}.",
                list=study.missing_reasons,
                name=reason,
            )
            yield Problem((*spot, "missing", n), suggest(message, reason, known))


def _needless(spot: Spot, key: str, question: Question) -> Problem:
    message = T("{key} does not fit the type {type}.", key=key, type=question.type.value)
    return Problem((*spot, key), message)


def _fitting(spot: Spot, question: Question) -> Iterator[Problem]:
    """What is said about the answer must fit its type."""
    kind = question.type
    numeric = kind in NUMBERS
    if question.units and not numeric:
        yield _needless(spot, "units", question)
    if (question.limits.hard or question.limits.soft) and not numeric:
        yield _needless(spot, "limits", question)
    if question.places is not None and (
        kind is not ItemType.DECIMAL or not 0 <= question.places <= MAX_PLACES
    ):
        yield _needless(spot, "places", question)
    if question.unknown is not None and kind is not ItemType.PARTIAL_DATE:
        yield _needless(spot, "unknown", question)
    if question.max_length != USUAL_LENGTH and (
        kind is not ItemType.TEXT or question.max_length < 1
    ):
        yield _needless(spot, "max_length", question)
    if kind is ItemType.NOTE:
        for key in ("require", "derive", "missing"):
            if getattr(question, key):
                yield _needless(spot, key, question)
    if question.derive is not None and question.require is not False:
        message = T("{name} is derived; nobody can be required to type it.", name=question.id)
        yield Problem((*spot, "require"), message)


def _file(asked: Placed, study: Study) -> Iterator[Problem]:
    """A file answers an item of its own, on a form that one person fills in for the site."""
    spot, question, form = asked.spot, asked.question, asked.form
    if question.type is not ItemType.FILE:
        if question.file is not None:
            yield _needless(spot, "file", question)
        return
    if question.derive is not None:
        yield _needless(spot, "derive", question)
    vote = study.adjudication and study.adjudication.vote
    if asked.grid is not None or form.double or form.id == vote:
        message = T(
            "{name} is answered by a file. That is possible outside grids only, on forms that "
            "are entered once and are no vote.",
            name=question.id,
        )
        yield Problem((*spot, "type"), message)


def _units(spot: Spot, question: Question) -> Iterator[Problem]:
    for n, unit in enumerate(question.units):
        place: Spot = (*spot, "units", n)
        if unit.factor <= 0:
            yield Problem(place, T("The factor of {unit} must be above 0.", unit=unit.name))
        elif n == 0 and unit.factor != 1:
            message = T(
                "{unit} is named first, so it is the canonical unit and its factor is 1.",
                unit=unit.name,
            )
            yield Problem(place, message)


def _limits(spot: Spot, question: Question) -> Iterator[Problem]:
    hard, soft = question.limits.hard, question.limits.soft
    for name, pair in (("hard", hard), ("soft", soft)):
        if pair is not None and pair[0] >= pair[1]:
            message = T(
                "The lower limit {low} is not below the upper {high}.",
                low=pair[0],
                high=pair[1],
            )
            yield Problem((*spot, "limits", name), message)
    if hard and soft and (soft[0] < hard[0] or soft[1] > hard[1]):
        message = T(
            "The soft limits {soft} must lie within the hard limits {hard}.",
            soft=f"{soft[0]} – {soft[1]}",
            hard=f"{hard[0]} – {hard[1]}",
        )
        yield Problem((*spot, "limits", "soft"), message)


def _grid(spot: Spot, grid: Grid, study: Study) -> Iterator[Problem]:
    columns = {column.id: column for column in grid.columns}
    for n, row in enumerate(grid.rows):
        for c, name in enumerate(row.closed):
            if name not in columns:
                message = T("The grid {grid} has no column {name}.", grid=grid.id, name=name)
                place = (*spot, "rows", n, "closed", c)
                yield Problem(place, suggest(message, name, columns))
    for name, value in grid.fill.items():
        place = (*spot, "fill", name)
        if name not in columns:
            message = T("The grid {grid} has no column {name}.", grid=grid.id, name=name)
            yield Problem(place, suggest(message, name, columns))
            continue
        listed = study.codelists.get(columns[name].codes or "")
        if listed is not None and listed.label(value) is None:
            message = T("The code list {list} has no {value}.", list=listed.id, value=value)
            yield Problem(place, suggest(message, value, [code.value for code in listed.codes]))
    if bool(grid.fill) != bool(grid.fill_label):
        yield Problem(spot, T("fill and fill_label belong together."))


def _checks(form: Form) -> Iterator[Problem]:
    for n, check in enumerate(form.checks):
        if check.item not in form.cells and grid_of(form, check) is None:
            message = T("The form {form} has no item {name}.", form=form.id, name=check.item)
            place = ("forms", form.id, "checks", n, "item")
            yield Problem(place, suggest(message, check.item, form.cells))


def _rules(study: Study) -> Iterator[Problem]:
    """A check is known by its id all over the study: queries and exports name it."""
    yield from repeated(
        (("forms", form.id, "checks", n, "id"), check.id)
        for form in study.forms.values()
        for n, check in enumerate(form.checks)
    )
