"""The files of a package: a list of every version that ever was an answer, and their bytes.

`files.csv` has a line for each; the bytes stand once under `files/` by their hash. Items that
must not appear in anything blinded are left out with their files.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from ecrf.kernel.people import Person
from ecrf.study.model import Study
from forms.files import keeping, naming
from forms.files.tables import FileContent, FileVersion
from forms.tables import Entry
from reports import read
from reports.packing import Packing
from reports.read import ORDER, Selection
from reports.shape import Masked
from visits.tables import Participant, Visit

HEADER = (
    "site", "participant", "visit", "form", "number", "item", "name", "kind", "bytes", "sha256",
    "saved_at", "saved_by", "stands", "file",
)  # fmt: skip


class Listed(NamedTuple):
    """One line of the list."""

    cells: tuple[str, ...]
    sha256: str
    path: str


def write(
    pack: Packing,
    session: Session,
    selection: Selection,
    studies: Sequence[Study],
    masked: Sequence[Masked],
) -> None:
    """Write list and files, when the study asks for any."""
    if not any(naming.items(form) for study in studies for form in study.forms.values()):
        return
    found = list(_listed(session, selection, masked))
    pack.table("files.csv", HEADER, (line.cells for line in found))
    for sha256, path in sorted({(line.sha256, line.path) for line in found}):
        content = session.scalar(
            select(FileContent.content).where(FileContent.sha256 == sha256)
        )
        keeping.require_whole(content or b"", sha256)
        pack.raw(path, content or b"")


def _listed(
    session: Session, selection: Selection, masked: Sequence[Masked]
) -> Iterator[Listed]:
    hidden = {(one.form, key) for one in masked for key in one.keys}
    query = (
        select(
            Participant.site, Participant.code, Visit.key, FileVersion.form, FileVersion.number,
            FileVersion.item, FileVersion.name, FileVersion.kind, FileContent.size,
            FileVersion.sha256, FileVersion.saved_at, Person.name.label("by"), Entry.answers,
        )
        .join(FileContent, FileContent.sha256 == FileVersion.sha256)
        .join(Participant, Participant.id == FileVersion.participant_id)
        .join(Visit, Visit.id == FileVersion.visit_id)
        .join(Person, Person.id == FileVersion.sent_by)
        .join(
            Entry,
            (Entry.visit_id == FileVersion.visit_id)
            & (Entry.form == FileVersion.form)
            & (Entry.number == FileVersion.number),
        )
        .where(selection.covers(), FileVersion.saved_at <= selection.at)
        .order_by(*ORDER, Visit.position, Visit.key, FileVersion.form, FileVersion.number,
                  FileVersion.item, FileVersion.saved_at, FileVersion.id)
    )  # fmt: skip
    for row in session.execute(query):
        if (row.form, row.item) in hidden:
            continue
        named = naming.Named(row.name, row.sha256)
        stands = row.answers.get(row.item, {}).get("text") == named.answer
        path = f"files/{row.sha256}{naming.ENDINGS[row.kind][0]}"
        cells = (*map(read.text, row[:12]), "Y" if stands else "N", path)
        yield Listed(cells, row.sha256, path)
