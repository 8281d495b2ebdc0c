"""The receipt of a randomization as a document: what the vault signed, readable by people, and
the same as a QR code for machines. It names no arm, for the receipt has none.

Import it where a receipt is printed and nowhere earlier: the PDF library is slow to load.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from reportlab.graphics.barcode.qr import QrCodeWidget
from reportlab.graphics.shapes import Drawing
from reportlab.lib.units import mm
from reportlab.platypus import Flowable

from ecrf.kernel.access import TITLES
from ecrf.kernel.text import Message, T
from ecrf.study import strata
from ecrf.study.model import Study, Words
from reports import paper, say
from reports.casebook import WATERMARK
from reports.paper import Head, Lines, heading, space, table

CODE_SIZE = 66 * mm


@dataclass(frozen=True, slots=True)
class Signed:
    """Who signed that the participant be randomized, as whom, when, and what it meant."""

    name: str
    role: str
    meaning: Words
    at: datetime


@dataclass(frozen=True, slots=True)
class Corrected:
    """A factor that was wrong: its label, what was randomized under, what is right."""

    factor: Words
    level: Words
    true_level: Words
    at: datetime


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt about to be drawn; `stored` is its text, a line break, its signature."""

    study: Study
    stored: str
    zone: str
    signed: Signed | None
    corrected: Sequence[Corrected]
    locale: str

    @property
    def text(self) -> str:
        return self.stored.partition("\n")[0]

    @property
    def stated(self) -> Mapping[str, Any]:
        said: dict[str, Any] = json.loads(self.text)
        return said

    def draw(self, *, training: bool) -> bytes:
        """Return the PDF."""
        paper.fonts()
        said = self.stated
        title = self._say(T("Receipt of randomization {code}", code=said["participant"]))
        study = f"{self.study.registry} · {self.study.short_title.in_(self.locale)}"
        pages = self._say(T("Page {page} of {pages}", page="{page}", pages="{pages}"))
        head = Head(f"{title} · {study}", pages, f"{said['site']} · {said['participant']}")
        foot = T("Check it with: ecrf randomization receipt FILE --publication FILE")
        water = self._say(WATERMARK) if training else ""
        story = list(self._story(title))
        return paper.document(title, head, story, f"\n{self._say(foot)}", water)

    def _story(self, title: str) -> Iterator[Flowable]:
        yield from heading(title, 16)
        yield space()
        rows = [[self._say(name), value] for name, value in self._facts()]
        yield table(rows, (1, 3), header=False)
        if self.signed is not None:
            yield space(10)
            yield from heading(self._say(T("Signature")), 12)
            yield table(self._signature(self.signed), (3, 3, 4, 6))
        if self.corrected:
            yield space(10)
            yield from heading(self._say(T("Stratum corrected afterwards")), 12)
            yield table(self._corrections(), (4, 4, 4, 4))
        yield space(10)
        yield from heading(self._say(T("What the vault signed")), 12, CODE_SIZE + 12)
        yield _code(self.stored)
        yield space()
        yield Lines(self.stored)

    def _facts(self) -> Iterator[tuple[Message, str]]:
        said = self.stated
        signature = self.stored.partition("\n")[2]
        name, key_id, _ = said["signed_by"].split("+", 2)
        yield T("Study"), f"{said['study']} · {self.study.title.in_(self.locale)}"
        yield T("Site"), said["site"]
        yield T("Participant"), said["participant"]
        yield T("Randomization number"), said["random_number"]
        yield T("Kits"), ", ".join(said["kits"]) or "–"
        yield T("Stratum"), self._stratum(said["stratum"])
        at = datetime.fromisoformat(said["at"])
        yield T("Randomized at"), f"{say.moment(at, self.zone)} · {say.moment(at, 'UTC')}"
        yield T("Randomization list"), f"{said['list']} ({said['environment']})"
        if said.get("forced"):
            yield (
                T("Exception"),
                self._say(T("Randomized under an exception, decided by two people.")),
            )
        yield T("SHA-256 of this receipt"), hashlib.sha256(self.text.encode()).hexdigest()
        yield T("SHA-256 of the receipt before"), said["previous"]
        yield T("Public key"), f"{name}, {key_id}"
        yield T("Signature (Ed25519)"), signature

    def _stratum(self, stratum: str) -> str:
        factors = self.study.randomization.factors if self.study.randomization else ()
        labels = {factor.id: factor.label.in_(self.locale) for factor in factors}
        return " · ".join(
            f"{labels.get(factor, factor)}: "
            f"{strata.said(self.study, factor, value).in_(self.locale)}"
            for factor, value in strata.parsed(stratum).items()
        ) or "–"  # fmt: skip

    def _signature(self, signed: Signed) -> list[list[str]]:
        titles = (T("Name"), T("Role"), T("Signed at"), T("Meaning"))
        role = TITLES.get(signed.role)
        return [
            [self._say(title) for title in titles],
            [
                signed.name, self._say(role) if role else signed.role,
                say.moment(signed.at, self.zone), signed.meaning.in_(self.locale),
            ],
        ]  # fmt: skip

    def _corrections(self) -> list[list[str]]:
        titles = (T("Factor"), T("Randomized under"), T("True level"), T("Written down at"))
        rows = [[self._say(title) for title in titles]]
        rows += [
            [
                one.factor.in_(self.locale), one.level.in_(self.locale),
                one.true_level.in_(self.locale), say.moment(one.at, self.zone),
            ]
            for one in self.corrected
        ]  # fmt: skip
        return rows

    def _say(self, text: Message) -> str:
        return text.in_(self.locale)


def _code(stored: str) -> Flowable:
    """Return the QR code of the receipt as it is stored."""
    widget = QrCodeWidget(stored, barLevel="L", barWidth=CODE_SIZE, barHeight=CODE_SIZE)
    drawing = Drawing(CODE_SIZE, CODE_SIZE)
    drawing.add(widget)
    return drawing
