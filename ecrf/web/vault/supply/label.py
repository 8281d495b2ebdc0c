"""Labels of kits as a PDF, one to a page or ten on A4, in both languages.

They carry what CTR 536/2014, Annex VI A.1 asks for. What all kits of a batch have in common is
one drawing used for each; a kit adds its number and the barcode of it, and nothing here knows
an arm, so labels of two arms cannot differ by anything but the number.
"""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from reportlab.graphics.barcode.ecc200datamatrix import ECC200DataMatrix
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from ecrf.kernel.text import Message, T
from ecrf.study.model import Study
from ecrf.study.parts import Words
from ecrf.study.stocking import Label
from reports import paper
from reports.paper import BOLD, REGULAR

WIDTH, HEIGHT = 92 * mm, 54 * mm
COLUMNS, ROWS = 2, 5
PAD, CODE, NUMBERS = 2 * mm, 17 * mm, 22 * mm
LARGEST, SMALLEST, STEP, LEADING = 7.0, 3.5, 0.25, 1.18
NUMBER_FONT = "Helvetica-Bold"
"""The number stands in a font every reader has, so that no part of a font tells digits."""
FORM = "common"


@dataclass(frozen=True, slots=True)
class Sheet:
    """What all labels of a batch say."""

    study: Study
    label: Label
    batch: str
    expiry: date

    def lines(self) -> Iterator[tuple[str, Words]]:
        """Yield the texts with the letters of the annex, in the order they are printed."""
        supply = self.study.supply
        yield "i", self.label.caution
        yield "e", _both(T("Trial {code}", code=self.study.registry))
        if supply is not None:
            yield "b", supply.product
        yield "c", self.label.content
        yield "d", _both(T("Batch {batch}", batch=self.batch))
        month = f"{self.expiry:%Y-%m}"
        yield "k", _both(T("Use until the end of {month} (year-month)", month=month))
        yield "f", _both(T("Participant: __________ Visit: ____"))
        yield "g", self.label.investigator
        yield "h", self.label.directions
        yield "j", self.label.storage
        yield "l", self.label.children
        yield "a", self.label.contact


def draw(sheet: Sheet, numbers: Sequence[str], *, single: bool) -> bytes:
    """Return the PDF of the labels of these kits, in the order of their numbers."""
    paper.fonts()
    file = io.BytesIO()
    size = (WIDTH, HEIGHT) if single else A4
    canvas = Canvas(file, pagesize=size, invariant=1, pageCompression=1)
    canvas.setTitle(f"{sheet.study.id} {sheet.batch}")
    canvas.setAuthor("ecrf")
    _common(canvas, sheet)
    places = [(0.0, 0.0)] if single else list(_places())
    for at, number in enumerate(sorted(numbers)):
        if at and at % len(places) == 0:
            canvas.showPage()
        _one(canvas, places[at % len(places)], number)
    canvas.save()
    return file.getvalue()


def _places() -> Iterator[tuple[float, float]]:
    """Yield the lower left corners on a sheet, row by row from the top."""
    left = (A4[0] - COLUMNS * WIDTH) / 2
    below = (A4[1] - ROWS * HEIGHT) / 2
    for row in range(ROWS):
        for column in range(COLUMNS):
            yield left + column * WIDTH, below + (ROWS - 1 - row) * HEIGHT


def _one(canvas: Canvas, at: tuple[float, float], number: str) -> None:
    canvas.saveState()
    canvas.translate(*at)
    canvas.doForm(FORM)
    canvas.setFont(NUMBER_FONT, 12)
    right = WIDTH - PAD
    canvas.drawRightString(right, HEIGHT - PAD - 10, number)
    _code(canvas, number, right - CODE, HEIGHT - PAD - 14 - CODE)
    canvas.restoreState()


def _code(canvas: Canvas, number: str, left: float, below: float) -> None:
    """Draw the DataMatrix of a number, one path, runs of dark modules as one rectangle."""
    code = ECC200DataMatrix(number)
    code.validate()
    path, step = canvas.beginPath(), CODE / code.row_modules
    for y, row in enumerate(code.encode()):
        at = 0
        for dark, run in groupby(row):
            length = len(list(run))
            if dark:
                path.rect(left + at * step, below + y * step, length * step, step)
            at += length
    canvas.drawPath(path, stroke=0, fill=1)


def _common(canvas: Canvas, sheet: Sheet) -> None:
    """Draw once what is the same on every label, in the largest print that fits."""
    canvas.beginForm(FORM, 0, 0, WIDTH, HEIGHT)
    canvas.setLineWidth(0.3)
    canvas.rect(0, 0, WIDTH, HEIGHT)
    size, lines = _fitted([words for _, words in sheet.lines()])
    height = HEIGHT - PAD - size
    for number, (line, _) in enumerate(lines):
        canvas.setFont(BOLD if number < 2 else REGULAR, size)
        canvas.drawString(PAD, height - number * size * LEADING, line)
    canvas.endForm()


def _fitted(texts: Sequence[Words]) -> tuple[float, list[tuple[str, bool]]]:
    """Return the size and the lines, those beside number and barcode shorter."""
    size = LARGEST
    while True:
        lines = _set(texts, size)
        if len(lines) * size * LEADING <= HEIGHT - 2 * PAD or size <= SMALLEST:
            return size, lines
        size -= STEP


def _set(texts: Sequence[Words], size: float) -> list[tuple[str, bool]]:
    beside = int((NUMBERS + PAD) / (size * LEADING)) + 1
    lines: list[tuple[str, bool]] = []
    for words in texts:
        rest = f"{words.zh} · {words.en}"
        while rest:
            narrow = len(lines) < beside
            width = WIDTH - 2 * PAD - (CODE + PAD if narrow else 0)
            first = paper.wrap(rest, width, BOLD if len(lines) < 2 else REGULAR, size)[0]
            lines.append((first, narrow))
            rest = rest[len(first) :].lstrip()
    return lines


def _both(text: Message) -> Words:
    return Words(en=text.in_("en"), zh=text.in_("zh"))
