"""Every entry with how far it is verified, reviewed, signed and locked: page by page.

One statement for the entries of a page, whatever their number, and one for the plans of sites.
Pages follow the key (`after`). How far the verification is follows from the definition and the
answers, so that filter is applied to what was read: a page may show fewer lines and go on.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, literal, or_, select, tuple_
from sqlalchemy.orm import Session, aliased

from ecrf.kernel.access import Actor, Right
from ecrf.kernel.ledger import LEDGER, participant_chain
from ecrf.kernel.people import Site
from ecrf.study import versions
from ecrf.study.model import Form, Study
from ecrf.study.tables import StudyRow
from forms.review import plan, siteplans
from forms.review.plan import Drawn, Stand, Tally
from forms.review.tables import ReviewMark
from forms.scope import Scope
from forms.tables import Entry
from visits.rows import LADDER, strongest
from visits.tables import Participant, Visit

PAGE = 50
SCANNED = 400
"""The most entries one page reads, however few of them fit its filters."""

SIGNATURES = ("to sign", "signed", "broken", "none needed")
UNFINISHED = frozenset({Stand.OPEN, Stand.PARTLY, Stand.CHANGED})
DATA, MEDICAL = aliased(ReviewMark), aliased(ReviewMark)


@dataclass(frozen=True, slots=True)
class Filters:
    """What to list; an empty text means whatever.

    `verification`: a word of `Stand`, or remaining. `data`, `medical`: reviewed, not reviewed,
    changed since.
    """

    site: str = ""
    participant: str = ""
    form: str = ""
    signature: str = ""
    lock: str = ""
    verification: str = ""
    data: str = ""
    medical: str = ""

    def query_string(self) -> dict[str, str]:
        given = {name: getattr(self, name) for name in self.__slots__}
        return {name: value for name, value in given.items() if value}


class Line(NamedTuple):
    """One entry of the list. `data` and `medical` say whether the marks still hold."""

    id: int
    site: str
    code: str
    visit: str
    plan: str
    form: Form
    number: int
    status: str
    version: int
    saved_at: datetime
    lock: str
    signature: str
    tally: Tally
    data: str
    medical: str

    @property
    def key(self) -> str:
        return f"{self.code}:{self.id}"


class Listing(NamedTuple):
    lines: tuple[Line, ...]
    after: str | None
    """The key to ask the next page with; None on the last."""


def page(
    session: Session, actor: Actor, study: Study, filters: Filters, after: str = ""
) -> Listing:
    """Return one page of the entries at the actor's sites. Two statements."""
    reader = _Reader(session, study)
    query = _after(_query(actor, study, filters), after).limit(SCANNED + 1)
    rows = session.execute(query).all()
    found: list[Line] = []
    last = ""
    for row in rows[:SCANNED]:
        line = reader.line(row)
        if _fits(line, filters):
            if len(found) == PAGE:
                return Listing(tuple(found), last)
            found.append(line)
        last = line.key
    return Listing(tuple(found), last if len(rows) > SCANNED else None)


def every(session: Session, actor: Actor, study: Study, filters: Filters) -> Iterator[Line]:
    """Yield all of them, streamed."""
    reader = _Reader(session, study)
    query = _query(actor, study, filters).execution_options(yield_per=200)
    for row in session.execute(query):
        line = reader.line(row)
        if _fits(line, filters):
            yield line


def within(session: Session, study: Study, scope: Scope) -> Iterator[Line]:
    """Yield the entries a lock would cover, streamed. Two statements."""
    reader = _Reader(session, study)
    query = _lines(study).where(scope.participants(), scope.visits(), scope.entries())
    for row in session.execute(query.execution_options(yield_per=200)):
        yield reader.line(row)


def drawn(session: Session, study_id: str, code: str, number: int) -> Drawn:
    """Return what the sample of one participant depends on."""
    act = LEDGER.act.c
    name = participant_chain(study_id, code)
    link = session.scalar(select(act.link).where(act.chain == name, act.seq == 0))
    return Drawn(number, plan.lot(link or ""))


def _query(actor: Actor, study: Study, filters: Filters) -> Select[Any]:
    return _lines(study).where(*_conditions(actor, study, filters))


def _lines(study: Study) -> Select[Any]:
    act = LEDGER.act.c
    chain = literal(participant_chain(study.id, "")) + Participant.code
    return (
        select(
            Entry.id, Entry.form, Entry.number, Entry.status, Entry.state, Entry.version,
            Entry.protocol, Entry.answers, Entry.verified, Entry.saved_at,
            Entry.signature_id, Entry.signed_version, Visit.key, Visit.plan,
            Visit.state.label("visit_state"), Participant.code, Participant.site,
            Participant.number.label("serial"), Participant.state.label("own_state"),
            Site.state.label("site_state"), StudyRow.state.label("study_state"), act.link,
            DATA.version.label("data"), MEDICAL.version.label("medical"),
        )
        .join(Participant, Participant.id == Entry.participant_id)
        .join(Visit, Visit.id == Entry.visit_id)
        .join(StudyRow, StudyRow.id == Participant.study)
        .join(Site, and_(Site.study == Participant.study, Site.code == Participant.site))
        .join(LEDGER.act, and_(act.chain == chain, act.seq == 0))
        .outerjoin(DATA, and_(DATA.entry_id == Entry.id, DATA.kind == "data"))
        .outerjoin(MEDICAL, and_(MEDICAL.entry_id == Entry.id, MEDICAL.kind == "medical"))
        .where(Participant.study == study.id)
        .order_by(Participant.code, Entry.id)
    )  # fmt: skip


def _after(query: Select[Any], after: str) -> Select[Any]:
    code, _, number = after.rpartition(":")
    if not number.isdecimal() or len(number) > 15:
        return query
    return query.where(tuple_(Participant.code, Entry.id) > (code, int(number)))


def _conditions(actor: Actor, study: Study, filters: Filters) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    sites = actor.sites(Right.ENTRY_READ, study.id)
    if sites is not None:
        found.append(Participant.site.in_(sorted(sites)))
    if filters.site:
        found.append(Participant.site == filters.site)
    if filters.participant:
        found.append(Participant.code == filters.participant.strip().upper())
    if filters.form:
        found.append(Entry.form == filters.form)
    if filters.signature in SIGNATURES:
        found.append(_signature(study, filters.signature))
    if filters.lock in LADDER:
        found.append(_locked(filters.lock))
    for mark, wanted in ((DATA, filters.data), (MEDICAL, filters.medical)):
        if wanted == "reviewed":
            found.append(mark.version == Entry.version)
        elif wanted == "not reviewed":
            found.append(mark.version.is_(None))
        elif wanted == "changed since":
            found.append(mark.version != Entry.version)
    return found


def _signature(study: Study, wanted: str) -> ColumnElement[bool]:
    if wanted == "signed":
        return Entry.signed_version == Entry.version
    if wanted == "broken":
        return Entry.signed_version != Entry.version
    forms = [form.id for form in study.forms.values() if form.signed]
    asking = and_(Entry.form.in_(forms), Entry.status == "complete")
    asks = asking if wanted == "to sign" else ~asking
    return and_(Entry.signature_id.is_(None), asks)


def _locked(wanted: str) -> ColumnElement[bool]:
    """Keep to entries over which the strongest lock is the one wanted."""
    rungs = (Entry.state, Visit.state, Participant.state, Site.state, StudyRow.state)
    allowed = LADDER[: LADDER.index(wanted) + 1]
    return and_(
        or_(*(rung == wanted for rung in rungs)), *(rung.in_(allowed) for rung in rungs)
    )


def _fits(line: Line, filters: Filters) -> bool:
    stand = line.tally.stand
    if filters.verification == "remaining":
        return stand in UNFINISHED
    return filters.verification in ("", stand)


class _Reader:
    """Makes lines of rows; what a form's plan comes to is worked out once."""

    def __init__(self, session: Session, study: Study) -> None:
        self.session = session
        self.study = study
        self.plans = siteplans.of_study(session, study.id)
        self.known: dict[tuple[str, str, str], frozenset[str]] = {}

    def line(self, row: Any) -> Line:
        form = versions.model(self.session, row.protocol).forms[row.form]
        answered = row.answers if row.status == "complete" else ()
        return Line(
            row.id, row.site, row.code, row.key, row.plan, form, row.number, row.status,
            row.version, row.saved_at,
            strongest(
                row.state, row.visit_state, row.own_state, row.site_state, row.study_state
            ),
            _signed(row, form), plan.tally(self._wanted(row, form), answered, row.verified),
            _mark(row.data, row.version), _mark(row.medical, row.version),
        )  # fmt: skip

    def _wanted(self, row: Any, form: Form) -> frozenset[str]:
        own = self.plans.get(row.site, {})
        holds = plan.extents(self.study.verification, own, row.form, row.plan)
        extent = plan.extent(holds, Drawn(row.serial, plan.lot(row.link)))
        name = (row.protocol, row.form, extent)
        if name not in self.known:
            self.known[name] = plan.keys(self.study, form, extent)
        return self.known[name]


def _signed(row: Any, form: Form) -> str:
    if row.signature_id is not None:
        return "signed" if row.signed_version == row.version else "broken"
    asks = form.signed is not None and row.status == "complete"
    return "to sign" if asks else "none needed"


def _mark(marked: int | None, version: int) -> str:
    if marked is None:
        return "not reviewed"
    return "reviewed" if marked == version else "changed since"
