"""The casebook: one participant's visits and forms as a PDF, with signatures and changes.

Import it where a casebook is made and nowhere earlier: the PDF library takes a tenth of a
second to load.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from reportlab.platypus import Flowable

from ecrf.kernel.access import TITLES
from ecrf.kernel.text import Message, T
from ecrf.study.model import Grid, Item, ItemType, Question
from reports import audit, paper, say
from reports.book import Book, Filled, masked
from reports.outline import Mark
from reports.paper import BELOW, Head, Lines, heading, next_page, space, table

STATUS = {
    "planned": T("planned"), "held": T("held"), "missed": T("missed"),
    "draft": T("draft"), "complete": T("complete"), "not done": T("not done"),
    "open": T("open"), "answered": T("answered"), "closed": T("closed"),
    "cancelled": T("cancelled"),
    "screening": T("screening"), "screen failed": T("screen failed"),
    "randomized": T("randomized"), "ended": T("ended"),
}  # fmt: skip
WATERMARK = T("TRAINING")


@dataclass(frozen=True, slots=True)
class Casebook:
    """A casebook about to be drawn: what it says, in which language, for whom.

    `compact` leaves out what has no answer; `audit` adds every act on the forms.
    """

    book: Book
    locale: str
    printed_by: str
    printed_at: datetime
    training: bool = False
    compact: bool = False
    audit: bool = True

    def say(self, text: Message) -> str:
        return text.in_(self.locale)

    def moment(self, at: datetime) -> str:
        return say.moment(at, self.book.who.zone)

    def draw(self) -> bytes:
        """Return the PDF."""
        paper.fonts()
        book = self.book
        front = self._head(self.say(T("Overview")), book.study.version, book.who.protocol)
        story: list[Flowable] = [Mark(self.say(T("Overview"))), *self._overview()]
        for filled in book.entries:
            story += [*next_page(self._form_head(filled)), Mark(self._title(filled))]
            story += self._form(filled)
        signed = [(self._title(f), one) for f in book.entries for one in f.signatures]
        if signed:
            title = self.say(T("Signatures"))
            story += [*self._new_part(title), *audit.signatures(title, signed, self.locale)]
        if book.changes or book.queries:
            story += self._new_part(self.say(T("Appendix")))
            story += self._appendix()
        if self.audit and book.trail:
            title = self.say(T("Audit trail"))
            named = [(f.place, f, self._title(f)) for f in book.entries]
            story += self._new_part(title)
            story += audit.trail(title, named, book.trail, self.locale, book.who.zone)
        water = self.say(WATERMARK) if self.training else ""
        name = f"{book.study.id} {book.who.code}"
        return paper.document(name, front, story, self._foot(), water)

    def _foot(self) -> str:
        """Return what every page says of the data's state and of the print itself."""
        book = self.book
        state = T(
            "Data as of {at} · ledger {head} after {n} acts",
            at=self.moment(book.at), head=book.head[:16], n=book.acts,
        )  # fmt: skip
        printed = T(
            "Printed by {name} at {at}", name=self.printed_by, at=self.moment(self.printed_at)
        )
        return f"{self.say(state)}\n{self.say(printed)}"

    def _head(self, title: str, version: str, fingerprint: str) -> Head:
        book = self.book
        study = f"{book.study.registry} · {book.study.short_title.in_(self.locale)}"
        under = self.say(
            T(
                "{title} · definition {version} ({print})",
                title=title, version=version, print=fingerprint[:12],
            )
        )  # fmt: skip
        pages = self.say(T("Page {page} of {pages}", page="{page}", pages="{pages}"))
        return Head(f"{book.who.code} · {study}", pages, under)

    def _new_part(self, title: str) -> list[Flowable]:
        head = self._head(title, self.book.study.version, self.book.who.protocol)
        return [*next_page(head), Mark(title)]

    def _form_head(self, filled: Filled) -> Head:
        return self._head(self._title(filled), filled.study.version, filled.fingerprint)

    def _title(self, filled: Filled) -> str:
        plan = filled.plan
        visit = filled.visit.key
        if plan is not None and plan.label.in_(self.locale) != visit:
            visit = f"{plan.label.in_(self.locale)} ({visit})"
        number = f" {filled.number}" if filled.form.repeating else ""
        return f"{visit} · {filled.form.title.in_(self.locale)}{number}"

    def _overview(self) -> Iterator[Flowable]:
        who = self.book.who
        yield from heading(self.say(T("Casebook of {code}", code=who.code)), 16)
        yield space()
        facts = [
            (T("Study"), self.book.study.title.in_(self.locale)),
            (T("Site"), who.site),
            (T("Status"), self.say(STATUS[who.status])),
            (T("Randomized on"), say.day(who.randomized_on, self.locale)),
            (T("Randomization number"), who.random_number or ""),
        ]
        yield table([[self.say(label), value] for label, value in facts], (1, 3), header=False)
        yield space(12)
        yield from heading(self.say(T("Visits")), 12)
        titles = (T("Visit"), T("Window"), T("Held on"), T("Status"))
        yield table([[self.say(t) for t in titles], *self._visits()], (3, 4, 2, 3))
        if self.book.deviations:
            yield space(12)
            yield from heading(self.say(T("Deviations")), 12)
            for deviation in self.book.deviations:
                yield Lines(f"{deviation.visit or ''} {deviation.in_(self.locale)}".strip())

    def _visits(self) -> Iterator[list[str]]:
        for visit in self.book.visits:
            plan = self.book.study.visit.get(visit.plan)
            label = plan.label.in_(self.locale) if plan else visit.plan
            window = ""
            if visit.first and visit.last:
                ends = (say.day(visit.first, self.locale), say.day(visit.last, self.locale))
                window = " – ".join(ends)
            status = self.say(STATUS[visit.status])
            if visit.missed_reason:
                status = f"{status}: {visit.missed_reason}"
            held = say.day(visit.held_on, self.locale)
            yield [f"{visit.key} {label}", window, held, status]

    def _form(self, filled: Filled) -> Iterator[Flowable]:
        yield Lines(
            self.say(
                T(
                    "{status} · visit on {day} · last saved by {name} at {at}",
                    status=STATUS[filled.status],
                    day=say.day(filled.visit.held_on, self.locale) or "–",
                    name=filled.saved_by, at=self.moment(filled.saved_at),
                )
            )
        )  # fmt: skip
        if filled.later:
            yield Lines(self.say(T("Entered after the code of the participant was broken.")))
        for section in filled.form.sections:
            if self.compact and not any(self._filled(filled, m) for m in section.members):
                continue
            yield space(8)
            if section.title:
                yield from heading(section.title.in_(self.locale), 11, 1.5 * BELOW)
            for kind, members in groupby(section.members, key=type):
                if kind is Item:
                    items = [m for m in members if isinstance(m, Item)]
                    if not self.compact or any(self._filled(filled, m) for m in items):
                        yield space(4)
                        yield self._items(filled, items)
                    continue
                for grid in members:
                    if isinstance(grid, Grid) and self._filled(filled, grid):
                        yield space(4)
                        yield from heading(grid.label.in_(self.locale), 10)
                        yield self._grid(filled, grid)
        yield from self._signatures(filled)

    def _filled(self, filled: Filled, member: Item | Grid) -> bool:
        """Say whether the member is printed: always, but for blank ones in a compact book."""
        if not self.compact:
            return True
        if isinstance(member, Grid):
            rows = {row.id for row in member.rows}
            return any(key.partition(".")[0] in rows for key in filled.answers)
        return member.id in filled.answers

    def _items(self, filled: Filled, items: list[Item]) -> Flowable:
        changed = self._changed(filled)
        rows = [[self.say(T("Item")), self.say(T("Answer"))]]
        shaded = []
        for item in items:
            if item.type is ItemType.NOTE or not self._filled(filled, item):
                continue
            if item.id in changed:
                shaded.append(len(rows))
            label = item.label.in_(self.locale)
            rows.append([label, self._answer(filled, item.id, item, changed)])
        return table(rows, (5, 6), shaded=shaded)

    def _grid(self, filled: Filled, grid: Grid) -> Flowable:
        changed = self._changed(filled)
        labels = [column.label.in_(self.locale) for column in grid.columns]
        rows = [["", *labels]]
        shaded = []
        for row in grid.rows:
            keys = [f"{row.id}.{column.id}" for column in grid.columns]
            if self.compact and not any(key in filled.answers for key in keys):
                continue
            if any(key in changed for key in keys):
                shaded.append(len(rows))
            cells = [
                "" if column.id in row.closed else self._answer(filled, key, column, changed)
                for key, column in zip(keys, grid.columns, strict=True)
            ]
            rows.append([row.label.in_(self.locale), *cells])
        return table(rows, (3, *(2 for _ in grid.columns)), shaded=shaded)

    def _answer(
        self, filled: Filled, key: str, question: Question, changed: Mapping[str, list[int]]
    ) -> str:
        if question.blinding == "masked":
            return self.say(T("masked"))
        text = say.answer(filled.study, question, filled.answers.get(key, {}), self.locale)
        if key not in changed:
            return text
        notes = ", ".join(str(number) for number in changed[key])
        return self.say(T("{text} [changed: {notes}]", text=text, notes=notes)).strip()

    def _changed(self, filled: Filled) -> Mapping[str, list[int]]:
        found: dict[str, list[int]] = {}
        for change in self.book.changes:
            if change.entry_id == filled.id:
                found.setdefault(change.item, []).append(change.number)
        return found

    def _signatures(self, filled: Filled) -> Iterator[Flowable]:
        if filled.form.signed is None and not filled.signatures:
            return
        yield space(10)
        yield from heading(self.say(T("Signatures")), 11)
        if not filled.signatures:
            yield Lines(self.say(T("Not signed.")))
            return
        titles = (T("Printed name"), T("Time"), T("Meaning"), T("State"))
        rows = [[self.say(title) for title in titles]]
        for signed in filled.signatures:
            meaning = signed.meaning_zh if self.locale == "zh" else signed.meaning_en
            who = f"{signed.name}\n{self.say(TITLES[signed.role])}"
            when = say.moment(signed.at, signed.zone)
            rows.append([who, when, meaning, self.say(audit.state(signed))])
        yield table(rows, (3, 4, 5, 2))

    def _appendix(self) -> Iterator[Flowable]:
        if self.book.changes:
            yield from heading(self.say(T("Changes of answers given earlier")), 12)
            titles = (T("No."), T("Item"), T("Before → after"), T("Who, when"), T("Reason"))
            rows = [[self.say(title) for title in titles], *self._change_lines()]
            yield table(rows, (1, 4, 5, 4, 4))
        if self.book.queries:
            yield space(12)
            yield from heading(self.say(T("Queries")), 12)
            asked = (T("Item"), T("Question"), T("Status"), T("What was said"))
            rows = [[self.say(title) for title in asked]]
            for query in self.book.queries:
                text = query.text_zh if self.locale == "zh" else query.text_en
                place = f"{query.visit} {query.form.upper()} {query.item}"
                said = "\n".join(query.turns)
                rows.append([place, text, self.say(STATUS[query.status]), said])
            yield table(rows, (3, 5, 2, 6))

    def _change_lines(self) -> Iterator[list[str]]:
        entries = {filled.id: filled for filled in self.book.entries}
        for change in self.book.changes:
            filled = entries[change.entry_id]
            cell = filled.form.cells.get(change.item)
            label, values = change.item, self.say(T("masked"))
            if cell is not None:
                label = say.called(cell, self.locale)
            if cell is not None and not masked(filled.form, change.item):
                values = " → ".join(
                    say.answer(filled.study, cell.question, part, self.locale) or "–"
                    for part in (change.old, change.new)
                )
                place = f"{change.visit} {change.form.upper()}: {label}"
            role = f" ({self.say(TITLES[change.role])})" if change.role else ""
            who = f"{change.name}{role}\n{self.moment(change.at)}"
            yield [str(change.number), place, values, who, change.reason]
