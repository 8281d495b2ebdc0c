"""How many entries a difference between two versions concerns. Answers are streamed."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from ecrf.study.diff import Difference
from ecrf.study.model import Cell, Study
from forms import answers
from forms.amending import reach
from forms.answers import Answer
from forms.tables import Entry
from visits.tables import Participant

OUTER = ("limits",)


class Count(NamedTuple):
    """Entries of the forms concerned; those with an answer there; those with one outside."""

    entries: int = 0
    answered: int = 0
    outside: int | None = None


def count(
    session: Session, old: Study, new: Study, differences: Sequence[Difference]
) -> list[Count]:
    """Return a count for each difference."""
    forms = [reach.concerned(one, old, new) for one in differences]
    found = [Count(outside=0 if one.fact[:1] == OUTER else None) for one in differences]
    wanted = sorted(frozenset().union(*forms))
    for form, document in _entries(session, old.id, wanted):
        loaded = answers.load(document)
        for n, one in enumerate(differences):
            if form in forms[n]:
                found[n] = _added(found[n], one, form, loaded, (old, new))
    return found


def _entries(
    session: Session, study: str, forms: Sequence[str]
) -> Iterator[tuple[str, dict[str, dict[str, str]]]]:
    if not forms:
        return
    rows = session.execute(
        select(Entry.form, Entry.answers)
        .join(Participant, Participant.id == Entry.participant_id)
        .where(Participant.study == study, Entry.form.in_(forms))
        .execution_options(yield_per=500)
    )
    for row in rows:
        yield row[0], row[1]


def _added(
    known: Count,
    one: Difference,
    form: str,
    loaded: dict[str, Answer],
    versions: tuple[Study, Study],
) -> Count:
    cells = {
        key: cell
        for study in versions
        for key, cell in (study.forms[form].cells.items() if form in study.forms else ())
        if _meant(one, cell)
    }
    answered = any(key in loaded for key in cells)
    outside = known.outside
    if outside is not None:
        outside += any(_outside(one, cell, loaded.get(key)) for key, cell in cells.items())
    return Count(known.entries + 1, known.answered + answered, outside)


def _meant(one: Difference, cell: Cell) -> bool:
    """Say whether a difference is about this cell."""
    kind, *names = one.thing
    if kind == "item":
        return cell.grid is None and cell.key == names[1]
    if kind == "grid":
        if cell.grid is None or cell.grid.id != names[1]:
            return False
        part = names[2:]
        if part[:1] == ["row"]:
            return cell.row is not None and cell.row.id == part[1]
        return cell.question.id == part[1] if part else True
    if kind == "list":
        return cell.question.codes == names[0]
    return kind in ("form", "section", "check", "study")


def _outside(one: Difference, cell: Cell, answer: Answer | None) -> bool:
    """Say whether the answer lies beyond the limit as the new version has it."""
    limits = cell.question.limits
    pair = limits.hard if one.fact[1] == "hard" else limits.soft
    figure = answers.value(cell, answer)
    if pair is None or not isinstance(figure, Decimal):
        return False
    return figure < pair[0] if one.fact[2] == "low" else figure > pair[1]
