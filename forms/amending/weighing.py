"""What a later version would make of a participant's entries. Pure.

An entry is moved when the version changes its form, the form is still planned at its visit, and
nothing holds it fast. A signature stands for a definition, so that moving breaks it; an entry
of which only words change keeps its signature and stays where it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from ecrf.kernel.text import Message, T
from ecrf.study.diff import Impact
from ecrf.study.model import Study
from forms import answers, raised
from forms.amending import reach
from forms.finding import Finding
from forms.following import settling
from forms.following.settling import Outcome
from forms.following.standing import Standing
from forms.review import verified


class Mark(NamedTuple):
    """What holds an entry, beside what it says: its lock, and whether a signature stands."""

    state: str
    signed: bool


class Target(NamedTuple):
    """The version entries are moved to."""

    study: Study
    fingerprint: str


class Verdict(NamedTuple):
    """What would become of one entry; `kept` says why it stays under the version it has."""

    entry: Standing
    kept: Message | None = None
    outcome: Outcome | None = None
    gained: tuple[Finding, ...] = ()
    lost: tuple[raised.Mark, ...] = ()
    strangers: tuple[str, ...] = ()
    breaks: bool = False
    unverified: tuple[str, ...] = ()

    @property
    def moved(self) -> bool:
        return self.entry.origin is not None


class Weighed(NamedTuple):
    """All entries as they would stand, and what becomes of those that are concerned."""

    entries: tuple[Standing, ...]
    verdicts: tuple[Verdict, ...]

    @property
    def outcomes(self) -> list[Outcome]:
        return [verdict.outcome for verdict in self.verdicts if verdict.outcome is not None]


def weigh(entries: Sequence[Standing], marks: Mapping[int, Mark], target: Target) -> Weighed:
    """Return what becomes of a participant's entries under `target`."""
    held = {entry.id: _held(entry, marks[entry.id], target) for entry in entries}
    lifted = tuple(
        _lifted(entry, target) if held[entry.id] is MOVES else entry for entry in entries
    )
    forms = {entry.form.id for entry in lifted if entry.origin is not None}
    outcomes = {o.entry.id: o for o in settling.settle(lifted, forms)} if forms else {}
    found = []
    for entry in lifted:
        why, outcome = held[entry.id], outcomes.get(entry.id)
        if entry.origin is not None or (outcome is not None and outcome.edits):
            assert outcome is not None  # noqa: S101 (what is moved is settled)
            found.append(_judged(entry, lifted, outcome, signed=marks[entry.id].signed))
        elif why is not None:
            found.append(Verdict(entry, why))
    return Weighed(lifted, tuple(found))


MOVES = T("is moved")


def _held(entry: Standing, mark: Mark, target: Target) -> Message | None:
    """Say why a concerned entry stays, `MOVES` when it does not, None when not concerned."""
    if entry.protocol == target.fingerprint:
        return None
    changed = reach.between(entry.study, entry.protocol, *target)
    impact: Impact | None = changed.get(entry.form.id)
    planned = {a.form for a in target.study.forms_at(entry.context.visit)}
    if entry.form.id not in target.study.forms or entry.form.id not in planned:
        return T("The form is not asked at this visit any more.")
    if impact is None:
        return None
    if entry.locked or mark.state == "locked":
        return T("It is locked.")
    if mark.state == "frozen":
        return T("It is frozen.")
    if mark.signed and reach.DEPTH[impact] == 0:
        return T("It is signed, and only words change.")
    return MOVES


def _lifted(entry: Standing, target: Target) -> Standing:
    return replace(
        entry, study=target.study, form=target.study.forms[entry.form.id],
        protocol=target.fingerprint, origin=(entry.study, entry.form),
    )  # fmt: skip


def _judged(
    entry: Standing, entries: Sequence[Standing], outcome: Outcome, *, signed: bool
) -> Verdict:
    then = settling.before(entry, entries)
    was = raised.marks((*then.findings, *then.broken))
    now = raised.marks(outcome.findings)
    gained = tuple(f for f in outcome.findings if (f.item, f.rule) not in was)
    strangers: tuple[str, ...] = ()
    if entry.origin is not None:
        _, form = entry.origin
        strangers = tuple(
            key for key in entry.answers if key in form.cells and key not in entry.form.cells
        )
    changed = not entry.locked and (entry.origin is not None or bool(outcome.edits))
    document = answers.dump(outcome.decided.answers)
    lost = verified.lost(_Kept(entry.document.parts, entry.verified), document)
    return Verdict(
        entry, None, outcome, gained, tuple(sorted(was - now)), strangers,
        signed and changed, tuple(lost) if changed else (),
    )  # fmt: skip


class _Kept(NamedTuple):
    answers: dict[str, object]
    verified: dict[str, int] | None
