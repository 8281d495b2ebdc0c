"""The cases of checks: what answers a check passes, and what it catches. Pure.

A case gives the answers an expression looks at, by the same paths: `{sbp: "120", dbp: "80"}`,
`SCR.dm.sex`, `row.score` in a check of every row, `LUNG.score` in a grid, `all.ae.1.aeser` for
the first entry of a log. Computed items of the form follow from the others unless given. What
is not given is blank; every answer of a case applies.
"""

from collections.abc import Iterator, Mapping, Sequence

from ecrf.kernel.text import Message, T
from ecrf.study.expr import NO_ROW, Row, Value, loops, paths
from ecrf.study.findings import Problem, Spot
from ecrf.study.formulas import grid_of
from ecrf.study.model import Case, Cell, Check, Form, Grid, ItemType, Question, Study
from ecrf.study.references import Found, Names, Rows
from ecrf.study.spelling import suggest
from ecrf.study.values import clock, days, moment, number, truth

NUMBERS = frozenset({ItemType.INTEGER, ItemType.DECIMAL, ItemType.VAS})
DATED = frozenset({ItemType.DATE, ItemType.PARTIAL_DATE})
DAYS = frozenset({"visit_date", "randomized_on", "unblinded_on"})


def problems(names: Names) -> Iterator[Problem]:
    """Yield every case that does not do what it says, and every check without one."""
    for form in names.study.forms.values():
        for n, check in enumerate(form.checks):
            if _understood(names, form, check):
                yield from _check(("forms", form.id, "checks", n), names, form, check)


def _understood(names: Names, form: Form, check: Check) -> bool:
    """Say whether every name of the check means something; what does not is told elsewhere."""
    grid, tree = grid_of(form, check), check.when.tree
    found = [names.answer(path, form, grid) for path in paths(tree)]
    rows = [names.rows(path, form) for path, _ in loops(tree)]
    return not any(isinstance(one, Message) for one in (*found, *rows))


def _check(spot: Spot, names: Names, form: Form, check: Check) -> Iterator[Problem]:
    for key, cases, wanted in (("pass", check.pass_, False), ("fail", check.fail, True)):
        if not cases:
            message = T("{check} has no case under {key}.", check=check.id, key=key)
            yield Problem(spot, message)
        for case in cases:
            yield from _case((*spot, key), names, form, check, case, wanted=wanted)


def _case(
    spot: Spot, names: Names, form: Form, check: Check, case: Case, *, wanted: bool
) -> Iterator[Problem]:
    there = Stage(names, form, grid_of(form, check), case)
    odd = list(_odd(spot, there))
    yield from odd
    result = truth(check.when.run(there, NO_ROW))
    if not odd and result is not wanted:
        told = {True: T("it fires"), False: T("it does not fire"), None: T("it is unknown")}
        message = T(
            "{check}: in this case {result}, but it stands under {key}.",
            check=check.id, result=told[result], key=spot[-1],
        )  # fmt: skip
        yield Problem(spot, message)


def _odd(spot: Spot, there: "Stage") -> Iterator[Problem]:
    """What a case gives must be something an answer can be."""
    for path, text in there.case.items():
        question = there.question(path)
        if question is None and not there.known(path):
            message = T("A case cannot give {path}: there is no such answer.", path=path)
            yield Problem(spot, suggest(message, path, there.form.cells))
        elif text and there.read(path, text) is None:
            message = T("{path} is never {value}.", path=path, value=text)
            yield Problem(spot, message)


class Stage:
    """The scope of one case: what it gives, and what is computed from that."""

    def __init__(
        self,
        names: Names,
        form: Form,
        grid: Grid | None,
        case: Case,
        *,
        row: str = "",
        asked: set[str] | None = None,
    ) -> None:
        self.names = names
        self.form = form
        self.grid = grid
        self.case = case
        self._row = row
        self._asked = set() if asked is None else asked

    def value(self, path: str) -> Value:
        """Return what the case gives at `path`, or what is computed there."""
        if self._row and path.startswith("row."):
            path = f"{self._row}.{path[4:]}"
        if path in self.case:
            return self.read(path, self.case[path]) if self.case[path] else None
        if path.startswith("param."):
            return self.names.study.params.get(path[6:])
        return self._computed(path)

    def _computed(self, path: str) -> Value:
        cell = self.form.cells.get(path)
        question = cell.question if cell else self.question(path)
        own = cell is not None or path.startswith("row.")
        if question is None or question.derive is None or not own or path in self._asked:
            return None
        self._asked.add(path)
        found = question.derive.run(self._in(cell), NO_ROW)
        self._asked.discard(path)
        return found

    def _in(self, cell: Cell | None) -> "Stage":
        """Return the scope in which a computed cell is worked out."""
        if cell is None or cell.row is None:
            return self
        return Stage(
            self.names, self.form, self.grid, self.case, row=cell.row.id, asked=self._asked
        )

    def rows(self, path: str) -> Sequence[Row] | None:
        """Return the rows of a grid, or the numbered entries of a log."""
        rows = self.names.rows(path, self.form)
        if not isinstance(rows, Rows) or rows.columns is None:
            return None
        if rows.grid is None:
            return self._entries(path, rows)
        prefix = path.removesuffix(rows.grid.id)
        if prefix and not any(key.startswith(prefix) for key in self.case):
            return None
        return [
            {
                column: "" if column in row.closed else self.value(f"{prefix}{row.id}.{column}")
                for column in rows.columns
            }
            for row in rows.grid.rows
        ]

    def _entries(self, path: str, rows: Rows) -> Sequence[Row]:
        numbers = sorted(
            {key.split(".")[2] for key in self.case if key.startswith(f"{path}.")}, key=int
        )
        found: list[Mapping[str, Value]] = []
        if rows.form == self.form.id:
            found.append({key: self.value(key) for key in rows.columns or ()})
        keys = rows.columns or ()
        found += [{key: self.value(f"{path}.{n}.{key}") for key in keys} for n in numbers]
        return found

    def question(self, path: str) -> Question | None:
        """Return the question whose answer `path` is."""
        match path.split("."):
            case ["all", form, number, *key] if number.isdecimal():
                cells = self.names.study.forms[form].cells if form in self._forms() else {}
                cell = cells.get(".".join(key))
                return cell.question if cell else None
        found = self.names.answer(path, self.form, self.grid)
        return found.question if isinstance(found, Found) else None

    def _forms(self) -> Mapping[str, Form]:
        return self.names.study.forms

    def known(self, path: str) -> bool:
        """Say whether `path` names a variable or a parameter."""
        return isinstance(self.names.answer(path, self.form, self.grid), Found)

    def read(self, path: str, text: str) -> Value:
        """Return a text of a case as the value expressions see; None when it is none."""
        question = self.question(path)
        if question is not None:
            return _of(question, text, self.names.study)
        if path in DAYS:
            return days(text)
        if path == "kits":
            return tuple(text.split(","))
        if path == "entry_number" or (path.startswith("range.") and number(text) is not None):
            return number(text)
        return text


def _of(question: Question, text: str, study: Study) -> Value:
    kind = question.type
    if kind in NUMBERS:
        return number(text)
    if kind in DATED:
        return days(text)
    if kind is ItemType.DATETIME:
        return moment(text)
    if kind is ItemType.TIME:
        return clock(text)
    listed = study.codelists.get(question.codes or "")
    parts = tuple(text.split(",")) if kind is ItemType.CHOICES else (text,)
    if listed is not None and any(listed.label(part) is None for part in parts):
        return None
    return parts if kind is ItemType.CHOICES else text
