"""A frozen dossier as a PDF: what the committee reads, with its version and hash.

Import it where a dossier is printed and nowhere earlier: the PDF library is slow to load.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from reportlab.platypus import Flowable

from ecrf.kernel.text import T
from ecrf.study.model import Study
from reports import paper
from reports.casebook import WATERMARK
from reports.paper import Head, Lines, heading, space, table


def dossier(
    content: Mapping[str, Any], digest: str, version: int, study: Study, locale: str, *,
    training: bool,
) -> bytes:  # fmt: skip
    """Return the dossier printed in a language; the same bytes for the same dossier."""
    paper.fonts()
    case = content["case"]
    title = T("Dossier of case {case}, version {n}", case=case, n=version).in_(locale)
    pages = T("Page {page} of {pages}", page="{page}", pages="{pages}").in_(locale)
    head = Head(f"{case} · {study.short_title.in_(locale)}", pages, title)
    foot = f"SHA-256 {digest}\n{study.registry}"
    story = [*heading(title, 16), space(), *_parts(content, locale)]
    water = WATERMARK.in_(locale) if training else ""
    return paper.document(f"{study.id} {case}", head, story, foot, water)


def _parts(content: Mapping[str, Any], locale: str) -> Iterator[Flowable]:
    for part in content["parts"]:
        yield space(10)
        where = f"{part['visit'][locale]} {part['on']}".strip()
        yield from heading(f"{part['title'][locale]} · {where}", 12)
        if part["lines"]:
            rows = [[T("Item").in_(locale), T("Answer").in_(locale)]]
            rows += [[line["label"][locale], line["value"][locale]] for line in part["lines"]]
            yield table(rows, (5, 6))
        for grid in part["grids"]:
            yield space(4)
            yield Lines(grid["label"][locale], 10, bold=True)
            head = ["", *(column[locale] for column in grid["columns"])]
            lines = [
                [row["label"][locale], *(cell["value"][locale] for cell in row["cells"])]
                for row in grid["rows"]
            ]
            yield table([head, *lines], (3, *(2 for _ in grid["columns"])))
