"""The year of birth, as a check that it is the right participant. It warns and never blocks."""

from flask import request
from sqlalchemy import select
from sqlalchemy.orm import Session

from ecrf.kernel.text import T
from ecrf.study.model import Study
from ecrf.web.vault.breaking import steps
from forms.tables import Entry
from visits.rows import ParticipantRow
from visits.tables import Visit

YEAR = 4


def compare(session: Session, study: Study, who: ParticipantRow) -> None:
    """Ask once when the year typed is not the one recorded; say neither which one is.

    Nothing is compared when no year was typed or none is known.
    """
    typed = request.form.get("born", "").strip()
    path = study.code_break.birth
    if not typed or path is None or request.form.get("born_seen"):
        return
    if len(typed) != YEAR or not (typed.isascii() and typed.isdigit()):
        raise steps.wrong("born", T("Write the year with four digits, or leave it empty."))
    known = _known(session, path, who)
    if known and known != typed:
        raise steps.wrong(
            "born",
            T(
                "The year of birth recorded for {code} is another one. Make sure that it is "
                "the right participant; you can go on all the same.",
                code=who.code,
            ),
        )


def _known(session: Session, path: str, who: ParticipantRow) -> str:
    visit, form, item = path.split(".", 2)
    answers = session.scalar(
        select(Entry.answers)
        .join(Visit, Visit.id == Entry.visit_id)
        .where(
            Entry.participant_id == who.id, Visit.key == visit, Entry.form == form,
            Entry.number == 1,
        )
    )  # fmt: skip
    value = str((answers or {}).get(item, {}).get("value", ""))
    year = value[:YEAR]
    return year if year.isdigit() and len(year) == YEAR else ""
