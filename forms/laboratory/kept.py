"""The files of results a person may see, and how those of each laboratory are read."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ecrf.kernel.access import Actor, Right
from ecrf.kernel.chain import Change
from ecrf.kernel.errors import NotAllowed
from ecrf.kernel.ledger import LEDGER, Act, By, study_chain
from ecrf.kernel.people import Person
from ecrf.kernel.text import T
from forms.laboratory.mapping import Reading, reading
from forms.laboratory.tables import MappingRow, ResultFile, ResultRow
from forms.upsert import insert_or

MOST = 100


class Listed(NamedTuple):
    """A file with how many lines it has, and how many of them cannot be taken."""

    id: int
    name: str
    laboratory: str
    sha256: str
    status: str
    staged_at: datetime
    staged_by: str
    lines: int
    wrong: int


def files(session: Session, actor: Actor, study: str) -> list[Listed]:
    """Return the newest files; people of a site see their own."""
    lines = func.count(ResultRow.id)
    wrong = lines.filter(ResultRow.status.in_(("wrong", "refused")))
    query = (
        select(
            ResultFile.id, ResultFile.name, ResultFile.laboratory, ResultFile.sha256,
            ResultFile.status, ResultFile.staged_at, Person.name, lines, wrong,
        )
        .join(Person, Person.id == ResultFile.staged_by)
        .outerjoin(ResultRow, ResultRow.file_id == ResultFile.id)
        .where(ResultFile.study == study)
        .group_by(ResultFile.id, Person.name)
        .order_by(ResultFile.id.desc())
        .limit(MOST)
    )  # fmt: skip
    if actor.sites(Right.ENTRY_READ, study) is not None:
        query = query.where(ResultFile.staged_by == actor.id)
    return [Listed._make(row) for row in session.execute(query)]


def names(session: Session, study: str) -> Sequence[str]:
    """Return the laboratories whose files have been read before."""
    query = select(MappingRow.laboratory).where(MappingRow.study == study)
    return list(session.scalars(query.order_by(MappingRow.laboratory)))


def find(session: Session, study: str, laboratory: str) -> Reading:
    """Return how the files of a laboratory are read; plainly when nothing is kept."""
    content = session.scalar(
        select(MappingRow.content).where(
            MappingRow.study == study, MappingRow.laboratory == laboratory
        )
    )
    return reading(content or {})


def keep(session: Session, by: By, study: str, laboratory: str, how: Reading) -> None:
    """Keep how the files of a laboratory are read; unchanged, nothing is written."""
    role = by.actor.role_for(Right.ENTRY_WRITE, study)
    if role is None:
        raise NotAllowed(T("Your role does not include this."))
    before = find(session, study, laboratory)
    if before == how:
        return
    row = {
        "study": study, "laboratory": laboratory[:80], "content": how.document(), "at": by.at,
        "by": by.actor.id,
    }  # fmt: skip
    statement = insert_or(session, MappingRow).values(row)
    new = {name: statement.excluded[name] for name in ("content", "at", "by")}
    session.execute(
        statement.on_conflict_do_update(index_elements=["study", "laboratory"], set_=new)
    )
    act = Act(
        "laboratory:mapping", role, study, key=f"mapping:{laboratory[:80]}",
        changes=[Change("mapping", before.document(), how.document())],
    )  # fmt: skip
    LEDGER.record(session, by, study_chain(study), act)
