"""What depends on what: the graph of a study's expressions, item by item. Pure.

An edge leads from an answer to everything whose expression reads it. `here` edges stay inside
one entry, whose own plan covers them; the others lead to another entry of the participant. An
answer that decides whether another answer applies counts as read wherever that one is read.
Every definition is walked once: it never changes.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from ecrf.study.expr import loops, paths
from ecrf.study.formulas import Formula, formulas, placed
from ecrf.study.model import Cell, Expression, Form, Study
from ecrf.study.references import Found, Names, Rows
from ecrf.study.syntax import EACH
from forms.following.beside import Beside

EVERY = "*"
"""In place of an item: any answer of the form, or whether it has answers at all."""


ANY = "?"
"""In place of a way: read by some way, for instance through what decides whether it applies."""


class Read(NamedTuple):
    """An answer an expression reads; `here` when only that of the same entry can be meant.

    `way` is the head of its path: empty for the same visit, latest, previous, all, a visit.
    """

    form: str
    key: str
    here: bool
    way: str = ""


class Dependant(NamedTuple):
    """Something that reads an answer: part `part` of an item, or the check `part`."""

    form: str
    item: str
    part: str
    here: bool
    way: str = ""


class Graph(NamedTuple):
    """Who reads each answer, and which forms read it from another entry, by which way."""

    readers: Mapping[tuple[str, str], frozenset[Dependant]]
    elsewhere: Mapping[tuple[str, str], frozenset[tuple[str, str]]]


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
    return frozenset(reader for reader, _ in _ways(study, fingerprint, form, keys))


def reached(
    study: Study,
    fingerprint: str,
    form: str,
    keys: Iterable[str] | None,
    visit: str,
    beside: Collection[Beside],
) -> frozenset[str]:
    """Return the forms of entries there are that do read one of these answers at `visit`.

    `previous.vs.weight` is not read by an earlier visit: a visit entered in its turn reaches
    nobody.
    """
    return frozenset(
        reader
        for reader, way in _ways(study, fingerprint, form, keys)
        if any(other.form == reader and _looks(way, other.when, visit) for other in beside)
    )


def _ways(
    study: Study, fingerprint: str, form: str, keys: Iterable[str] | None
) -> Iterator[tuple[str, str]]:
    known = graph(study, fingerprint).elsewhere
    if keys is None:
        for (changed, _), readers in known.items():
            if changed == form:
                yield from readers
        return
    for key in (EVERY, *keys):
        yield from known.get((form, key), ())


def _looks(way: str, when: str, visit: str) -> bool:
    match way:
        case "":
            return when == "same"
        case "latest":
            return when != "earlier"
        case "previous":
            return when == "later"
        case _:
            return way in (ANY, "all", visit)


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
            dependant = Dependant(formula.here.id, item, part, read.here, read.way)
            readers.setdefault((read.form, read.key), set()).add(dependant)
    for form, read in _of_results(study):
        dependant = Dependant(form, EVERY, "range", here=False, way=read.way)
        readers.setdefault((read.form, read.key), set()).add(dependant)
    return Graph(
        {cell: frozenset(found) for cell, found in readers.items()},
        {
            cell: forms
            for cell, found in readers.items()
            if (forms := frozenset((d.form, d.way) for d in found if not d.here))
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
            here = found.form == mine and not found.head
            for key in _in_rows(found, formula, names):
                yield Read(found.form, key, here, found.head)
    for path, column in loops(tree):
        rows = names.rows(path, formula.here)
        if isinstance(rows, Rows):
            here = rows.form == mine and not rows.head
            yield from (Read(rows.form, key, here, rows.head) for key in _keys(rows, column))


def _in_rows(found: Found, formula: Formula, names: Names) -> Iterator[str]:
    """Yield the key, or that of every row when it stands for the same row of another entry."""
    head, _, column = found.key.partition(".")
    if head == "row" and formula.grid is not None:
        yield from (f"{row.id}.{column}" for row in formula.grid.rows)
    elif head == EACH:
        cells = names.study.forms[found.form].cells
        yield from (key for key in cells if key.endswith(f".{column}"))
    else:
        yield found.key


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
    """Add what decides whether the answers read apply. Seen from afar nothing is here.

    What stands in the same entry as the answer it decides about is read by the answer's way.
    """
    found = set(reads)
    waiting = list(found)
    while waiting:
        read = waiting.pop()
        for gate in shown.get((read.form, read.key), ()):
            seen = gate if read.here else gate._replace(here=False, way=_way(read, gate))
            if seen not in found:
                found.add(seen)
                waiting.append(seen)
    return frozenset(found)


def _way(read: Read, gate: Read) -> str:
    return read.way if gate.here else ANY


def _of_results(study: Study) -> Iterator[tuple[str, Read]]:
    """Yield each form with laboratory results and what its results are judged by."""
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
        for judge in judged:
            yield form, Read(judge, EVERY, here=False, way=ANY)
        for visit in laboratory.baseline if graded else ():
            yield form, Read(form, EVERY, here=False, way=visit)
