"""What the page says of a laboratory result: the range used, the flag, the grade."""

from collections.abc import Mapping

from ecrf.kernel.text import Message, T, Text
from ecrf.study.model import Cell
from forms.answers import Answer
from forms.context import Sheet
from forms.laboratory import ranges

FLAGS: Mapping[object, Message] = {
    "L": T("▼ low"),
    "N": T("within the range"),
    "H": T("▲ high"),
}


def said(sheet: Sheet, cell: Cell, answer: Answer) -> Text | None:
    """Return how a result was judged; None for what is no result or was not judged."""
    used = ranges.read(answer.reference)
    if used is None:
        return None
    flag, grade = (sheet.value(f"range.{cell.key}.{part}") for part in ("flag", "grade"))
    origin: Text = T("from {day}", day=used.starts_on.isoformat())
    if used.source == ranges.UNVERIFIED:
        origin = T("illustrative, unverified")
    judged = T(
        "{flag}, range {span} {unit} ({laboratory}{origin})",
        flag=FLAGS[flag], span=used.span, unit=cell.question.unit or "",
        laboratory=f"{used.laboratory}, " if used.laboratory else "", origin=origin,
    )  # fmt: skip
    return T("{judged}; CTCAE grade {n} proposed", judged=judged, n=grade) if grade else judged
