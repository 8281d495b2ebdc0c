"""The certificate of a destruction as a PDF: which kits, how, where, when, who signed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from reportlab.platypus import Flowable

from ecrf.kernel.text import Message, T
from ecrf.study.model import Study
from randomization.supplying import api
from reports import paper, say
from reports.paper import Head, Lines, heading, space, table


@dataclass(frozen=True, slots=True)
class Paper:
    """A certificate about to be drawn; `lines` are its kits in the log."""

    study: Study
    site: str
    zone: str
    locale: str
    printed_by: str
    printed_at: datetime
    certificate: api.Certificate
    lines: Sequence[api.Line]

    def draw(self) -> bytes:
        """Return the PDF."""
        paper.fonts()
        pages = self._say(T("Page {page} of {pages}", page="{page}", pages="{pages}"))
        title = T("Certificate of destruction {number}", number=self.certificate.number)
        if not self.certificate.stands:
            title = T("List for destruction {number}, not carried out",
                      number=self.certificate.number)  # fmt: skip
        head = Head(f"{self.study.registry} · {self.site}", pages, self._say(title))
        at = say.moment(self.printed_at, self.zone)
        printed = T("Printed by {name} at {at}", name=self.printed_by, at=at)
        water = f"{self.printed_by} {at[:16]}"
        name = f"{self.study.id} {self.site} D{self.certificate.number}"
        return paper.document(name, head, list(self._story()), self._say(printed), water)

    def _story(self) -> Iterator[Flowable]:
        one = self.certificate
        rows = [
            [self._say(T("How")), one.method], [self._say(T("Where")), one.place],
            [self._say(T("Day")), say.day(one.on, self.locale)],
            [self._say(T("Kits")), str(len(one.kits))],
        ]  # fmt: skip
        yield table(rows, (1, 3), header=False)
        yield space(12)
        yield from heading(self._say(T("Kits")), 12)
        titles = (T("Kit"), T("Batch"), T("Expiry"), T("Participant"), T("Units left"),
                  T("Status"))  # fmt: skip
        head = [self._say(title) for title in titles]
        yield table([head, *[self._row(line) for line in self.lines]], (2, 2, 2, 2, 1, 2))
        yield space(12)
        meant = T("With my signature I confirm that these kits are the ones listed and are "
                  "destroyed as stated. Two people sign.")  # fmt: skip
        yield Lines(self._say(meant))
        for name, at in one.signed:
            yield Lines(f"✎ {name}, {say.moment(at, self.zone)}")

    def _row(self, line: api.Line) -> list[str]:
        units = "" if line.returned_units is None else str(line.returned_units)
        return [
            line.number, line.batch, say.day(line.expiry, self.locale),
            line.participant or "", units, api.STATES[line.state].in_(self.locale),
        ]  # fmt: skip

    def _say(self, text: Message) -> str:
        return text.in_(self.locale)
