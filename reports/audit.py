"""The audit appendix and the page of signatures of a casebook, as tables of plain strings."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from reportlab.platypus import Flowable

from ecrf.kernel.access import TITLES
from ecrf.kernel.text import Message, T
from forms.deeds import ACTIONS, WAYS
from forms.history import Line
from reports import say
from reports.book import Filled, Signed
from reports.outline import Mark
from reports.paper import Lines, heading, space, table
from reports.trail import Place, Told, Trail

HEADER = (T("No."), T("When, who"), T("What"), T("Before → after"), T("Reason"))
WIDTHS = (1, 4, 4, 5, 3)
SIGNED = (T("Form"), T("Printed name"), T("Time"), T("Meaning"), T("Hash"), T("State"))
SIGNED_WIDTHS = (4, 3, 4, 4, 3, 3)
PREFIX = 12
"""So many signs of the hash of what was signed are printed."""

Say = Callable[[Message], str]


def signatures(
    title: str, signed: Sequence[tuple[str, Signed]], locale: str
) -> Iterator[Flowable]:
    """Yield the page of all signatures."""
    yield from heading(title, 14)
    yield table(list(manifest(signed, locale)), SIGNED_WIDTHS)


def trail(
    title: str,
    entries: Sequence[tuple[Place, Filled, str]],
    told: Trail,
    locale: str,
    zone: str,
) -> Iterator[Flowable]:
    """Yield every act, form by form; what is about no filled form comes last."""
    yield from heading(title, 14)
    yield Lines(T("No. is the act's place in the participant's ledger.").in_(locale))
    known = {place for place, _, _ in entries}
    above = [(place, None, _above(place)) for place in told if place not in known]
    for place, filled, name in (*entries, *above):
        if place in told:
            yield space(10)
            yield Mark(name, 1)
            yield from heading(name, 10)
            yield table(list(rows(told[place], filled, locale, zone)), WIDTHS)


def _above(place: Place) -> str:
    """Return what an act on no filled form is about."""
    return " ".join(part for part in (place.visit, place.form.upper()) if part) or "–"


def rows(
    told: Sequence[Told], filled: Filled | None, locale: str, zone: str
) -> Iterator[list[str]]:
    """Yield the acts on one form; when and who stand at an act's first line."""

    def said(text: Message) -> str:
        return text.in_(locale)

    yield [said(title) for title in HEADER]
    for act in told:
        for at, line in enumerate(act.lines):
            who = "" if at else _who(line, said, zone)
            values = (
                said(T("masked")) if line.item in act.masked else _values(line, filled, locale)
            )
            reason = line.reason if not at or line.reason != act.lines[0].reason else ""
            yield [str(act.seq), who, _what(line, filled, locale), values, reason]


def manifest(entries: Sequence[tuple[str, Signed]], locale: str) -> Iterator[list[str]]:
    """Yield a line for every signature: which form, who, when, meaning what, if it stands."""
    yield [title.in_(locale) for title in SIGNED]
    for place, signed in entries:
        meaning = signed.meaning_zh if locale == "zh" else signed.meaning_en
        who = f"{signed.name}\n{TITLES[signed.role].in_(locale)}"
        when = say.moment(signed.at, signed.zone)
        yield [
            place,
            who,
            when,
            meaning,
            signed.content_hash[:PREFIX],
            state(signed).in_(locale),
        ]


def state(signed: Signed) -> Message:
    """Say whether the signature still stands."""
    return T("stands") if signed.stands else T("broken by a later change")


def _who(line: Line, said: Say, zone: str) -> str:
    role = f" ({said(TITLES[line.role])})" if line.role else ""
    name = f"{line.name}{role}" if line.name else said(T("the system"))
    way = WAYS.get(line.origin)
    return f"{say.moment(line.at, zone)}\n{name}\n{said(way) if way else line.origin}"


def _what(line: Line, filled: Filled | None, locale: str) -> str:
    action = ACTIONS.get(line.action)
    what = action.in_(locale) if action else line.action
    if line.derived and line.new is not None:
        what = T("Computed").in_(locale)
    if not line.item:
        return what
    cell = filled.form.cells.get(line.item) if filled else None
    label = say.called(cell, locale) if cell else line.item
    return f"{what}: {label}"


def _values(line: Line, filled: Filled | None, locale: str) -> str:
    if line.old is None and line.new is None:
        return ""
    return " → ".join(_answer(part, line.item, filled, locale) for part in (line.old, line.new))


def _answer(part: object, item: str, filled: Filled | None, locale: str) -> str:
    """Return an answer in words; what is no answer, such as a date of a visit, as it stands."""
    if part is None:
        return "–"
    if not isinstance(part, Mapping):
        return str(part)
    cell = filled.form.cells.get(item) if filled else None
    if filled is None or cell is None:
        return str(part.get("text") or part.get("value") or part.get("missing") or "–")
    return say.answer(filled.study, cell.question, part, locale) or "–"
