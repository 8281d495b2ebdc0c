"""What is drawn to be filled in: tick boxes, combs, lines, a scale; and the flowing of them.

Every piece knows its size; `Answer` lays pieces out like words in a paragraph. A fillable paper
has the fields of a PDF form in the same places.
"""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.platypus import Flowable

from reports import paper
from reports.paper import INK, LINE, QUIET, REGULAR

SMALL = 8.0
LEAD = 11.0
BOX = 8.0
CELL_WIDE, CELL_HIGH = 11.0, 14.0
GAP = 8.0
LEAST_LINE = 60.0
SCALE = 100 * mm
"""A visual analogue scale is 100 mm long."""

Kind = Literal["tick", "comb", "line", "text", "scale", "break"]


class Piece(NamedTuple):
    """One thing to fill in, or a word beside it.

    tick: a box before `text`; `value` is its code. comb: boxes, one for each letter or 9 of
    `text`, other signs between them. line: a line to write on, `text` wide in millimetres.
    """

    kind: Kind
    text: str = ""
    value: str = ""
    name: str = ""


class Placed(NamedTuple):
    piece: Piece
    x: float
    y: float
    wide: float
    high: float
    lines: Sequence[str]


class Answer(Flowable):  # type: ignore[misc]
    """The pieces of one answer. With `prefix` they are fields of a PDF form of that name."""

    def __init__(
        self, pieces: Sequence[Piece], prefix: str = "", *, single: bool = True
    ) -> None:
        super().__init__()
        self._pieces, self._prefix, self._single = pieces, prefix, single
        self._ticks = [piece for piece in pieces if piece.kind == "tick"]
        self._placed: list[Placed] = []
        self._high = LEAD

    def wrap(self, width: float, _height: float) -> tuple[float, float]:
        self._placed = []
        x = y = row = 0.0
        for piece in self._pieces:
            wide, high, lines = _size(piece, width)
            if x and (x + wide > width or piece.kind == "break"):
                x, y, row = 0.0, y + row + 2, 0.0
            self._placed.append(Placed(piece, x, y, wide, high, lines))
            x, row = x + wide + (GAP if wide else 0), max(row, high)
        self._high = max(y + row, LEAD) + 2
        return width, self._high

    def draw(self) -> None:
        for placed in self._placed:
            _DRAW[placed.piece.kind](self, placed, self._high - placed.y - 1)

    def tick(self, placed: Placed, top: float) -> None:
        c, y = self.canv, top - BOX - 1.5
        c.setStrokeColor(INK)
        if self._prefix:
            self._field(placed, y)
        else:
            c.rect(placed.x, y, BOX, BOX)
        self._words(placed.lines, placed.x + BOX + 4, top)

    def comb(self, placed: Placed, top: float) -> None:
        c, x, y = self.canv, placed.x, top - CELL_HIGH
        c.setStrokeColor(QUIET)
        if self._prefix:
            self._text(placed, y)
            return
        for sign in placed.piece.text:
            boxed = sign.isalnum()
            if boxed:
                c.rect(x, y, CELL_WIDE, CELL_HIGH)
            if not sign.isdigit():
                c.setFillColor(LINE if boxed else INK)
                c.setFont(REGULAR, 7 if boxed else 10)
                c.drawCentredString(x + (CELL_WIDE if boxed else 6) / 2, y + 4, sign)
            x += CELL_WIDE if boxed else 6

    def line(self, placed: Placed, top: float) -> None:
        if self._prefix:
            self._text(placed, top - placed.high)
            return
        self.canv.setStrokeColor(QUIET)
        y = top - CELL_HIGH
        self.canv.line(placed.x, y, placed.x + placed.wide, y)

    def text(self, placed: Placed, top: float) -> None:
        self._words(placed.lines, placed.x, top - (placed.high - len(placed.lines) * LEAD) / 2)

    def scale(self, placed: Placed, top: float) -> None:
        c, y = self.canv, top - placed.high + 12
        c.setStrokeColor(INK)
        c.line(placed.x, y, placed.x + placed.wide, y)
        c.setFont(REGULAR, 7)
        c.setFillColor(INK)
        for at, sign in ((placed.x, "0"), (placed.x + placed.wide, "100")):
            c.line(at, y - 4, at, y + 4)
            c.drawCentredString(at, y - 11, sign)

    def nothing(self, _placed: Placed, _top: float) -> None:
        """A break draws nothing."""

    def _words(self, lines: Sequence[str], x: float, top: float) -> None:
        self.canv.setFillColor(INK)
        self.canv.setFont(REGULAR, SMALL)
        for number, line in enumerate(lines):
            self.canv.drawString(x, top - LEAD * number - 8.5, line)

    def _field(self, placed: Placed, y: float) -> None:
        options: dict[str, Any] = {
            "x": placed.x, "y": y, "size": BOX, "relative": True, "borderWidth": 0.5,
            "fillColor": None, "buttonStyle": "cross",
        }  # fmt: skip
        form, piece = self.canv.acroForm, placed.piece
        name = f"{self._prefix}{piece.name}"
        tip = " ".join(placed.lines)
        if self._single and sum(one.name == piece.name for one in self._ticks) > 1:
            form.radio(
                name=name, value=piece.value, tooltip=tip, shape="square", fieldFlags="radio",
                **options,
            )  # fmt: skip
        else:
            form.checkbox(name=f"{name}.{piece.value}", tooltip=tip, **options)

    def _text(self, placed: Placed, y: float) -> None:
        self.canv.acroForm.textfield(
            name=f"{self._prefix}{placed.piece.name}", x=placed.x, y=y, width=placed.wide,
            height=CELL_HIGH, relative=True, borderWidth=0.5, fontSize=9, fillColor=None,
            tooltip=placed.piece.text,
        )  # fmt: skip


_DRAW = {
    "tick": Answer.tick, "comb": Answer.comb, "line": Answer.line, "text": Answer.text,
    "scale": Answer.scale, "break": Answer.nothing,
}  # fmt: skip


def _size(piece: Piece, width: float) -> tuple[float, float, Sequence[str]]:
    match piece.kind:
        case "tick":
            lines = _wrapped(piece.text, width - BOX - 4)
            return BOX + 4 + _widest(lines), max(LEAD * len(lines), BOX + 3), lines
        case "comb":
            wide = sum(CELL_WIDE if sign.isalnum() else 6 for sign in piece.text)
            return min(wide, width), CELL_HIGH + 2, ()
        case "line":
            return min(width, float(piece.text) * mm), CELL_HIGH + 4, ()
        case "scale":
            return min(SCALE, width - 10), 26, ()
        case "text":
            lines = _wrapped(piece.text, width)
            return _widest(lines), LEAD * len(lines) + 4, lines
    return 0, 0, ()


def least(pieces: Sequence[Piece]) -> float:
    """Return the narrowest column for these pieces: two boxes on a line, no broken word."""
    ticks = sorted(_size(p, paper.BODY)[0] for p in pieces if p.kind == "tick")[-2:]
    found = [sum(ticks) + GAP * (len(ticks) - 1), BOX]
    for piece in pieces:
        if piece.kind == "comb":
            found.append(_size(piece, paper.BODY)[0])
        elif piece.kind == "text":
            found.append(_widest(piece.text.split()))
        elif piece.kind in ("line", "scale"):
            found.append(LEAST_LINE)
    return max(found)


def _wrapped(text: str, width: float) -> list[str]:
    return paper.wrap(text, max(width, 20), REGULAR, SMALL)


def _widest(lines: Sequence[str]) -> float:
    return max((pdfmetrics.stringWidth(line, REGULAR, SMALL) for line in lines), default=0.0)
