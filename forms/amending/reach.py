"""Which forms a later version changes, and how deeply. Pure."""

from collections.abc import Iterator, Mapping

from ecrf.study.diff import WORTH, Difference, Impact, diff
from ecrf.study.expr import paths
from ecrf.study.formulas import formulas
from ecrf.study.model import ItemType, Study
from forms.choices import YES_NO

DEPTH: Mapping[Impact, int] = {"wording": 0, "plan": 0, "answers": 1, "signatures": 2}
_KNOWN: dict[tuple[str, str], Mapping[str, Impact]] = {}
KEPT = 32


def between(old: Study, old_print: str, new: Study, new_print: str) -> Mapping[str, Impact]:
    """Return the forms that differ and the deepest of their differences; made once a pair."""
    key = (old_print, new_print)
    if key not in _KNOWN:
        while len(_KNOWN) >= KEPT:
            _KNOWN.pop(next(iter(_KNOWN)), None)
        _KNOWN[key] = changed(old, new)
    return _KNOWN[key]


def changed(old: Study, new: Study) -> Mapping[str, Impact]:
    """Return the forms whose entries a new version concerns."""
    found: dict[str, Impact] = {}
    for difference in diff(old, new):
        impact = difference.impact
        for form in concerned(difference, old, new):
            if form not in found or DEPTH[impact] > DEPTH[found[form]]:
                found[form] = impact
    return found


def concerned(difference: Difference, old: Study, new: Study) -> frozenset[str]:
    """Return the forms whose entries a difference concerns."""
    kind = difference.thing[0] if difference.thing else ""
    if kind == "list":
        users = {*_users(old, difference.thing[1]), *_users(new, difference.thing[1])}
        return frozenset(users)
    if difference.fact[:1] == ("params",):
        path = f"param.{difference.fact[1]}"
        return frozenset({*_readers(old, path), *_readers(new, path)})
    if difference.form is None or kind not in WORTH:
        return frozenset()
    return frozenset({difference.form})


def _users(study: Study, codes: str) -> Iterator[str]:
    """Yield the forms with a question that is answered out of a code list."""
    for form in study.forms.values():
        for cell in form.cells.values():
            question = cell.question
            built_in = YES_NO if question.type is ItemType.YES_NO else None
            reasons = question.missing and codes == study.missing_reasons
            if (question.codes or built_in) == codes or reasons:
                yield form.id
                break


def _readers(study: Study, path: str) -> Iterator[str]:
    for formula in formulas(study):
        if formula.here is not None and path in paths(formula.expression.tree):
            yield formula.here.id
