"""The figures of a simulated scheme as a picture: imbalance, runs, correct guesses."""

from collections.abc import Callable, Mapping
from pathlib import Path

from reportlab.graphics import renderPDF, renderSVG
from reportlab.graphics.shapes import Circle, Drawing, Line, Rect, String
from reportlab.lib.colors import Color, black, white

from randomization import api

WIDTH, HEIGHT, MARGIN = 660, 300, 40
PANEL, FLOOR, TALL = 200, 60, 170
INK = Color(0.11, 0.33, 0.49)
PALE = Color(0.75, 0.78, 0.8)
NORMAL = 1.96
FEWEST_LABELS = 14


def drawing(title: str, found: api.Characteristics) -> Drawing:
    """Return three panels; what is drawn as a bar is written as a number in the table."""
    made = Drawing(WIDTH, HEIGHT)
    made.add(Rect(0, 0, WIDTH, HEIGHT, fillColor=white, strokeColor=None))
    _text(made, MARGIN, HEIGHT - 24, title, 11)
    _text(made, MARGIN, HEIGHT - 40, f"{found.trials} simulated trials", 8)
    _bars(made, MARGIN, "trials by imbalance", found.imbalances, found.imbalance)
    _bars(made, MARGIN + PANEL + 40, "runs of equal arms by length", found.runs, None)
    _guesses(made, MARGIN + 2 * PANEL + 80, found.guessed)
    return made


def _bars(
    made: Drawing, left: float, title: str, counts: Mapping[float, int] | Mapping[int, int],
    mean: api.Figure | None,
) -> None:  # fmt: skip
    _text(made, left, FLOOR + TALL + 12, title, 9)
    _axis(made, left)
    most, step = max(counts.values(), default=1), PANEL / max(1, len(counts))
    every = -(-len(counts) // FEWEST_LABELS)
    for place, (value, count) in enumerate(counts.items()):
        at, tall = left + place * step, TALL * count / most
        bar = Rect(at + step * 0.1, FLOOR, step * 0.8, tall, fillColor=INK, strokeColor=None)
        made.add(bar)
        if place % every == 0:
            _text(made, at + step / 2, FLOOR - 12, f"{value:g}", 7, "middle")
    if mean is not None:
        _text(made, left, FLOOR - 28, f"mean {_interval(mean)}", 8)


def _guesses(made: Drawing, left: float, guessed: api.Figure) -> None:
    """Draw the share of correct guesses with its interval, from a coin's 0.5 to 1."""
    _text(made, left, FLOOR + TALL + 12, "correct guesses, 95 % interval", 9)
    _axis(made, left, PANEL / 2)
    for tenth in range(5, 11):
        high = FLOOR + TALL * (tenth - 5) / 5
        made.add(Line(left, high, left + PANEL / 2, high, strokeColor=PALE))
        _text(made, left - 4, high - 3, f"{tenth / 10:g}", 7, "end")
    middle = left + PANEL / 4
    low, high = (_high(guessed.mean + side * NORMAL * guessed.error) for side in (-1, 1))
    made.add(Line(middle, low, middle, high, strokeColor=INK, strokeWidth=2))
    made.add(Circle(middle, _high(guessed.mean), 3, fillColor=INK, strokeColor=None))
    _text(made, left, FLOOR - 28, _interval(guessed), 8)


def _high(share: float) -> float:
    return FLOOR + TALL * min(1.0, max(0.0, (share - 0.5) / 0.5))


def _interval(figure: api.Figure) -> str:
    half = NORMAL * figure.error
    return f"{figure.mean:.3f} ({figure.mean - half:.3f} to {figure.mean + half:.3f})"


def _axis(made: Drawing, left: float, wide: float = PANEL) -> None:
    made.add(Line(left, FLOOR, left + wide, FLOOR, strokeColor=black))


def _text(
    made: Drawing, x: float, y: float, said: str, size: int, anchor: str = "start"
) -> None:
    made.add(String(x, y, said, fontName="Helvetica", fontSize=size, textAnchor=anchor))


def _pdf(path: Path, title: str, found: api.Characteristics) -> None:
    renderPDF.drawToFile(drawing(title, found), str(path), title)


def _svg(path: Path, title: str, found: api.Characteristics) -> None:
    renderSVG.drawToFile(drawing(title, found), str(path))


WRITERS: Mapping[str, Callable[[Path, str, api.Characteristics], None]] = {
    ".pdf": _pdf,
    ".svg": _svg,
}
