"""Gates beside those of forms and visits: milestones, verification, alerts and jobs.

Each is a statement or two, however much the lock covers.
"""

from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ecrf.kernel.jobs import RUNNING, WAITING, Job
from ecrf.kernel.text import Message, T
from ecrf.study import versions
from ecrf.study.model import Study
from ecrf.study.reviewing import Verification
from ecrf.study.tables import StudyRow
from forms.laboratory.tables import AlertRow
from forms.review import listing, occasions
from forms.review.occasions import Occasion
from forms.scope import Barring, Level, Scope
from forms.tables import Entry
from visits.tables import Participant, Visit

NO_PLAN = Verification()


def study_of(session: Session, scope: Scope) -> Study:
    """Return the definition in force."""
    return versions.model(session, in_force(session, scope))


def in_force(session: Session, scope: Scope) -> str:
    """Return the fingerprint of the definition in force."""
    row = select(StudyRow.fingerprint).where(StudyRow.id == scope.study)
    return session.scalars(row).one()


def unverified(session: Session, scope: Scope) -> Iterator[Barring]:
    """Yield entries not verified as the plan says; a study without a plan asks for none."""
    study = study_of(session, scope)
    if study.verification == NO_PLAN:
        return
    for line in listing.within(session, study, scope):
        n = len(line.tally.remaining)
        if n:
            text = T("{n} item(s) of {form} are not verified.", n=n, form=line.form.title)
            yield Barring(text, line.code, line.visit, line.form.id, line.number)


def unsigned(session: Session, scope: Scope) -> Iterator[Barring]:
    """Yield entries that a milestone the lock waits for covers, and that nobody has signed.

    Forms that ask for a signature of their own are another check's.
    """
    study = study_of(session, scope)
    waited = [occasion for occasion in occasions.milestones(study) if _waited(occasion)]
    if not waited:
        return
    for line in listing.within(session, study, scope):
        if line.form.signed is not None or line.status != "complete":
            continue
        if line.signature in ("signed", "broken"):
            continue
        for occasion in waited:
            if occasion.meaning(line.form, line.plan, line.visit) is not None:
                text = T(
                    "{form} is not signed for {milestone}.",
                    form=line.form.title, milestone=occasion.label,
                )  # fmt: skip
                yield Barring(text, line.code, line.visit, line.form.id, line.number)
                break


def _waited(occasion: Occasion) -> bool:
    return occasion.milestone is not None and occasion.milestone.lock


def alerts(session: Session, scope: Scope) -> Iterator[Barring]:
    """Yield the safety alerts that nobody has acknowledged."""
    rows = session.execute(
        select(
            AlertRow.text_en, AlertRow.text_zh, Participant.code, Visit.key, Entry.form,
            Entry.number,
        )
        .join(Participant, Participant.id == AlertRow.participant_id)
        .join(Entry, Entry.id == AlertRow.entry_id)
        .join(Visit, Visit.id == Entry.visit_id)
        .where(scope.participants(), scope.visits(), scope.entries())
        .where(AlertRow.status == "open")
        .order_by(Participant.code, AlertRow.id)
    )  # fmt: skip
    for row in rows:
        said = T("{words}", words=Said(row.text_en, row.text_zh))
        text = T("Nobody has acknowledged the alert: {alert}", alert=said)
        yield Barring(text, row.code, row.key, row.form, row.number)


class Said(NamedTuple):
    """Words of the study as they were stored."""

    en: str
    zh: str

    def in_(self, locale: str) -> str:
        return self.zh if locale == "zh" else self.en


def jobs(session: Session, scope: Scope) -> Iterator[Message]:
    """Yield one line when jobs of the study wait or run: they might write yet."""
    if scope.level not in (Level.STUDY, Level.SITE):
        return
    n = session.scalar(
        select(func.count()).where(Job.study == scope.study, Job.state.in_((WAITING, RUNNING)))
    )
    if n:
        yield T("{n} job(s) of this study wait or run.", n=n)
