"""Does what a study says of a code break name what exists?"""

from collections.abc import Iterator

from ecrf.kernel.access import RIGHTS, Right, Role
from ecrf.kernel.text import Message, T
from ecrf.study.breaking import Accidental
from ecrf.study.findings import Problem
from ecrf.study.references import Names
from ecrf.study.spelling import suggest

RECEIVERS = tuple(role.value for role in Role if Right.BREAK_RECEIVE in RIGHTS[role])


def problems(names: Names) -> Iterator[Problem]:
    rule = names.study.code_break
    if rule.to not in RECEIVERS:
        message = T("The role {role} is sent no answer of a code break.", role=rule.to)
        yield Problem(("code_break", "to"), suggest(message, rule.to, RECEIVERS))
    if rule.birth is not None:
        found = names.answer(rule.birth, None, None)
        if isinstance(found, Message):
            yield Problem(("code_break", "birth"), found)
    if rule.accidental is not None:
        yield from _accidental(rule.accidental, names)


def _accidental(told: Accidental, names: Names) -> Iterator[Problem]:
    study, here = names.study, ("code_break", "accidental")
    if told.form in names.lost:
        return
    form = study.forms.get(told.form)
    if form is None:
        message = T("The study has no form {form}.", form=told.form)
        yield Problem(here, suggest(message, told.form, study.forms))
        return
    if told.item not in form.cells:
        message = T("The form {form} has no item {name}.", form=form.id, name=told.item)
        yield Problem(here, suggest(message, told.item, form.cells))
        return
    codes = form.cells[told.item].question.codes
    known = [code.value for code in study.codelists[codes].codes] if codes else []
    if told.value not in known:
        message = T("The item {name} has no code {code}.", name=told.item, code=told.value)
        yield Problem(here, suggest(message, told.value, known))
