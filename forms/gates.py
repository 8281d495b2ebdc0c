"""The gates of a lock: everything that still stands in its way, found live.

A blocker names what is wrong and where, so that a page can link to it. What blocks is put
right, or said to be not done or missed with a reason; else it is waived, one thing at a time
(`forms.closing.waivers`).
"""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from ecrf.kernel import verify
from ecrf.kernel.keys import Verifier
from ecrf.kernel.ledger import participant_chain, study_chain
from ecrf.kernel.people import Site
from ecrf.kernel.text import Message, T, Text
from ecrf.study import versions
from ecrf.study.model import Study, Words
from forms import answers, casebook, fold
from forms.adjudicating import blocking
from forms.closing import checks, reports
from forms.double import blocking as pairs
from forms.questions import places
from forms.scope import Level, Scope
from forms.tables import Entry, Query
from visits.tables import Participant, Visit


class Gate(StrEnum):
    """The kinds of blockers, in the order they are listed."""

    FORM = "form"
    QUERY = "query"
    SIGNATURE = "signature"
    VISIT = "visit"
    STATUS = "status"
    RECEIPT = "receipt"
    VERIFICATION = "verification"
    ADJUDICATION = "adjudication"
    ALERT = "alert"
    REPORT = "report"
    JOB = "job"
    LEDGER = "ledger"


FIRM = frozenset({Gate.RECEIPT, Gate.JOB, Gate.LEDGER})
"""What cannot be waived: it would make the lock say what is not so."""


class Blocker(NamedTuple):
    """One thing in the way of a lock, with what a link to it needs."""

    kind: Gate
    text: Message
    participant: str | None = None
    visit: str | None = None
    form: str | None = None
    number: int | None = None
    item: str | None = None
    ref: str = ""

    @property
    def place(self) -> str:
        """Return where it is, such as `PUMCH-001/W4/ri/1/igg4`."""
        parts = (self.participant, self.visit, self.form, self.number, self.item)
        return "/".join(str(part) for part in parts if part is not None)

    @property
    def mark(self) -> str:
        """Return what names exactly this blocker: its gate, its place and its words."""
        said = "\n".join((self.kind.value, self.place, self.ref, self.text.in_("en")))
        return hashlib.sha256(said.encode()).hexdigest()


def gates(
    session: Session, scope: Scope, at: datetime, verifier: Verifier | None = None
) -> tuple[Blocker, ...]:
    """Return everything in the way of locking `scope`, gate by gate."""
    return (*open_ends(session, scope, at), *ledger_flaws(session, scope, verifier))


def open_ends(session: Session, scope: Scope, at: datetime) -> tuple[Blocker, ...]:
    """Return the blockers found in the tables; what a page can show at once."""
    entries = session.execute(_entries(scope)).all()
    found = [
        *_not_started(session, scope, entries),
        *_not_complete(session, entries),
        *_queries(session, scope),
        *_unsigned(session, entries),
        *_visits(session, scope, at),
        *_participants(session, scope),
        *_cases(session, scope),
        *(Blocker(Gate.FORM, *found) for found in pairs.unsettled(session, scope)),
        *(Blocker(Gate.SIGNATURE, *found) for found in checks.unsigned(session, scope)),
        *(Blocker(Gate.VERIFICATION, *found) for found in checks.unverified(session, scope)),
        *(Blocker(Gate.ALERT, *found) for found in checks.alerts(session, scope)),
        *(Blocker(Gate.REPORT, *found) for found in reports.missing(session, scope)),
        *(Blocker(Gate.JOB, text) for text in checks.jobs(session, scope)),
    ]
    order = list(Gate)
    return tuple(sorted(found, key=lambda blocker: order.index(blocker.kind)))


def _entries(scope: Scope) -> Any:
    return (
        select(
            Entry.visit_id, Entry.form, Entry.number, Entry.status, Entry.version,
            Entry.signature_id, Entry.signed_version, Entry.protocol,
            Participant.code, Visit.key,
        )
        .join(Participant, Participant.id == Entry.participant_id)
        .join(Visit, Visit.id == Entry.visit_id)
        .where(scope.participants(), scope.visits(), scope.entries())
        .order_by(Participant.code, Visit.position, Entry.form, Entry.number)
    )  # fmt: skip


def _not_started(session: Session, scope: Scope, entries: Sequence[Any]) -> Iterator[Blocker]:
    """Yield the forms required at visits that were held and that nobody has begun."""
    if scope.level is Level.ENTRY:
        return
    begun = {(entry.visit_id, entry.form) for entry in entries}
    rows = session.execute(
        select(
            Visit.id, Visit.plan, Visit.key, Visit.asked, Participant.code, Participant.protocol
        )
        .join(Participant, Participant.id == Visit.participant_id)
        .where(scope.participants(), scope.visits(), Visit.status == "held")
        .order_by(Participant.code, Visit.position)
    )
    for row in rows:
        study = versions.model(session, row.protocol)
        for planned in study.forms_at(row.plan):
            needed = planned.form in study.forms and (
                casebook.need(study, planned, row.asked) == "required"
            )
            if needed and (row.id, planned.form) not in begun:
                text = T(
                    "{form} is required at {visit} and was not started.",
                    form=study.forms[planned.form].title,
                    visit=called(study, row.plan, row.key),
                )  # fmt: skip
                yield Blocker(Gate.FORM, text, row.code, row.key, planned.form, 1)


def _not_complete(session: Session, entries: Sequence[Any]) -> Iterator[Blocker]:
    for entry in entries:
        if entry.status == "draft":
            form = versions.model(session, entry.protocol).forms[entry.form]
            text = T("{form} was started and is not complete.", form=form.title)
            yield Blocker(Gate.FORM, text, entry.code, entry.key, entry.form, entry.number)


def _unsigned(session: Session, entries: Sequence[Any]) -> Iterator[Blocker]:
    """Yield complete entries of forms that ask for a signature and carry none that stands."""
    for entry in entries:
        form = versions.model(session, entry.protocol).forms[entry.form]
        asked = form.signed is not None or entry.signature_id is not None
        if not asked or entry.status != "complete":
            continue
        if entry.signature_id is None:
            text = T("{form} is not signed.", form=form.title)
        elif entry.signed_version != entry.version:
            text = T("{form} was changed after it was signed.", form=form.title)
        else:
            continue
        yield Blocker(Gate.SIGNATURE, text, entry.code, entry.key, entry.form, entry.number)


def _queries(session: Session, scope: Scope) -> Iterator[Blocker]:
    rows = session.execute(
        select(
            Query.id,
            Query.item,
            Query.status,
            Query.form,
            Query.number,
            Participant.code,
            Visit.key,
            func.coalesce(Entry.protocol, Participant.protocol).label("protocol"),
        )
        .join(Participant, Participant.id == Query.participant_id)
        .outerjoin(Visit, Visit.id == Query.visit_id)
        .outerjoin(Entry, Entry.id == Query.entry_id)
        .where(scope.participants(), scope.visits(), scope.entries())
        .where(Query.status.in_(("open", "answered")))
        .order_by(Participant.code, Visit.position, Query.form, Query.number, Query.id)
    )
    for row in rows:
        about = places.about(row.key is not None, row.form, row.item)
        item = places.NAMES.get(about) or _item(session, row)
        text = (
            T("A query on {item} waits for an answer.", item=item)
            if row.status == "open"
            else T("A query on {item} is answered and waits to be closed.", item=item)
        )
        form, number, about_item = (
            (row.form, row.number, row.item) if row.form else (None, None, None)
        )
        yield Blocker(
            Gate.QUERY, text, row.code, row.key, form, number, about_item, str(row.id)
        )


def _item(session: Session, row: Any) -> Text:
    form = versions.model(session, row.protocol).forms.get(row.form)
    cell = form.cells.get(row.item) if form else None
    return answers.called(cell) if cell else Words(en=row.item, zh=row.item)


def _visits(session: Session, scope: Scope, at: datetime) -> Iterator[Blocker]:
    """Yield the visits that are neither held nor missed though they are expected."""
    if scope.level is Level.ENTRY:
        return
    rows = session.execute(
        select(
            Visit.plan, Visit.key, Visit.due, Participant.code, Participant.protocol, Site.zone
        )
        .join(Participant, Participant.id == Visit.participant_id)
        .join(Site, and_(Site.study == Participant.study, Site.code == Participant.site))
        .where(scope.participants(), scope.visits(), Visit.due.is_not(None))
        .order_by(Participant.code, Visit.position)
    )
    for row in rows:
        visit = called(versions.model(session, row.protocol), row.plan, row.key)
        yield Blocker(Gate.VISIT, _waiting(visit, row.due, row.zone, at), row.code, row.key)


def called(study: Study, plan: str, key: str) -> Text:
    """Return what people call a visit; one of several of a kind has its key behind it."""
    known = study.visit.get(plan)
    if known is None:
        return Words(en=key, zh=key)
    if key == plan:
        return known.label
    return Words(en=f"{known.label.en} {key}", zh=f"{known.label.zh} {key}")


def _waiting(visit: Text, due: date, zone: str, at: datetime) -> Message:
    if due < at.astimezone(ZoneInfo(zone)).date():
        return T(
            "{visit} was due by {day} and is neither held nor missed.", visit=visit, day=due
        )
    return T("{visit} is still to come, by {day}.", visit=visit, day=due)


def _participants(session: Session, scope: Scope) -> Iterator[Blocker]:
    if scope.level in (Level.VISIT, Level.ENTRY):
        return
    rows = session.execute(
        select(
            Participant.code, Participant.status, Participant.random_number,
            Participant.receipt,
        )
        .where(scope.participants())
        .order_by(Participant.code)
    )  # fmt: skip
    for row in rows:
        if row.status == "screening":
            text = T("Still in screening: neither randomized nor failed.")
            yield Blocker(Gate.STATUS, text, row.code)
        if row.random_number is not None and not row.receipt:
            yield Blocker(Gate.RECEIPT, T("Randomized without a receipt."), row.code)


def _cases(session: Session, scope: Scope) -> Iterator[Blocker]:
    for case in blocking.unsettled(session, scope):
        yield Blocker(Gate.ADJUDICATION, *case)


def ledger_flaws(
    session: Session, scope: Scope, verifier: Verifier | None = None
) -> tuple[Blocker, ...]:
    """Return where the chains of the scope, or the entries beside them, are not as written."""
    people = {
        row.id: participant_chain(scope.study, row.code)
        for row in session.execute(
            select(Participant.id, Participant.code).where(scope.participants())
        )
    }
    only = [*people.values(), study_chain(scope.study)]
    flaws = verify.verify(session, verifier, only=only).flaws
    return (
        *(Blocker(Gate.LEDGER, flaw.message, item=_of(flaw)) for flaw in flaws),
        *(
            Blocker(Gate.LEDGER, difference.message, item=f"entry:{difference.entry_id}")
            for difference in fold.differences(session, people.values(), people)
        ),
    )


def _of(flaw: verify.Flaw) -> str:
    return f"{flaw.chain}#{flaw.seq}" if flaw.chain else f"checkpoint:{flaw.seq}"
