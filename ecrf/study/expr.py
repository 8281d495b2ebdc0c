"""The expression language of studies: read once, kept as JSON-able trees, evaluated here.

An unknown value (None: not answered) makes a comparison unknown, so a check never fires on what
nobody has answered yet. Numbers are decimal, dates are intervals (`ecrf.study.values`).
`compiled` makes a tree a function, once; running it never raises: what makes no sense is
unknown. `ecrf.study.syntax` has the grammar.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Protocol

from ecrf.study.functions import FUNCTIONS, anything, contains
from ecrf.study.syntax import EACH, ExpressionError, Tree, loops, parse, paths
from ecrf.study.values import CONTEXT, SIGNS, Days, Value, compare, number, truth

__all__ = [
    "Days",
    "ExpressionError",
    "Row",
    "Run",
    "Scope",
    "Tree",
    "Value",
    "compiled",
    "evaluate",
    "loops",
    "parse",
    "paths",
]

Row = Mapping[str, Value]
SAME_ROW = f".{EACH}."
NO_ROW: Row = {}


class Scope(Protocol):
    """What the names of an expression mean."""

    def value(self, path: str) -> Value:
        """Return the answer at `path`; None when there is none."""

    def rows(self, path: str) -> Sequence[Row] | None:
        """Return the rows of the grid, or the entries, at `path`; None when it is unknown."""


Run = Callable[[Scope, Row], Value]
"""A tree as a function of the scope and of the row of the comprehension it stands in."""


def evaluate(tree: Tree, scope: Scope) -> Value:
    """Return the value of a tree, None when it is unknown. Never raises."""
    return compiled(tree)(scope, NO_ROW)


def compiled(tree: Tree) -> Run:
    """Return the function that a tree stands for: closures over those of its parts."""
    sign = tree[0]
    if sign in _MAKERS:
        return _MAKERS[sign](tree)
    left, right = compiled(tree[1]), compiled(tree[2])
    if sign in SIGNS:
        return lambda scope, row: compare(sign, left(scope, row), right(scope, row))
    return lambda scope, row: _arithmetic(sign, left(scope, row), right(scope, row))


def _item(tree: Tree) -> Run:
    """An answer; that of the same row elsewhere is asked of the row."""
    path: str = tree[1]
    if SAME_ROW in path:
        return lambda _, row: row.get(path)
    return lambda scope, _: scope.value(path)


def _of_row(tree: Tree) -> Run:
    column: str = tree[1]
    return lambda _, row: row.get(column)


def _constant(value: Value) -> Run:
    return lambda _scope, _row: value


def _until(tree: Tree, *, stop: bool) -> Run:
    """`and` stops at what does not hold, `or` at what holds."""
    parts = [compiled(part) for part in tree[1:]]

    def run(scope: Scope, row: Row) -> bool | None:
        result: bool | None = not stop
        for part in parts:
            holds = truth(part(scope, row))
            if holds is stop:
                return stop
            if holds is None:
                result = None
        return result

    return run


def _not(tree: Tree) -> Run:
    inner = compiled(tree[1])

    def run(scope: Scope, row: Row) -> bool | None:
        holds = truth(inner(scope, row))
        return None if holds is None else not holds

    return run


def _either(tree: Tree) -> Run:
    asked, yes, no = (compiled(part) for part in tree[1:])

    def run(scope: Scope, row: Row) -> Value:
        holds = truth(asked(scope, row))
        return None if holds is None else (yes if holds else no)(scope, row)

    return run


def _within(tree: Tree) -> Run:
    value = compiled(tree[1])
    if tree[2][0] != "options":
        chosen = compiled(tree[2])
        return lambda scope, row: contains(value(scope, row), chosen(scope, row))
    options = [compiled(option) for option in tree[2][1:]]

    def run(scope: Scope, row: Row) -> bool | None:
        one = value(scope, row)
        return anything([compare("==", one, option(scope, row)) for option in options])

    return run


def _over(tree: Tree) -> Run:
    _, name, grid, body, where = tree
    each_value, kept = compiled(body), compiled(where) if where else None

    def run(scope: Scope, _: Row) -> Value:
        rows = scope.rows(grid)
        if rows is None:
            return None
        if kept is not None:
            rows = [each for each in rows if truth(kept(scope, each)) is True]
        return _apply(name, [each_value(scope, each) for each in rows])

    return run


def _call(tree: Tree) -> Run:
    name, parts = tree[1], [compiled(part) for part in tree[2:]]
    return lambda scope, row: _apply(name, [part(scope, row) for part in parts])


def _apply(name: str, values: Sequence[Value]) -> Value:
    try:
        return FUNCTIONS[name].call(values)
    except ArithmeticError:
        return None


def _negative(tree: Tree) -> Run:
    inner = compiled(tree[1])
    return lambda scope, row: _arithmetic("-", Decimal(0), inner(scope, row))


_MAKERS: Mapping[str, Callable[[Tree], Run]] = {
    "item": _item,
    "row": _of_row,
    "value": lambda tree: _constant(tree[1]),
    "number": lambda tree: _constant(Decimal(tree[1])),
    "and": lambda tree: _until(tree, stop=False),
    "or": lambda tree: _until(tree, stop=True),
    "not": _not,
    "if": _either,
    "in": _within,
    "for": _over,
    "call": _call,
    "negative": _negative,
}
_ARITHMETIC: Mapping[str, Callable[[Decimal, Decimal], Decimal]] = {
    "+": CONTEXT.add,
    "-": CONTEXT.subtract,
    "*": CONTEXT.multiply,
    "/": CONTEXT.divide,
}


def _arithmetic(sign: str, left: Value, right: Value) -> Decimal | None:
    first, second = number(left), number(right)
    if first is None or second is None:
        return None
    try:
        return _ARITHMETIC[sign](first, second)
    except ArithmeticError:
        return None
