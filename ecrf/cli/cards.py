"""The card of one share of the vault's key, as a page to print. In both languages."""

from collections.abc import Iterator
from datetime import datetime

from reportlab.graphics.barcode.qr import QrCodeWidget
from reportlab.graphics.shapes import Drawing
from reportlab.platypus import Flowable

from ecrf.kernel.chain import stamp
from ecrf.kernel.config import Environment
from ecrf.kernel.text import Message, T
from randomization import api
from reports import paper
from reports.paper import Head, Lines, heading, space, table

QR_POINTS = 170
IN_A_ROW = 5


def card(
    study: str, number: int, share: api.Share, at: datetime, environment: Environment
) -> bytes:
    """Return the PDF of one share: what it is, its words in order, and a QR code of them."""
    paper.fonts()
    title = "Key share · 密钥分片"
    head = Head(title, "{page}/{pages}", f"{study} · {number}/{api.HOLDERS} · {share.holder}")
    water = "" if environment is Environment.PRODUCTION else environment.upper()
    story = list(_story(study, number, share))
    return paper.document(title, head, story, f"{share.check} · {stamp(at)}", water)


def _story(study: str, number: int, share: api.Share) -> Iterator[Flowable]:
    for locale in ("en", "zh"):
        for text in _texts(study, number, share):
            yield Lines(text.in_(locale), 10)
        yield space()
    yield from heading("SLIP-39", 12)
    yield table(list(_rows(share.words.split())), [1] * IN_A_ROW, header=False)
    yield space(12)
    yield _qr(share.words)


def _texts(study: str, number: int, share: api.Share) -> tuple[Message, ...]:
    return (
        T("Share {n} of {of} of the key of the randomization vault of {study}.",
          n=number, of=api.HOLDERS, study=study),
        T("For {holder} alone. Any {needed} shares together open every treatment; one alone "
          "tells nothing.", holder=share.holder, needed=api.NEEDED),
        T("Keep it sealed and locked away. To use it: `ecrf randomization recover`, with a "
          "second holder present. Check value: {check}", check=share.check),
    )  # fmt: skip


def _rows(words: list[str]) -> Iterator[list[str]]:
    numbered = [f"{n}  {word}" for n, word in enumerate(words, start=1)]
    for start in range(0, len(numbered), IN_A_ROW):
        row = numbered[start : start + IN_A_ROW]
        yield row + [""] * (IN_A_ROW - len(row))


def _qr(words: str) -> Flowable:
    widget = QrCodeWidget(words, barWidth=QR_POINTS, barHeight=QR_POINTS)
    drawing = Drawing(QR_POINTS, QR_POINTS)
    drawing.add(widget)
    return drawing
