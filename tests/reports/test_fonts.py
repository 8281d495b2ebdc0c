"""The fonts of the documents have every sign the program and the shipped studies print."""

from importlib.resources import files
from pathlib import Path

import pytest
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen import canvas

from ecrf.kernel.text import _catalog

WEIGHTS = ("Regular", "Bold")
SIGNS = "→←≤≥±µ²³¹⁰⁴⁵⁶⁷⁸⁹⁻×·–—°✓℃½□■"
NOT_PRINTED = set("\n\t✗☐☑⚠⏳↻")


def font(weight):
    path = files("reports").joinpath("fonts", f"NotoSansSC-{weight}.ttf")
    return TTFont(f"NotoSansSC-{weight}", str(path))


@pytest.fixture(params=WEIGHTS, scope="module")
def covered(request):
    return set(map(chr, font(request.param).face.charToGlyph))


def test_the_signs_of_units_and_statuses_are_there(covered):
    assert set(SIGNS) <= covered


def test_every_sign_of_the_translations_is_there(covered):
    texts = _catalog("zh").values()
    assert texts
    assert set("".join(texts)) - covered <= NOT_PRINTED


def test_every_sign_of_the_shipped_studies_is_there(covered):
    folder = Path(__file__).parents[2] / "protocols"
    signs = set("".join(path.read_text("utf-8") for path in folder.rglob("*.yaml")))
    assert signs
    assert signs - covered <= NOT_PRINTED


def test_a_document_carries_its_fonts_inside(tmp_path):
    from pypdf import PdfReader
    from reportlab.pdfbase import pdfmetrics

    path = tmp_path / "page.pdf"
    page = canvas.Canvas(str(path))
    for weight in WEIGHTS:
        pdfmetrics.registerFont(font(weight))
        page.setFont(f"NotoSansSC-{weight}", 12)
        page.drawString(72, 700, f"受试者 PUMCH-007, 5.6 ×10⁹/L {weight}")
    page.save()
    read = PdfReader(path).pages[0]
    assert "受试者 PUMCH-007, 5.6 ×10⁹/L Bold" in read.extract_text()
    descriptors = [
        part.get_object().get("/FontDescriptor")
        for part in read["/Resources"]["/Font"].get_object().values()
    ]
    embedded = [d for d in descriptors if d is not None and "/FontFile2" in d.get_object()]
    assert len(embedded) == len(WEIGHTS)
