"""Find an entry with everything its page and its save need. Finding is being allowed to see:
what lies at another site is not found.

Two statements: one for the entry and all above it (locking the participant's chain when it is
to be written), one for the participant's other entries, only of the forms that the form's
expressions read. The definition is the one the entry is pinned to, else the one its visit is
under (`visits.defined`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any

from sqlalchemy import Select, String, Text, bindparam, cast, func, select
from sqlalchemy.orm import Session

from ecrf.kernel.access import Actor, Right, Role
from ecrf.kernel.chain import Head
from ecrf.kernel.db import Base
from ecrf.kernel.errors import NotAllowed, NotFound
from ecrf.kernel.ledger import LEDGER, By, participant_chain
from ecrf.kernel.people import Site
from ecrf.kernel.text import T
from ecrf.study import versions
from ecrf.study.model import Form, Study
from ecrf.study.tables import StudyRow
from forms import answers
from forms.answers import Answer
from forms.context import Context, Entered
from forms.following import beside
from forms.following.beside import Beside
from forms.laboratory import loading
from forms.ladder import Place, Rung
from forms.reading import forms_read
from forms.tables import Entry
from visits import defined
from visits.tables import KitGiven, Participant, Visit
from visits.windows import civil_date


@dataclass(frozen=True, slots=True)
class Found:
    """An entry, or the empty place where it will be. `head` is set when it is locked.

    `last_number` is the highest number a repeating form has at this participant, 0 for none.
    """

    study: Study
    fingerprint: str
    participant: Participant
    visit: Visit
    form: Form
    number: int
    entry: Entry | None
    answers: Mapping[str, Answer]
    context: Context
    head: Head | None
    study_state: str
    site: Site
    last_number: int
    edition: str | None = None
    beside: frozenset[Beside] = frozenset()

    @property
    def version(self) -> int:
        """The version a person who looks at this has seen; 0 before the first save."""
        return self.entry.version if self.entry else 0

    @property
    def status(self) -> str:
        return self.entry.status if self.entry else "not started"

    @property
    def place(self) -> Place:
        rungs = [
            Rung("study", self.study_state),
            Rung("site", self.site.state),
            Rung("participant", self.participant.state),
            Rung("visit", self.visit.state, self.visit.open_until),
        ]
        if self.entry:
            rungs.append(Rung("entry", self.entry.state, self.entry.open_until))
        return Place(
            self.participant.study,
            self.participant.site,
            self.participant.id,
            self.visit.id,
            self.entry.id if self.entry else None,
            tuple(rungs),
        )


def entry(
    session: Session,
    actor: Actor,
    study_id: str,
    code: str,
    visit_key: str,
    form: str,
    number: int,
    right: Right,
    lock: bool = False,
) -> Found:
    """Return the entry, or raise NotFound; `lock` when the transaction is going to write."""
    asked = {
        "of_study": study_id, "of_code": code, "of_visit": visit_key, "of_form": form,
        "of_number": number, "of_chain": participant_chain(study_id, code),
    }  # fmt: skip
    row = session.execute(_place(lock), asked).one_or_none()
    if row is None or not actor.may(right, study_id, row.Participant.site):
        raise NotFound(T("There is no such participant or visit."))
    detach(session, row)
    fingerprint = row.Entry.protocol if row.Entry else row.defined
    study, fingerprint = versions.with_visit(session, fingerprint, row.Visit.plan)
    definition = _form(study, row.Visit, form, number)
    return Found(
        study=study,
        fingerprint=fingerprint,
        participant=row.Participant,
        visit=row.Visit,
        form=definition,
        number=number,
        entry=row.Entry,
        answers=answers.load(row.Entry.answers) if row.Entry else {},
        context=_context(session, study, fingerprint, definition, row, number),
        head=Head(row.name, row.size, row.link, row.last_at) if lock else None,
        study_state=row.StudyRow.state,
        site=row.Site,
        last_number=row.last_number or 0,
        edition=row.edition,
        beside=beside.read(row.beside),
    )


def detach(session: Session, row: Any) -> None:
    """Make what was read a value: it stays as read, whatever becomes of the transaction."""
    for thing in row:
        if isinstance(thing, Base):
            session.expunge(thing)


def again(session: Session, actor: Actor, found: Found, right: Right) -> Found:
    """Look the same place up once more, now that its chain is locked."""
    return entry(
        session, actor, found.participant.study, found.participant.code, found.visit.key,
        found.form.id, found.number, right, lock=True,
    )  # fmt: skip


def role(by: By, right: Right, participant: Participant) -> Role:
    """Return the role under which the act is done; raise NotAllowed without one."""
    held = by.actor.role_for(right, participant.study, participant.site)
    if held is None:
        raise NotAllowed(T("Your role does not include this."))
    return held


def locked_head(found: Found) -> Head:
    """Return the chain head the act follows; writing without having locked it is a mistake."""
    if found.head is None:
        raise ValueError("an entry to be written is looked up with lock=True")
    return found.head


@cache
def _place(lock: bool) -> Select[Any]:
    """Return the one question, made once; what is asked for comes as parameters."""
    chain = LEDGER.chain.c
    form = bindparam("of_form", type_=String)
    last_number = (
        select(func.max(Entry.number))
        .where(Entry.participant_id == Participant.id, Entry.form == form)
        .correlate(Participant)
        .scalar_subquery()
        .label("last_number")
    )
    kits = (
        select(func.aggregate_strings(KitGiven.number, ","))
        .where(KitGiven.participant_id == Participant.id, KitGiven.visit_id == Visit.id)
        .correlate(Participant, Visit)
        .scalar_subquery()
        .label("kits")
    )
    query = (
        select(
            StudyRow, Site, Participant, Visit, Entry,
            chain.name, chain.size, chain.link, chain.last_at, last_number, kits,
            loading.edition().label("edition"), beside.told().label("beside"),
            defined.fingerprint().label("defined"),
        )
        .join(Participant, Participant.study == StudyRow.id)
        .join(Site, (Site.study == StudyRow.id) & (Site.code == Participant.site))
        .join(Visit, Visit.participant_id == Participant.id)
        .join(LEDGER.chain, chain.name == bindparam("of_chain"))
        .outerjoin(
            Entry,
            (Entry.visit_id == Visit.id)
            & (Entry.form == form)
            & (Entry.number == bindparam("of_number")),
        )
        .where(
            StudyRow.id == bindparam("of_study"),
            Participant.code == bindparam("of_code"),
            Visit.key == bindparam("of_visit"),
        )
    )  # fmt: skip
    return query.with_for_update(of=LEDGER.chain) if lock else query


@cache
def _other_entries() -> Select[*tuple[Any, ...]]:
    return (
        select(
            Visit.plan, Visit.key, Visit.held_on, Visit.position,
            Entry.id, Entry.form, Entry.number, cast(Entry.answers, Text).label("answers"),
        )
        .join(Visit, Visit.id == Entry.visit_id)
        .where(
            Entry.participant_id == bindparam("of_participant"),
            Entry.form.in_(bindparam("of_forms", expanding=True)),
        )
        .order_by(Entry.id)
    )  # fmt: skip


def _form(study: Study, visit: Visit, form: str, number: int) -> Form:
    """Return the definition of a form that is planned at the visit."""
    definition = study.forms.get(form)
    planned = any(assessment.form == form for assessment in study.forms_at(visit.plan))
    if definition is None or not planned:
        raise NotFound(T("There is no form {form} at this visit.", form=form.upper()))
    if number < 1 or (number > 1 and not definition.repeating):
        raise NotFound(T("The form {form} has no number {n}.", form=form.upper(), n=number))
    return definition


def _context(
    session: Session, study: Study, fingerprint: str, form: Form, row: Any, number: int
) -> Context:
    participant, visit = row.Participant, row.Visit
    return Context(
        visit=visit.plan,
        visit_key=visit.key,
        visit_date=visit.held_on,
        order=order_of(visit.held_on, visit.position),
        number=number,
        randomized_on=participant.randomized_on,
        site=participant.site,
        random_number=participant.random_number or "",
        kits=tuple(sorted(row.kits.split(","))) if row.kits else (),
        unblinded_on=_day(participant.unblinded_at, row.Site.zone),
        ranges=loading.ranges(session, study, form.id, row.edition),
        entries=others(
            session, participant.id, row.Entry, forms_read(study, fingerprint, form)
        ),
    )


def _day(at: datetime | None, zone: str) -> date | None:
    return None if at is None else civil_date(at, zone)


def others(
    session: Session, participant_id: int, entry: Entry | None, forms: frozenset[str]
) -> list[Entered]:
    """Return the participant's entries of `forms`, but for `entry` itself. One statement."""
    if not forms:
        return []
    asked = {"of_participant": participant_id, "of_forms": sorted(forms)}
    rows = session.execute(_other_entries(), asked)
    return [
        Entered(
            visit=other.plan,
            key=other.key,
            order=order_of(other.held_on, other.position),
            form=other.form,
            number=other.number,
            answers=answers.Document(other.answers),
            visit_date=other.held_on,
        )
        for other in rows
        if entry is None or other.id != entry.id
    ]


def order_of(held_on: date | None, position: int) -> int:
    """Return the place in time of a visit; one without a date stands after all the others."""
    return (held_on or date.max).toordinal() * 10_000 + position
