"""Print casebooks: read each, draw it, and write down who took it."""

import hashlib
import io
import zipfile
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from ecrf.kernel.access import Actor, Right
from ecrf.kernel.db import Database
from ecrf.kernel.ledger import LEDGER, Act, By, study_chain
from reports import book
from visits.tables import Participant


class Printed(NamedTuple):
    """A casebook that was printed."""

    name: str
    content: bytes
    sha256: str


class Wanted(NamedTuple):
    """How a casebook is printed: `compact` without what is blank, `audit` with all acts."""

    locale: str
    training: bool
    compact: bool = False
    audit: bool = True


def casebook(
    database: Database, session: Session, by: By, study: str, code: str, wanted: Wanted
) -> Printed:
    """Return the participant's casebook as a PDF; `session` writes the act of taking it."""
    from reports.casebook import Casebook  # noqa: PLC0415 (slow to load, seldom needed)

    with database.read() as reading:
        read = book.read(reading, by.actor, study, code, by.at)
    content = Casebook(
        read, wanted.locale, by.actor.name, by.at, training=wanted.training,
        compact=wanted.compact, audit=wanted.audit,
    ).draw()  # fmt: skip
    digest = hashlib.sha256(content).hexdigest()
    act = Act(
        "data:export", by.actor.role_for(Right.ENTRY_READ, study, read.who.site), study,
        read.who.site, key=f"casebook:{code}",
        refs={
            "casebook": code, "language": wanted.locale, "sha256": digest,
            "bytes": len(content), "head": read.head,
        },
    )  # fmt: skip
    LEDGER.record(session, by, study_chain(study), act)
    return Printed(f"casebook-{study}-{code}-{wanted.locale}.pdf", content, digest)


def at_site(session: Session, actor: Actor, study: str, site: str) -> list[str]:
    """Return the codes of a site's participants; none for a site the actor does not read."""
    if not actor.may(Right.ENTRY_READ, study, site):
        return []
    mine = (Participant.study == study) & (Participant.site == site)
    return list(
        session.scalars(select(Participant.code).where(mine).order_by(Participant.code))
    )


def casebooks(
    database: Database, by: By, study: str, codes: Sequence[str], wanted: Wanted
) -> Iterator[bytes]:
    """Yield a ZIP of many casebooks piece by piece: never more than one is in memory.

    Each is written down as taken in a small transaction of its own.
    """
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_STORED) as packed:
        for code in codes:
            with database.write() as session:
                printed = casebook(database, session, by, study, code, wanted)
            when = by.at.timetuple()[:6]
            packed.writestr(zipfile.ZipInfo(printed.name, when), printed.content)
            yield pipe.taken()
    yield pipe.taken()


class _Pipe(io.RawIOBase):
    """A file that is only written to, and emptied as it is filled."""

    def __init__(self) -> None:
        super().__init__()
        self._held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self._held += data
        return len(data)

    def taken(self) -> bytes:
        """Return what was written since the last time."""
        held, self._held = bytes(self._held), bytearray()
        return held
