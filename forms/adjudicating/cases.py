"""Find a case: for whoever manages the cases by all it has, for the committee by its number.

Finding is being allowed to see. To be written, a case is found with the study's chain locked,
after the participant's where that is written, too.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session

from ecrf.kernel.access import Actor, Right, Role
from ecrf.kernel.chain import Change, Head
from ecrf.kernel.errors import NotAllowed, NotFound, Stale
from ecrf.kernel.ledger import LEDGER, Act, By, study_chain
from ecrf.kernel.people import Site
from ecrf.kernel.text import T
from ecrf.study import versions
from ecrf.study.adjudication import Adjudication
from ecrf.study.model import Form, Study
from ecrf.study.tables import StudyRow
from forms import ladder, lookup
from forms.adjudicating import states
from forms.adjudicating.states import State
from forms.adjudicating.tables import Case, Dossier, Vote
from forms.ladder import Place, Rung
from forms.tables import Entry
from visits.tables import Participant, Visit


@dataclass(frozen=True, slots=True)
class Found:
    """A case with the event it judges. `head` is set when it is to be written."""

    case: Case
    study: Study
    rule: Adjudication
    entry: Entry
    visit: Visit
    participant: Participant
    site: Site
    study_state: str
    head: Head | None

    @property
    def state(self) -> State:
        return State(self.case.state)

    @property
    def vote_form(self) -> Form:
        return self.study.forms[self.rule.vote]

    @property
    def place(self) -> Place:
        who = self.participant
        rungs = (
            Rung("study", self.study_state), Rung("site", self.site.state),
            Rung("participant", who.state), Rung("visit", self.visit.state),
            Rung("entry", self.entry.state, self.entry.open_until),
        )  # fmt: skip
        return Place(who.study, who.site, who.id, self.visit.id, self.entry.id, rungs)


def find(
    session: Session, actor: Actor, study_id: str, number: int, *, lock: bool = False
) -> Found:
    """Return a case for whoever manages the cases of its site, or raise NotFound."""
    found = load(session, study_id, number, lock=lock)
    if found is None or not actor.may(
        Right.ADJUDICATION_MANAGE, study_id, found.participant.site
    ):
        raise NotFound(T("There is no such case."))
    return found


def load(session: Session, study_id: str, number: int, *, lock: bool) -> Found | None:
    """Return a case whoever asks; what is built on this asks for the right itself."""
    head = LEDGER.head(session, study_chain(study_id)) if lock else None
    row = session.execute(
        _whole().where(Case.study == study_id, Case.number == number)
    ).one_or_none()
    if row is None:
        return None
    lookup.detach(session, row)
    study = versions.model(session, row.Entry.protocol)
    if study.adjudication is None:
        return None
    return Found(
        row.Case, study, study.adjudication, row.Entry, row.Visit, row.Participant, row.Site,
        row.study_state, head,
    )  # fmt: skip


def listing(session: Session, actor: Actor, study_id: str) -> list[Found]:
    """Return the cases at the sites whose cases the actor manages, by number."""
    sites = actor.sites(Right.ADJUDICATION_MANAGE, study_id)
    query = _whole().where(Case.study == study_id)
    if sites is not None:
        query = query.where(Participant.site.in_(sorted(sites)))
    found = []
    for row in session.execute(query.order_by(Case.number)):
        study = versions.model(session, row.Entry.protocol)
        if study.adjudication is not None:
            found.append(
                Found(
                    row.Case, study, study.adjudication, row.Entry, row.Visit,
                    row.Participant, row.Site, row.study_state, None,
                )
            )  # fmt: skip
    return found


def _whole() -> Select[*tuple[Any, ...]]:
    return (
        select(Case, Entry, Visit, Participant, Site, StudyRow.state.label("study_state"))
        .join(Entry, Entry.id == Case.entry_id)
        .join(Visit, Visit.id == Entry.visit_id)
        .join(Participant, Participant.id == Case.participant_id)
        .join(StudyRow, StudyRow.id == Case.study)
        .join(Site, (Site.study == Case.study) & (Site.code == Participant.site))
    )


def dossiers(session: Session, case_id: int) -> list[Dossier]:
    """Return the dossiers of a case, the newest first."""
    query = select(Dossier).where(Dossier.case_id == case_id)
    return list(session.scalars(query.order_by(Dossier.version.desc())))


def votes(session: Session, case_id: int, round_: int | None = None) -> list[Vote]:
    """Return the votes on a case, in one round or in all, as the seats were given."""
    query = select(Vote).where(Vote.case_id == case_id)
    if round_ is not None:
        query = query.where(Vote.round == round_)
    return list(session.scalars(query.order_by(Vote.id)))


def role(by: By, right: Right, found: Found) -> Role:
    """Return the role under which the act is done; raise NotAllowed without one."""
    held = by.actor.role_for(right, found.case.study, found.participant.site)
    if held is None:
        raise NotAllowed(T("Your role does not include this."))
    return held


def move(
    session: Session,
    by: By,
    held: Role,
    found: Found,
    then: State,
    action: str,
    *,
    reason: str | None = None,
    refs: dict[str, object] | None = None,
    changes: Sequence[Change] = (),
    **values: object,
) -> Found:
    """Take the case to its next state, with what else changes, and write the act of it.

    Refused when the table of moves has no such move, and under a lock. The case returned
    follows the act.
    """
    states.require(found.state, then)
    ladder.require(session, found.place, ladder.UNLOCKED, by.at)
    moved = session.connection().scalar(
        update(Case)
        .where(Case.id == found.case.id, Case.state == found.case.state)
        .values(state=then, changed_at=by.at, **values)
        .returning(Case.id)
    )
    if moved is None or found.head is None:
        raise Stale(T("The case was moved on a moment ago. Open it again."))
    state = Change("#state", found.case.state, then)
    head = write(session, by, held, found, action, [state, *changes], refs, reason)
    case = Case(
        **{column.name: getattr(found.case, column.name) for column in Case.__table__.columns}
    )
    for name, value in {"state": then, "changed_at": by.at, **values}.items():
        setattr(case, name, value)
    return replace(found, case=case, head=head)


def write(
    session: Session,
    by: By,
    held: Role,
    found: Found,
    action: str,
    changes: Sequence[Change],
    refs: dict[str, object] | None = None,
    reason: str | None = None,
) -> Head:
    """Write an act on a case to the study's chain; return the head that follows."""
    if found.head is None:
        raise ValueError("a case to be written is looked up with lock=True")
    about: dict[str, object] = {
        "case": found.case.number, "round": found.case.round,
        "participant": found.participant.code, "visit": found.visit.key,
        "form": found.entry.form, "number": found.entry.number, **(refs or {}),
    }  # fmt: skip
    act = Act(
        action, held, found.case.study, found.participant.site,
        key=f"case:{found.case.number}", refs=about, reason=reason, changes=changes,
    )  # fmt: skip
    return LEDGER.write(session, by, [(found.head, act)])[found.head.chain]


def package_due(found: Found) -> date | None:
    """Return the day by which the dossier is to be with the committee; None once it is."""
    assessed = found.case.assessed_on
    if assessed is None or found.state not in states.WITH_OFFICE:
        return None
    return assessed + timedelta(days=found.rule.timers.package)


def days_since(found: Found, at: datetime) -> int | None:
    """Return how many days ago the event was assessed."""
    assessed = found.case.assessed_on
    return None if assessed is None else (at.date() - assessed).days
