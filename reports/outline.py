"""The outline of a document: marks left while drawing, entered when pages are written."""

from collections.abc import Sequence

from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable


class Mark(Flowable):  # type: ignore[misc]
    """A place the outline of the document leads to; `level` 0 is the highest."""

    def __init__(self, title: str, level: int = 0) -> None:
        super().__init__()
        self.title, self.level = title, level

    def wrap(self, _width: float, _height: float) -> tuple[float, float]:
        return 0, 0

    def draw(self) -> None:
        """Leave the mark with the page; it is set when the page is written."""
        self.canv.marks.append((self.title, self.level))


def enter(canvas: Canvas, marks: Sequence[tuple[str, int]], number: int) -> None:
    """Enter the marks of a page into the outline."""
    for at, (title, level) in enumerate(marks):
        canvas.bookmarkPage(f"p{number}-{at}")
        canvas.addOutlineEntry(title, f"p{number}-{at}", level)
        canvas.showOutline()
