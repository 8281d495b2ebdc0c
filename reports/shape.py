"""The shape of the data files: which tables there are, their columns and their rows. Pure.

A form makes one wide table, a line per entry; each of its grids makes a long one, a line per
entry and row of the grid, also where nothing was answered. Every line begins with the same
keys. An item `x` gives the column `x` with the canonical value and, where they apply,
`x__label` (the code's English label), `x__text` and `x__unit` (as reported), `x__missing` (the
reason why there is no value). A laboratory result has, besides, the range it was judged by and
what came of it: `x__ref_low`, `x__ref_high`, `x__flag`, `x__grade`. Forms of several versions
of a definition are laid together.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from ecrf.study.model import CodeList, Form, Grid, Item, ItemType, Question, Row, Study
from ecrf.study.values import plain
from forms.files import naming
from forms.laboratory import ranges

KEYS = (
    "study", "site", "participant", "visit", "visit_date", "number", "entry", "status",
    "version", "definition", "signed", "saved_at", "after_unblinding",
)  # fmt: skip
GRID_KEYS = ("row", "row_label")
CODED = frozenset({ItemType.CHOICE, ItemType.CHOICES, ItemType.YES_NO})
YES_NO = "ny"
JUDGED = ("ref_low", "ref_high", "flag")
GRADE = "range.row.grade"


class Column(NamedTuple):
    """One column; `part` is key, value, label, text, unit or missing."""

    name: str
    part: str
    question: Question | None = None


class Table(NamedTuple):
    """One data file; `grid` is the grid it holds, or None for the form's wide table.

    `grades` are its laboratory results, each with the cell that holds the grade proposed.
    """

    name: str
    form: Form
    grid: str | None
    rows: tuple[Row, ...]
    columns: tuple[Column, ...]
    codes: Mapping[str, CodeList]
    grades: Mapping[str, str] = {}

    @property
    def header(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)


class Masked(NamedTuple):
    """An item left out of a blinded file; `keys` are its cells."""

    form: str
    item: str
    keys: tuple[str, ...]


def tables(studies: Sequence[Study]) -> tuple[Table, ...]:
    """Return the tables of all forms of `studies`, the oldest version first."""
    newest = studies[-1]
    found: list[Table] = []
    for form_id in _in_order([study.forms for study in studies]):
        forms = [study.forms[form_id] for study in studies if form_id in study.forms]
        codes = {key: known for study in studies for key, known in study.codelists.items()}
        found += _of_form(forms, codes | dict(newest.codelists), _grades(form_id, studies))
    return tuple(found)


def masked(studies: Sequence[Study]) -> tuple[Masked, ...]:
    """Return the items that must not appear in anything blinded."""
    found: dict[tuple[str, str], set[str]] = {}
    for study in studies:
        for form in study.forms.values():
            for key, cell in form.cells.items():
                if cell.question.blinding == "masked":
                    item = (
                        cell.question.id
                        if cell.grid is None
                        else _path(cell.grid, cell.question)
                    )
                    found.setdefault((form.id, item), set()).add(key)
    return tuple(Masked(*name, tuple(sorted(keys))) for name, keys in sorted(found.items()))


def rows(
    table: Table, keys: Sequence[str], answers: Mapping[str, Mapping[str, str]]
) -> Iterator[list[str]]:
    """Yield the lines of one entry: one, or one per row of the grid."""
    if table.grid is None:
        yield [*keys, *_cells(table, answers, "")]
        return
    for row in table.rows:
        cells = _cells(table, answers, f"{row.id}.")
        yield [*keys, row.id, row.label.en, *cells]


def _cells(
    table: Table, answers: Mapping[str, Mapping[str, str]], prefix: str
) -> Iterator[str]:
    for column in table.columns:
        if column.question is None:
            continue
        if column.part == "grade":
            yield answers.get(table.grades[column.question.id], {}).get("value", "")
        else:
            yield part(table, column, answers.get(prefix + column.question.id, {}))


def part(table: Table, column: Column, answer: Mapping[str, str]) -> str:
    """Return what an answer puts into a column."""
    if column.part == "label" and column.question is not None:
        return decoded(table.codes, column.question, answer.get("value", ""))
    if column.part == "name":
        named = naming.named(answer.get("text", ""))
        return named.name if named else ""
    if column.part in JUDGED:
        return judged(column.part, answer)
    return answer.get(column.part, "")


def judged(part: str, answer: Mapping[str, str]) -> str:
    """Return a limit of the range a result was judged by, or its flag; empty without one."""
    used = ranges.read(answer.get("reference", ""))
    if used is None:
        return ""
    if part == "flag":
        return used.flag(Decimal(answer["value"])) if answer.get("value") else ""
    limit = used.low if part == "ref_low" else used.high
    return "" if limit is None else plain(limit)


def decoded(codes: Mapping[str, CodeList], question: Question, value: str) -> str:
    """Return the English labels of a coded value, several with semicolons between them."""
    known = codes.get(question.codes or YES_NO)
    if known is None or not value:
        return ""
    values = value.split(",") if question.type is ItemType.CHOICES else [value]
    labels = [known.label(one) for one in values]
    return "; ".join(
        label.en if label else one for label, one in zip(labels, values, strict=True)
    )


def _of_form(
    forms: Sequence[Form], codes: Mapping[str, CodeList], grades: Mapping[str, str]
) -> Iterator[Table]:
    form = forms[-1]
    questions = _in_order([_items(form) for form in forms])
    wide = _columns(KEYS, questions.values(), grades)
    yield Table(form.id, form, None, (), wide, codes, grades)
    for grid_id in _in_order([form.grids for form in forms]):
        grids = [form.grids[grid_id] for form in forms if grid_id in form.grids]
        asked = _in_order([{c.id: c for c in grid.columns} for grid in grids])
        lines = _in_order([{row.id: row for row in grid.rows} for grid in grids])
        columns = _columns((*KEYS, *GRID_KEYS), asked.values())
        name = f"{form.id}_{grid_id}"
        yield Table(name, form, grid_id, tuple(lines.values()), columns, codes)


def _items(form: Form) -> dict[str, Question]:
    return {member.id: member for member in form.members() if isinstance(member, Item)}


def _in_order(versions: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Lay mappings together: the order of first appearance, the newest meaning."""
    found: dict[str, Any] = {}
    for version in versions:
        found.update(version)
    return found


def _grades(form: str, studies: Sequence[Study]) -> dict[str, str]:
    """Return the results of a form, each with the cell of its analyte's proposed grade."""
    found: dict[str, str] = {}
    for study in studies:
        analytes = study.laboratory.by_form.get(form, {}) if study.laboratory else {}
        cells = study.forms[form].cells.values() if form in study.forms else ()
        cell = {
            c.row.id: c.key
            for c in cells
            if c.row and c.question.derive and c.question.derive.text == GRADE
        }
        found |= {key: cell.get(analyte.id, "") for key, analyte in analytes.items()}
    return found


def _columns(
    keys: Sequence[str], questions: Iterable[Question], results: Collection[str] = ()
) -> tuple[Column, ...]:
    columns = [Column(key, "key") for key in keys]
    for question in questions:
        if question.type is ItemType.NOTE or question.blinding == "masked":
            continue
        columns += [_column(question, name) for name in _parts(question)]
        if question.id in results:
            columns += [_column(question, name) for name in (*JUDGED, "grade")]
    names = [column.name for column in columns]
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the column {twice} would appear twice")
    return tuple(columns)


def _column(question: Question, named: str) -> Column:
    name = question.id if named == "value" else f"{question.id}__{named}"
    return Column(name, named, question)


def _parts(question: Question) -> Iterator[str]:
    yield "value"
    if question.type is ItemType.FILE:
        yield "name"
    if question.type in CODED:
        yield "label"
    if question.units:
        yield "text"
        yield "unit"
    if question.missing:
        yield "missing"


def _path(grid: Grid, question: Question) -> str:
    return f"{grid.id}.{question.id}"
