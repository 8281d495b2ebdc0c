"""What data management asks by itself: a query of each state, on every kind of place."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

from sqlalchemy import select

from ecrf.cli.demonstration.stage import Stage
from ecrf.kernel.access import Right, Role
from ecrf.kernel.ledger import By
from ecrf.study.model import Code
from forms import lookup, queries
from forms.questions import assigning, places, readymade
from forms.questions.assigning import Assignee
from forms.questions.readymade import Said
from forms.tables import Entry
from visits.tables import Participant, Visit


class Question(NamedTuple):
    """One question: how many days ago, its template or words, what becomes of it, and where.

    `place` is item, form, visit or participant; `to` the role it is assigned to.
    """

    days: int
    words: str
    place: str
    turns: tuple[str, ...] = ()
    to: Role | None = None


QUESTIONS = (
    Question(34, "CHECK_SOURCE", "item", (), Role.COORDINATOR),
    Question(17, "UNLIKELY", "item", ("answer",), Role.INVESTIGATOR),
    Question(12, "CHECK_SOURCE", "item", ("answer", "close")),
    Question(11, "INCONSISTENT", "item", ("answer", "reopen"), Role.INVESTIGATOR),
    Question(9, "DATE", "visit", (), Role.COORDINATOR),
    Question(6, "CHECK_SOURCE", "form", ("cancel",)),
    Question(2, "Was the address of the participant confirmed?", "participant"),
)
SAID = {"close": "Thank you.", "reopen": "Which source document?", "cancel": "Asked in error."}


def play(stage: Stage, today: date) -> None:
    """Ask, answer, close, ask again and cancel, each at its own time."""
    with stage.database.read() as session:
        found = session.execute(
            select(Participant.code, Participant.site, Visit.key, Entry.form)
            .join(Visit, Visit.id == Entry.visit_id)
            .join(Participant, Participant.id == Entry.participant_id)
            .where(
                Entry.number == 1,
                Visit.held_on.is_not(None),
                Participant.study == stage.study.id,
            )
            .order_by(Entry.id)
        ).all()
    if not found:
        return
    for number, question in enumerate(QUESTIONS):
        at = found[(number + 1) * len(found) // (len(QUESTIONS) + 2)]
        _Asking(stage, question, at, today).play()


class _Asking:
    def __init__(self, stage: Stage, question: Question, at: Any, today: date) -> None:
        self.stage = stage
        self.question = question
        self.at = at
        self.on = today - timedelta(days=question.days)

    def play(self) -> None:
        query_id = self._ask()
        for hour, turn in enumerate(self.question.turns, 11):
            self._take(query_id, turn, hour)

    def _ask(self) -> int:
        stage, at, by = self.stage, self.at, self._by(Role.DATA_MANAGER, 10)
        form = stage.study.forms[at.form]
        item = next(iter(form.cells)) if self.question.place == "item" else ""
        with stage.database.write() as session:
            where: lookup.Found | places.Spot
            if self.question.place in ("item", "form"):
                where = lookup.entry(
                    session, by.actor, stage.study.id, at.code, at.key, at.form, 1,
                    Right.QUERY_OPEN, lock=True,
                )  # fmt: skip
            else:
                key = at.key if self.question.place == "visit" else ""
                where = places.above_forms(
                    session, by.actor, stage.study.id, at.code, key, Right.QUERY_OPEN, lock=True
                )
            to = self.question.to
            assignee = None
            if to is not None:
                possible = assigning.candidates(session, stage.study.id, at.site, by.at)
                assignee = _assignee(possible, to)
            return queries.open_(session, by, where, item, self._words(item), assignee)

    def _words(self, item: str) -> Said:
        study, words = self.stage.study, self.question.words
        code = _chosen(readymade.questions(study), words)
        if code is None:
            return Said(words if " " in words else "Please check this against the source.")
        cell = study.forms[self.at.form].cells.get(item)
        label = cell.question.label if cell else study.forms[self.at.form].title
        named = readymade.named(code, label)
        return Said(named.en, named.zh, code.value)

    def _take(self, query_id: int, turn: str, hour: int) -> None:
        stage = self.stage
        act: Callable[..., None] = getattr(queries, turn)
        by = self._by(Role.INVESTIGATOR if turn == "answer" else Role.DATA_MANAGER, hour)
        said = Said(SAID.get(turn, "Checked with the source: the value is right."))
        code = _chosen(readymade.answers(stage.study), "CONFIRMED")
        if turn == "answer" and code is not None:
            said = Said(code.label.en, code.label.zh, code.value)
        with stage.database.write() as session:
            asked = queries.find(
                session, by.actor, stage.study.id, query_id, Right.QUERY_READ, lock=True
            )
            act(session, by, asked, said)

    def _by(self, role: Role, hour: int) -> By:
        stage, site = self.stage, self.at.site
        who = stage.who(role, None if role is Role.DATA_MANAGER else site)
        return stage.by(who, stage.at(site, self.on, hour))


def _chosen(codes: Sequence[Code], value: str) -> Code | None:
    return next((code for code in codes if code.value == value), None)


def _assignee(possible: Sequence[Assignee], role: Role) -> Assignee | None:
    """Return the last person of the role at the site, else whoever of it there is."""
    mine = [one for one in possible if one.role is role]
    return mine[-1] if mine else None
