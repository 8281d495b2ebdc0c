"""Stage a file of results: every line judged, nothing of the trial changed.

The file is read as a stream, in batches; the same bytes are staged once.
"""

import csv
import hashlib
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import BinaryIO, NamedTuple

from sqlalchemy import and_, insert, select
from sqlalchemy.orm import Session

from ecrf.kernel.access import Right
from ecrf.kernel.errors import NotAllowed, Unacceptable
from ecrf.kernel.ledger import LEDGER, Act, By, study_chain
from ecrf.kernel.people import Site
from ecrf.kernel.text import T
from ecrf.study.model import Study
from ecrf.study.tables import StudyRow
from forms import answers
from forms.answers import Answer
from forms.laboratory import mapping as reading
from forms.laboratory.judging import Line, Spot, Verdict, judge
from forms.laboratory.mapping import Reading
from forms.laboratory.tables import ResultFile, ResultRow
from forms.tables import Entry
from visits.tables import Participant, Visit

BATCH = 500
MOST = 200_000
STANDING = ("staged", "accepting", "accepted")


class Staged(NamedTuple):
    """The file staged; `again` when the very same bytes were staged before."""

    file_id: int
    again: bool


class Upload(NamedTuple):
    """A file as it was sent; the stream can be read again from its start."""

    name: str
    laboratory: str
    stream: BinaryIO


def digest(stream: BinaryIO) -> str:
    """Return the SHA-256 of a stream, and put it back to its start."""
    stream.seek(0)
    made = hashlib.sha256()
    while block := stream.read(1 << 16):
        made.update(block)
    stream.seek(0)
    return made.hexdigest()


def stage(session: Session, by: By, study: Study, upload: Upload, how: Reading) -> Staged:
    """Judge every line of a file and keep what was judged."""
    role = by.actor.role_for(Right.ENTRY_WRITE, study.id)
    if role is None:
        raise NotAllowed(T("Your role does not include this."))
    sha256 = digest(upload.stream)
    head = LEDGER.head(session, study_chain(study.id))
    before = session.scalar(
        select(ResultFile.id).where(
            ResultFile.study == study.id, ResultFile.sha256 == sha256,
            ResultFile.status.in_(STANDING),
        )
    )  # fmt: skip
    if before is not None:
        return Staged(before, again=True)
    lines = _lines(upload.stream, how)
    first = list(islice(lines, BATCH))  # what cannot be read is said before anything is kept
    file_id = session.execute(
        insert(ResultFile)
        .values(
            study=study.id, laboratory=upload.laboratory[:80], name=upload.name[-200:],
            sha256=sha256, status="staged", reason="", staged_at=by.at,
            staged_by=by.actor.id,
        )
        .returning(ResultFile.id)
    ).scalar_one()  # fmt: skip
    seen: dict[int, int] = {}
    batch = first
    while batch:
        _keep(session, by, study, file_id, batch, seen)
        batch = list(islice(lines, BATCH))
    refs = {"file": file_id, "sha256": sha256, "name": upload.name[-200:]}
    act = Act("laboratory:stage", role, study.id, key=f"file:{file_id}", refs=refs)
    LEDGER.write(session, by, [(head, act)])
    return Staged(file_id, again=False)


def _keep(
    session: Session,
    by: By,
    study: Study,
    file_id: int,
    batch: Sequence[Line],
    seen: dict[int, int],
) -> None:
    places = _places(session, by, study.id, {line.participant for line in batch})
    rows = []
    for line in batch:
        verdict = _once(line, judge(study, line, places.get(line.participant)), seen)
        rows.append(_row(file_id, line, verdict))
    session.execute(insert(ResultRow), rows)


def _once(line: Line, verdict: Verdict, seen: dict[int, int]) -> Verdict:
    """A result that a line before has given already is wrong: nobody knows which counts."""
    if verdict.status == "wrong" or not line.result:
        return verdict
    key = hash((line.participant, line.visit, verdict.form, verdict.item))
    before = seen.setdefault(key, line.number)
    if before == line.number:
        return verdict
    return Verdict("wrong", problem=T("Line {n} has this result already.", n=before))


def _row(file_id: int, line: Line, verdict: Verdict) -> dict[str, object]:
    problem = verdict.problem
    return {
        "file_id": file_id, "line": line.number, "status": verdict.status,
        "code": line.participant[:64], "visit": line.visit[:64], "form": verdict.form,
        "item": verdict.item or line.test[:120], "text": line.result[:200],
        "unit": line.unit[:40], "on": verdict.on[:40] or line.on[:40],
        "old": verdict.old[:240],
        "problem_en": problem.in_("en")[:600] if problem else "",
        "problem_zh": problem.in_("zh")[:600] if problem else "",
    }  # fmt: skip


def _places(
    session: Session, by: By, study_id: str, codes: set[str]
) -> dict[str, dict[str, Spot]]:
    """Return the visits of the participants named that the person may write at, in one go."""
    held = by.actor.sites(Right.ENTRY_WRITE, study_id)
    query = (
        select(
            Participant.code, Participant.state, Site.state.label("site_state"),
            StudyRow.state.label("study_state"), Visit.key, Visit.plan, Visit.held_on,
            Visit.kind, Visit.state.label("visit_state"), Entry.form, Entry.answers,
            Entry.state.label("entry_state"),
        )
        .join(StudyRow, StudyRow.id == Participant.study)
        .join(Site, and_(Site.study == Participant.study, Site.code == Participant.site))
        .join(Visit, Visit.participant_id == Participant.id)
        .outerjoin(Entry, and_(Entry.visit_id == Visit.id, Entry.number == 1))
        .where(Participant.study == study_id, Participant.code.in_(codes))
    )  # fmt: skip
    if held is not None:
        query = query.where(Participant.site.in_(held))
    found: dict[str, dict[str, Spot]] = {}
    for row in session.execute(query):
        states = (row.state, row.site_state, row.study_state, row.visit_state)
        spot = found.setdefault(row.code, {}).setdefault(
            row.key,
            Spot(row.plan, row.held_on is not None or row.kind == "log",
                 all(state == "open" for state in states), {}),
        )  # fmt: skip
        if row.form is not None and isinstance(spot.entries, dict):
            spot.entries[row.form] = (row.entry_state, _answers(row.answers))
    return found


def _answers(document: dict[str, dict[str, str]]) -> dict[str, Answer]:
    return answers.load(document)


def _lines(stream: BinaryIO, how: Reading) -> Iterator[Line]:
    rows = csv.DictReader(_text(stream))
    columns = how.positions(rows.fieldnames or ())
    missing = [name for name in reading.NEEDED if name not in columns]
    if missing:
        raise Unacceptable(
            T(
                "The file has no column for {names}. Its columns are {known}.",
                names=", ".join(missing), known=", ".join(rows.fieldnames or ["–"])[:300],
            )
        )  # fmt: skip
    return _read(rows, columns, how)


def _read(rows: "csv.DictReader[str]", columns: dict[str, str], how: Reading) -> Iterator[Line]:
    for row in rows:
        if rows.line_num > MOST:
            raise Unacceptable(T("The file has more than {n} lines. Send it in parts.", n=MOST))
        cell = {ours: (row.get(theirs) or "").strip() for ours, theirs in columns.items()}
        yield Line(
            rows.line_num, cell["participant"], how.visit(cell["visit"]),
            cell.get("date", ""), how.test(cell["test"]), cell["result"],
            how.unit(cell.get("unit", "")),
        )  # fmt: skip


def _text(stream: BinaryIO) -> Iterable[str]:
    """Decode a file: UTF-8, else the Chinese standard; laboratories send either."""
    encoding = "utf-8-sig"
    try:
        for _ in io.TextIOWrapper(io.BufferedReader(_Kept(stream)), encoding):
            pass
    except UnicodeDecodeError:
        encoding = "gb18030"
    stream.seek(0)
    return io.TextIOWrapper(
        io.BufferedReader(_Kept(stream)), encoding, errors="replace", newline=""
    )


class _Kept(io.RawIOBase):
    """A stream that stays open when the reader around it is thrown away."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        block = self._stream.read(len(buffer))
        buffer[: len(block)] = block
        return len(block)
