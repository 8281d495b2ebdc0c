"""What is printed beside the pieces: a question, its hint and, annotated, its definition."""

from collections.abc import Sequence
from typing import NamedTuple

from reportlab.lib.colors import Color, HexColor
from reportlab.platypus import Flowable

from reports import paper
from reports.paper import BOLD, INK, QUIET, REGULAR

BEHIND = HexColor("#912b88")
"""Annotations stand in a colour of their own."""


class Style(NamedTuple):
    font: str
    size: float
    colour: Color


PLAIN, STRONG = Style(REGULAR, 8.5, INK), Style(BOLD, 8.5, INK)
HEADED = Style(BOLD, 7.5, INK)
HINT, NOTED = Style(REGULAR, 7, QUIET), Style(REGULAR, 6.5, BEHIND)


class Label(Flowable):  # type: ignore[misc]
    """Texts one under the other, each in its style, wrapped to the width it is given."""

    def __init__(self, parts: Sequence[tuple[str, Style]]) -> None:
        super().__init__()
        self._parts = [(text, style) for text, style in parts if text]
        self._lines: list[tuple[str, Style]] = []

    def wrap(self, width: float, _height: float) -> tuple[float, float]:
        self._lines = [
            (line, style)
            for text, style in self._parts
            for line in paper.wrap(text, width, style.font, style.size)
        ]
        return width, sum(style.size * 1.35 for _, style in self._lines) + 2

    def draw(self) -> None:
        y = sum(style.size * 1.35 for _, style in self._lines) + 2
        for line, style in self._lines:
            y -= style.size * 1.35
            self.canv.setFillColor(style.colour)
            self.canv.setFont(style.font, style.size)
            self.canv.drawString(0, y + style.size * 0.3, line)
