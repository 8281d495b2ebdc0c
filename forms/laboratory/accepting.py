"""Carry out a staged file: entry by entry through the door every answer passes.

Done in parts: each call takes some entries in the caller's transaction, marks their lines, and
says what is left, so that it can be stopped and taken up again anywhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from ecrf.kernel.access import Actor, Right
from ecrf.kernel.errors import Conflict, NotFound, Refused, Unacceptable
from ecrf.kernel.ledger import LEDGER, Act, By, Origin, study_chain
from ecrf.kernel.text import T
from forms import entries, lookup
from forms.answers import Given
from forms.laboratory.judging import shown
from forms.laboratory.tables import ResultFile, ResultRow
from visits import refusals

WAITING = ("new", "change")
AT_ONCE = 40


class Progress(NamedTuple):
    """How many entries were saved and refused now, and how many lines still wait."""

    saved: int
    refused: int
    left: int


def find(session: Session, actor: Actor, study: str, file_id: int) -> ResultFile:
    """Return a file the person may see: their own, or every one of a whole study's reader."""
    row = session.get(ResultFile, file_id)
    if row is None or row.study != study or not _may_see(actor, row):
        raise NotFound(T("There is no such file."))
    return row


def _may_see(actor: Actor, row: ResultFile) -> bool:
    everywhere = (
        actor.may(Right.ENTRY_READ, row.study)
        and actor.sites(Right.ENTRY_READ, row.study) is None
    )
    return everywhere or row.staged_by == actor.id


def counts(session: Session, file_id: int) -> Mapping[str, int]:
    """Return how many lines of a file stand how."""
    rows = session.execute(
        select(ResultRow.status, func.count().label("n"))
        .where(ResultRow.file_id == file_id)
        .group_by(ResultRow.status)
    )
    return {row.status: row.n for row in rows}


def drop(session: Session, by: By, file: ResultFile) -> None:
    """Put a staged file away; nothing was changed by it."""
    _require_own(by, file)
    if file.status != "staged":
        raise Conflict(T("This file has been accepted; what it brought stands on the forms."))
    _turn(session, by, file, "dropped", "laboratory:drop")


def accept(
    session: Session, by: By, file: ResultFile, reason: str, at_once: int = AT_ONCE
) -> Progress:
    """Save the next entries of a file, at most `at_once`; only its good lines count.

    `reason` is why answers given earlier become others; without such lines none is needed.
    """
    _require_own(by, file)
    if file.status in ("accepted", "dropped"):
        raise Conflict(T("This file is done with. Nothing was changed."))
    if file.status == "staged":
        _begin(session, by, file, reason)
    sender = replace(by, origin=Origin.IMPORT)
    results = [_save(session, sender, file, place) for place in _next(session, file, at_once)]
    left = sum(counts(session, file.id).get(status, 0) for status in WAITING)
    if not left:
        _turn(session, by, file, "accepted", "laboratory:accepted")
    return Progress(results.count(True), results.count(False), left)


def _require_own(by: By, file: ResultFile) -> None:
    if file.staged_by != by.actor.id:
        raise Conflict(T("Only who sent this file accepts it or puts it away."))


def _begin(session: Session, by: By, file: ResultFile, reason: str) -> None:
    changes = counts(session, file.id).get("change", 0)
    if changes and not reason.strip():
        raise Unacceptable(
            T("Say why: {n} line(s) would change answers given earlier.", n=changes)
        )
    file.reason = refusals.require_reason(reason) if reason.strip() else ""
    _turn(session, by, file, "accepting", "laboratory:accept")


def _turn(session: Session, by: By, file: ResultFile, status: str, action: str) -> None:
    role = by.actor.role_for(Right.ENTRY_WRITE, file.study)
    numbers = dict(sorted(counts(session, file.id).items()))
    file.status = status
    session.flush()
    act = Act(
        action, role, file.study, key=f"file:{file.id}",
        refs={"file": file.id, "sha256": file.sha256, "lines": numbers},
        reason=file.reason or None,
    )  # fmt: skip
    LEDGER.record(session, by, study_chain(file.study), act)


Place = tuple[str, str, str]


def _next(session: Session, file: ResultFile, most: int) -> list[Place]:
    query = (
        select(ResultRow.code, ResultRow.visit, ResultRow.form)
        .where(ResultRow.file_id == file.id, ResultRow.status.in_(WAITING))
        .group_by(ResultRow.code, ResultRow.visit, ResultRow.form)
        .order_by(ResultRow.code, ResultRow.visit, ResultRow.form)
        .limit(most)
    )
    return [(row.code, row.visit, row.form) for row in session.execute(query)]


def _save(session: Session, by: By, file: ResultFile, place: Place) -> bool:
    """Save one entry with its lines; when it is refused the lines say why."""
    code, visit, form = place
    here = (
        ResultRow.file_id == file.id, ResultRow.code == code, ResultRow.visit == visit,
        ResultRow.form == form, ResultRow.status.in_(WAITING),
    )  # fmt: skip
    rows = session.scalars(select(ResultRow).where(*here).order_by(ResultRow.line)).all()
    try:
        with session.begin_nested():
            _enter(session, by, file, place, rows)
    except Refused as no:
        said = [no.message, *(problem.message for problem in no.problems)]
        values = {
            "status": "refused",
            "problem_en": " ".join(text.in_("en") for text in said)[:600],
            "problem_zh": " ".join(text.in_("zh") for text in said)[:600],
        }
        session.execute(update(ResultRow).where(*here).values(values))
        return False
    session.execute(update(ResultRow).where(*here).values(status="done"))
    return True


def _enter(
    session: Session, by: By, file: ResultFile, place: Place, rows: Sequence[ResultRow]
) -> None:
    code, visit, form = place
    found = lookup.entry(
        session, by.actor, file.study, code, visit, form, 1, Right.ENTRY_WRITE, lock=True
    )
    given = {row.item: Given(row.text, row.unit) for row in rows}
    changed = [row for row in rows if shown(found.answers.get(row.item)) != row.old]
    if changed:
        # Somebody answered since the file was looked at: their answer is theirs to change.
        raise Conflict(T("{items}: answered since the file was staged.",
                         items=", ".join(row.item for row in changed)))  # fmt: skip
    laboratory = found.study.laboratory
    if laboratory is not None:
        day = next((row.on for row in rows if row.on), "")
        for key, text in zip(laboratory.sample(form), (day, file.laboratory), strict=True):
            if text and key not in found.answers:
                given[key] = Given(text)
    lines = [row.line for row in rows]
    entries.save(
        session, by, found, given, seen_version=found.version, reason=file.reason or None,
        complete=False, origin={"file": file.sha256, "lines": [min(lines), max(lines)]},
    )  # fmt: skip
