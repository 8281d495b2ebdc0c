"""Do the consequences of a study name forms and visits there are, and dates where due?"""

from collections.abc import Iterable, Iterator

from ecrf.kernel.text import T
from ecrf.study.check_forms import repeated
from ecrf.study.expr import paths
from ecrf.study.findings import Problem, Spot
from ecrf.study.model import Study
from ecrf.study.spelling import suggest

DATED = ("last dose", "last visit")
CHANGING = frozenset({"randomized_on", "random_number", "kits", "unblinded_on", "entry_number"})
"""What changes without an answer being saved, so that a condition on it would grow stale."""


def problems(study: Study, lost: frozenset[str] = frozenset()) -> Iterator[Problem]:
    follow = study.consequences
    forms = (*study.forms, *study.forms_to_come, *lost)
    for n, condition in enumerate(follow.conditions):
        here: Spot = ("consequences", "conditions", n)
        yield from _known((*here, "form"), condition.form, forms)
        planned = {cell.visit for cell in study.matrix if cell.form == condition.form}
        for v, visit in enumerate(condition.visits):
            if visit not in planned:
                message = T(
                    "The form {form} is not planned at {visit}.",
                    form=condition.form, visit=visit,
                )  # fmt: skip
                yield Problem((*here, "visits", v), suggest(message, visit, planned))
        for path in sorted(paths(condition.when.tree) & CHANGING):
            message = T(
                "{path} is no answer; whether a form is asked cannot hang on it.", path=path
            )
            yield Problem((*here, "when"), message)
    for n, effect in enumerate(follow.effects):
        here = ("consequences", "effects", n)
        yield from _known((*here, "form"), effect.form, study.forms)
        if (effect.on is None) is (effect.does in DATED):
            yield Problem(
                here, T("A date `on` belongs to a last dose or visit, and to no end.")
            )
    for n, prompt in enumerate(follow.prompts):
        here = ("consequences", "prompts", n)
        yield from _known((*here, "form"), prompt.form, forms)
        yield from _known((*here, "opens"), prompt.opens, forms)
    for n, clock in enumerate(follow.clocks):
        yield from _known(("consequences", "clocks", n, "form"), clock.form, forms)
    for n, rule in enumerate(follow.deviations):
        yield from _known(("consequences", "deviations", n, "form"), rule.form, forms)
    yield from _reported(study, lost)
    for part in ("effects", "prompts", "clocks", "deviations"):
        named = [
            (("consequences", part, n, "id"), e.id) for n, e in enumerate(getattr(follow, part))
        ]
        yield from repeated(named)


def _reported(study: Study, lost: frozenset[str]) -> Iterator[Problem]:
    rule = study.consequences.reported
    if rule is None or rule.form in lost:
        return
    here: Spot = ("consequences", "reported")
    yield from _known((*here, "form"), rule.form, study.forms)
    if rule.form in study.forms:
        cells = study.forms[rule.form].cells
        for part in ("category", "severity", "text"):
            name = getattr(rule, part)
            if name not in cells:
                message = T("The form {form} has no item {name}.", form=rule.form, name=name)
                yield Problem((*here, part), suggest(message, name, cells))


def _known(spot: Spot, name: str, forms: Iterable[str]) -> Iterator[Problem]:
    if name not in forms:
        message = T("The study has no form {form}.", form=name)
        yield Problem(spot, suggest(message, name, forms))
