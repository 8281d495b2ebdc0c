"""Fill a form as a site would: one `Given` per cell, from a profile or the definition."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from ecrf.cli.demonstration.chooser import Chooser
from ecrf.cli.demonstration.profile import Source
from ecrf.study.model import Cell, Form, ItemType, Question, Study
from forms.answers import Given

Sources = Mapping[str, Source]
Given_ = dict[str, Given]
Wanted = Callable[[Cell], bool]
EMPTY = Given("", "", "")
VISIT = "visit"


@dataclass(frozen=True, slots=True)
class Filler:
    """Invents answers for one study; `sources` is a form's part of the profile."""

    study: Study
    choose: Chooser

    def fill(
        self, form: Form, on: date, sources: Sources, wanted: Wanted, visit: str = ""
    ) -> Given_:
        """Return an answer for every cell the profile names, and for the `wanted` ones."""
        given: dict[str, Given] = {}
        for key, cell in form.cells.items():
            source = _source(sources, key)
            if source is None and not wanted(cell):
                continue
            if source is not None and source.by is not None:
                decided = given.get(source.by, EMPTY).text if source.by != VISIT else visit
                source = source.of.get(decided)
            given[key] = self._answer(cell, on, source)
        return {key: answer for key, answer in given.items() if answer != EMPTY}

    def _answer(self, cell: Cell, on: date, source: Source | None) -> Given:
        if source is None:
            return Given(self._usual(cell.question, on), "", "")
        if source.blank:
            return EMPTY
        if source.missing is not None:
            return Given("", "", source.missing)
        return Given(self._from(source, on), source.unit, "")

    def _from(self, source: Source, on: date) -> str:
        if source.value is not None:
            return source.value
        if source.one_of is not None:
            return self.choose.weighted(source.one_of)
        if source.between is not None:
            return self.choose.number(*source.between, source.places)
        if source.born is not None:
            youngest, oldest = source.born
            days = self.choose.within(youngest * 366, oldest * 365)
            return (on - timedelta(days=days)).isoformat()
        first, last = source.day if isinstance(source.day, tuple) else (source.day, source.day)
        day = on + timedelta(days=self.choose.within(first or 0, last or 0))
        return f"{day.isoformat()} {source.time}".strip()

    def _usual(self, question: Question, on: date) -> str:
        """Return what the definition alone suggests."""
        match question.type:
            case ItemType.INTEGER | ItemType.DECIMAL:
                return self._number(question)
            case ItemType.VAS:
                return str(self.choose.within(0, 25))
            case ItemType.DATE | ItemType.PARTIAL_DATE:
                return on.isoformat()
            case ItemType.DATETIME:
                return f"{on.isoformat()} 09:30"
            case ItemType.TIME:
                return "09:30"
            case ItemType.YES_NO:
                return "N"
            case ItemType.CHOICE | ItemType.CHOICES:
                codes = self.study.codelists[question.codes or ""].codes
                return self.choose.of(codes).value
            case ItemType.TEXT:
                return "As in the source"
            case _:
                return ""

    def _number(self, question: Question) -> str:
        limits = question.limits.soft or question.limits.hard
        if limits is None:
            return ""
        low, high = limits
        margin = (high - low) / 4
        places = 0 if question.type is ItemType.INTEGER else min(question.places or 1, 2)
        floor, ceiling = low + margin, high - margin
        if question.type is ItemType.INTEGER or floor >= 10:
            floor, ceiling = Decimal(int(floor) + 1), Decimal(int(ceiling))
        return self.choose.number(floor, max(floor, ceiling), places)


def always(cell: Cell) -> bool:
    """Say whether the definition always asks for the cell."""
    return cell.question.require is True and cell.question.derive is None


def _source(sources: Sources, key: str) -> Source | None:
    _, dot, column = key.partition(".")
    return sources.get(key) or (sources.get(f"*.{column}") if dot else None)
