"""The rows a comprehension runs over, and the row a column's expression stands in. Pure.

A value is asked for only when an expression needs it, so that a total does not depend on the
columns it does not read.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from ecrf.study.expr import SAME_ROW, Row, Scope, Value
from ecrf.study.model import Form, Grid
from ecrf.study.model import Row as GridRow


class InRow:
    """A scope in which `row.…` means a cell of one row of a grid, here and in other entries."""

    def __init__(self, outer: Scope, row_id: str) -> None:
        self._outer = outer
        self._row_id = row_id

    def value(self, path: str) -> Value:
        if path.startswith("row."):
            return self._outer.value(f"{self._row_id}.{path[4:]}")
        return self._outer.value(path.replace(".row.", f".{self._row_id}.", 1))

    def rows(self, path: str) -> Sequence[Row] | None:
        return self._outer.rows(path)


class Line(Mapping[str, Value]):
    """One row of a grid by column. `prefix` leads to the form that has the grid.

    The same row of another entry is asked for by its path, with `*` in place of the row.
    """

    def __init__(
        self, ask: Callable[[str], Value], prefix: str, grid: Grid, row: GridRow
    ) -> None:
        self._ask = ask
        self._prefix = prefix
        self._grid = grid
        self._row = row

    def __getitem__(self, column: str) -> Value:
        if column in self._row.closed:
            return ""
        if SAME_ROW in column:
            return self._ask(column.replace(SAME_ROW, f".{self._row.id}.", 1))
        return self._ask(f"{self._prefix}{self._row.id}.{column}")

    def __iter__(self) -> Iterator[str]:
        return (column.id for column in self._grid.columns)

    def __len__(self) -> int:
        return len(self._grid.columns)


class Page(Mapping[str, Value]):
    """All answers of one entry by item key."""

    def __init__(self, scope: Scope, form: Form) -> None:
        self._scope = scope
        self._form = form

    def __getitem__(self, key: str) -> Value:
        return self._scope.value(key)

    def __iter__(self) -> Iterator[str]:
        return iter(self._form.cells)

    def __len__(self) -> int:
        return len(self._form.cells)
