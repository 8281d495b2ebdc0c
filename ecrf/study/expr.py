"""The expression language of studies: read once, kept as JSON-able trees, evaluated here.

An unknown value (None: not answered) makes a comparison unknown, so a check never fires on what
nobody has answered yet. Numbers are decimal, dates are intervals (`ecrf.study.values`).
`evaluate` never raises: what makes no sense is unknown. `ecrf.study.syntax` has the grammar.
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
    "Scope",
    "Tree",
    "Value",
    "evaluate",
    "loops",
    "parse",
    "paths",
]

Row = Mapping[str, Value]
SAME_ROW = f".{EACH}."


class Scope(Protocol):
    """What the names of an expression mean."""

    def value(self, path: str) -> Value:
        """Return the answer at `path`; None when there is none."""

    def rows(self, path: str) -> Sequence[Row] | None:
        """Return the rows of the grid, or the entries, at `path`; None when it is unknown."""


def evaluate(tree: Tree, scope: Scope) -> Value:
    """Return the value of a tree, None when it is unknown. Never raises."""
    return _evaluate(tree, scope, {})


def _evaluate(tree: Tree, scope: Scope, row: Row) -> Value:
    sign = tree[0]
    if sign in _SPECIAL:
        return _SPECIAL[sign](tree, scope, row)
    left, right = _evaluate(tree[1], scope, row), _evaluate(tree[2], scope, row)
    return compare(sign, left, right) if sign in SIGNS else _arithmetic(sign, left, right)


def _item(path: str, scope: Scope, row: Row) -> Value:
    """Return an answer; that of the same row elsewhere is asked of the row."""
    return row.get(path) if SAME_ROW in path else scope.value(path)


def _all_of(tree: Tree, scope: Scope, row: Row) -> bool | None:
    return _until(tree, scope, row, stop=False)


def _any_of(tree: Tree, scope: Scope, row: Row) -> bool | None:
    return _until(tree, scope, row, stop=True)


def _until(tree: Tree, scope: Scope, row: Row, *, stop: bool) -> bool | None:
    result: bool | None = not stop
    for part in tree[1:]:
        holds = truth(_evaluate(part, scope, row))
        if holds is stop:
            return stop
        if holds is None:
            result = None
    return result


def _not(tree: Tree, scope: Scope, row: Row) -> bool | None:
    holds = truth(_evaluate(tree[1], scope, row))
    return None if holds is None else not holds


def _either(tree: Tree, scope: Scope, row: Row) -> Value:
    holds = truth(_evaluate(tree[1], scope, row))
    return None if holds is None else _evaluate(tree[2 if holds else 3], scope, row)


def _within(tree: Tree, scope: Scope, row: Row) -> bool | None:
    value = _evaluate(tree[1], scope, row)
    if tree[2][0] != "options":
        return contains(value, _evaluate(tree[2], scope, row))
    options = [_evaluate(option, scope, row) for option in tree[2][1:]]
    return anything([compare("==", value, option) for option in options])


def _over(tree: Tree, scope: Scope, _: Row) -> Value:
    _sign, name, grid, body, where = tree
    rows = scope.rows(grid)
    if rows is None:
        return None
    kept = (
        each for each in rows if where is None or truth(_evaluate(where, scope, each)) is True
    )
    return _apply(name, [_evaluate(body, scope, each) for each in kept])


def _call(tree: Tree, scope: Scope, row: Row) -> Value:
    return _apply(tree[1], [_evaluate(part, scope, row) for part in tree[2:]])


def _apply(name: str, values: Sequence[Value]) -> Value:
    try:
        return FUNCTIONS[name].call(values)
    except ArithmeticError:
        return None


def _negative(tree: Tree, scope: Scope, row: Row) -> Value:
    return _arithmetic("-", Decimal(0), _evaluate(tree[1], scope, row))


_SPECIAL: Mapping[str, Callable[[Tree, Scope, Row], Value]] = {
    "item": lambda tree, scope, row: _item(tree[1], scope, row),
    "row": lambda tree, _, row: row.get(tree[1]),
    "value": lambda tree, _scope, _row: tree[1],
    "number": lambda tree, _scope, _row: Decimal(tree[1]),
    "and": _all_of,
    "or": _any_of,
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
