"""Paper for documents: fonts, wrapped text, tables of plain strings, numbered pages.

A sign the font does not have is printed as its code point, never left blank. Documents are the
same bytes when they say the same.
"""

import io
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from reportlab.lib.colors import Color, HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    CondPageBreak,
    Flowable,
    Frame,
    LongTable,
    PageBreak,
    PageTemplate,
    Spacer,
    TableStyle,
)

from reports import outline

REGULAR, BOLD = "NotoSansSC", "NotoSansSC-Bold"
SIZE, LEADING = 8.5, 11.5
WIDTH, HEIGHT = A4
MARGIN, TOP, BOTTOM = 16 * mm, 34 * mm, 14 * mm
BODY = WIDTH - 2 * MARGIN
PAD = 3.0
BELOW = 90.0
INK, QUIET, LINE, SHADE = map(HexColor, ("#0b0c0c", "#505a5f", "#b1b4b6", "#f3f2f1"))
WATER = Color(0.6, 0.1, 0.4, alpha=0.12)
WATER_SIZE, WATER_LONGEST = 80, 720


class Head(NamedTuple):
    """The two lines at the top of a page; `{page}` and `{pages}` are put in at the end."""

    left: str
    right: str
    under: str


@cache
def fonts() -> None:
    """Make the fonts known, once per process."""
    folder = files("reports") / "fonts"
    for name, file in ((REGULAR, "NotoSansSC-Regular.ttf"), (BOLD, "NotoSansSC-Bold.ttf")):
        data = (folder / file).read_bytes()
        pdfmetrics.registerFont(TTFont(name, io.BytesIO(data)))


@cache
def _known(font: str) -> frozenset[int]:
    return frozenset(pdfmetrics.getFont(font).face.charToGlyph)


def printable(text: str, font: str = REGULAR) -> str:
    """Return the text with every sign the font lacks as its code point."""
    known = _known(font)
    return "".join(
        sign if ord(sign) in known or sign == "\n" else f"[U+{ord(sign):04X}]" for sign in text
    )


def wrap(text: str, width: float, font: str = REGULAR, size: float = SIZE) -> list[str]:
    """Break text into lines no wider than `width`: at blanks, or between Chinese signs."""
    lines: list[str] = []
    for paragraph in printable(text.replace("\t", " ").replace("\r", ""), font).split("\n"):
        lines += _broken(paragraph, width, font, size)
    return lines


def _broken(text: str, width: float, font: str, size: float) -> list[str]:
    lines, start, blank, used = [], 0, -1, 0.0
    at = 0
    while at < len(text):
        step = pdfmetrics.stringWidth(text[at], font, size)
        if used + step > width and at > start:
            end = blank if blank > start and ord(text[at]) < 0x2E80 else at
            lines.append(text[start:end].rstrip())
            start = at = end + (text[end] == " ")
            blank, used = -1, 0.0
            continue
        if text[at] == " ":
            blank = at
        elif ord(text[at]) >= 0x2E80:
            blank = -1
        used += step
        at += 1
    return [*lines, text[start:]]


def cell(text: str, width: float, *, bold: bool = False) -> str:
    return "\n".join(wrap(text, width - 2 * PAD, BOLD if bold else REGULAR))


def table(
    rows: Sequence[Sequence[str]],
    widths: Sequence[float],
    *,
    header: bool = True,
    shaded: Sequence[int] = (),
) -> Flowable:
    """Return a table of plain strings; `widths` are shares of the page's width."""
    total = sum(widths)
    points = [BODY * width / total for width in widths]
    cells = [
        [cell(text, points[at], bold=header and y == 0) for at, text in enumerate(row)]
        for y, row in enumerate(rows)
    ]
    style: list[tuple[Any, ...]] = [
        ("FONT", (0, 0), (-1, -1), REGULAR, SIZE, LEADING),
        ("TEXTCOLOR", (0, 0), (-1, -1), INK),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, LINE),
        ("LEFTPADDING", (0, 0), (-1, -1), PAD),
        ("RIGHTPADDING", (0, 0), (-1, -1), PAD),
        ("TOPPADDING", (0, 0), (-1, -1), 2),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
        *(("BACKGROUND", (0, row), (-1, row), SHADE) for row in shaded),
    ]
    if header:
        style += [
            ("FONT", (0, 0), (-1, 0), BOLD, SIZE, LEADING),
            ("LINEBELOW", (0, 0), (-1, 0), 1, INK),
        ]
    return LongTable(
        cells, points, repeatRows=1 if header else 0, style=TableStyle(style), hAlign="LEFT",
        splitInRow=1,
    )  # fmt: skip


class Lines(Flowable):  # type: ignore[misc]
    """A paragraph of wrapped lines."""

    def __init__(self, text: str, size: float = SIZE, *, bold: bool = False) -> None:
        super().__init__()
        self._font, self._size = BOLD if bold else REGULAR, size
        self._lines = wrap(text, BODY, self._font, size)

    def wrap(self, width: float, _height: float) -> tuple[float, float]:
        return width, len(self._lines) * self._size * 1.4

    def split(self, _width: float, height: float) -> list["Lines"]:
        fit = int(height // (self._size * 1.4))
        if fit < 1 or fit >= len(self._lines):
            return []
        return [self._part(self._lines[:fit]), self._part(self._lines[fit:])]

    def _part(self, lines: list[str]) -> "Lines":
        made = Lines("", self._size, bold=self._font == BOLD)
        made._lines = lines
        return made

    def draw(self) -> None:
        self.canv.setFillColor(INK)
        self.canv.setFont(self._font, self._size)
        for number, line in enumerate(self._lines, start=1):
            up = (len(self._lines) - number) * self._size * 1.4
            self.canv.drawString(0, up + self._size * 0.35, line)


def heading(text: str, size: float, below: float = BELOW) -> Iterator[Flowable]:
    """Yield a heading that goes to the next page unless `below` points fit under it."""
    yield CondPageBreak(size * 1.4 + below)
    yield Lines(text, size, bold=True)


def space(points: float = 6) -> Flowable:
    return Spacer(1, points)


class Turn(Flowable):  # type: ignore[misc]
    """From the next page on, the page's head is this one."""

    def __init__(self, head: Head) -> None:
        super().__init__()
        self.head = head

    def wrap(self, _width: float, _height: float) -> tuple[float, float]:
        return 0, 0

    def draw(self) -> None:
        """Nothing is drawn; the document reads the head."""


class _Document(BaseDocTemplate):  # type: ignore[misc]
    """Notes which head each page has."""

    def __init__(self, file: io.BytesIO, head: Head, title: str) -> None:
        super().__init__(
            file, pagesize=A4, title=title, author="ecrf", creator="ecrf", invariant=1,
            pageCompression=1,
        )  # fmt: skip
        frame = Frame(
            MARGIN, BOTTOM, BODY, HEIGHT - TOP - BOTTOM, leftPadding=0, rightPadding=0,
            topPadding=0, bottomPadding=0,
        )  # fmt: skip
        self.head = head
        self.addPageTemplates(PageTemplate("page", [frame], onPage=self._note))

    def _note(self, canvas: Canvas, _document: object) -> None:
        canvas.head = self.head

    def handle_flowable(self, flowables: list[Flowable]) -> None:
        if flowables and isinstance(flowables[0], Turn):
            self.head = flowables[0].head
        super().handle_flowable(flowables)


def document(title: str, head: Head, story: Sequence[Flowable], foot: str, water: str) -> bytes:
    """Return the PDF of `story`; `foot` stands on every page, `water` across it."""
    fonts()
    file = io.BytesIO()

    class Numbered(Canvas):  # type: ignore[misc]
        """Keeps the pages until their number is known."""

        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **{**options, "initialFontName": REGULAR})
            self._pages: list[dict[str, Any]] = []
            self.head = head
            self.marks: list[tuple[str, int]] = []

        def showPage(self) -> None:  # noqa: N802 (the library's name)
            self._pages.append(dict(self.__dict__))
            self.marks = []
            self._startPage()

        def save(self) -> None:
            for number, page in enumerate(self._pages, start=1):
                self.__dict__.update(page)
                _frame(self, self.head, foot, water, number, len(self._pages))
                outline.enter(self, self.marks, number)
                super().showPage()
            super().save()

    _Document(file, head, title).build(list(story), canvasmaker=Numbered)
    return file.getvalue()


def _frame(canvas: Canvas, head: Head, foot: str, water: str, number: int, total: int) -> None:
    """Draw the head, the foot and the water mark of a page."""
    put = {"page": str(number), "pages": str(total)}
    canvas.setFillColor(INK)
    canvas.setFont(BOLD, 10)
    canvas.drawString(MARGIN, HEIGHT - 14 * mm, printable(_fit(head.left, BODY - 80), BOLD))
    canvas.setFont(REGULAR, 9)
    canvas.drawRightString(WIDTH - MARGIN, HEIGHT - 14 * mm, head.right.format_map(put))
    canvas.drawString(MARGIN, HEIGHT - 19.5 * mm, printable(_fit(head.under, BODY)))
    canvas.setFillColor(QUIET)
    canvas.setFont(REGULAR, 7)
    for at, line in enumerate(foot.split("\n")):
        canvas.drawString(MARGIN, HEIGHT - (24 + 3.5 * at) * mm, printable(line))
    canvas.setStrokeColor(INK)
    canvas.line(MARGIN, HEIGHT - 29.5 * mm, WIDTH - MARGIN, HEIGHT - 29.5 * mm)
    if water:
        canvas.saveState()
        canvas.setFillColor(WATER)
        said = printable(water, BOLD)
        wide = pdfmetrics.stringWidth(said, BOLD, WATER_SIZE)
        canvas.setFont(BOLD, min(WATER_SIZE, WATER_SIZE * WATER_LONGEST / wide))
        canvas.translate(WIDTH / 2, HEIGHT / 2)
        canvas.rotate(45)
        canvas.drawCentredString(0, -20, said)
        canvas.restoreState()


def _fit(text: str, width: float) -> str:
    lines = wrap(text, width - 12, BOLD, 10)
    return lines[0] if len(lines) == 1 else f"{lines[0]}…"


def next_page(head: Head) -> list[Flowable]:
    return [Turn(head), PageBreak()]
