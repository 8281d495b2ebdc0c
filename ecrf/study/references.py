"""What a path of an expression means: which answer of which form, or why it means nothing.

Pure. `forms` looks the answers up by the same rules when it evaluates.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from ecrf.kernel.text import Message, T
from ecrf.study.model import Form, Grid, Question, Study
from ecrf.study.spelling import suggest
from ecrf.study.syntax import EACH

VARIABLES = (
    "visit", "visit_date", "randomized_on", "site", "random_number", "kits", "entry_number",
    "unblinded_on",
)  # fmt: skip
NEWEST = ("latest", "previous")
RESERVED = frozenset((*VARIABLES, *NEWEST, "all", "param", "range", "row"))
RANGE_PARTS = ("low", "high", "flag", "grade")


class Found(NamedTuple):
    """What a path names. `question` is None for a variable, a parameter, or a lost form."""

    question: Question | None = None
    form: str = ""
    key: str = ""
    head: str = ""


class Rows(NamedTuple):
    """What a comprehension runs over: its columns by name, None for a lost form."""

    columns: Mapping[str, Question] | None
    form: str = ""
    grid: Grid | None = None
    head: str = ""


@dataclass(frozen=True)
class Names:
    """All that can be named in a study; `lost` are forms whose file could not be read."""

    study: Study
    lost: frozenset[str] = frozenset()

    @cached_property
    def visits_of(self) -> Mapping[str, frozenset[str]]:
        """The visits at which each form of the matrix may be filled in."""
        found: dict[str, set[str]] = {}
        for cell in self.study.matrix:
            found.setdefault(cell.form, set()).add(cell.visit)
        return {form: frozenset(visits) for form, visits in found.items()}

    def answer(self, path: str, here: Form | None, grid: Grid | None) -> Found | Message:
        """Return what `path` names in an expression of form `here`, in a column of `grid`."""
        match path.split("."):
            case [name] if name in VARIABLES:
                return Found(key=name)
            case [name]:
                return self._here(name, here)
            case ["param", name]:
                return self._param(name)
            case ["row", column]:
                return _column(column, grid)
            case ["range", name, part]:
                return self._range(name, part, here, grid)
            case [head, form, row, column] if row == EACH:
                return self._each_row(head, form, column, here)
            case [head, form, "row", column] if grid is not None:
                return self._same_row(head, form, column, here, grid)
            case ["all", *_]:
                return T("{path} has many entries; write `… for entry in all.…`.", path=path)
            case [head, *rest]:
                return self._answer_elsewhere(path, head, rest, here)
        raise AssertionError(path)

    def rows(self, path: str, here: Form | None) -> Rows | Message:
        """Return what a comprehension over `path` runs over."""
        match path.split("."):
            case [name]:
                return _grid(name, here, "")
            case ["all", form]:
                return self._entries(form)
            case [head, *rest] if head in NEWEST or head in self.study.visit:
                if len(rest) != 2:
                    return T("{path} is no grid.", path=path)
                return self._grid_of(rest[0], rest[1], head, here)
            case [form, name]:
                return self._grid_of(form, name, "", here)
        return T("{path} is no grid.", path=path)

    def _here(self, name: str, here: Form | None) -> Found | Message:
        if here is None:
            message = T("{name} is not known here, outside every form.", name=name)
            return suggest(message, name, VARIABLES)
        if name in here.cells:
            return Found(here.cells[name].question, here.id, name)
        if name in here.grids:
            return T("{name} is a grid; write `… for row in {name}`.", name=name)
        message = T("The form {form} has no item {name}.", form=here.id, name=name)
        return suggest(message, name, (*here.cells, *here.grids, *VARIABLES))

    def _param(self, name: str) -> Found | Message:
        if name in self.study.params:
            return Found(key=name)
        message = T("The study has no parameter {name}.", name=name)
        return suggest(message, name, self.study.params)

    def _range(
        self, name: str, part: str, here: Form | None, grid: Grid | None
    ) -> Found | Message:
        """Find what is known of a laboratory result: `range.alt.high`, `range.row.flag`."""
        laboratory = self.study.laboratory
        if laboratory is None:  # a shared form in a study that judges no results
            return Found(key=f"range.{name}.{part}", head="range")
        own = laboratory.by_form.get(here.id, {}) if here else {}
        analytes = {analyte.id for analyte in own.values()}
        if part not in RANGE_PARTS:
            message = T("A range has no {name}.", name=part)
            return suggest(message, part, RANGE_PARTS)
        if name == "row":
            rows = {row.id for row in grid.rows} if grid else {"row"}
            if rows <= analytes:
                return Found(key=f"range.row.{part}", head="range")
            odd = ", ".join(sorted(rows - analytes))
            return T("There is no analyte {name} on this form.", name=odd)
        if name in own:
            return Found(key=name, head="range")
        message = T("There is no analyte {name} on this form.", name=name)
        return suggest(message, name, own)

    def _answer_elsewhere(
        self, path: str, head: str, rest: Sequence[str], here: Form | None
    ) -> Found | Message:
        if here is not None and path in here.cells:
            return Found(here.cells[path].question, here.id, path)
        named = head in NEWEST or head in self.study.visit
        if named and len(rest) == 1:
            return T("{path} names no item; write {path}.item.", path=path)
        if named:
            return self._item_of(rest[0], ".".join(rest[1:]), head, here)
        if here is not None and any(
            head == row.id for g in here.grids.values() for row in g.rows
        ):
            return suggest(_no_cell(here, path), path, here.cells)
        return self._item_of(head, ".".join(rest), "", here)

    def _item_of(self, form: str, key: str, head: str, here: Form | None) -> Found | Message:
        missing = self._form_missing(form, head, here)
        if missing is not None:
            return missing
        if form in self.lost:
            return Found(form=form, key=key, head=head)
        cells = self.study.forms[form].cells
        if key in cells:
            return self._reachable(form, head, here) or Found(
                cells[key].question, form, key, head
            )
        return suggest(_no_cell(self.study.forms[form], key), key, cells)

    def _same_row(
        self, head: str, form: str, column: str, here: Form | None, grid: Grid
    ) -> Found | Message:
        """Return what a column of the same row is in another entry: `previous.ri.row.score`."""
        found = [
            self._answer_elsewhere(
                f"{head}.{form}.{row.id}.{column}", head, [form, row.id, column], here
            )
            for row in grid.rows
            if column not in row.closed
        ]
        for each in found:
            if isinstance(each, Message):
                return each
            same = each._replace(key=f"row.{column}")
        return same if found else _column(column, grid)

    def _each_row(
        self, head: str, form: str, column: str, here: Form | None
    ) -> Found | Message:
        """Return the column of the rows a comprehension runs over, in another entry."""
        missing = self._form_missing(form, head, here)
        if missing is not None:
            return missing
        if form in self.lost:
            return Found(form=form, key=f"{EACH}.{column}", head=head)
        grids = self.study.forms[form].grids.values()
        grid = next((g for g in grids if any(c.id == column for c in g.columns)), None)
        if grid is None:
            return _no_cell(self.study.forms[form], f"row.{column}")
        found = self._same_row(head, form, column, here, grid)
        return found if isinstance(found, Message) else found._replace(key=f"{EACH}.{column}")

    def _grid_of(self, form: str, name: str, head: str, here: Form | None) -> Rows | Message:
        missing = self._form_missing(form, head, here)
        if missing is not None:
            return missing
        if form in self.lost:
            return Rows(None, form, None, head)
        found = _grid(name, self.study.forms[form], head)
        return (
            found if isinstance(found, Message) else self._reachable(form, head, here) or found
        )

    def _entries(self, form: str) -> Rows | Message:
        missing = self._form_missing(form, "all", None)
        if missing is not None:
            return missing
        if form in self.lost:
            return Rows(None, form, None, "all")
        cells = self.study.forms[form].cells
        columns = {key: cell.question for key, cell in cells.items()}
        return Rows(columns, form, None, "all")

    def _form_missing(self, form: str, head: str, here: Form | None) -> Message | None:
        if form in self.study.forms or form in self.lost:
            return None
        if form in self.study.forms_to_come:
            return T("The form {form} is named, but not defined yet.", form=form)
        message = T("The study has no form {form}.", form=form)
        names: Iterable[str] = self.study.forms
        if not head:
            rows = (row.id for g in here.grids.values() for row in g.rows) if here else ()
            names = (*self.study.forms, *self.study.visit, *RESERVED, *rows)
            message = T("{form} is neither a form nor a visit.", form=form)
        return suggest(message, form, names)

    def _reachable(self, form: str, head: str, here: Form | None) -> Message | None:
        """Say why the form can never have been filled in where the path looks for it."""
        visits = self.visits_of.get(form, frozenset())
        if head in self.study.visit:
            if self.study.visit[head].repeating:
                return T(
                    "The visit {visit} repeats; write latest.{form}.….", visit=head, form=form
                )
            if head not in visits:
                return T("The form {form} is not planned at {visit}.", form=form, visit=head)
        meet = here is None or here.id == form or visits & self.visits_of.get(here.id, visits)
        if not head and visits and not meet:
            return T(
                "The form {form} is never filled in at the same visit; write latest.{form}.….",
                form=form,
            )
        return None


def _no_cell(form: Form, key: str) -> Message:
    return T("The form {form} has no item {name}.", form=form.id, name=key)


def _column(name: str, grid: Grid | None) -> Found | Message:
    if grid is None:
        return T("row is known in the columns of a grid and in `… for row in …` only.")
    for column in grid.columns:
        if column.id == name:
            return Found(column, "", name, "row")
    message = T("The grid {grid} has no column {name}.", grid=grid.id, name=name)
    return suggest(message, name, [column.id for column in grid.columns])


def _grid(name: str, form: Form | None, head: str) -> Rows | Message:
    if form is None:
        return T("{name} is not known here, outside every form.", name=name)
    grid = form.grids.get(name)
    if grid is not None:
        return Rows({column.id: column for column in grid.columns}, form.id, grid, head)
    message = T("The form {form} has no grid {name}.", form=form.id, name=name)
    return suggest(message, name, form.grids)


def column_of(rows: Rows, name: str) -> Question | Message | None:
    """Return a column of what a comprehension runs over; None when the form is lost."""
    if rows.columns is None:
        return None
    if name in rows.columns:
        return rows.columns[name]
    message = T("The rows have no {name}.", name=name)
    return suggest(message, name, rows.columns)
