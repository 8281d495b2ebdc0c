"""What people do with the queries: some are answered, some corrected, some still wait."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import date, timedelta

from ecrf.cli.demonstration import questions, visiting
from ecrf.cli.demonstration.stage import Stage
from ecrf.kernel.access import Right, Role
from ecrf.kernel.errors import Unacceptable
from forms import entries, lookup, queries, queue
from forms.queue import Filters, Line

ANSWERED, CORRECTED, CLOSED = 25, 35, 40


def play(stage: Stage, today: date) -> None:
    """Go through the open queries the day before `today`, after what people asked before."""
    questions.play(stage, today)
    on = today - timedelta(days=1)
    for line in list(_open(stage)):
        chance = stage.choose.below(100)
        if chance < ANSWERED:
            _answer(stage, line, on)
        elif chance < ANSWERED + CORRECTED:
            _correct(stage, line, on)


def _open(stage: Stage) -> Iterator[Line]:
    manager, after = stage.who(Role.DATA_MANAGER, None), 0
    while True:
        with stage.database.read() as session:
            page = queue.listing(
                session,
                manager,
                stage.study.id,
                Filters(origin="rule"),
                after=after,
                limit=200,
            )
        yield from page.lines
        if page.after is None:
            return
        after = page.after


def _answer(stage: Stage, line: Line, on: date) -> None:
    """Have the site answer; now and then data management closes the query."""
    site = stage.by(stage.who(Role.INVESTIGATOR, line.site), stage.at(line.site, on, 9))
    manager = stage.by(stage.who(Role.DATA_MANAGER, None), stage.at(line.site, on, 14))
    study = stage.study.id
    with stage.database.write() as session:
        asked = queries.find(session, site.actor, study, line.id, Right.QUERY_ANSWER, lock=True)
        if asked.query.status != "open":
            return
        queries.answer(session, site, asked, "Checked with the source: the value is right.")
    if stage.choose.chance(CLOSED):
        with stage.database.write() as session:
            asked = queries.find(
                session, manager.actor, study, line.id, Right.QUERY_CLOSE, lock=True
            )
            queries.close(session, manager, asked, "Thank you.")


def _correct(stage: Stage, line: Line, on: date) -> None:
    """Have the site type the item again, with a reason; what is refused stays as it was."""
    form = stage.study.forms[line.form]
    cell = form.cells.get(line.item)
    if cell is None or cell.question.derive is not None or form.signed is not None:
        return
    by = stage.by(stage.who(Role.INVESTIGATOR, line.site), stage.at(line.site, on, 10))
    with suppress(Unacceptable), stage.database.write() as session:
        found = lookup.entry(
            session, by.actor, stage.study.id, line.participant, line.visit or "", line.form,
            line.number, Right.ENTRY_WRITE, lock=True,
        )  # fmt: skip
        filled = stage.filler.fill(
            form,
            found.visit.held_on or on,
            visiting.sources_of(stage, form.id),
            lambda cell: cell.key == line.item,
        )
        if line.item in filled:
            entries.save(
                session, by, found, {line.item: filled[line.item]},
                seen_version=found.version, reason="Transcription error", complete=True,
            )  # fmt: skip
