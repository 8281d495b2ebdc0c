"""The accountability log of a site as a PDF: the equation, then every kit. Never an arm.

It has what ICH E6(R3) 2.10 asks to be kept: dates, quantities, batch, expiry, unique numbers,
the participant, and what became of each kit.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from reportlab.platypus import Flowable

from ecrf.kernel.text import Message, T
from ecrf.study.model import Study
from randomization.supplying import api
from reports import paper, say
from reports.paper import Head, Lines, heading, space, table

COLUMNS = (
    T("Kit"), T("Batch"), T("Expiry"), T("Shipment"), T("Received"), T("Participant"),
    T("Visit"), T("Handed out"), T("By"), T("Brought back"), T("Units left"), T("Destroyed"),
    T("Status"),
)  # fmt: skip
WIDTHS = (10, 8, 10, 7, 10, 12, 6, 11, 10, 10, 6, 10, 10)


@dataclass(frozen=True, slots=True)
class Log:
    """A log about to be drawn."""

    study: Study
    site: str
    zone: str
    locale: str
    printed_by: str
    printed_at: datetime
    balance: api.Balance
    lines: Sequence[api.Line]

    def draw(self) -> bytes:
        """Return the PDF."""
        paper.fonts()
        name = f"{self.study.registry} · {self.site}"
        pages = self._say(T("Page {page} of {pages}", page="{page}", pages="{pages}"))
        head = Head(name, pages, self._say(T("Accountability of kits")))
        printed = T(
            "Printed by {name} at {at}",
            name=self.printed_by, at=say.moment(self.printed_at, self.zone),
        )  # fmt: skip
        title = f"{self.study.id} {self.site}"
        water = f"{self.printed_by} {say.moment(self.printed_at, self.zone)[:16]}"
        return paper.document(title, head, [*self._story()], self._say(printed), water)

    def _story(self) -> Iterator[Flowable]:
        yield from heading(self._say(T("Reconciliation")), 14)
        yield space()
        rows = [[self._say(T("Received")), str(self.balance.received)]]
        rows += [
            [api.STATES[state].in_(self.locale), str(self.balance.states[state])]
            for state in api.settled(self.site)
        ]
        rows += [[self._say(T("Difference")), str(self.balance.difference)]]
        yield table(rows, (3, 1), header=False)
        yield space(12)
        if self.balance.difference:
            yield Lines(self._say(T("The difference has to be explained before filing.")))
        yield from heading(self._say(T("Every kit")), 12)
        titles = [self._say(title) for title in COLUMNS]
        yield table([titles, *[self._row(line) for line in self.lines]], WIDTHS)
        yield space(18)
        signed = T("Signature and date: ______________________________")
        yield Lines(self._say(signed))

    def _row(self, line: api.Line) -> list[str]:
        state = api.STATES[line.state].in_(self.locale)
        return [
            line.number, line.batch, say.day(line.expiry, self.locale),
            f"S{line.shipment}" if line.shipment else "",
            self._moment(line.received_at), line.participant or "",
            line.visit or "",
            self._moment(line.dispensed_at),
            " / ".join(name for name in (line.dispensed_by, line.checked_by) if name),
            say.day(line.returned_on, self.locale),
            "" if line.returned_units is None else str(line.returned_units),
            f"D{line.destruction} {say.day(line.destroyed_on, self.locale)}"
            if line.destruction else "",
            f"{state} → {line.replaced_by}" if line.replaced_by else state,
        ]  # fmt: skip

    def _moment(self, at: datetime | None) -> str:
        return say.moment(at, self.zone)[:16] if at else ""

    def _say(self, text: Message) -> str:
        return text.in_(self.locale)
