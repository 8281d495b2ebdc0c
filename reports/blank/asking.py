"""Which pieces a question is answered with on paper. Pure but for its place in this room."""

from collections.abc import Iterator
from decimal import Decimal

from ecrf.kernel.text import T
from ecrf.study.model import Code, ItemType, Question, Study
from forms import choices
from reports.blank.pieces import Piece
from reports.blank.wording import Tongue

COMBS = {
    ItemType.DATE: "YYYY-MM-DD",
    ItemType.PARTIAL_DATE: "YYYY-MM-DD",
    ItemType.TIME: "HH:MM",
    ItemType.DATETIME: "YYYY-MM-DD HH:MM",
}
LONG = "170"
MOST_DIGITS = 6
DEFAULT_DIGITS = 4


def pieces(
    question: Question,
    study: Study,
    tongue: Tongue,
    *,
    coded: bool = False,
    terse: bool = False,
    narrow: bool = False,
) -> list[Piece]:
    """Return what is to be filled in.

    `coded` prints the value of each code behind its label, `terse` the value alone;
    `narrow` keeps to what a cell of a grid has room for.
    """
    if question.derive is not None:
        return [Piece("text", tongue.short(T("computed by the system")))]
    found = list(_asked(question, study, tongue, coded=coded, terse=terse, narrow=narrow))
    return [*found, *_missing(question, study, tongue, terse=narrow or coded)]


def _asked(
    question: Question, study: Study, tongue: Tongue, *, coded: bool, terse: bool, narrow: bool
) -> Iterator[Piece]:
    match question.type:
        case ItemType.CHOICE | ItemType.CHOICES | ItemType.YES_NO:
            for code in choices.options(question, study):
                text = worded(code, tongue, coded=coded, terse=terse)
                yield Piece("tick", text, code.value)
        case ItemType.INTEGER | ItemType.DECIMAL:
            yield Piece("comb", digits(question))
            yield from _units(question)
        case ItemType.VAS:
            yield Piece("scale")
            yield Piece("comb", "999")
        case ItemType.FILE:
            yield Piece("line", LONG)
        case ItemType.TEXT:
            for number in range(1 if narrow else _lines(question)):
                yield Piece("line", LONG, name=f".{number}" if number else "")
        case ItemType.NOTE:
            return
        case dated:
            yield Piece("comb", COMBS[dated])
            if dated is ItemType.PARTIAL_DATE and not narrow:
                yield Piece("text", tongue.short(T("unknown part: UN")))


def worded(code: Code, tongue: Tongue, *, coded: bool, terse: bool) -> str:
    """Return what stands behind the box of a code."""
    if terse:
        return code.value
    label = tongue.short(code.label)
    return f"{label} [{code.value}]" if coded else label


def digits(question: Question) -> str:
    """Return the comb of a number: as many boxes as its limits and places need."""
    ends = question.limits.hard or question.limits.soft
    whole = DEFAULT_DIGITS
    if ends is not None:
        whole = min(len(str(int(max(abs(ends[0]), abs(ends[1]))))), MOST_DIGITS)
    signed = "±" if ends is not None and ends[0] < Decimal(0) else ""
    places = question.places if question.type is ItemType.DECIMAL else 0
    if places is None:
        places = 2
    return signed + "9" * whole + ("." + "9" * places if places else "")


def _units(question: Question) -> Iterator[Piece]:
    if len(question.units) == 1:
        yield Piece("text", question.units[0].name)
    elif question.units:
        for unit in question.units:
            yield Piece("tick", unit.name, unit.name, name=".unit")


def _missing(
    question: Question, study: Study, tongue: Tongue, *, terse: bool
) -> Iterator[Piece]:
    known = study.codelists.get(study.missing_reasons)
    labels = {code.value: code for code in known.codes} if known else {}
    reasons = [labels[value] for value in question.missing if value in labels]
    if reasons:
        yield Piece("break")
    for code in reasons:
        text = code.value if terse else f"{code.value} {tongue.short(code.label)}"
        yield Piece("tick", text, code.value, name=".missing")


def _lines(question: Question) -> int:
    return 1 if question.max_length <= 100 else 2 if question.max_length <= 400 else 4
