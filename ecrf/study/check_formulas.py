"""Do the expressions of a study make sense? Names, codes compared with, circles, blinding."""

from collections.abc import Iterator, Mapping
from typing import Any

from ecrf.kernel.text import Message, T
from ecrf.study.expr import loops, paths
from ecrf.study.findings import Problem
from ecrf.study.formulas import Formula, formulas
from ecrf.study.model import Code, Question
from ecrf.study.references import Found, Names, column_of
from ecrf.study.spelling import suggest

Tree = tuple[Any, ...]


def problems(names: Names) -> Iterator[Problem]:
    for formula in formulas(names.study):
        found = list(_names(formula, names))
        yield from found
        if not found:
            yield from _codes(formula, names)
            yield from _unblinding(formula, names)


def _names(formula: Formula, names: Names) -> Iterator[Problem]:
    tree = formula.expression.tree
    for path in sorted(paths(tree)):
        found = names.answer(path, formula.here, formula.grid)
        if isinstance(found, Message):
            yield Problem(formula.spot, found)
    for path, column in sorted(loops(tree)):
        rows = names.rows(path, formula.here)
        if isinstance(rows, Message):
            yield Problem(formula.spot, rows)
        elif column:
            inside = column_of(rows, column)
            if isinstance(inside, Message):
                yield Problem(formula.spot, inside)


def _codes(formula: Formula, names: Names) -> Iterator[Problem]:
    """A code compared with must be one the answer can have."""
    codelists = names.study.codelists
    for path, grid, literal in _compared(formula.expression.tree, None):
        question = _question(path, grid, formula, names)
        if path == "visit":
            known: Mapping[str, Code | None] = dict.fromkeys(names.study.visit)
        elif path == "site":
            known = dict.fromkeys(site.code for site in names.study.sites)
        elif question is not None and question.codes and question.codes in codelists:
            known = {code.value: code for code in codelists[question.codes].codes}
        else:
            continue
        if literal not in known:
            message = T(
                "{path} is never {value}. It is one of: {options}.",
                path=path,
                value=literal,
                options=", ".join(known),
            )
            yield Problem(formula.spot, suggest(message, str(literal), known))


def _question(path: str, grid: str | None, formula: Formula, names: Names) -> Question | None:
    if grid is not None:
        rows = names.rows(grid, formula.here)
        column = None if isinstance(rows, Message) else column_of(rows, path)
        return column if isinstance(column, Question) else None
    found = names.answer(path, formula.here, formula.grid)
    return found.question if isinstance(found, Found) else None


Compared = tuple[str, str | None, object]
"""A path, the grid of the comprehension it is a row of, and the value it is compared with."""


def _compared(tree: Tree, grid: str | None) -> Iterator[Compared]:
    match tree:
        case ("==" | "!=", (kind, path), ("value", value)) if kind in ("item", "row"):
            yield path, grid if kind == "row" else None, value
        case ("==" | "!=", ("value", value), (kind, path)) if kind in ("item", "row"):
            yield path, grid if kind == "row" else None, value
        case ("in", (kind, path), ("options", *options)) if kind in ("item", "row"):
            for option in options:
                if option[0] == "value":
                    yield path, grid if kind == "row" else None, option[1]
        case ("in", ("value", value), (kind, path)) if kind in ("item", "row"):
            yield path, grid if kind == "row" else None, value
        case ("for", _, over, *parts):
            for part in parts:
                if part is not None:
                    yield from _compared(part, over)
        case (_, *parts):
            for part in parts:
                if isinstance(part, tuple):
                    yield from _compared(part, grid)


def _unblinding(formula: Formula, names: Names) -> Iterator[Problem]:
    study = names.study
    if not study.blinded:
        return
    arms = {arm.id.lower() for arm in study.arms}
    tree = formula.expression.tree
    for path in sorted(paths(tree) | {f"{grid}.{column}" for grid, column in loops(tree)}):
        if arms & set(path.lower().replace(".", "_").split("_")):
            message = T("{path} is named like an arm; it could unblind.", path=path)
            yield Problem(formula.spot, message, "warning")
    if formula.question is not None and formula.question.blinding == "masked":
        return
    for path in sorted(paths(tree)):
        found = names.answer(path, formula.here, formula.grid)
        if isinstance(found, Found) and found.question and found.question.blinding == "masked":
            message = T("{path} is masked, but what looks at it is open.", path=path)
            yield Problem(formula.spot, message, "warning")
