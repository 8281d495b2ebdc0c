"""The forms of a visit as pages list them: what is there, what is needed, what can be added."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from ecrf.kernel.text import Text
from ecrf.study.model import Study
from ecrf.web.countdown import Countdown
from forms import casebook
from forms.casebook import Counts, Standing
from forms.progress import EntryRow
from visits.rows import VisitRow, strongest

Clocks = Mapping[tuple[str, int], Countdown]
NO_CLOCKS: Clocks = {}


class FormLine(NamedTuple):
    """One line: a form, or one entry of a repeating form.

    `number` is 0 for a form the study is still going to define. `new` marks the next entry of a
    repeating form, which nobody has begun; `entered` says that somebody has.
    """

    form: str
    title: Text
    need: str
    number: int
    standing: Standing
    queries: int = 0
    entered: bool = False
    repeats: bool = False
    new: bool = False
    clock: Countdown | None = None

    @property
    def shown(self) -> bool:
        """Say whether the form is expected at the visit, or there already."""
        return self.need not in ("event", "not needed") or self.entered


def lines(
    study: Study,
    visit: VisitRow,
    lock: str,
    entries: Sequence[EntryRow],
    clocks: Clocks = NO_CLOCKS,
) -> list[FormLine]:
    """Return the lines of one visit; `entries` are all those of the participant.

    `clocks` are those that run, by form and number.
    """
    found: list[FormLine] = []
    for assessment in study.forms_at(visit.plan):
        found += _of_form(
            study, visit, lock, assessment.form,
            casebook.need(study, assessment, visit.asked, visit.spared), entries,
        )  # fmt: skip
    return [
        line._replace(clock=clocks[line.form, line.number])
        if line.entered and (line.form, line.number) in clocks
        else line
        for line in found
    ]


def _of_form(
    study: Study,
    visit: VisitRow,
    lock: str,
    form_id: str,
    need: str,
    entries: Sequence[EntryRow],
) -> Iterator[FormLine]:
    form = study.forms.get(form_id)
    if form is None:
        title = study.forms_to_come[form_id]
        yield FormLine(form_id, title, need, 0, Standing.NOT_STARTED)
        return
    own = [entry for entry in entries if entry.form == form_id]
    here = [entry for entry in own if entry.visit_id == visit.id]
    for entry in here:
        standing = casebook.form_standing(
            lock=strongest(lock, entry.state), status=entry.status, signed=entry.signed,
            queries=entry.queries, answered=entry.answered,
        )  # fmt: skip
        yield FormLine(
            form_id, form.title, need, entry.number, standing, entry.queries, entered=True,
            repeats=form.repeating,
        )  # fmt: skip
    if form.repeating or not here:
        number = 1 + max((entry.number for entry in own), default=0) if form.repeating else 1
        standing = casebook.form_standing(lock=lock, status=None, signed=False, queries=0)
        yield FormLine(form_id, form.title, need, number, standing, new=form.repeating)


def counts(study: Study, visit: VisitRow, entries: Sequence[EntryRow]) -> Counts:
    """Count the entries of one visit as `forms.progress` counts those of many."""
    here = [entry for entry in entries if entry.visit_id == visit.id]
    needed = set(casebook.required(study, visit.plan, visit.asked))
    return Counts(
        drafts=sum(entry.status == "draft" for entry in here),
        complete=sum(entry.status == "complete" for entry in here),
        not_done=sum(entry.status == "not done" for entry in here),
        required=len(needed & {entry.form for entry in here if entry.status != "draft"}),
        queries=sum(entry.queries for entry in here),
        answered=sum(entry.answered for entry in here),
    )
