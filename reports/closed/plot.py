"""Where the lines of a curve run on a drawing of a given size. Pure.

The same points serve the page (SVG, from above) and the PDF (from below).
"""

from typing import Any, NamedTuple

Point = tuple[float, float]


class Frame(NamedTuple):
    """The area of the drawing within its margins; `down` counts from above."""

    width: float
    height: float
    down: bool

    def at(self, day: float, share: float, last: int) -> Point:
        across = self.width * day / max(last, 1)
        up = self.height * share
        return round(across, 1), round(self.height - up if self.down else up, 1)


def line(drawn: dict[str, Any], last: int, frame: Frame) -> list[Point]:
    """Return the corners of the steps of one arm, until its last look."""
    points, share = [frame.at(0, 1, last)], 1.0
    for day, _, _, after in drawn["steps"]:
        points.append(frame.at(day, share, last))
        share = float(after)
        points.append(frame.at(day, share, last))
    points.append(frame.at(drawn["last"], share, last))
    return points


def censored(drawn: dict[str, Any], last: int, frame: Frame) -> list[Point]:
    """Return where somebody without an event was seen last."""
    found = []
    for day in drawn["censored"]:
        before = [float(step[3]) for step in drawn["steps"] if step[0] <= day]
        found.append(frame.at(day, before[-1] if before else 1.0, last))
    return found
