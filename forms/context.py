"""What the names in a form's expressions mean: its own answers and those elsewhere. Pure.

`scope` gives the `Scope` of one form. An answer is worked out when it is first asked for and
then kept, so computed items may depend on one another in any order; what depends on itself is
unknown. Of other entries the newest one that has answers counts. An answer whose item does not
apply (`show` is not true) reads as blank; a place that a grid does not have reads as the empty
text, which is known to be no answer.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from functools import partial

from ecrf.study.expr import NO_ROW, Days, Row, Value
from ecrf.study.model import Cell, Expression, Form, Study
from ecrf.study.values import truth
from forms.answers import Answer, computed, value
from forms.laboratory import measured
from forms.laboratory.ranges import Ranges
from forms.rows import InRow, Line, Page

MOST_HOPS = 4
"""How many entries a question about what applies may lead through, from form to form."""


@dataclass(frozen=True, slots=True)
class Entered:
    """Another entry of the participant. `visit` is the id in the schedule, `key` the visit's
    own key, `order` its place in time among the participant's visits.

    `settled` answers are known to apply: their `show` is not asked.
    """

    visit: str
    key: str
    order: int
    form: str
    number: int
    answers: Mapping[str, Answer]
    visit_date: date | None = None
    settled: bool = False


@dataclass(frozen=True, slots=True)
class Context:
    """Where a form stands: at which visit, of whom, beside which other entries.

    `kits` are the numbers given to this visit; `unblinded_on` says that the code was broken.

    `entries` are the participant's other entries. `overrides` gives paths a value of its own,
    whatever the entries say.
    """

    visit: str = ""
    visit_key: str = ""
    visit_date: date | None = None
    order: int = 0
    number: int = 1
    randomized_on: date | None = None
    site: str = ""
    random_number: str = ""
    kits: tuple[str, ...] = ()
    unblinded_on: date | None = None
    entries: Sequence[Entered] = ()
    overrides: Mapping[str, Value] = field(default_factory=dict)
    ranges: Ranges = field(default_factory=dict)


def scope(study: Study, form: Form, answers: Mapping[str, Answer], context: Context) -> "Sheet":
    """Return what the names in the expressions of `form` mean."""
    return Sheet(study, form, answers, context)


class Sheet:
    """The scope of one form with its answers."""

    def __init__(
        self,
        study: Study,
        form: Form,
        answers: Mapping[str, Answer],
        context: Context,
        *,
        hops: int = 0,
        settled: bool = False,
    ) -> None:
        self.study = study
        self.form = form
        self.answers = answers
        self.context = context
        self._hops = hops
        self._settled = settled
        self._values: dict[str, Value] = {}
        self._applies: dict[str, bool] = {}
        self._computed: dict[str, Answer | None] = {}
        self._entries: dict[str, list[Entered]] = {}
        self._others: dict[int, Sheet] = {}

    def value(self, path: str) -> Value:
        """Return the answer at `path`."""
        if path not in self._values:
            # Until it is known it is unknown: an item that depends on itself stays so.
            self._values[path] = None
            self._values[path] = self._value(path)
        return self._values[path]

    def _value(self, path: str) -> Value:
        if path in self.context.overrides:
            return self.context.overrides[path]
        cell = self.form.cells.get(path)
        return self._elsewhere(path) if cell is None else self._own(cell)

    def _own(self, cell: Cell) -> Value:
        if not self.applies(cell):
            return None
        return value(cell, self.answer(cell))

    def answer(self, cell: Cell) -> Answer | None:
        """Return the answer of a cell as given or computed, whether or not it applies."""
        if cell.question.derive is None or self._hops:
            given = self.answers.get(cell.key)
            if given is None or given.reference != measured.ASKED:
                return given
            return measured.settle(given, cell.key, self)
        if cell.key not in self._computed:
            self._computed[cell.key] = None
            result = self.context.overrides.get(cell.key)
            if result is None:
                result = self.evaluate(cell.question.derive, cell)
            self._computed[cell.key] = computed(cell.question, result)
        return self._computed[cell.key]

    def applies(self, cell: Cell) -> bool:
        """Return whether the question is asked at all."""
        show = cell.question.show
        if show is None or self._settled:
            return True
        if cell.key not in self._applies:
            self._applies[cell.key] = False
            self._applies[cell.key] = self.holds(show, cell)
        return self._applies[cell.key]

    def requires(self, cell: Cell) -> bool:
        """Return whether a question that is asked wants an answer."""
        require = cell.question.require
        return require if isinstance(require, bool) else self.holds(require, cell)

    def evaluate(self, expression: Expression, cell: Cell | None = None) -> Value:
        """Return the value of an expression of `cell`; `row.…` is a cell of the same row."""
        if cell is None or cell.row is None:
            return expression.run(self, NO_ROW)
        return expression.run(InRow(self, cell.row.id), NO_ROW)

    def holds(self, expression: Expression, cell: Cell | None = None) -> bool:
        """Return whether an expression of `cell` is certainly true."""
        return truth(self.evaluate(expression, cell)) is True

    def rows(self, path: str) -> Sequence[Row] | None:
        """Return the rows of a grid, or the entries of a form."""
        grid = self.form.grids.get(path)
        if grid is not None:
            return [Line(self.value, "", grid, row) for row in grid.rows]
        head, _, rest = path.partition(".")
        if head == "all":
            sheets = [self._sheet(entered) for entered in self._all(rest)]
            return [Page(sheet, sheet.form) for sheet in sheets]
        return self._rows_elsewhere(path)

    def known_ranges(self) -> Ranges:
        return self.context.ranges

    def site(self) -> str:
        return self.context.site

    def before(self, visits: tuple[str, ...]) -> Mapping[str, Answer] | None:
        """Return this form's answers at the first of `visits` that has some, if it is past."""
        order = self.context.order
        for visit in visits:
            fits = partial(_earlier_at, visit, order)
            entered = self._newest(self.form.id, fits)
            if entered is not None:
                return entered.answers
        return None

    def _elsewhere(self, path: str) -> Value:
        head, _, rest = path.partition(".")
        if not rest:
            return self._plain(head)
        if head == "param":
            return self.study.params.get(rest)
        if head == "range":
            return measured.value(rest, self)
        if path in self.form.closed:
            return ""
        found = self._find(path)
        if found is None:
            return None
        entered, key = found
        return self._sheet(entered).value(key)

    def _plain(self, name: str) -> Value:
        context = self.context
        match name:
            case "visit":
                return context.visit
            case "site":
                return context.site
            case "random_number":
                return context.random_number
            case "kits":
                return context.kits
            case "entry_number":
                return Decimal(context.number)
            case "unblinded_on":
                return Days.on(context.unblinded_on) if context.unblinded_on else None
            case "visit_date":
                return Days.on(context.visit_date) if context.visit_date else None
            case "randomized_on":
                return Days.on(context.randomized_on) if context.randomized_on else None
        return None

    def _find(self, path: str) -> tuple[Entered, str] | None:
        """Return the entry that `path` means and the item's key in it."""
        head, _, rest = path.partition(".")
        form, _, key = rest.partition(".")
        here = self.context
        match head:
            case "latest":
                entered = self._newest(form, lambda e: e.order <= here.order)
            case "previous":
                entered = self._newest(form, lambda e: e.order < here.order)
            case _ if head in self.study.visit:
                entered = self._newest(form, lambda e: e.visit == head)
            case _:
                key = rest
                entered = self._newest(head, lambda e: e.key == here.visit_key)
        return (entered, key) if entered is not None and key else None

    def _newest(self, form: str, fits: Callable[[Entered], bool]) -> Entered | None:
        found = [entered for entered in self._all(form) if fits(entered)]
        return found[-1] if found else None

    def _all(self, form: str) -> list[Entered]:
        """Return the entries of a form that have answers, this one among them, oldest first."""
        if form not in self._entries:
            entries = self.context.entries if form in self.study.forms else ()
            found = [e for e in entries if e.form == form and e.answers]
            if form == self.form.id:
                mine = self._self()
                found = [e for e in found if (e.key, e.number) != (mine.key, mine.number)]
                found.append(mine)
            found.sort(key=lambda entered: (entered.order, entered.number))
            self._entries[form] = found
        return self._entries[form]

    def _self(self) -> Entered:
        here = self.context
        return Entered(
            here.visit, here.visit_key, here.order, self.form.id, here.number, self.answers
        )

    def _sheet(self, entered: Entered) -> "Sheet":
        """Return the scope of another entry; stored computed answers stand as they are."""
        if entered.form == self.form.id and entered.answers is self.answers:
            return self
        if id(entered) not in self._others:
            self._others[id(entered)] = Sheet(
                self.study,
                self.study.forms[entered.form],
                entered.answers,
                replace(
                    self.context,
                    visit=entered.visit,
                    visit_key=entered.key,
                    visit_date=entered.visit_date,
                    order=entered.order,
                    number=entered.number,
                    overrides={},
                ),
                hops=self._hops + 1,
                settled=entered.settled or self._hops >= MOST_HOPS,
            )
        return self._others[id(entered)]

    def _rows_elsewhere(self, path: str) -> Sequence[Row] | None:
        prefix, _, name = path.rpartition(".")
        form = self.study.forms.get(prefix.rpartition(".")[2])
        grid = form.grids.get(name) if form else None
        if grid is None:
            return None
        beside = any(known.startswith(f"{prefix}.") for known in self.context.overrides)
        if not beside and self._find(f"{prefix}.{name}") is None:
            return None
        return [Line(self.value, f"{prefix}.", grid, row) for row in grid.rows]


def _earlier_at(visit: str, order: int, entered: Entered) -> bool:
    return entered.visit == visit and entered.order < order
