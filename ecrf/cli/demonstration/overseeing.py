"""What those do who look after the data: one participant is verified, reviewed and signed for.

Afterwards one answer is corrected, so that a broken signature and a lost verification are there
to be seen.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import date, timedelta

from sqlalchemy.orm import Session

from ecrf.cli.demonstration.stage import Stage
from ecrf.kernel.access import Actor, Right, Role
from ecrf.kernel.errors import Unacceptable
from ecrf.kernel.ledger import By
from ecrf.study.model import Form, ItemType
from forms import entries, lookup, scope
from forms.answers import Answer, Given
from forms.lookup import Found
from forms.review import bulk, listing, marks, occasions, verifying
from forms.review.listing import Filters, Line
from forms.review.marks import Kind

VERIFIED = 12
"""How many forms of the participant the monitor has got to."""


def play(stage: Stage, today: date) -> None:
    """Look after the first participant of the first site, the day before `today`."""
    site, on = stage.study.sites[0].code, today - timedelta(days=1)
    monitor = stage.who(Role.MONITOR, None)
    lines = _lines(stage, monitor, site)
    if not lines:
        return
    for line in [line for line in lines if line.tally.remaining][:VERIFIED]:
        _verify(stage, stage.by(monitor, stage.at(site, on, 15)), line)
    first = lines[0].visit
    for role, kind in ((Role.DATA_MANAGER, Kind.DATA), (Role.MEDICAL_REVIEWER, Kind.MEDICAL)):
        if (role, None) in stage.cast:
            by = stage.by(stage.who(role, None), stage.at(site, on, 16))
            _mark(stage, by, lines[0].code, first, kind)
    by = stage.by(stage.who(Role.INVESTIGATOR, site), stage.at(site, on, 17))
    _sign(stage, by, lines[0].code)
    _correct(stage, by, [line for line in lines if line.visit == first])


def _lines(stage: Stage, actor: Actor, site: str) -> list[Line]:
    """Return the complete forms of the first participant of the site."""
    with stage.database.read() as session:
        found = listing.page(session, actor, stage.study, Filters(site=site)).lines
    return [line for line in found if line.code == found[0].code and line.status == "complete"]


def _find(session: Session, stage: Stage, by: By, line: Line, right: Right) -> Found:
    return lookup.entry(
        session, by.actor, stage.study.id, line.code, line.visit, line.form.id, line.number,
        right, lock=True,
    )  # fmt: skip


def _verify(stage: Stage, by: By, line: Line) -> None:
    with stage.database.write() as session:
        found = _find(session, stage, by, line, Right.DATA_VERIFY)
        verifying.verify(session, by, found, line.tally.remaining, seen_version=found.version)


def _mark(stage: Stage, by: By, code: str, visit: str, kind: Kind) -> None:
    with stage.database.write() as session:
        target = scope.find(
            session, by.actor, Right.ENTRY_READ, stage.study.id, participant=code, visit=visit
        )
        marks.set_(session, by, target, kind)


def _sign(stage: Stage, by: By, code: str) -> None:
    """Sign the first milestone the study names, with one signature for each form."""
    for occasion in list(occasions.milestones(stage.study))[:1]:
        study = stage.study.id
        with stage.database.write() as session:
            batch = bulk.gather(session, by.actor, study, code, occasion)
            if batch.ready:
                zone = stage.zone(batch.who.site)
                bulk.sign(session, by, study, code, occasion, batch.seen, zone)


def _correct(stage: Stage, by: By, lines: Sequence[Line]) -> None:
    """Have the site correct one number, the first that can be taken."""
    later = By(by.actor, by.at + timedelta(minutes=50), by.origin, by.draw)
    for line in lines:
        with suppress(Unacceptable), stage.database.write() as session:
            found = _find(session, stage, later, line, Right.ENTRY_WRITE)
            for item, answer in _numbers(line.form, found):
                entries.save(
                    session, later, found,
                    {item: Given(str(int(answer.text) + 1), answer.unit)},
                    seen_version=found.version, reason="Transcription error", complete=True,
                )  # fmt: skip
                return


def _numbers(form: Form, found: Found) -> Iterator[tuple[str, Answer]]:
    for item, answer in found.answers.items():
        question = form.cells[item].question
        typed = question.derive is None and question.blinding == "open"
        if typed and question.type is ItemType.INTEGER and answer.text.isdecimal():
            yield item, answer
