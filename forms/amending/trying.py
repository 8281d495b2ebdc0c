"""Try a later version dry at a site: every entry planned again, nothing written."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from ecrf.kernel.text import Text
from ecrf.study import versions
from forms.amending import weighing
from forms.amending.weighing import Mark, Target, Verdict, Weighed
from forms.answers import Answer, called
from forms.quality import everyone
from forms.quality.everyone import Whole
from forms.tables import Entry
from visits.tables import Visit

LADDER = ("open", "frozen", "locked")
COUNTED = (
    "participants", "entries", "moved", "kept", "findings", "required", "unfit", "computed",
    "strangers", "signatures", "unverified",
)  # fmt: skip


class Line(NamedTuple):
    """One thing that would happen to one entry. `what` is the kind of it, `COUNTED` has it."""

    participant: str
    visit: str
    form: str
    number: int
    item: str
    label: Text | str
    what: str
    text: Text | str


def marks(session: Session, whole: Whole) -> dict[int, Mark]:
    """Return what holds a participant's entries: locks above count as well."""
    rows = session.execute(
        select(
            Entry.id, Entry.state, Visit.state, Entry.signature_id, Entry.signed_version,
            Entry.version,
        )
        .join(Visit, Visit.id == Entry.visit_id)
        .where(Entry.participant_id == whole.who.id)
    ).all()  # fmt: skip
    found = {}
    for entry_id, state, above, signature, signed, version in rows:
        strongest = max((state, above, whole.held), key=LADDER.index)
        found[entry_id] = Mark(strongest, signature is not None and signed == version)
    return found


def weighed(session: Session, whole: Whole, target: Target) -> Weighed:
    return weighing.weigh(whole.entries, marks(session, whole), target)


def run(session: Session, study_id: str, site: str, fingerprint: str) -> Iterator[Line | Whole]:
    """Yield each participant of the site, then what would happen to their entries."""
    target = Target(versions.model(session, fingerprint), fingerprint)
    for whole in everyone.each(session, study_id, {site}):
        yield whole
        for verdict in weighed(session, whole, target).verdicts:
            yield from lines(whole.who.code, verdict)


def lines(code: str, verdict: Verdict) -> Iterator[Line]:
    """Yield what would happen to one entry."""
    entry = verdict.entry
    place = (code, entry.context.visit_key, entry.form.id, entry.number)

    def line(item: str, what: str, text: Text | str) -> Line:
        cell = entry.form.cells.get(item)
        return Line(*place, item, called(cell) if cell else item, what, text)

    if verdict.kept is not None:
        yield line("", "kept", verdict.kept)
        return
    if verdict.moved:
        yield line("", "moved", "")
    for finding in verdict.gained:
        what = finding.rule if finding.rule in ("required", "unfit") else "findings"
        yield line(finding.item, what, finding.message)
    if verdict.outcome is not None:
        for edit in verdict.outcome.edits:
            yield line(edit.key, "computed", f"{_said(edit.old)} → {_said(edit.new)}")
    for key in verdict.strangers:
        yield line(key, "strangers", entry.answers[key].text or entry.answers[key].missing)
    if verdict.breaks:
        yield line("", "signatures", "")
    for key in verdict.unverified:
        yield line(key, "unverified", "")


def totals(
    found: Iterable[Line | Whole], most: int | None = None
) -> tuple[dict[str, int], list[Line]]:
    """Count what was found, and return its lines, at most `most` of them."""
    counts, kept = dict.fromkeys(COUNTED, 0), list[Line]()
    for one in found:
        if isinstance(one, Whole):
            counts["participants"] += 1
            counts["entries"] += len(one.entries)
        else:
            counts[one.what] += 1
            if most is None or len(kept) < most:
                kept.append(one)
    return counts, kept


def _said(answer: Answer | None) -> str:
    return answer.value or answer.missing if answer else "–"
