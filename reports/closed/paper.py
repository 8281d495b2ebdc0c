"""A closed report as a PDF: every page says that it is confidential, for whom and when.

Import it where a report is printed and nowhere earlier: the PDF library is slow to load.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from reportlab.lib.colors import HexColor
from reportlab.platypus import Flowable

from ecrf.kernel.text import Message, T
from reports import paper
from reports.closed import plot
from reports.paper import BODY, Head, Lines, heading, space, table

WATERMARK = T("CONFIDENTIAL – UNBLINDED")
COLOURS = ("#1d4f91", "#b4500f", "#3d6b21", "#6f2d91")
DASHES: tuple[tuple[int, ...], ...] = ((), (5, 2), (1, 2), (7, 2, 1, 2))
LEFT, BELOW, HIGH = 34.0, 16.0, 170.0


class Taken(NamedTuple):
    """Who takes the report, when, and what identifies it."""

    number: int
    digest: str
    person: str
    at: str
    locale: str


def draw(report: dict[str, Any], taken: Taken) -> bytes:
    """Return the PDF."""
    paper.fonts()
    title = _say(T("Closed report {n}", n=taken.number), taken)
    pages = _say(T("Page {page} of {pages}", page="{page}", pages="{pages}"), taken)
    name = f"{report['registry']} · {report['title'][taken.locale]}"
    until = T("Data up to {day}", day=report["cut_off"])
    under = f"{_say(WATERMARK, taken)} · {title} · {_say(until, taken)}"
    printed = T("Printed by {name} at {at}", name=taken.person, at=taken.at)
    foot = f"{_say(printed, taken)}\nSHA-256 {taken.digest}"
    story = [*_story(report, taken, title)]
    water = _say(WATERMARK, taken)
    return paper.document(f"{report['study']} {taken.number}", Head(name, pages, under), story,
                          foot, water)  # fmt: skip


def _story(report: dict[str, Any], taken: Taken, title: str) -> Iterator[Flowable]:
    yield from heading(title, 16)
    yield space()
    rows = [
        [_say(T("Data up to"), taken), report["cut_off"]],
        [
            _say(T("Made"), taken),
            f"{report['made_at'][:16].replace('T', ' ')} UTC · {report['made_by']}",
        ],
        [_say(T("Definition"), taken), report["definition"]],
        [_say(T("Randomization list"), taken), str(report["list_version"])],
        [_say(T("Ledger of the data"), taken), report["data"]],
    ]
    yield table(rows, (2, 5), header=False)
    columns = [f"{arm['label'][taken.locale]}\nN = {arm['n']}" for arm in report["arms"]]
    columns.append(_say(T("All"), taken))
    for part in report["tables"]:
        yield space(12)
        yield from heading(part["title"][taken.locale], 12)
        yield space(4)
        lines = [["", *columns], *(_row(line, taken) for line in part["lines"])]
        yield table(lines, (3, *(2 for _ in columns)))
        if part["note"]:
            yield space(3)
            yield Lines(part["note"][taken.locale], 7.5)
    if report["curve"]:
        yield space(12)
        yield from heading(_say(T("Share without an event (Kaplan–Meier)"), taken), 12, 260)
        yield _Curve(report, columns[:-1])
        yield from _at_risk(report, taken)


def _row(line: dict[str, Any], taken: Taken) -> list[str]:
    indent = "   " * line["level"]
    return [f"{indent}{line['label'][taken.locale]}", *line["cells"]]


def _at_risk(report: dict[str, Any], taken: Taken) -> Iterator[Flowable]:
    curve = report["curve"]
    head = [_say(T("At risk on day"), taken), *map(str, curve["marks"])]
    rows = [
        [arm["label"][taken.locale], *map(str, drawn["at_risk"])]
        for arm, drawn in zip(report["arms"], curve["arms"], strict=True)
    ]
    yield space(6)
    yield table([head, *rows], (3, *(1 for _ in curve["marks"])))


def _say(text: Message, taken: Taken) -> str:
    return text.in_(taken.locale)


class _Curve(Flowable):  # type: ignore[misc]
    """The curves of all arms, apart by colour and by dash, with a legend."""

    def __init__(self, report: dict[str, Any], names: Sequence[str]) -> None:
        super().__init__()
        self._curve, self._names = report["curve"], names

    def wrap(self, _width: float, _height: float) -> tuple[float, float]:
        return BODY, HIGH + BELOW + 14 * len(self._names) + 8

    def draw(self) -> None:
        canvas, curve = self.canv, self._curve
        frame = plot.Frame(BODY - LEFT - 6, HIGH, down=False)
        canvas.saveState()
        canvas.translate(LEFT, BELOW + 14 * len(self._names))
        canvas.setFont(paper.REGULAR, 7)
        self._axes(frame)
        for n, drawn in enumerate(curve["arms"]):
            canvas.setStrokeColor(HexColor(COLOURS[n % len(COLOURS)]))
            canvas.setDash(*([DASHES[n % len(DASHES)]] if DASHES[n % len(DASHES)] else []))
            canvas.setLineWidth(1.2)
            points = plot.line(drawn, curve["last"], frame)
            for (x, y), (to_x, to_y) in pairwise(points):
                canvas.line(x, y, to_x, to_y)
            canvas.setDash()
            for x, y in plot.censored(drawn, curve["last"], frame):
                canvas.line(x, y - 2.5, x, y + 2.5)
            below = -BELOW - 10 - 14 * n
            canvas.setDash(*([DASHES[n % len(DASHES)]] if DASHES[n % len(DASHES)] else []))
            canvas.line(0, below + 2.5, 26, below + 2.5)
            canvas.setDash()
            canvas.setFillColor(paper.INK)
            canvas.drawString(32, below, paper.printable(self._names[n].replace("\n", ", ")))
        canvas.restoreState()

    def _axes(self, frame: plot.Frame) -> None:
        canvas, last = self.canv, self._curve["last"]
        canvas.setStrokeColor(paper.LINE)
        canvas.setFillColor(paper.INK)
        canvas.setLineWidth(0.4)
        for tenth in range(0, 11, 2):
            _, y = frame.at(0, tenth / 10, last)
            canvas.line(0, y, frame.width, y)
            canvas.drawRightString(-5, y - 2.5, f"{tenth / 10:.1f}")
        for day in self._curve["marks"]:
            x, _ = frame.at(day, 0, last)
            canvas.line(x, 0, x, -3)
            canvas.drawCentredString(x, -11, str(day))
