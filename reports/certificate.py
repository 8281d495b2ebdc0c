"""The certificate of a lock: what was locked, by whom, under which checkpoint, what was waived.

Import it where a certificate is printed and nowhere earlier: the PDF library takes a tenth of a
second to load. Everything it says was stored with the lock; printing adds who printed it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from reportlab.platypus import Flowable
from sqlalchemy import select
from sqlalchemy.orm import Session

from ecrf.kernel import checkpoints, notes
from ecrf.kernel.access import TITLES
from ecrf.kernel.signatures import Signature
from ecrf.kernel.text import Message, T
from ecrf.study.model import Study
from forms.closing import manifest
from forms.scope import Level, stored
from forms.tables import Lock
from forms.unlocking.tables import Unlock
from reports import paper, say
from reports.casebook import STATUS, WATERMARK
from reports.paper import Head, Lines, heading, space, table

KINDS = (
    ("participants", T("Participants")), ("visits", T("Visits")), ("entries", T("Entries")),
    ("queries", T("Queries")),
)  # fmt: skip
CANCELLED = {"cancelled": T("cancelled")}


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate about to be drawn."""

    study: Study
    lock: Lock
    name: str
    note: str
    signatures: list[Signature]
    unlocks: list[Unlock]
    locale: str
    printed_by: str
    printed_at: datetime

    def say(self, text: Message) -> str:
        return text.in_(self.locale)

    @property
    def kept(self) -> Mapping[str, Any]:
        return self.lock.manifest or {}

    def draw(self, *, training: bool) -> bytes:
        """Return the PDF."""
        paper.fonts()
        study = f"{self.study.registry} · {self.study.short_title.in_(self.locale)}"
        pages = self.say(T("Page {page} of {pages}", page="{page}", pages="{pages}"))
        title = self.say(T("Certificate of lock {id}", id=self.lock.id))
        head = Head(f"{title} · {study}", pages, self.name)
        foot = T(
            "Printed by {name} at {at}",
            name=self.printed_by, at=say.moment(self.printed_at, "UTC"),
        )  # fmt: skip
        water = self.say(WATERMARK) if training else ""
        story = list(self._story(title))
        return paper.document(title, head, story, f"\n{self.say(foot)}", water)

    def _story(self, title: str) -> Iterator[Flowable]:
        yield from heading(title, 16)
        yield space()
        yield table([[self.say(a), b] for a, b in self._facts()], (1, 3), header=False)
        yield space(12)
        yield from heading(self.say(T("Signatures")), 12)
        yield table(self._signed(), (3, 3, 4, 4))
        yield space(12)
        yield from heading(self.say(T("What was locked")), 12)
        yield table(self._counts(), (2, 5))
        yield space(12)
        yield from heading(self.say(T("What was waived")), 12)
        waivers = self.kept["waivers"]
        if waivers:
            yield table(self._waived(), (3, 5, 4, 4))
        else:
            yield Lines(self.say(T("Nothing. Every gate of the lock was clear.")))
        if self.unlocks:
            yield space(12)
            yield from heading(self.say(T("Unlocked before this lock")), 12)
            yield table(self._unlocked(), (1, 4, 2, 6))
        yield space(12)
        yield from heading(self.say(T("The checkpoint")), 12)
        yield Lines(self.note)

    def _facts(self) -> Iterator[tuple[Message, str]]:
        lock, kept = self.lock, self.kept
        lifted = "–" if lock.lifted_at is None else say.moment(lock.lifted_at, "UTC")
        opened = "–" if lock.reopened_at is None else say.moment(lock.reopened_at, "UTC")
        yield T("Study"), self.study.title.in_(self.locale)
        yield T("Locked"), self.name
        yield T("At"), say.moment(lock.at, "UTC")
        yield T("Reason"), lock.reason or ""
        yield T("Definitions"), "\n".join(kept["definitions"])
        yield T("Software"), f"ecrf {kept['software']}"
        yield T("SHA-256 of all answers"), kept["answers"]
        yield T("SHA-256 of this content"), manifest.digest(kept)
        yield T("SHA-256 of the checkpoint"), notes.digest(self.note)
        yield T("Opened since"), opened
        yield T("Replaced since"), lifted

    def _signed(self) -> list[list[str]]:
        titles = (T("Name"), T("Role"), T("Signed at"), T("Meaning"))
        rows = [[self.say(title) for title in titles]]
        for one in self.signatures:
            role = TITLES.get(one.role)
            meaning = one.meaning_zh if self.locale == "zh" else one.meaning_en
            at = say.moment(one.at, one.zone)
            rows.append([
                one.printed_name, self.say(role) if role else one.role, at, meaning
            ])  # fmt: skip
        return rows

    def _counts(self) -> list[list[str]]:
        rows = [[self.say(T("Thing")), self.say(T("How many"))]]
        for key, label in KINDS:
            parts = [f"{self._status(name)}: {n}" for name, n in self.kept[key].items()]
            rows.append([self.say(label), " · ".join(parts) or "0"])
        rows.append([self.say(T("Signatures that stand")), str(self.kept["signed"])])
        return rows

    def _status(self, name: str) -> str:
        text = STATUS.get(name) or CANCELLED.get(name)
        return self.say(text) if text else name

    def _waived(self) -> list[list[str]]:
        titles = (T("Place"), T("What"), T("Reason"), T("By"))
        rows = [[self.say(title) for title in titles]]
        for one in self.kept["waivers"]:
            by = f"{one['by']}, {say.moment(datetime.fromisoformat(one['at']), 'UTC')}"
            rows.append([one["place"] or "–", one[self.locale], one["reason"], by])
        return rows

    def _unlocked(self) -> list[list[str]]:
        titles = (T("Number"), T("Reason"), T("Changes"), T("SHA-256 of the changes"))
        rows = [[self.say(title) for title in titles]]
        rows += [
            [str(one.id), one.reason, str(one.changed or 0), one.summary or ""]
            for one in self.unlocks
        ]
        return rows


def draw(
    session: Session,
    study: Study,
    lock: Lock,
    name: str,
    locale: str,
    printed_by: str,
    printed_at: datetime,
    *,
    training: bool,
) -> bytes:
    """Return the certificate of a lock that has its manifest; `name` is what was locked."""
    signatures = session.scalars(
        select(Signature).where(Signature.target == f"lock:{lock.id}").order_by(Signature.id)
    )
    scope = stored(session, lock.study, Level(lock.scope), lock.target)
    unlocks = session.scalars(
        select(Unlock)
        .where(
            Unlock.study == lock.study, Unlock.status == "closed", Unlock.closed_at <= lock.at
        )
        .order_by(Unlock.id)
    )
    covered = [
        row
        for row in unlocks
        if stored(session, row.study, Level(row.scope), row.target).within(
            scope.level, scope.key
        )
    ]
    note = checkpoints.note(session, lock.checkpoint or 0)
    made = Certificate(
        study, lock, name, note, list(signatures), covered, locale, printed_by,
        printed_at,
    )  # fmt: skip
    return made.draw(training=training)
