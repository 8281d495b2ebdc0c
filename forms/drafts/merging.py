"""Two people changed one form: what each did since it was opened, item by item. Pure but for
`as_of`, which asks the ledger what the form was then.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from ecrf.kernel.ledger import LEDGER
from ecrf.study.model import Cell, Form
from forms import answers, fold
from forms.answers import Answer, Given
from forms.html import typable


class Meeting(NamedTuple):
    """One item that somebody else changed meanwhile.

    `clash` says that both changed it, to different answers, so that a person has to choose. An
    item the person did not touch follows the other's answer without asking.
    """

    key: str
    was: Answer | None
    theirs: Answer | None
    mine: Given
    clash: bool


def meetings(
    form: Form,
    was: Mapping[str, Answer],
    theirs: Mapping[str, Answer],
    mine: Mapping[str, Given],
) -> Iterator[Meeting]:
    """Yield the items the other changed and the person has otherwise, in page order."""
    for key, cell in form.cells.items():
        before, now = was.get(key), theirs.get(key)
        typed = mine.get(key, Given(""))
        if typable(cell) and before != now and not same(cell, now, typed):
            yield Meeting(key, before, now, typed, clash=not same(cell, before, typed))


def same(cell: Cell, answer: Answer | None, given: Given) -> bool:
    """Say whether what stands in the inputs is this answer."""
    if answer is None or given.blank:
        return answer is None and given.blank
    texts = {answer.text, answer.value} if not answer.missing else {""}
    usual = cell.question.unit or ""
    units = (given.unit or usual) == (answer.unit or usual) or bool(answer.missing)
    return given.text in texts and given.missing == answer.missing and units


def as_of(session: Session, entry_id: int, version: int) -> Mapping[str, Answer]:
    """Return the answers as they were at a version, from the acts of the entry."""
    act = LEDGER.act.c
    rows = session.execute(
        select(act.key, act.action, act.header, act.changes)
        .where(act.key == f"{fold.ENTRY}{entry_id}")
        .order_by(act.chain, act.seq)
    )
    folded = fold.Folded()
    was: Mapping[str, Answer] = {}
    for row in rows:
        fold.apply(folded, fold.Telling(*row))
        if folded.facts.get("version", 0) <= version:
            was = answers.load(folded.answers)
    return was
