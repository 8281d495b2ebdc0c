"""Judge stored results again after ranges were corrected, in two jobs.

The first looks: participant by participant it writes down which results would be judged by
another range, with range, flag and grade before and after; nothing else is changed. Whoever
manages the laboratory reads that and accepts it with a reason; the second job then carries it
out as every recomputing is, with its act on the participant's chain. An entry that was saved in
between is left as it is and told.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from ecrf.kernel import jobs
from ecrf.kernel.access import Right, Role
from ecrf.kernel.chance import Draw
from ecrf.kernel.errors import Conflict, NotAllowed, NotFound
from ecrf.kernel.jobs import DONE, Job, Step, Taken, Work
from ecrf.kernel.ledger import LEDGER, Act, By, participant_chain, study_chain
from ecrf.kernel.text import T
from forms.answers import Answer
from forms.context import scope
from forms.following import settling, storing
from forms.following.settling import Outcome
from forms.following.standing import Standing
from forms.laboratory.measured import ASKED
from forms.laboratory.tables import Rejudged
from forms.quality import everyone
from forms.tables import Entry
from visits import refusals
from visits.tables import Participant, Visit

LOOK, TAKE = "ranges", "ranges taken"
COUNTED = ("participants", "results")


class Judged(NamedTuple):
    """How a result is judged: its range as kept, its flag, its grade."""

    reference: str
    flag: str
    grade: str


def ask(session: Session, by: By, study: str) -> int:
    """Ask for the stored results to be looked at; return the job."""
    role = _role(by, study)
    job = jobs.ask(session, study, LOOK, {"role": role}, by.actor.id, by.at)
    act = Act("laboratory:rejudge", role, study, key=f"job:{job}", refs={"job": job})
    LEDGER.record(session, by, study_chain(study), act)
    return job


def accept(session: Session, by: By, study: str, looked: int, reason: str) -> int:
    """Accept what a look found; return the job that carries it out."""
    role, why = _role(by, study), refusals.require_reason(reason)
    head = LEDGER.head(session, study_chain(study))
    job = session.get(Job, looked)
    if job is None or job.study != study or job.kind != LOOK or job.state != DONE:
        raise NotFound(T("There is no finished look at the results with this number."))
    newest = next(iter(jobs.listing(session, study, LOOK, 1)))
    if newest.id != looked or _taken_before(session, study, looked):
        raise Conflict(T("This was accepted already, or looked at anew since."))
    arguments = {"role": role, "looked": looked, "reason": why}
    made = jobs.ask(session, study, TAKE, arguments, by.actor.id, by.at)
    act = Act(
        "laboratory:accept-ranges", role, study, key=f"job:{made}",
        refs={"job": made, "looked": looked}, reason=why,
    )  # fmt: skip
    LEDGER.write(session, by, [(head, act)])
    return made


def works(draw: Draw) -> Mapping[str, Work]:
    """Return the work of one step of either job."""

    def take(session: Session, taken: Taken, at: datetime) -> Step:
        return _take(session, jobs.by_asker(session, taken, at, draw), taken)

    return {LOOK: lambda session, taken, _at: _look(session, taken), TAKE: take}


def listing(session: Session, looked: int) -> Sequence[Any]:
    """Return what a look found, participant by participant."""
    columns = (
        Participant.code, Visit.key, Entry.form, Entry.number, Rejudged.item, Rejudged.status,
        Rejudged.old, Rejudged.new, Rejudged.old_flag, Rejudged.new_flag, Rejudged.old_grade,
        Rejudged.new_grade, Entry.protocol,
    )  # fmt: skip
    return session.execute(
        select(*columns)
        .join(Entry, Entry.id == Rejudged.entry_id)
        .join(Visit, Visit.id == Entry.visit_id)
        .join(Participant, Participant.id == Entry.participant_id)
        .where(Rejudged.job_id == looked)
        .order_by(Rejudged.id)
    ).all()


def _role(by: By, study: str) -> Role:
    held = by.actor.sites(Right.LABORATORY_MANAGE, study)
    role = by.actor.role_for(Right.LABORATORY_MANAGE, study)
    if role is None or held is not None:
        raise NotAllowed(T("Your role does not change reference ranges."))
    return role


def _taken_before(session: Session, study: str, looked: int) -> bool:
    done = jobs.listing(session, study, TAKE, 50)
    return any(job.arguments.get("looked") == looked for job in done)


def _look(session: Session, taken: Taken) -> Step:
    total = everyone.count(session, taken.study, None)
    whole = everyone.following(session, taken.study, taken.cursor, None)
    known = {name: int(taken.result.get(name, 0)) for name in COUNTED}
    if whole is None:
        return Step(None, known, total)
    rows = [] if whole.locked else list(_changes(taken.id, whole.entries))
    if rows:
        session.execute(insert(Rejudged), rows)
    return Step(whole.who.id, _more(known, len(rows)), total)


def _take(session: Session, by: By, taken: Taken) -> Step:
    total = everyone.count(session, taken.study, None)
    known = {name: int(taken.result.get(name, 0)) for name in COUNTED}
    upcoming = everyone.following(session, taken.study, taken.cursor, None)
    if upcoming is None:
        return Step(None, known, total)
    head = LEDGER.head(session, participant_chain(taken.study, upcoming.who.code))
    whole = everyone.following(session, taken.study, taken.cursor, None) or upcoming
    wanted = _accepted(session, taken.arguments["looked"], whole.entries)
    if whole.locked or not wanted:
        return Step(whole.who.id, _more(known, 0), total)
    outcomes = _settled(
        whole.entries, {entry: frozenset(items) for entry, items in wanted.items()}
    )
    cause = {
        "job": taken.id, "looked": taken.arguments["looked"],
        "reason": taken.arguments["reason"],
    }  # fmt: skip
    storing.carry_out(
        session, by, Role(taken.arguments["role"]), whole.who, lambda: head, whole.entries,
        outcomes, cause,
    )  # fmt: skip
    ids = [number for items in wanted.values() for number in items.values()]
    session.execute(update(Rejudged).where(Rejudged.id.in_(ids)).values(status="taken"))
    return Step(whole.who.id, _more(known, len(ids)), total)


def _accepted(
    session: Session, looked: int, entries: Sequence[Standing]
) -> dict[int, dict[str, int]]:
    """Return the items to judge anew, by entry, with the numbers of their lines."""
    standing = {entry.id: entry for entry in entries}
    found: dict[int, dict[str, int]] = {}
    stale = []
    for row in session.scalars(
        select(Rejudged).where(
            Rejudged.job_id == looked,
            Rejudged.status == "found",
            Rejudged.entry_id.in_(sorted(standing)),
        )
    ):
        entry = standing[row.entry_id]
        if entry.locked or entry.version != row.version:
            stale.append(row.id)
        else:
            found.setdefault(row.entry_id, {})[row.item] = row.id
    if stale:
        session.execute(update(Rejudged).where(Rejudged.id.in_(stale)).values(status="left"))
    return found


def _settled(
    entries: Sequence[Standing], wanted: Mapping[int, frozenset[str]]
) -> list[Outcome]:
    """Plan the entries with these results asking for their range anew."""
    return settling.settle(
        entries, (),
        {e.id: _asking(e, wanted[e.id]) for e in entries if e.id in wanted and not e.locked},
    )  # fmt: skip


def _asking(entry: Standing, items: frozenset[str]) -> dict[str, Answer]:
    return {
        key: answer._replace(reference=ASKED) if key in items else answer
        for key, answer in entry.answers.items()
    }


def _changes(job: int, entries: Sequence[Standing]) -> Iterator[Mapping[str, object]]:
    """Yield a line for every result that the ranges in force judge by another range."""
    asked = {e.id: items for e in entries if (items := _results(e))}
    if not asked:
        return
    outcomes = {outcome.entry.id: outcome for outcome in _settled(entries, asked)}
    for entry in entries:
        outcome = outcomes.get(entry.id)
        for edit in outcome.edits if outcome else ():
            if edit.key not in asked.get(entry.id, ()) or edit.old is None or edit.new is None:
                continue
            was = _judged(entry, entry.answers, edit.key, entries)
            now = _judged(entry, outcome.decided.answers if outcome else {}, edit.key, entries)
            yield {
                "job_id": job, "entry_id": entry.id, "version": entry.version,
                "item": edit.key, "status": "found",
                "old": was.reference, "new": now.reference, "old_flag": was.flag,
                "new_flag": now.flag, "old_grade": was.grade, "new_grade": now.grade,
            }  # fmt: skip


def _results(entry: Standing) -> frozenset[str]:
    laboratory = entry.study.laboratory
    analytes = laboratory.by_form.get(entry.form.id, {}) if laboratory else {}
    return frozenset(key for key in analytes if entry.answers.get(key, Answer()).value)


def _judged(
    entry: Standing, answers: Mapping[str, Answer], key: str, entries: Sequence[Standing]
) -> Judged:
    others = {other.id: other.answers for other in entries}
    sheet = scope(entry.study, entry.form, answers, settling.beside(entry, entries, others))
    flag, grade = (sheet.value(f"range.{key}.{part}") for part in ("flag", "grade"))
    told = "" if grade is None else str(grade)
    return Judged(answers[key].reference, str(flag or ""), told)


def _more(known: Mapping[str, int], results: int) -> dict[str, int]:
    return {
        "participants": known["participants"] + 1, "results": known["results"] + results,
    }  # fmt: skip
