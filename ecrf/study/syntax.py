"""How an expression of a study is read: a small part of Python's grammar, as nested tuples.

The text is parsed with `ast` and rebuilt; nothing is ever compiled or executed. What is not in
the language is refused with the odd part named.
"""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NoReturn

from ecrf.study.functions import FUNCTIONS, OVER_ROWS

Tree = Sequence[Any]

EACH = "*"
"""In a path: the row of the comprehension it stands in, `previous.ri.*.score`."""

MAX_LENGTH = 600
MAX_DEPTH = 60
MAX_DIGITS = 24

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}", re.ASCII)
_FIGURE = re.compile(r"[0-9]+(\.[0-9]+)?", re.ASCII)
_SIGNS: Mapping[type[ast.AST], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.In: "in",
}


class ExpressionError(ValueError):
    """The text is not an expression of the language of studies."""


def parse(text: str) -> tuple[Any, ...]:
    """Return `text` as a JSON-able tree, or raise ExpressionError naming the odd part."""
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"an expression has at most {MAX_LENGTH} characters")
    for sign in ("#", "\\"):
        if sign in text:
            raise ExpressionError(f"{sign!r} is not allowed in an expression")
    line = re.sub(r"\s", " ", text).strip()
    try:
        body = ast.parse(line, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else "too deep or with odd signs"
        raise ExpressionError(f"cannot read {_short(text)!r}: {reason}") from error
    return _Reader(line).tree(body, 0)


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:80]}…"


class _Reader:
    """Rebuilds one parsed text. `loop` names the row while inside a comprehension."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.loop: str | None = None

    def tree(self, node: ast.expr, depth: int) -> tuple[Any, ...]:
        if depth > MAX_DEPTH:
            raise ExpressionError(f"an expression nests at most {MAX_DEPTH} deep")
        deep = depth + 1
        match node:
            case ast.Constant(value=bool() | str() as value):
                return ("value", value)
            case ast.Constant(value=int() | float()):
                return ("number", self.figure(node))
            case ast.Name() | ast.Attribute():
                return self.path(node)
            case ast.BoolOp(op=op, values=values):
                sign = "and" if isinstance(op, ast.And) else "or"
                return (sign, *(self.tree(value, deep) for value in values))
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return ("not", self.tree(operand, deep))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return ("negative", self.tree(operand, deep))
            case ast.Compare():
                return self.comparison(node, deep)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _SIGNS:
                return (_SIGNS[type(op)], self.tree(left, deep), self.tree(right, deep))
            case ast.IfExp(test=test, body=body, orelse=other):
                return ("if", *(self.tree(part, deep) for part in (test, body, other)))
            case ast.Call():
                return self.call(node, deep)
            case _:
                return _refuse(node)

    def figure(self, node: ast.expr) -> str:
        # The text itself is kept: a float would not be the number that was written.
        text = ast.get_source_segment(self.text, node) or ""
        if not _FIGURE.fullmatch(text) or len(text) > MAX_DIGITS:
            _refuse(node, f"write plain digits, at most {MAX_DIGITS}")
        return text

    def path(self, node: ast.expr) -> tuple[Any, ...]:
        parts = list(_parts(node))[::-1]
        if len(parts) > 4:
            _refuse(node, "a path has at most four parts")
        for part in parts:
            if not _NAME.fullmatch(part) or "__" in part:
                _refuse(node, f"{part!r} is no name")
        if parts[0] != self.loop:
            if len(parts) == 4 and parts[2] == self.loop:
                parts[2] = EACH
            return ("item", ".".join(parts))
        if len(parts) == 1:
            _refuse(node, f"name one of its answers, such as {parts[0]}.score")
        return ("row", ".".join(parts[1:]))

    def comparison(self, node: ast.Compare, depth: int) -> tuple[Any, ...]:
        if len(node.ops) > 1:
            _refuse(node, "write `a < b and b < c`")
        sign, right = node.ops[0], node.comparators[0]
        left = self.tree(node.left, depth)
        if isinstance(sign, ast.In | ast.NotIn):
            found = ("in", left, self.options(right, depth))
            return found if isinstance(sign, ast.In) else ("not", found)
        if type(sign) not in _SIGNS:
            _refuse(node, "compare with ==, !=, <, <=, >, >= or in")
        return (_SIGNS[type(sign)], left, self.tree(right, depth))

    def options(self, node: ast.expr, depth: int) -> tuple[Any, ...]:
        if isinstance(node, ast.Tuple) and node.elts:
            return ("options", *(self.tree(option, depth + 1) for option in node.elts))
        if isinstance(node, ast.Name | ast.Attribute):
            return self.path(node)
        return _refuse(node, 'after "in" comes ("A", "B") or an item with several choices')

    def call(self, node: ast.Call, depth: int) -> tuple[Any, ...]:
        name = node.func.id if isinstance(node.func, ast.Name) else None
        if name is None or name not in FUNCTIONS:
            _refuse(node, f"the functions are {', '.join(FUNCTIONS)}")
        if node.keywords:
            _refuse(node, "functions take no named values")
        match node.args:
            case [ast.GeneratorExp() as rows] if name in OVER_ROWS:
                return self.over(name, rows, depth)
        function = FUNCTIONS[name]
        if len(node.args) < function.fewest or len(node.args) > (function.most or MAX_LENGTH):
            _refuse(node, f"{name} takes another number of values")
        return ("call", name, *(self.tree(value, depth) for value in node.args))

    def over(self, name: str, node: ast.GeneratorExp, depth: int) -> tuple[Any, ...]:
        if self.loop is not None:
            _refuse(node, "one comprehension inside another")
        if len(node.generators) != 1 or node.generators[0].is_async:
            _refuse(node, "a comprehension runs over one grid")
        [source] = node.generators
        if not isinstance(source.iter, ast.Name | ast.Attribute):
            _refuse(source.iter, "a comprehension runs over a grid")
        grid = self.path(source.iter)[1]
        if not isinstance(source.target, ast.Name):
            _refuse(source.target, "name one row, such as `for row in organs`")
        self.loop = self.path(source.target)[1]
        body = self.tree(node.elt, depth)
        where = [self.tree(condition, depth) for condition in source.ifs]
        self.loop = None
        return ("for", name, grid, body, ("and", *where) if where else None)


def _parts(node: ast.expr) -> Iterator[str]:
    part = node
    while isinstance(part, ast.Attribute):
        yield part.attr
        part = part.value
    if not isinstance(part, ast.Name):
        _refuse(node, "a dot joins names only")
    yield part.id


def _refuse(node: ast.expr, hint: str = "") -> NoReturn:
    message = f"{_short(ast.unparse(node))!r} is not allowed in an expression"
    raise ExpressionError(f"{message}: {hint}" if hint else message)


def paths(tree: Tree) -> frozenset[str]:
    """Return every path a tree reads a value from; `loops` has what comprehensions read."""
    return frozenset(part[1] for part in _walk(tree) if part[0] == "item")


def loops(tree: Tree) -> frozenset[tuple[str, str]]:
    """Return (grid path, column) for every answer a comprehension reads of its rows.

    A comprehension that reads none of them is listed with an empty column.
    """
    found: set[tuple[str, str]] = set()
    for part in _walk(tree):
        if part[0] == "for":
            inside = [inner for piece in part[3:] if piece for inner in _walk(piece)]
            columns = [inner[1] for inner in inside if inner[0] == "row"]
            found.update((part[2], column) for column in columns or [""])
    return frozenset(found)


def literals(tree: Tree) -> frozenset[str]:
    """Return every text that is written in a tree."""
    written = (part[1] for part in _walk(tree) if part[0] == "value")
    return frozenset(value for value in written if isinstance(value, str))


def _walk(tree: Tree) -> Iterator[Tree]:
    yield tree
    for part in tree[1:]:
        if isinstance(part, tuple | list):
            yield from _walk(part)
