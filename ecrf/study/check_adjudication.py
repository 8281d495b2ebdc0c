"""Does what is said about adjudication name forms, items, codes and visits that exist? Pure."""

from collections.abc import Iterable, Iterator

from ecrf.kernel.text import T
from ecrf.study.adjudication import Adjudication
from ecrf.study.findings import Problem, Spot
from ecrf.study.model import Form, ItemType, Study
from ecrf.study.spelling import suggest

HERE: Spot = ("adjudication",)
RELATIVE = ("previous", "same")
DATES = (ItemType.DATE, ItemType.PARTIAL_DATE)


def problems(study: Study, lost: frozenset[str]) -> Iterator[Problem]:
    rule = study.adjudication
    if rule is None:
        return
    named: list[tuple[Spot, str]] = [(("form",), rule.form), (("vote",), rule.vote)]
    named += [(("dossier", "forms", n), form) for n, form in enumerate(rule.dossier.forms)]
    named += [(("assessments", n), form) for n, form in enumerate(rule.assessments)]
    for spot, form in named:
        if form not in lost:
            yield from _known((*HERE, *spot), form, study.forms)
    visits: list[tuple[Spot, str]] = [(("visit",), rule.visit)]
    visits += [
        (("dossier", "visits", n), visit)
        for n, visit in enumerate(rule.dossier.visits)
        if visit not in RELATIVE
    ]
    visits += [
        (("dossier", "at", form, n), visit)
        for form, named_visits in rule.dossier.at.items()
        for n, visit in enumerate(named_visits)
        if visit not in RELATIVE
    ]
    for spot, visit in visits:
        if visit not in study.visit:
            message = T("The schedule has no visit {name}.", name=visit)
            yield Problem((*HERE, *spot), suggest(message, visit, study.visit))
    if any(cell.form == rule.vote for cell in study.matrix):
        message = T("The form {name} is the committee's and due at no visit.", name=rule.vote)
        yield Problem((*HERE, "vote"), message)
    ends = {endpoint.id for endpoint in study.endpoints}
    for name in ("endpoint", "time"):
        end = getattr(rule, name)
        if end is not None and end not in ends:
            message = T("The study has no endpoint {name}.", name=end)
            yield Problem((*HERE, name), suggest(message, end, ends))
    yield from _event(study, rule)
    yield from _vote(study, rule)
    yield from _left_out(study, rule, lost)


def keys(form: Form) -> frozenset[str]:
    """Return what may be named of a form: its items, its grids, and their columns."""
    columns = (f"{grid.id}.{c.id}" for grid in form.grids.values() for c in grid.columns)
    return frozenset((*form.cells, *form.grids, *columns))


def _known(spot: Spot, form: str, forms: Iterable[str]) -> Iterator[Problem]:
    if form not in forms:
        message = T("The study has no form {form}.", form=form)
        yield Problem(spot, suggest(message, form, forms))


def _event(study: Study, rule: Adjudication) -> Iterator[Problem]:
    form = study.forms.get(rule.form)
    if form is None:
        return
    for name in ("assessed", "site_date"):
        yield from _typed(form, (name,), getattr(rule, name), DATES)
    if rule.site_organs is not None and rule.site_organs not in keys(form):
        yield from _missing(form, ("site_organs",), rule.site_organs)


def _vote(study: Study, rule: Adjudication) -> Iterator[Problem]:
    form, agreed = study.forms.get(rule.vote), rule.agreement
    if form is None:
        return
    here = ("agreement",)
    yield from _typed(form, (*here, "verdict"), agreed.verdict, (ItemType.CHOICE,))
    yield from _typed(form, (*here, "question"), agreed.question, (ItemType.TEXT,))
    yield from _typed(form, (*here, "organs"), agreed.organs, (ItemType.CHOICES,))
    yield from _typed(form, (*here, "date"), agreed.date, (ItemType.DATE,))
    if agreed.date_agreed is not None:
        yes_no = (ItemType.YES_NO,)
        yield from _typed(form, (*here, "date_agreed"), agreed.date_agreed, yes_no)
    cell = form.cells.get(agreed.verdict)
    codes = study.codelists.get(cell.question.codes or "") if cell else None
    for name in ("yes", "no", "unclear"):
        code = getattr(agreed, name)
        if codes is not None and codes.label(code) is None:
            options = ", ".join(known.value for known in codes.codes)
            message = T(
                "{path} is never {value}. It is one of: {options}.",
                path=agreed.verdict, value=code, options=options,
            )  # fmt: skip
            yield Problem((*HERE, *here, name), message)


def _left_out(study: Study, rule: Adjudication, lost: frozenset[str]) -> Iterator[Problem]:
    for name in ("drop", "opinion"):
        for n, path in enumerate(getattr(rule.dossier, name)):
            spot: Spot = (*HERE, "dossier", name, n)
            head, _, key = path.partition(".")
            form = study.forms.get(head)
            if form is None and head not in lost:
                yield from _known(spot, head, study.forms)
            elif form is not None and key not in keys(form):
                yield from _missing(form, spot[1:], key)


def _typed(form: Form, spot: Spot, key: str, kinds: tuple[ItemType, ...]) -> Iterator[Problem]:
    cell = form.cells.get(key)
    if cell is None:
        yield from _missing(form, spot, key)
    elif cell.question.type not in kinds:
        message = T(
            "{name} is of type {type}; this needs {kinds}.",
            name=key, type=cell.question.type, kinds=", ".join(kinds),
        )  # fmt: skip
        yield Problem((*HERE, *spot), message)


def _missing(form: Form, spot: Spot, key: str) -> Iterator[Problem]:
    message = T("The form {form} has no item {name}.", form=form.id, name=key)
    yield Problem((*HERE, *spot), suggest(message, key, keys(form)))
