"""The laboratories of a training copy: ranges in force, a file taken in, an alert."""

import io
from collections.abc import Mapping
from datetime import date, timedelta

from sqlalchemy import select

from ecrf.cli import laboratory
from ecrf.cli.demonstration import incidents
from ecrf.cli.demonstration.profile import Result
from ecrf.cli.demonstration.stage import Stage
from ecrf.kernel.access import Right, Role
from ecrf.kernel.ledger import By
from forms import entries, lookup
from forms.answers import Given
from forms.laboratory import accepting, mapping, staging
from forms.tables import Entry
from visits.tables import Participant, Visit

HOW = mapping.Reading(columns={"participant": "Code", "result": "Value"})


def begin(stage: Stage, by: By) -> None:
    """Put the illustrative ranges in force."""
    manager = stage.by(stage.who(Role.DATA_MANAGER, None), by.at)
    with stage.database.write() as session:
        laboratory.begin(session, manager, stage.study)


def play(stage: Stage, today: date) -> None:
    """Send a file with two bad lines, take its good ones in; correct a result into an alert."""
    part = stage.study.laboratory
    if part is None or not stage.profile.laboratory:
        return
    on = today - timedelta(days=1)
    for wish in stage.profile.laboratory:
        site = wish.site
        sender = stage.by(stage.who(Role.COORDINATOR, site), stage.at(site, on, 11))
        form, _, item = part.by_id[wish.analyte].item.partition(".")
        place = _last(stage, site, form)
        if place is None:
            continue
        code, key = place
        if wish.file:
            _send(stage, sender, wish.file, [
                f"{code},{key},{wish.analyte},{wish.value},",
                f"{code},{key},XYZ,1,", f"{site}-999,{key},{wish.analyte},1,",
            ])  # fmt: skip
        else:
            given = {item: wish.value, **wish.answers}
            if wish.event is not None:
                number = incidents.enter(stage, wish.event, code, on)
                given |= _naming(stage, form, wish, number)
            _correct(stage, sender, (code, key, form), given)


def _last(stage: Stage, site: str, form: str) -> tuple[str, str] | None:
    """Return where the form was filled last, of somebody randomized at the site."""
    query = (
        select(Participant.code, Visit.key)
        .join(Visit, Visit.participant_id == Participant.id)
        .join(Entry, Entry.visit_id == Visit.id)
        .where(
            Participant.study == stage.study.id, Participant.site == site,
            Participant.randomized_on.is_not(None), Entry.form == form,
            Entry.state == "open", Visit.kind == "planned",
        )
        .order_by(Visit.held_on.desc(), Entry.id.desc())
        .limit(1)
    )  # fmt: skip
    with stage.database.read() as session:
        row = session.execute(query).one_or_none()
    return (row.code, row.key) if row else None


def _send(stage: Stage, by: By, name: str, lines: list[str]) -> None:
    content = "Code,visit,test,Value,unit\n" + "\n".join(lines) + "\n"
    upload = staging.Upload(name, "Central laboratory", io.BytesIO(content.encode()))
    with stage.database.write() as session:
        staged = staging.stage(session, by, stage.study, upload, HOW)
        file = accepting.find(session, by.actor, stage.study.id, staged.file_id)
        accepting.accept(session, by, file, "Final report of the laboratory")


def _naming(stage: Stage, form: str, wish: Result, number: int) -> dict[str, str]:
    """Return the cells of the analyte's row that take the number of the event."""
    cells = stage.study.forms[form].cells.values()
    event = wish.event.form if wish.event else ""
    return {
        cell.key: str(number)
        for cell in cells
        if cell.row and cell.row.id == wish.analyte and cell.question.refers == event
    }


def _correct(
    stage: Stage, by: By, place: tuple[str, str, str], given: Mapping[str, str]
) -> None:
    code, key, form = place
    with stage.database.write() as session:
        found = lookup.entry(
            session, by.actor, stage.study.id, code, key, form, 1, Right.ENTRY_WRITE, lock=True
        )
        entries.save(
            session, by, found, {item: Given(text) for item, text in given.items()},
            seen_version=found.version,
            reason="Transcription error: corrected from the report", complete=False,
        )  # fmt: skip
