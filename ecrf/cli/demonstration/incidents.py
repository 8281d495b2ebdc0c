"""What happens to single participants at the end: events told late, in time, or not yet."""

from collections.abc import Mapping
from datetime import date, timedelta

from sqlalchemy import func, select

from ecrf.cli.demonstration import visiting
from ecrf.cli.demonstration.profile import Incident, Source
from ecrf.cli.demonstration.stage import Stage
from ecrf.kernel.access import Right, Role
from ecrf.study.model import VisitKind
from forms import entries, lookup
from forms.tables import Entry
from visits.tables import Participant


def play(stage: Stage, today: date) -> None:
    """Enter each incident's form for somebody randomized at its site."""
    for wish in stage.profile.incidents:
        code = _somebody(stage, wish)
        if code is not None:
            enter(stage, wish, code, today - timedelta(days=wish.ago))


def enter(stage: Stage, wish: Incident, code: str, on: date) -> int:
    """Fill the form of an incident; a draft is left as far as its answers go."""
    study, form = stage.study, stage.study.forms[wish.form]
    by = stage.by(stage.who(Role.INVESTIGATOR, wish.site), stage.at(wish.site, on, 14))
    log = next(
        cell.visit
        for cell in study.matrix
        if cell.form == form.id and study.visit[cell.visit].kind is VisitKind.LOG
    )
    with stage.database.write() as session:
        number = visiting.next_number(stage, session, code, form.id)
        sources = visiting.sources_of(stage, form.id, (wish.variant,))
        sources = {**sources, **_named(stage, code, wish)}
        if not wish.draft:
            visiting.save(stage, session, by, code, log, form, number, on, sources, slips=False)
            return number
        found = lookup.entry(
            session, by.actor, study.id, code, log, form.id, number, Right.ENTRY_WRITE,
            lock=True,
        )  # fmt: skip
        given = stage.filler.fill(form, on, sources, lambda _: False)
        entries.save(session, by, found, given, seen_version=0, reason=None, complete=False)
        return number


def _somebody(stage: Stage, wish: Incident) -> str | None:
    """Return the code of the `who`-th newest participant of the site, counting round.

    Those still in the trial come first; somebody who has ended has events, too.
    """
    with stage.database.read() as session:
        codes = session.scalars(
            select(Participant.code)
            .where(
                Participant.study == stage.study.id, Participant.site == wish.site,
                Participant.randomized_on.is_not(None), Participant.state == "open",
            )
            .order_by(Participant.status != "randomized", Participant.id.desc())
        ).all()  # fmt: skip
    return codes[wish.who % len(codes)] if codes else None


def _named(stage: Stage, code: str, wish: Incident) -> Mapping[str, Source]:
    """Answer what names another entry with the newest there is of that form."""
    found = {}
    for key, cell in stage.study.forms[wish.form].cells.items():
        if cell.question.refers is None:
            continue
        with stage.database.read() as session:
            newest = session.scalar(
                select(func.max(Entry.number))
                .join(Participant, Participant.id == Entry.participant_id)
                .where(
                    Participant.study == stage.study.id, Participant.code == code,
                    Entry.form == cell.question.refers,
                )
            )  # fmt: skip
        if newest is not None:
            found[key] = Source(value=str(newest))
    return found
