"""The lock that closes a whole study: what the planned unblinding rests on."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from ecrf.kernel.chain import stamp
from ecrf.kernel.errors import Conflict
from ecrf.kernel.text import T
from ecrf.study.tables import StudyRow
from forms.closing import covering
from forms.scope import Level
from forms.tables import Lock


class Closed(NamedTuple):
    """The standing lock of a study: its number, when, and the checkpoint that covers it."""

    lock: int
    at: datetime
    checkpoint: int | None

    def reference(self) -> str:
        """Return the words by which a signature names the lock."""
        return f"lock {self.lock}, {stamp(self.at)}, checkpoint {self.checkpoint}"


def closed(session: Session, study: str) -> Closed | None:
    """Return the lock by which the whole study is closed now; None when it is not."""
    if session.scalar(select(StudyRow.state).where(StudyRow.id == study)) != "locked":
        return None
    whole = [row for row in covering.standing(session, study) if _is_whole(row)]
    return Closed(whole[-1].id, whole[-1].at, whole[-1].checkpoint) if whole else None


def require(session: Session, study: str) -> Closed:
    """Return the lock; refuse while the study is not locked, or opened again in part."""
    found = closed(session, study)
    if found is None:
        raise Conflict(T("{study} is unblinded when its data are locked.", study=study))
    return found


def _is_whole(row: Lock) -> bool:
    return row.kind == "lock" and row.scope == Level.STUDY and row.reopened_at is None
