"""Reference ranges as a CSV table: read, with every line that is wrong named. Pure.

Columns: laboratory, site, analyte, sex, age_from, age_to, starts_on, low, high, unit, source.
Empty laboratory, site and sex mean any. Bounds may be given in any unit of the analyte.
"""

import csv
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from ecrf.kernel.errors import Problem
from ecrf.kernel.text import T, Text
from ecrf.study.model import Question, Study
from ecrf.study.shipped import SHIPPED
from forms.dates import whole
from forms.laboratory.ranges import UNVERIFIED, Range
from forms.numbers import read as figure
from forms.numbers import unit as unit_of

COLUMNS = (
    "laboratory", "site", "analyte", "sex", "age_from", "age_to", "starts_on", "low", "high",
    "unit", "source",
)  # fmt: skip
NEEDED = ("analyte", "starts_on", "low", "high")
MOST = 20_000


class Read(NamedTuple):
    """The ranges of a table, and what is wrong with its lines; with problems none counts."""

    ranges: tuple[Range, ...]
    problems: tuple[Problem, ...]


class _Wrong(Exception):
    def __init__(self, message: Text) -> None:
        super().__init__(str(message))
        self.message = message


def illustrative() -> Path:
    """Return the table of illustrative ranges that is shipped, for a study to begin with."""
    return SHIPPED / "library" / "ranges.csv"


def read(lines: Iterable[str], study: Study, *, lenient: bool = False) -> Read:
    """Read a table; `lenient` passes over analytes the study has not."""
    rows = csv.DictReader(lines)
    missing = [name for name in NEEDED if name not in (rows.fieldnames or ())]
    if missing:
        message = T("The table has no column {names}.", names=", ".join(missing))
        return Read((), (Problem("1", message),))
    found, problems = [], []
    known = study.laboratory.by_id if study.laboratory else {}
    for row in islice(rows, MOST):
        cells = {name: (row.get(name) or "").strip() for name in COLUMNS}
        if lenient and cells["analyte"] not in known:
            continue
        try:
            found.append(_range(cells, study))
        except _Wrong as wrong:
            problems.append(Problem(str(rows.line_num), wrong.message))
    if next(rows, None) is not None:
        problems.append(Problem(str(MOST), T("The table has more than {n} lines.", n=MOST)))
    return Read(() if problems else tuple(found), tuple(problems))


def _range(cells: Mapping[str, str], study: Study) -> Range:
    question = _question(cells["analyte"], study)
    low, high = (_bound(question, cells, name) for name in ("low", "high"))
    if low is None and high is None:
        raise _Wrong(T("There is neither a lower nor an upper limit."))
    if low is not None and high is not None and low > high:
        raise _Wrong(T("The lower limit is above the upper one."))
    site, sex = cells["site"], cells["sex"].upper()
    if site and site not in {known.code for known in study.sites}:
        raise _Wrong(T("There is no site {site}.", site=site[:40]))
    if sex not in ("", "F", "M"):
        raise _Wrong(T("The sex is F, M or empty, not {sex}.", sex=sex[:10]))
    return Range(
        0, site, cells["laboratory"][:80], cells["analyte"], sex, _age(cells["age_from"]),
        _age(cells["age_to"]), _day(cells["starts_on"]), low, high,
        UNVERIFIED if cells["source"] == UNVERIFIED else "laboratory",
    )  # fmt: skip


def _question(analyte: str, study: Study) -> Question:
    found = study.laboratory.by_id.get(analyte) if study.laboratory else None
    form = study.forms.get(found.form) if found else None
    if found is None or form is None:
        raise _Wrong(T("There is no analyte {name} in this study.", name=analyte[:40] or "–"))
    return form.cells[found.key].question


def _bound(question: Question, cells: Mapping[str, str], name: str) -> Decimal | None:
    if not cells[name]:
        return None
    # The limits of an answer are no limits of a range: only its unit and its digits count.
    bare = question.model_copy(update={"limits": type(question.limits)(), "places": None})
    measured = unit_of(question.label, bare, cells["unit"])
    if isinstance(measured, Text):
        raise _Wrong(measured)
    found = figure(question.label, bare, cells[name], measured)
    if isinstance(found, Decimal):
        return found
    raise _Wrong(found)


def _age(text: str) -> int | None:
    if not text:
        return None
    if not text.isdecimal() or len(text) > 3:
        raise _Wrong(T("An age is in completed years, such as 60, not {text}.", text=text[:20]))
    return int(text)


def _day(text: str) -> date:
    found = whole(T("starts_on"), text)
    if isinstance(found, str):
        return date.fromisoformat(found)
    raise _Wrong(found)
