"""Answers that follow from themselves: circles of `derive` and `show` at one visit. Pure."""

from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter

from ecrf.kernel.text import T
from ecrf.study.expr import loops, paths
from ecrf.study.findings import Problem, Spot
from ecrf.study.formulas import Placed, placed
from ecrf.study.model import Expression
from ecrf.study.references import Found, Names, Rows

Cell = tuple[str, str]
"""A form and the key of a cell in it."""


def problems(names: Names) -> Iterator[Problem]:
    """Yield one problem for each circle."""
    graph: dict[Cell, set[Cell]] = {}
    spots: dict[Cell, Spot] = {}
    for form in names.study.forms.values():
        for question in placed(form):
            for cell, looks_at in _edges(question, names):
                graph.setdefault(cell, set()).update(looks_at)
                spots[cell] = question.spot
    told: set[Spot] = set()
    for circle in _circles(graph):
        spot = spots[circle[0]]
        if spot in told:
            continue
        told.add(spot)
        keys = " → ".join(f"{form}.{key}" for form, key in circle)
        part = "derive" if _derived(names, circle[0]) else "show"
        yield Problem((*spot, part), T("This follows from itself: {keys}.", keys=keys))


def _derived(names: Names, cell: Cell) -> bool:
    return names.study.forms[cell[0]].cells[cell[1]].question.derive is not None


def _circles(graph: Mapping[Cell, set[Cell]]) -> Iterator[list[Cell]]:
    left = {cell: set(looks_at) for cell, looks_at in graph.items()}
    while True:
        try:
            TopologicalSorter(left).prepare()
        except CycleError as error:
            ring: list[Cell] = error.args[1][:0:-1]
            first = ring.index(min(ring))
            ring = ring[first:] + ring[:first]
            yield [*ring, ring[0]]
            for cell in ring:
                left[cell].clear()
        else:
            return


def _edges(question: Placed, names: Names) -> Iterator[tuple[Cell, set[Cell]]]:
    """Yield each cell of the question with the cells it is decided by."""
    formulas = [question.question.derive, question.question.show]
    trees = [f.tree for f in formulas if isinstance(f, Expression)]
    if not trees:
        return
    shared = {cell for tree in trees for cell in _rows_read(question, tree, names)}
    found = [
        answer
        for tree in trees
        for path in paths(tree)
        if isinstance(answer := names.answer(path, question.form, question.grid), Found)
    ]
    fixed = {(f.form, f.key) for f in found if f.form and _now(f.form, f.head, question, names)}
    beside = {f.key for f in found if f.head == "row"}
    keys = (
        [(None, question.question.id)]
        if question.grid is None
        else [(row.id, f"{row.id}.{question.question.id}") for row in question.grid.rows]
    )
    for row, key in keys:
        if key in question.form.cells:
            yield (
                (question.form.id, key),
                shared | fixed | {(question.form.id, f"{row}.{column}") for column in beside},
            )


def _rows_read(question: Placed, tree: tuple[object, ...], names: Names) -> Iterator[Cell]:
    for path, column in loops(tree):
        rows = names.rows(path, question.form)
        if isinstance(rows, Rows) and rows.grid and _now(rows.form, rows.head, question, names):
            yield from ((rows.form, f"{row.id}.{column}") for row in rows.grid.rows)


def _now(form: str, head: str, question: Placed, names: Names) -> bool:
    """Say whether the answer looked at may be one of the same visit.

    The own form of a named visit is not: at later visits that is plain looking back.
    """
    if head in names.study.visit:
        return form != question.form.id
    return head in ("", "latest")
