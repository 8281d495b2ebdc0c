"""What surrounds a form that is only tried: other answers, a date, sex and age. Pure.

A context is written flat, `{path: text}`, with the paths an expression would use: `dm.sex` is
of the same visit and also answers `latest.dm.sex`; `SCR.dm.sex` is that visit's;
`previous.vs.weight` is answered by its own path only. `visit_date`, `randomized_on`, `site`,
`random_number`, `kits` (with commas), `entry_number` and `param.name` stand for themselves.
`range.ALT.low` and `range.ALT.high` are the limits a result of the analyte is judged by.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from ecrf.kernel.errors import Problem
from ecrf.kernel.text import T, Text
from ecrf.study.expr import Value, loops, paths
from ecrf.study.model import Cell, Expression, Form, Study
from ecrf.study.spelling import suggest
from ecrf.study.values import Days, days, number
from forms.answers import Answer, Given, read, value
from forms.context import Context, Entered
from forms.dates import whole
from forms.flat import PARTS
from forms.laboratory.ranges import Range, Ranges, by_analyte

DATES = ("visit_date", "randomized_on", "unblinded_on")
TEXTS = ("site", "random_number", "kits", "entry_number")
_BIRTH = re.compile(r"birth|brth|^dob", re.IGNORECASE)


def place(study: Study, path: str) -> tuple[Form, Cell] | None:
    """Return the form and the item that a path from elsewhere names."""
    head, _, rest = path.partition(".")
    if head in ("latest", "previous") or head in study.visit:
        head, _, rest = rest.partition(".")
    form = study.forms.get(head)
    cell = form.cells.get(rest) if form else None
    return (form, cell) if form and cell else None


class Surroundings:
    """Reads a flat context into the `Context` a form is tried in; collects what is odd."""

    def __init__(self, study: Study, visit: str) -> None:
        self.study = study
        self.visit = visit
        self.problems: list[Problem] = []
        self.overrides: dict[str, Value] = {}
        self.beside: dict[str, dict[str, Answer]] = {}
        self.special: dict[str, str] = {}
        self.ranges: list[Range] = []
        self.bounds: dict[str, dict[str, Decimal]] = {}

    def read(self, flat: Mapping[str, str]) -> None:
        """Take every path of `flat`; units and missing reasons belong to their answer."""
        asked: dict[str, Given] = {}
        for path, text in flat.items():
            key, part = self._parted(path)
            asked[key] = asked.get(key, Given(""))._replace(**{part: text})
        for path, new in asked.items():
            if not new.blank:
                self._take(path, new)

    def _parted(self, path: str) -> tuple[str, str]:
        key, _, last = path.rpartition(".")
        if (
            last in PARTS
            and place(self.study, path) is None
            and place(self.study, key) is not None
        ):
            return key, last
        return path, "text"

    def _take(self, path: str, new: Given) -> None:
        head, _, rest = path.partition(".")
        if path in DATES:
            self._take_date(path, new.text)
        elif path in TEXTS:
            self.special[path] = new.text
        elif head == "param" and rest in self.study.params:
            self.overrides[path] = new.text
        elif head == "range":
            self._take_bound(path, rest, new.text)
        else:
            self._take_answer(path, new)

    def _take_date(self, path: str, text: str) -> None:
        found = whole(T("{path}", path=path), text)
        if isinstance(found, str):
            self.special[path] = found
        else:
            self.problems.append(Problem(path, found))

    def _take_bound(self, path: str, rest: str, text: str) -> None:
        """Take `range.ALT.high`: a limit of the range the analyte is judged by."""
        name, _, part = rest.partition(".")
        known = self.study.laboratory.by_id if self.study.laboratory else {}
        figure = number(text)
        if name not in known or part not in ("low", "high") or figure is None:
            message = T(
                "“{path}” is no limit of a range. Write range.ANALYTE.low or range.ANALYTE.high"
                " with a number in the canonical unit.",
                path=path[:80],
            )
            self.problems.append(Problem(path, suggest(message, name, known)))
            return
        self.bounds.setdefault(name, {})[part] = figure

    def _in_force(self) -> Ranges:
        stated = (
            Range(0, "", "", name, "", None, None, date.min, ends.get("low"), ends.get("high"),
                  "laboratory")
            for name, ends in self.bounds.items()
        )  # fmt: skip
        return by_analyte([*(r for r in self.ranges if r.analyte not in self.bounds), *stated])

    def _take_answer(self, path: str, new: Given) -> None:
        found = place(self.study, path)
        if found is None:
            self.problems.append(Problem(path, self._unknown(path)))
            return
        form, cell = found
        answer = read(cell, new, self.study)
        if isinstance(answer, Problem):
            self.problems.append(Problem(path, answer.message))
            return
        self.overrides[path] = value(cell, answer)
        if path == f"{form.id}.{cell.key}":
            self.beside.setdefault(form.id, {})[cell.key] = answer
            for wider in (f"latest.{path}", f"{self.visit}.{path}"):
                self.overrides.setdefault(wider, value(cell, answer))

    def _unknown(self, path: str) -> Text:
        known = [f"{form.id}.{key}" for form in self.study.forms.values() for key in form.cells]
        message = T(
            "“{path}” names nothing in the study. Write form.item, such as dm.sex.",
            path=path[:80],
        )
        return suggest(message, path[:80], (*known, *DATES, *TEXTS))

    def context(self) -> Context:
        """Return what was read. Answers of other forms count as those of one entry each."""
        entries = tuple(
            Entered(self.visit, self.visit, 0, form, 1, answers, settled=True)
            for form, answers in self.beside.items()
        )
        number = self.special.get("entry_number", "")
        return Context(
            visit=plan_of(self.study, self.visit),
            visit_key=self.visit,
            visit_date=self._day("visit_date"),
            randomized_on=self._day("randomized_on"),
            site=self.special.get("site", ""),
            random_number=self.special.get("random_number", ""),
            kits=tuple(filter(None, self.special.get("kits", "").split(","))),
            number=int(number) if number.isdecimal() and len(number) < 6 else 1,
            unblinded_on=self._day("unblinded_on"),
            entries=entries,
            overrides=self.overrides,
            ranges=self._in_force(),
        )

    def _day(self, name: str) -> date | None:
        span = days(self.special.get(name, ""))
        return span.first if span else None

    def born(self, form: Form, age: int, typed: Mapping[str, str]) -> None:
        """Let ranges see the age: the birth lies within the year before the sample's day."""
        laboratory = self.study.laboratory
        if laboratory is None or form.id not in laboratory.by_form:
            return
        sample = days(typed.get(laboratory.sample(form.id)[0], "")[:10])
        if sample is None or not sample.certain or laboratory.birth in self.overrides:
            return
        on = sample.first
        last = on.replace(year=on.year - age, day=min(on.day, 28))
        first = last.replace(year=last.year - 1) + timedelta(days=31)
        self.overrides[laboratory.birth] = Days(first, last)

    def state(self, form: Form, name: str, text: str) -> None:
        """Answer every path of `form` that ends in `name` with `text`."""
        laboratory = self.study.laboratory
        judged = laboratory is not None and form.id in laboratory.by_form
        people = {laboratory.sex} if laboratory is not None and judged else set()
        for path in {*_read(form), *form.cells, *people}:
            found = place(self.study, path) or place(self.study, f"{form.id}.{path}")
            if found is None or path.rpartition(".")[2] != name:
                continue
            answer = read(found[1], Given(text), self.study)
            if isinstance(answer, Problem):
                self.problems.append(Problem(path, answer.message))
            else:
                self.overrides[path] = value(found[1], answer)


def plan_of(study: Study, key: str) -> str:
    """Return the visit of the schedule that a visit's key belongs to; UNS-2 is one of UNS."""
    plan, _, number = key.rpartition("-")
    repeated = plan in study.visit and study.visit[plan].repeating and number.isdigit()
    return plan if repeated else key


def _read(form: Form) -> Iterator[str]:
    for expression in _expressions(form.model_dump()):
        yield from paths(expression["tree"])
        for grid, column in loops(expression["tree"]):
            yield f"{grid}.{column}"


def _expressions(part: Any) -> Iterator[dict[str, Any]]:
    if isinstance(part, dict):
        if part.keys() == Expression.model_fields.keys():
            yield part
        else:
            for inner in part.values():
                yield from _expressions(inner)
    elif isinstance(part, list | tuple):
        for inner in part:
            yield from _expressions(inner)


def of_age(study: Study, form: Form, age: int, known: Mapping[str, object]) -> Form:
    """Return `form` with the years since a birth date that is not `known` being `age`.

    A birth date is an item called so, or one that goes to DM.BRTHDTC.
    """
    written = form.model_dump()
    for expression in _expressions(written):
        expression["tree"] = _aged(study, form, expression["tree"], age, known)
    return Form.model_validate(written)


def _aged(
    study: Study, form: Form, tree: Any, age: int, known: Mapping[str, object]
) -> tuple[Any, ...]:
    match tree:
        case ["call", "years", ["item", path], _] if path not in known:
            if _is_birth(study, form, path):
                return ("number", str(age))
    return tuple(
        _aged(study, form, part, age, known) if isinstance(part, list | tuple) else part
        for part in tree
    )


def _is_birth(study: Study, form: Form, path: str) -> bool:
    found = place(study, path) or place(study, f"{form.id}.{path}")
    if found is None:
        return False
    question = found[1].question
    return question.sdtm == "DM.BRTHDTC" or bool(_BIRTH.search(question.id))
