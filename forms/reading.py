"""Which other forms a form's expressions read: a page loads no more than it needs. Pure."""

from collections.abc import Iterator

from ecrf.study.expr import Tree, loops, paths
from ecrf.study.model import Expression, Form, Study

_KNOWN: dict[tuple[str, str], frozenset[str]] = {}
"""By fingerprint and form: a definition never changes, so neither does what it reads."""


def forms_read(study: Study, fingerprint: str, form: Form) -> frozenset[str]:
    """Return the forms whose answers `form` reads, and those that decide whether they apply."""
    key = fingerprint, form.id
    if key not in _KNOWN:
        _KNOWN[key] = _closure(study, form)
    return _KNOWN[key]


def _closure(study: Study, form: Form) -> frozenset[str]:
    own = (*_every(form), *_brought_about(study, form))
    found = set(_named(study, iter(own))) | _beside_results(study, form)
    waiting = list(found)
    while waiting:
        new = set(_named(study, _shown(study.forms[waiting.pop()]))) - found
        found |= new
        waiting += new
    return frozenset(found)


def _named(study: Study, trees: Iterator[Tree]) -> Iterator[str]:
    for tree in trees:
        for path in (*paths(tree), *(grid for grid, _ in loops(tree))):
            yield from (part for part in path.split(".")[:2] if part in study.forms)


def _every(form: Form) -> Iterator[Tree]:
    """Yield the trees of a form: what is required, shown, computed, checked."""
    for cell in form.cells.values():
        question = cell.question
        for expression in (question.require, question.show, question.derive):
            if isinstance(expression, Expression):
                yield expression.tree
    for check in form.checks:
        yield check.when.tree


def _brought_about(study: Study, form: Form) -> Iterator[Tree]:
    """Yield the trees that say what follows from an entry of the form."""
    yield from (expression.tree for expression in study.consequences.forms_of(form.id))


def _shown(form: Form) -> Iterator[Tree]:
    """Yield only the trees that decide whether an item applies."""
    for cell in form.cells.values():
        if cell.question.show is not None:
            yield cell.question.show.tree


def _beside_results(study: Study, form: Form) -> set[str]:
    """Return the forms that say whose a laboratory result is, and the form's own earlier ones.

    Only a form some of whose results are graded by a baseline looks at its earlier entries.
    """
    laboratory = study.laboratory
    analytes = laboratory.by_form.get(form.id) if laboratory else None
    if laboratory is None or not analytes:
        return set()
    paths = (laboratory.sex, laboratory.birth)
    found = {part for path in paths for part in path.split(".")[:2] if part in study.forms}
    rows = (row for analyte in analytes.values() for row in analyte.toxicity)
    earlier = any(row.scale == "baseline" for row in rows)
    return found | {form.id} if earlier else found
