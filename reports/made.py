"""The packages made earlier, as the ledger tells them."""

import hashlib
import json
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from ecrf.kernel.ledger import LEDGER, study_chain


class Listed(NamedTuple):
    """A package made earlier, as the ledger tells it."""

    name: str
    sha256: str
    bytes: int
    rows: int
    lock: int | None
    as_of: str
    sites: list[str] | None
    made_at: datetime
    made_by: str


def listing(session: Session, study: str) -> list[Listed]:
    """Return the packages made of a study, the newest first."""
    c = LEDGER.act.c
    rows = session.execute(
        select(c.header, c.at)
        .where(c.chain == study_chain(study), c.action == "data:export")
        .order_by(c.seq.desc())
    )
    found = []
    for row in rows:
        header = json.loads(row.header)
        refs = header["refs"]
        if "package" in refs:
            found.append(
                Listed(
                    refs["package"], refs["sha256"], refs["bytes"], refs["rows"], refs["lock"],
                    refs["as_of"], refs["sites"], row.at, header["name"],
                )
            )  # fmt: skip
    return found


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file, read in blocks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
