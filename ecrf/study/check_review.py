"""Do the plan of verification and the milestones name what the study has?"""

from collections.abc import Iterable, Iterator

from ecrf.kernel.text import T
from ecrf.study import critical
from ecrf.study.check_forms import repeated
from ecrf.study.findings import Problem, Spot
from ecrf.study.model import Study
from ecrf.study.spelling import suggest


def problems(study: Study, lost: frozenset[str]) -> Iterator[Problem]:
    forms = {*study.forms, *study.forms_to_come, *lost}
    for n, rule in enumerate(study.verification.rules):
        here: Spot = ("verification", "rules", n)
        yield from _forms((*here, "form"), [rule.form] if rule.form else [], forms)
        yield from _visits((*here, "visit"), [rule.visit] if rule.visit else [], study)
    yield from _critical(study, forms)
    named = study.milestones
    yield from repeated((("milestones", n, "id"), m.id) for n, m in enumerate(named))
    for n, milestone in enumerate(named):
        here = ("milestones", n)
        yield from _forms((*here, "forms"), milestone.forms, forms)
        yield from _visits((*here, "visits"), milestone.visits, study)
        if milestone.signed is None and not _asking(study, milestone.forms):
            message = T(
                "No form of {milestone} asks for a signature and it has no meaning of its own.",
                milestone=milestone.id,
            )
            yield Problem((*here, "id"), message)


def _asking(study: Study, forms: Iterable[str]) -> bool:
    wanted = set(forms) or set(study.forms)
    return any(form.signed for name, form in study.forms.items() if name in wanted)


def _critical(study: Study, forms: set[str]) -> Iterator[Problem]:
    for name, items in study.verification.critical.items():
        here: Spot = ("verification", "critical", name)
        yield from _forms(here, [name], forms)
        form = study.forms.get(name)
        for n, item in enumerate(items if form else ()):
            if form and not any(critical.named_keys(form, item)):
                message = T("{form} has no item {item}.", form=name, item=item)
                yield Problem((*here, n), suggest(message, item, [*form.cells, *form.grids]))


def _forms(spot: Spot, named: Iterable[str], forms: set[str]) -> Iterator[Problem]:
    for name in named:
        if name not in forms:
            message = T("The study has no form {form}.", form=name)
            yield Problem(spot, suggest(message, name, forms))


def _visits(spot: Spot, named: Iterable[str], study: Study) -> Iterator[Problem]:
    for name in named:
        if name not in study.visit:
            message = T("The schedule has no visit {name}.", name=name)
            yield Problem(spot, suggest(message, name, study.visit))
