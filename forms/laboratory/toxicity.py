"""The grade a result proposes by the study's table of toxicity. Pure.

A value equal to a bound stays in the milder grade. What depends on a limit of normal that is
not known is proposed only where the value alone decides.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from ecrf.study.laboratory import Analyte, Step, Toxicity
from forms.laboratory.ranges import Reference


class Baseline(NamedTuple):
    """The result grades are compared with, and the range it was judged by."""

    figure: Decimal
    reference: Reference | None

    @property
    def abnormal(self) -> bool | None:
        """Say whether it lay beyond its own range; None when nobody knows."""
        return None if self.reference is None else self.reference.flag(self.figure) == "H"


def grade(
    analyte: Analyte, figure: Decimal, used: Reference | None, baseline: Baseline | None
) -> int | None:
    """Return the highest grade any row proposes, 0 for none, None when it cannot be told."""
    if not analyte.toxicity:
        return None
    found = list(_grades(analyte, figure, used, baseline))
    known = [one for one in found if one is not None]
    if any(known) or (known and len(known) == len(found)):
        return max(known)
    return None


def _grades(
    analyte: Analyte, figure: Decimal, used: Reference | None, baseline: Baseline | None
) -> Iterator[int | None]:
    for row in analyte.toxicity:
        if _counts(row, baseline):
            yield _grade(row, figure, used, baseline)


def _counts(row: Toxicity, baseline: Baseline | None) -> bool:
    """Say whether the row is for a baseline like this one; an unknown one counts as normal."""
    if row.scale == "baseline" and baseline is None:
        return False
    abnormal = baseline is not None and baseline.abnormal is True
    return row.baseline == "any" or (row.baseline == "abnormal") is abnormal


def _grade(
    row: Toxicity, figure: Decimal, used: Reference | None, baseline: Baseline | None
) -> int | None:
    if row.scale == "baseline":
        return _by_baseline(row, figure, baseline)
    limit = None if used is None else used.low if row.side == "low" else used.high
    if row.scale == "limit":
        if limit is None:
            return None
        return 0 if figure <= limit else _step(row, figure, limit)
    if limit is None:
        first = row.steps[0].to
        return None if first is None or _reaches(row, figure, first) else _step(row, figure)
    beyond = figure < limit if row.side == "low" else figure > limit
    return _step(row, figure) if beyond else 0


def _by_baseline(row: Toxicity, figure: Decimal, baseline: Baseline | None) -> int | None:
    if baseline is None or baseline.figure <= 0:
        return None
    begin = (row.start or Decimal(1)) * baseline.figure
    if figure < begin or (figure == begin and not row.including):
        return 0
    return _step(row, figure, baseline.figure)


def _step(row: Toxicity, figure: Decimal, per: Decimal = Decimal(1)) -> int:
    # Bounds are multiplied, not the value divided, so that a bound is met exactly.
    found: Step = next(
        step for step in row.steps if step.to is None or _reaches(row, figure, step.to * per)
    )
    return found.grade


def _reaches(row: Toxicity, figure: Decimal, bound: Decimal) -> bool:
    return figure >= bound if row.side == "low" else figure <= bound
