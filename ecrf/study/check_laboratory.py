"""Does the laboratory part of a study name what exists? Items, checks, visits, steps."""

from collections.abc import Iterator

from ecrf.kernel.text import Message, T
from ecrf.study.findings import Problem
from ecrf.study.laboratory import Laboratory, Toxicity
from ecrf.study.model import ItemType, Study
from ecrf.study.references import Names
from ecrf.study.spelling import suggest

NUMBERS = (ItemType.DECIMAL, ItemType.INTEGER)


def problems(names: Names) -> Iterator[Problem]:
    laboratory = names.study.laboratory
    if laboratory is None:
        return
    yield from _people(laboratory, names)
    yield from _analytes(laboratory, names)
    yield from _alerts(laboratory, names)
    for n, visit in enumerate(laboratory.baseline):
        if visit not in names.study.visit:
            message = T("There is no visit {visit}.", visit=visit)
            spot = ("laboratory", "baseline", n)
            yield Problem(spot, suggest(message, visit, names.study.visit))


def _people(laboratory: Laboratory, names: Names) -> Iterator[Problem]:
    for name, path in (("sex", laboratory.sex), ("birth", laboratory.birth)):
        found = names.answer(path, None, None)
        if isinstance(found, Message):
            yield Problem(("laboratory", name), found)


def _analytes(laboratory: Laboratory, names: Names) -> Iterator[Problem]:
    seen: set[str] = set()
    for n, analyte in enumerate(laboratory.analytes):
        spot = ("laboratory", "analytes", n)
        if analyte.id in seen:
            yield Problem(spot, T("The analyte {name} is listed twice.", name=analyte.id))
        seen.add(analyte.id)
        if analyte.form in names.lost:
            continue
        yield from (Problem(spot, wrong) for wrong in _item(names.study, analyte.item))
        for key in laboratory.sample(analyte.form):
            form = names.study.forms.get(analyte.form)
            if form is not None and key not in form.cells:
                message = T("The form {form} has no item {name}.", form=form.id, name=key)
                yield Problem(spot, message)
        for row in analyte.toxicity:
            if not _rising(row):
                yield Problem(
                    spot, T("The steps of {term} do not follow one another.", term=row.term)
                )


def _item(study: Study, path: str) -> Iterator[Message]:
    name, _, key = path.partition(".")
    form = study.forms.get(name)
    if form is None:
        yield suggest(T("The study has no form {form}.", form=name), name, study.forms)
    elif key not in form.cells:
        yield suggest(
            T("The form {form} has no item {name}.", form=name, name=key), key, form.cells
        )
    elif form.cells[key].question.type not in NUMBERS:
        yield T("{path} is no number; a laboratory result is one.", path=path)


def _rising(row: Toxicity) -> bool:
    """Say whether bounds and grades go one way and only the last step is open."""
    bounds = [step.to for step in row.steps]
    closed = [bound for bound in bounds if bound is not None]
    ordered = sorted(closed, reverse=row.side == "low")
    grades = [step.grade for step in row.steps]
    return (
        closed == ordered
        and len(set(closed)) == len(closed)
        and None not in bounds[:-1]
        and bounds[-1:] == [None]
        and grades == sorted(grades)
    )


def _alerts(laboratory: Laboratory, names: Names) -> Iterator[Problem]:
    for n, alert in enumerate(laboratory.alerts):
        form = names.study.forms.get(alert.form)
        if alert.form in names.lost:
            continue
        known = [check.id for check in form.checks] if form else []
        if alert.rule not in known:
            message = T("There is no check {check}.", check=alert.check)
            yield Problem(("laboratory", "alerts", n), suggest(message, alert.rule, known))
