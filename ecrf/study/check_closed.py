"""Does what closed reports are made of name items, codes and analytes that exist? Pure."""

from collections.abc import Iterable, Iterator, Mapping

from ecrf.kernel.text import T
from ecrf.study.check_adjudication import DATES, keys
from ecrf.study.closed import Ending, Events
from ecrf.study.findings import Problem, Spot
from ecrf.study.model import Form, ItemType, Study
from ecrf.study.spelling import suggest

HERE: Spot = ("closed",)
CODED = (ItemType.CHOICE, ItemType.YES_NO)
WHOLE = ""
"""The finding is on the path itself."""
COUNTED = (*CODED, ItemType.INTEGER, ItemType.DECIMAL, ItemType.VAS)


def problems(study: Study, lost: frozenset[str]) -> Iterator[Problem]:
    rule = study.closed
    if rule is None:
        return
    for n, path in enumerate(rule.baseline):
        yield from _baseline(study, lost, ("baseline", n), path)
    for part in ("first_dose", "death"):
        dated = getattr(rule, part)
        if dated is not None:
            yield from _items(study, lost, (part,), dated.form, {"date": (dated.date, DATES)})
    for name, ending in (("treatment", rule.treatment), ("study", rule.study)):
        if ending is not None:
            yield from _ending(study, lost, name, ending)
    if rule.events is not None:
        yield from _events(study, lost, rule.events)
    known = study.laboratory.by_id if study.laboratory else {}
    for n, analyte in enumerate(rule.laboratory):
        if analyte not in known:
            message = T("The laboratory part has no analyte {name}.", name=analyte)
            yield Problem((*HERE, "laboratory", n), suggest(message, analyte, known))


def _baseline(study: Study, lost: frozenset[str], spot: Spot, path: str) -> Iterator[Problem]:
    visit, _, rest = path.partition(".")
    form, _, item = rest.partition(".")
    if visit not in study.visit:
        message = T("The schedule has no visit {name}.", name=visit)
        yield Problem((*HERE, *spot), suggest(message, visit, study.visit))
        return
    yield from _items(study, lost, spot, form, {WHOLE: (item, COUNTED)})


def _ending(study: Study, lost: frozenset[str], name: str, rule: Ending) -> Iterator[Problem]:
    items = {"date": (rule.date, DATES), "reason": (rule.reason, CODED)}
    yield from _items(study, lost, (name,), rule.form, items)
    yield from _codes(study, (name, "completed"), rule.form, rule.reason, rule.completed)


def _events(study: Study, lost: frozenset[str], rule: Events) -> Iterator[Problem]:
    items = {
        "term": (rule.term, (ItemType.TEXT, *CODED)), "date": (rule.date, DATES),
        "grade": (rule.grade, (ItemType.CHOICE, ItemType.INTEGER)),
        "serious": (rule.serious, (ItemType.YES_NO,)), "related": (rule.related, CODED),
    }  # fmt: skip
    yield from _items(study, lost, ("events",), rule.form, items)
    spot = ("events", "relatedness")
    yield from _codes(study, spot, rule.form, rule.related, rule.relatedness)


def _items(
    study: Study, lost: frozenset[str], spot: Spot, name: str,
    items: Mapping[str, tuple[str, tuple[ItemType, ...]]],
) -> Iterator[Problem]:  # fmt: skip
    form = study.forms.get(name)
    if form is None:
        if name not in lost:
            message = T("The study has no form {form}.", form=name)
            yield Problem((*HERE, *spot, "form"), suggest(message, name, study.forms))
        return
    for part, (key, kinds) in items.items():
        here = (*HERE, *spot) if part == WHOLE else (*HERE, *spot, part)
        yield from _typed(form, here, key, kinds)


def _typed(form: Form, spot: Spot, key: str, kinds: tuple[ItemType, ...]) -> Iterator[Problem]:
    cell = form.cells.get(key)
    if cell is None:
        message = T("The form {form} has no item {name}.", form=form.id, name=key)
        yield Problem(spot, suggest(message, key, keys(form)))
    elif cell.question.type not in kinds:
        message = T(
            "{name} is of type {type}; this needs {kinds}.",
            name=key, type=cell.question.type, kinds=", ".join(kinds),
        )  # fmt: skip
        yield Problem(spot, message)


def _codes(
    study: Study, spot: Spot, form: str, item: str, values: Iterable[str]
) -> Iterator[Problem]:
    cell = study.forms[form].cells.get(item) if form in study.forms else None
    codes = study.codelists.get(cell.question.codes or "") if cell else None
    for n, value in enumerate(values):
        if codes is not None and codes.label(value) is None:
            options = ", ".join(known.value for known in codes.codes)
            message = T(
                "{path} is never {value}. It is one of: {options}.",
                path=item, value=value, options=options,
            )  # fmt: skip
            yield Problem((*HERE, *spot, n), message)
