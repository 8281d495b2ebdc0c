"""Which reference range applies to a result, and what was used of it. Pure.

A range belongs to a laboratory of a site, to any laboratory of a site, or to any site; the
closest that has one for the analyte decides. Among those that fit the sex, the age and the date
the newest counts. A result keeps the range it was judged by (`Reference`): correcting a range
later alters no result by itself.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

from ecrf.study.functions import completed_months
from ecrf.study.values import Days, plain

UNVERIFIED = "unverified"


class Range(NamedTuple):
    """One reference range in the canonical unit; empty places and sexes mean any.

    `age_from` is in completed years and included, `age_to` is not.
    """

    id: int
    site: str
    laboratory: str
    analyte: str
    sex: str
    age_from: int | None
    age_to: int | None
    starts_on: date
    low: Decimal | None
    high: Decimal | None
    source: str


class Sample(NamedTuple):
    """Where and when a sample was measured, and of whom; `birth` may be known in part."""

    site: str
    laboratory: str
    sex: str
    birth: Days | None
    on: date


class Reference(NamedTuple):
    """The range a result was judged by, as it is kept with the answer."""

    id: int
    low: Decimal | None
    high: Decimal | None
    starts_on: date
    laboratory: str
    source: str

    def text(self) -> str:
        parts = (self.id, _bound(self.low), _bound(self.high), self.starts_on, self.source)
        return "|".join(map(str, (*parts, self.laboratory)))

    @property
    def span(self) -> str:
        """Return the limits as people write them: 9–50, ≤ 26, ≥ 90."""
        if self.low is None:
            return "" if self.high is None else f"≤ {plain(self.high)}"
        if self.high is None:
            return f"≥ {plain(self.low)}"
        return f"{plain(self.low)}–{plain(self.high)}"

    def flag(self, figure: Decimal) -> str:
        """Return L, N or H; a limit itself is within the range."""
        if self.low is not None and figure < self.low:
            return "L"
        return "H" if self.high is not None and figure > self.high else "N"


Ranges = Mapping[str, Sequence[Range]]
"""The ranges in force by analyte."""


def by_analyte(ranges: Iterable[Range]) -> Ranges:
    found: dict[str, list[Range]] = {}
    for known in ranges:
        found.setdefault(known.analyte, []).append(known)
    return found


def reference(ranges: Ranges, analyte: str, sample: Sample) -> Reference | None:
    """Return the range that applies to a sample, or None."""
    found = [known for known in ranges.get(analyte, ()) if _fits(known, sample)]
    if not found:
        return None
    best = max(
        found, key=lambda r: (bool(r.laboratory), bool(r.site), r.starts_on, r.sex, r.id)
    )
    return Reference(best.id, best.low, best.high, best.starts_on, best.laboratory, best.source)


def read(text: str) -> Reference | None:
    """Return the reference kept with an answer; None when there is none."""
    parts = text.split("|", 5)
    if len(parts) != 6:
        return None
    number, low, high, starts_on, source, laboratory = parts
    return Reference(
        int(number), _figure(low), _figure(high), date.fromisoformat(starts_on), laboratory,
        source,
    )  # fmt: skip


def same_name(one: str, other: str) -> bool:
    """Say whether two spellings name one laboratory: case and blanks make no difference."""
    return "".join(one.split()).casefold() == "".join(other.split()).casefold()


def _fits(known: Range, sample: Sample) -> bool:
    return (
        known.site in ("", sample.site)
        and (not known.laboratory or same_name(known.laboratory, sample.laboratory))
        and known.starts_on <= sample.on
        and known.sex in ("", sample.sex)
        and _in_band(known, sample)
    )


def _in_band(known: Range, sample: Sample) -> bool:
    """Say whether the age is in the band for certain, however much of the birth is known."""
    if known.age_from is None and known.age_to is None:
        return True
    if sample.birth is None:
        return False
    ages = [
        completed_months(born, sample.on) // 12
        for born in (sample.birth.first, sample.birth.last)
    ]
    return (known.age_from or 0) <= min(ages) and (
        known.age_to is None or max(ages) < known.age_to
    )


def _bound(figure: Decimal | None) -> str:
    return "" if figure is None else plain(figure)


def _figure(text: str) -> Decimal | None:
    try:
        return Decimal(text) if text else None
    except InvalidOperation:
        return None
