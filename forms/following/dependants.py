"""What depends on what: the graph of a study's expressions, item by item. Pure.

An edge leads from an answer to everything whose expression reads it. `here` edges stay inside
one entry, whose own plan covers them; the others lead to another entry of the participant. An
answer that decides whether another answer applies counts as read wherever that one is read.
Every definition is walked once: it never changes.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from ecrf.study.expr import loops, paths
from ecrf.study.formulas import Formula, formulas, placed
from ecrf.study.model import Cell, Expression, Form, Study
from ecrf.study.references import Found, Names, Rows

EVERY = "*"
"""In place of an item: any answer of the form, or whether it has answers at all."""


class Read(NamedTuple):
    """An answer an expression reads; `here` when only that of the same entry can be meant."""

    form: str
    key: str
    here: bool


class Dependant(NamedTuple):
    """Something that reads an answer: part `part` of an item, or the check `part`."""

    form: str
    item: str
    part: str
    here: bool


class Graph(NamedTuple):
    """Who reads each answer, and which forms read it from another entry."""

    readers: Mapping[tuple[str, str], frozenset[Dependant]]
    elsewhere: Mapping[tuple[str, str], frozenset[str]]


_KNOWN: dict[str, Graph] = {}


def graph(study: Study, fingerprint: str) -> Graph:
    """Return the graph of a definition, made when it is first asked for."""
    if fingerprint not in _KNOWN:
        _KNOWN[fingerprint] = _graph(study)
    return _KNOWN[fingerprint]


def touched(
    study: Study, fingerprint: str, form: str, keys: Iterable[str] | None
) -> frozenset[str]:
    """Return the forms that read one of these answers from another entry.

    None for the keys is any of them: an entry that begins to have answers, or ceases to, may
    take the place of another one in `latest` and `previous` whatever the answers are.
    """
    known = graph(study, fingerprint).elsewhere
    if keys is None:
        return frozenset(g for (f, _), forms in known.items() if f == form for g in forms)
    changed = [EVERY, *keys]
    return frozenset(g for key in changed for g in known.get((form, key), ()))


def _graph(study: Study) -> Graph:
    names = Names(study)
    shown = {
        (form.id, cell.key): frozenset(_shown_by(form, cell, names))
        for form in study.forms.values()
        for cell in form.cells.values()
    }
    readers: dict[tuple[str, str], set[Dependant]] = {}
    for formula in formulas(study):
        if formula.here is None:
            continue
        item, part = _called(formula)
        for read in _closed(_reads(formula, names), shown):
            dependant = Dependant(formula.here.id, item, part, read.here)
            readers.setdefault((read.form, read.key), set()).add(dependant)
    for form, judge in _of_results(study):
        dependant = Dependant(form, EVERY, "range", here=False)
        readers.setdefault((judge, EVERY), set()).add(dependant)
    return Graph(
        {cell: frozenset(found) for cell, found in readers.items()},
        {
            cell: forms
            for cell, found in readers.items()
            if (forms := frozenset(d.form for d in found if not d.here))
        },
    )


def _called(formula: Formula) -> tuple[str, str]:
    if formula.question is not None:
        inside = f"{formula.grid.id}." if formula.grid else ""
        return f"{inside}{formula.question.id}", str(formula.spot[-1])
    if formula.here is not None and "checks" in formula.spot:
        check = formula.here.checks[int(formula.spot[3])]
        return check.item, check.id
    return EVERY, str(formula.spot[0])


def _reads(formula: Formula, names: Names) -> Iterator[Read]:
    tree = formula.expression.tree
    mine = formula.here.id if formula.here else ""
    for path in paths(tree):
        found = names.answer(path, formula.here, formula.grid)
        if isinstance(found, Found) and found.head == "row" and formula.grid:
            for row in formula.grid.rows:
                yield Read(mine, f"{row.id}.{found.key}", here=True)
        elif isinstance(found, Found) and found.form:
            yield Read(found.form, found.key, here=found.form == mine and not found.head)
    for path, column in loops(tree):
        rows = names.rows(path, formula.here)
        if isinstance(rows, Rows):
            here = rows.form == mine and not rows.head
            yield from (Read(rows.form, key, here) for key in _keys(rows, column))


def _keys(rows: Rows, column: str) -> Iterator[str]:
    if not column:
        yield EVERY
    elif rows.grid is None:
        yield column
    else:
        yield from (f"{row.id}.{column}" for row in rows.grid.rows)


def _shown_by(form: Form, cell: Cell, names: Names) -> Iterator[Read]:
    show = cell.question.show
    if isinstance(show, Expression):
        spot = next(p.spot for p in placed(form) if p.question is cell.question)
        yield from _reads(Formula(spot, show, form, cell.grid, cell.question), names)


def _closed(
    reads: Iterable[Read], shown: Mapping[tuple[str, str], frozenset[Read]]
) -> frozenset[Read]:
    """Add what decides whether the answers read apply. Seen from afar nothing is here."""
    found = set(reads)
    waiting = list(found)
    while waiting:
        read = waiting.pop()
        for gate in shown.get((read.form, read.key), ()):
            seen = gate._replace(here=gate.here and read.here)
            if seen not in found:
                found.add(seen)
                waiting.append(seen)
    return frozenset(found)


def _of_results(study: Study) -> Iterator[tuple[str, str]]:
    """Yield each form with laboratory results and the forms its results are judged by."""
    laboratory = study.laboratory
    if laboratory is None:
        return
    judged = {
        part
        for path in (laboratory.sex, laboratory.birth)
        for part in path.split(".")[:2]
        if part in study.forms
    }
    for form, analytes in laboratory.by_form.items():
        graded = any(row.scale == "baseline" for a in analytes.values() for row in a.toxicity)
        for read in judged | ({form} if graded else set()):
            yield form, read
