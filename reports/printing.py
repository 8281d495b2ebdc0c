"""Print a casebook: read it, draw it, and write down who took it."""

import hashlib
from typing import NamedTuple

from sqlalchemy.orm import Session

from ecrf.kernel.access import Right
from ecrf.kernel.db import Database
from ecrf.kernel.ledger import LEDGER, Act, By, study_chain
from reports import book


class Printed(NamedTuple):
    """A casebook that was printed."""

    name: str
    content: bytes
    sha256: str


def casebook(
    database: Database,
    session: Session,
    by: By,
    study: str,
    code: str,
    locale: str,
    *,
    training: bool,
) -> Printed:
    """Return the participant's casebook as a PDF; `session` writes the act of taking it."""
    from reports.casebook import Casebook  # noqa: PLC0415 (slow to load, seldom needed)

    with database.read() as reading:
        read = book.read(reading, by.actor, study, code, by.at)
    content = Casebook(read, locale, by.actor.name, by.at, training=training).draw()
    digest = hashlib.sha256(content).hexdigest()
    act = Act(
        "data:export", by.actor.role_for(Right.ENTRY_READ, study, read.who.site), study,
        read.who.site, key=f"casebook:{code}",
        refs={
            "casebook": code, "language": locale, "sha256": digest, "bytes": len(content),
            "head": read.head,
        },
    )  # fmt: skip
    LEDGER.record(session, by, study_chain(study), act)
    return Printed(f"casebook-{study}-{code}-{locale}.pdf", content, digest)
