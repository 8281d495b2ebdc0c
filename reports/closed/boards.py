"""The tables of a closed report: from records and arms to counts. Pure.

Every table has a column for each arm, in the order given, and one for everybody.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from ecrf.kernel.text import T, Text
from ecrf.study.closed import Ending
from ecrf.study.model import ItemType, Question, Study
from ecrf.study.values import number
from forms.answers import NUMBERS
from reports.closed import cells
from reports.closed.layout import Board, Line
from reports.closed.records import Adverse, End, Record

MOST_TERMS = 60
GRADES = range(5)


class Groups(NamedTuple):
    """The records of each arm, in the order of the columns."""

    arms: tuple[tuple[Record, ...], ...]

    @property
    def columns(self) -> tuple[tuple[Record, ...], ...]:
        return (*self.arms, tuple(record for arm in self.arms for record in arm))

    def shares(self, is_so: Callable[[Record], bool]) -> list[str]:
        """Return, for each column, how many records something is so of."""
        return [cells.share(sum(map(is_so, group)), len(group)) for group in self.columns]

    def counts(self, count: Callable[[Record], int]) -> list[str]:
        return [str(sum(map(count, group))) for group in self.columns]

    def said(
        self, say: Callable[[Sequence[Decimal]], str], of: Callable[[Record], Decimal | None]
    ) -> list[str]:
        """Return what is said of the known values of each column."""
        return [
            say([value for record in group if (value := of(record)) is not None])
            for group in self.columns
        ]


def disposition(study: Study, groups: Groups) -> Board:
    rule = study.closed
    lines = [
        Line(T("Randomized"), [str(len(group)) for group in groups.columns]),
        Line(T("Treated"), groups.shares(lambda r: r.treated)),
        Line(T("Not treated"), groups.shares(lambda r: not r.treated)),
    ]
    if rule and rule.treatment:
        words = (T("Treatment completed"), T("Treatment stopped early"), T("Under treatment"))
        lines += _ending(study, rule.treatment, groups, words, lambda r: r.treatment)
    if rule and rule.study:
        words = (T("Study completed"), T("Study left early"), T("In the study"))
        lines += _ending(study, rule.study, groups, words, lambda r: r.study)
    lines.append(Line(T("Code broken"), groups.shares(lambda r: r.broken)))
    return Board("disposition", T("Disposition"), lines)


def _ending(
    study: Study, rule: Ending, groups: Groups, words: tuple[Text, Text, Text],
    end: Callable[[Record], End | None],
) -> Iterator[Line]:  # fmt: skip
    def reason(record: Record) -> str:
        found = end(record)
        return "" if found is None else found.reason

    completed = frozenset(rule.completed)
    yield Line(words[0], groups.shares(lambda r: reason(r) in completed))
    yield Line(words[1], groups.shares(lambda r: bool({reason(r)} - completed - {""})))
    seen = {reason(r) for r in groups.columns[-1]} - completed - {""}
    question = study.forms[rule.form].cells[rule.reason].question
    for code, label in _codes(study, question):
        if code in seen:
            yield Line(label, groups.shares(lambda r, code=code: reason(r) == code), 1)  # type: ignore[misc]
    yield Line(words[2], groups.shares(lambda r: reason(r) == ""))


def baseline(study: Study, groups: Groups) -> Board | None:
    paths = study.closed.baseline if study.closed else ()
    lines: list[Line] = [
        Line(study_site(study, code), groups.shares(lambda r, code=code: r.site == code), 1)  # type: ignore[misc]
        for code in (site.code for site in study.sites)
    ]
    lines.insert(0, Line(T("Site"), [""] * len(groups.columns)))
    for at, path in enumerate(paths):
        _, form, item = path.split(".", 2)
        lines += _described(study, study.forms[form].cells[item].question, groups, at)
    return Board("baseline", T("Demographics and baseline"), lines)


def study_site(study: Study, code: str) -> Text:
    return next(site.name for site in study.sites if site.code == code)


def _described(study: Study, question: Question, groups: Groups, at: int) -> Iterator[Line]:
    if question.type in NUMBERS:

        def value(record: Record) -> Decimal | None:
            return number(record.baseline[at]) if record.baseline[at] else None

        label: Text = question.label
        if question.unit:
            label = T("{label} ({unit})", label=question.label, unit=question.unit)
        yield Line(label, groups.said(lambda known: str(len(known)), value))
        yield Line(T("Mean (SD)"), groups.said(cells.mean, value), 1)
        yield Line(T("Median (lowest – highest)"), groups.said(cells.middle, value), 1)
        return
    yield Line(question.label, groups.counts(lambda r: bool(r.baseline[at])))
    for code, text in _codes(study, question):
        if any(record.baseline[at] == code for record in groups.columns[-1]):
            same = groups.shares(lambda r, code=code: r.baseline[at] == code)  # type: ignore[misc]
            yield Line(text, same, 1)


def exposure(study: Study, groups: Groups) -> Board:
    units = study.supply.units_per_kit if study.supply else 0
    lines = [
        Line(T("Visits held since randomization"), groups.counts(lambda r: r.visits)),
        Line(T("Kits handed out"), groups.counts(lambda r: r.kits)),
        Line(T("Kits a participant, mean (SD)"),
             groups.said(cells.mean, lambda r: Decimal(r.kits)), 1),
    ]  # fmt: skip
    if units:
        lines.append(Line(T("Units handed out"), groups.counts(lambda r: r.kits * units), 1))
    if study.closed and study.closed.first_dose and study.closed.treatment:
        lines.append(Line(T("Days of treatment, where ended"), groups.said(
            lambda known: str(len(known)), _days)))  # fmt: skip
        lines.append(Line(T("Mean (SD)"), groups.said(cells.mean, _days), 1))
        lines.append(Line(T("Median (lowest – highest)"), groups.said(cells.middle, _days), 1))
    return Board("exposure", T("Exposure and dispensing"), lines)


def _days(record: Record) -> Decimal | None:
    last = record.treatment.on if record.treatment else None
    if record.first_dose is None or last is None:
        return None
    return Decimal((last - record.first_dose).days + 1)


def adverse(study: Study, groups: Groups) -> tuple[Board, ...]:
    rule = study.closed.events if study.closed else None
    if rule is None:
        return ()
    kinds: tuple[tuple[Text, Callable[[Adverse], bool]], ...] = (
        (T("Any adverse event"), lambda _: True),
        (T("Serious"), lambda e: e.serious),
        (T("Grade {n} or higher", n=rule.severe), lambda e: e.grade >= rule.severe),
        (T("Related to the treatment"), lambda e: e.related),
        (T("Serious and related"), lambda e: e.serious and e.related),
    )
    lines = []
    for label, is_so in kinds:
        lines.append(Line(label, groups.shares(_any(is_so))))
        lines.append(Line(T("Events"), groups.counts(_sum(is_so)), 1))
    if study.closed and study.closed.death:
        lines.append(Line(T("Deaths"), groups.shares(lambda r: r.died)))
    note = T("Participants with at least one event that began after the randomization.")
    overview = Board("adverse events", T("Adverse events"), lines, note)
    return overview, _terms(groups)


def _terms(groups: Groups) -> Board:
    """Return the events by their words, the most frequent first; no dictionary is used."""
    found: Counter[str] = Counter()
    for record in groups.columns[-1]:
        found.update({term(event) for event in record.adverse})
    ordered = sorted(found, key=lambda name: (-found[name], name))
    lines = [
        Line(name, groups.shares(_any(lambda e, name=name: term(e) == name)))  # type: ignore[misc]
        for name in ordered[:MOST_TERMS]
    ]
    note = None
    if len(ordered) > MOST_TERMS:
        note = T("The {n} most frequent of {all} terms.", n=MOST_TERMS, all=len(ordered))
    return Board("terms", T("Adverse events by term, as reported"), lines, note)


def term(event: Adverse) -> str:
    """Return the words of an event without regard to case and blanks."""
    return " ".join(event.term.split()).lower()


def _any(is_so: Callable[[Adverse], bool]) -> Callable[[Record], bool]:
    return lambda record: any(map(is_so, record.adverse))


def _sum(is_so: Callable[[Adverse], bool]) -> Callable[[Record], int]:
    return lambda record: sum(map(is_so, record.adverse))


def shifts(study: Study, groups: Groups) -> tuple[Board, ...]:
    """Return, for each analyte, the worst grade after treatment by the grade before it."""
    rule = study.closed
    if rule is None or study.laboratory is None:
        return ()
    boards = []
    for name in rule.laboratory:
        analyte = study.laboratory.by_id[name]
        label = study.forms[analyte.form].cells[analyte.key].question.label
        title = T("Laboratory: {analyte}, worst CTCAE grade", analyte=label)
        boards.append(Board(f"laboratory {name}", title, [*_grades(groups, name)]))
    return tuple(boards)


def _grades(groups: Groups, analyte: str) -> Iterator[Line]:
    for first in (*GRADES, None):
        begun = [
            tuple(r for r in group if r.shifts[analyte].first == first)
            for group in groups.columns
        ]
        if not begun[-1]:
            continue
        label = T("Grade not known before") if first is None else T("Grade {n} before", n=first)
        yield Line(label, [str(len(group)) for group in begun])
        for worst in (*GRADES, None):
            some = [sum(r.shifts[analyte].worst == worst for r in group) for group in begun]
            if some[-1]:
                after = T("then not measured") if worst is None else T("then {n}", n=worst)
                wholes = [len(group) for group in begun]
                yield Line(after, list(map(cells.share, some, wholes)), 1)


def _codes(study: Study, question: Question) -> list[tuple[str, Text]]:
    listed = study.codelists.get(question.codes or "")
    if listed is None:
        yes_no = question.type is ItemType.YES_NO
        return [("Y", T("Yes")), ("N", T("No"))] if yes_no else []
    return [(code.value, code.label) for code in listed.codes]


def split(records: Sequence[Record], arms: Mapping[str, str], order: Sequence[str]) -> Groups:
    """Return the records by arm; who has no arm is nobody's."""
    return Groups(
        tuple(tuple(r for r in records if arms.get(r.code) == arm) for arm in order)
    )  # fmt: skip
