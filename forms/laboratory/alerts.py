"""Safety alerts: a check of the study that begins to hold tells people at once.

Raised and withdrawn by the save that makes it so, in its transaction; a save that changes
nothing about alerts sends no statement for them. An alert that somebody acknowledged stays as
it is, whatever becomes of the answer.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from ecrf.kernel import outbox
from ecrf.kernel.access import Actor, Right
from ecrf.kernel.errors import Conflict, NotAllowed, NotFound, Problem, Unacceptable
from ecrf.kernel.ledger import LEDGER, Act, By, participant_chain
from ecrf.kernel.people import Person
from ecrf.kernel.text import T
from ecrf.study.model import Form, Study
from forms.answers import Answer
from forms.context import Context, scope
from forms.finding import Finding
from forms.laboratory.tables import AlertRow
from forms.lookup import Found
from forms.plan import Plan
from forms.tables import Entry
from visits.tables import Participant, Visit

MOST_COMMENT = 1000


class Moved(NamedTuple):
    """The alerts a save raises, and those whose check holds no more."""

    raised: tuple[Finding, ...] = ()
    withdrawn: tuple[str, ...] = ()


class Spot(NamedTuple):
    """The entry the alerts are of, as it is about to be stored."""

    participant: Participant
    study: Study
    form: str
    entry_id: int
    version: int


class Line(NamedTuple):
    """An alert as it is listed; `in_` says its text."""

    id: int
    code: str
    visit: str
    form: str
    number: int
    item: str
    rule: str
    level: str
    status: str
    text_en: str
    text_zh: str
    raised_at: datetime
    seen_at: datetime | None
    seen_by: str | None
    comment: str

    def in_(self, locale: str) -> str:
        return self.text_zh if locale == "zh" else self.text_en


def decide(found: Found, decided: Plan) -> Moved:
    """Return what the answers about to be stored do to the alerts of the form. Pure."""
    return compare(found.study, found.form, found.answers, found.context, decided.findings)


def compare(
    study: Study,
    form: Form,
    was: Mapping[str, Answer],
    context: Context,
    findings: Sequence[Finding],
) -> Moved:
    """Return what the findings of now do to the alerts that held before. Pure."""
    laboratory = study.laboratory
    alerts = laboratory.alerts_of.get(form.id, {}) if laboratory else {}
    if not alerts:
        return Moved()
    now = {f.rule: f for f in findings if f.rule in alerts}
    before = _held(study, form, was, context, alerts)
    return Moved(
        tuple(finding for rule, finding in now.items() if rule not in before),
        tuple(sorted(before - now.keys())),
    )


def _held(
    study: Study,
    form: Form,
    answers: Mapping[str, Answer],
    context: Context,
    alerts: Mapping[str, object],
) -> frozenset[str]:
    if not answers:
        return frozenset()
    sheet = scope(study, form, answers, context)
    checks = (check for check in form.checks if check.id in alerts)
    return frozenset(check.id for check in checks if sheet.holds(check.when))


def follow(
    session: Session, by: By, found: Found, entry_id: int, version: int, decided: Plan
) -> dict[str, object]:
    """Move the alerts of an entry, and return what the act of the save says about them."""
    where = Spot(found.participant, found.study, found.form.id, entry_id, version)
    return move(session, by, where, decide(found, decided))


def move(session: Session, by: By, where: Spot, moved: Moved) -> dict[str, object]:
    """Store what moves, and return what the act says about it."""
    entry_id = where.entry_id
    if moved.withdrawn:
        session.execute(
            update(AlertRow)
            .where(
                AlertRow.entry_id == entry_id, AlertRow.status == "open",
                AlertRow.rule.in_(moved.withdrawn),
            )
            .values(status="withdrawn")
        )  # fmt: skip
    if moved.raised:
        _raise(session, by, where, moved.raised)
    told = {
        "alerts": [[f.item, f.rule] for f in moved.raised],
        "alerts_withdrawn": list(moved.withdrawn),
    }
    return {name: value for name, value in told.items() if value}


def _raise(session: Session, by: By, where: Spot, raised: Sequence[Finding]) -> None:
    laboratory = where.study.laboratory
    alerts = laboratory.alerts_of[where.form] if laboratory else {}
    who = where.participant
    session.execute(
        insert(AlertRow),
        [
            {
                "study": who.study, "site": who.site, "participant_id": who.id,
                "entry_id": where.entry_id, "version": where.version, "rule": f.rule,
                "item": f.item, "level": alerts[f.rule].level, "status": "open",
                "raised_at": by.at,
                "text_en": f.message.in_("en")[:600], "text_zh": f.message.in_("zh")[:600],
                "comment": "",
            }
            for f in raised
        ],
    )  # fmt: skip
    outbox.put(
        session, by, who.study, who.site, Right.ALERT_ACKNOWLEDGE, "safety alert",
        T("A safety alert was raised at site {site}. Please look at it.", site=who.site),
        f"/{who.study}/alerts",
    )  # fmt: skip


def acknowledge(session: Session, by: By, study: str, number: int, comment: str) -> None:
    """Note that the person has seen an alert, and what they say about it."""
    row = session.execute(
        select(AlertRow, Participant.code)
        .join(Participant, Participant.id == AlertRow.participant_id)
        .where(AlertRow.study == study, AlertRow.id == number)
    ).one_or_none()
    if row is None or not by.actor.may(Right.ENTRY_READ, study, row.AlertRow.site):
        raise NotFound(T("There is no such alert."))
    alert = row.AlertRow
    role = by.actor.role_for(Right.ALERT_ACKNOWLEDGE, study, alert.site)
    if role is None:
        raise NotAllowed(T("Your role does not include this."))
    said = comment.strip()
    if not said or len(said) > MOST_COMMENT:
        message = T("Say in a few words what was done about it.")
        raise Unacceptable(message, [Problem(f"comment-{number}", message)])
    head = LEDGER.head(session, participant_chain(study, row.code))
    done = session.execute(
        update(AlertRow)
        .where(AlertRow.id == number, AlertRow.status == "open")
        .values(status="acknowledged", seen_at=by.at, seen_by=by.actor.id, comment=said)
        .returning(AlertRow.id)
    ).scalar_one_or_none()
    if done is None:
        raise Conflict(T("Somebody has acknowledged this alert already."))
    refs = {"participant": row.code, "alert": number, "rule": alert.rule, "item": alert.item}
    act = Act(
        "alert:acknowledge", role, study, alert.site, key=f"alert:{number}", refs=refs,
        reason=said,
    )  # fmt: skip
    LEDGER.write(session, by, [(head, act)])


def listing(
    session: Session, actor: Actor, study: str, *, status: str | None = "open", limit: int = 200
) -> list[Line]:
    """Return alerts at the person's sites, the newest first; one statement."""
    held = actor.sites(Right.ENTRY_READ, study)
    query = (
        select(
            AlertRow.id, Participant.code, Visit.key, Entry.form, Entry.number, AlertRow.item,
            AlertRow.rule, AlertRow.level, AlertRow.status, AlertRow.text_en,
            AlertRow.text_zh, AlertRow.raised_at, AlertRow.seen_at,
            Person.name.label("seen_by"), AlertRow.comment,
        )
        .join(Participant, Participant.id == AlertRow.participant_id)
        .join(Entry, Entry.id == AlertRow.entry_id)
        .join(Visit, Visit.id == Entry.visit_id)
        .outerjoin(Person, Person.id == AlertRow.seen_by)
        .where(AlertRow.study == study)
        .order_by(AlertRow.id.desc())
        .limit(limit)
    )  # fmt: skip
    if status is not None:
        query = query.where(AlertRow.status == status)
    if held is not None:
        query = query.where(AlertRow.site.in_(held))
    return [Line._make(row) for row in session.execute(query)]


def unseen(session: Session, study: str) -> int:
    """Return how many alerts nobody has acknowledged: a lock asks."""
    query = select(func.count()).where(AlertRow.study == study, AlertRow.status == "open")
    return session.scalar(query) or 0
