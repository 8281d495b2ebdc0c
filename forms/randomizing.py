"""What must be true before a participant is randomized, and which stratum they are in.

Read in one statement; with `lock` the participant's chain is held until the transaction ends,
and what was read before it was had is read again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cache
from typing import Any

from sqlalchemy import Row, Select, and_, bindparam, select
from sqlalchemy.orm import Session

from ecrf.kernel.access import Right
from ecrf.kernel.chain import Head
from ecrf.kernel.errors import NotFound
from ecrf.kernel.ledger import LEDGER, By, participant_chain
from ecrf.kernel.people import Site
from ecrf.kernel.text import T, Text
from ecrf.study import strata, versions
from ecrf.study.expr import paths
from ecrf.study.model import Expression, Factor, Form, Randomization, Study, Words
from ecrf.study.tables import StudyRow
from ecrf.study.values import Days, Value, truth
from forms import answers, consenting, signing
from forms.context import Context, Entered, Sheet, scope
from forms.tables import Entry
from visits import defined, participants
from visits.allocating import room
from visits.rows import PARTICIPANT, ParticipantRow, read_participant
from visits.tables import Participant, Visit
from visits.windows import civil_date

WIDTH = len(PARTICIPANT)
SEEN = LEDGER.chain.alias("seen")
BESIDE = Form(id="randomization", title=Words(en="Randomization", zh="随机"), sections=())


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that must be true; `visit` and `form`, or else the page `path` of the study,
    say where it can be made so.
    """

    text: Text
    met: bool
    visit: str | None = None
    form: str | None = None
    path: str | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """A participant before randomization. `stratum` is None until every factor is answered."""

    study: Study
    rule: Randomization
    who: ParticipantRow
    head: Head
    visit_id: int
    needs: tuple[Need, ...]
    levels: Mapping[str, str]
    stratum: str | None
    receipt: str | None

    @property
    def met(self) -> bool:
        return self.stratum is not None and all(need.met for need in self.needs)


def find(
    session: Session, by: By, study_id: str, code: str, *, lock: bool = False,
    right: Right | None = Right.PARTICIPANT_RANDOMIZE,
) -> Standing:  # fmt: skip
    """Return where the participant stands, if the person has the right at their site. None
    asks for no right: for a job, which stores what others were allowed.

    How many are randomized is counted without `lock` only: whoever holds it asks the vault,
    which counts under its own lock.
    """
    asked = {
        "of_study": study_id, "of_code": code, "of_chain": participant_chain(study_id, code),
    }  # fmt: skip
    while True:
        rows = session.execute(_query(lock), asked).all()
        if not rows or not _allowed(by, right, study_id, read_participant(rows[0][:WIDTH])):
            raise NotFound(T("There is no participant {code} at your sites.", code=code))
        if rows[0].size == rows[0].seen_size:
            break
    study = versions.model(session, rows[0].protocol)
    if study.randomization is not None:
        at = study.randomization.visit
        found = next((row.defined for row in rows if row.Visit.key == at), rows[0].protocol)
        study = versions.model(session, found)
    if study.randomization is None:
        raise NotFound(T("Nobody is randomized in this study."))
    stands = _standing(study, study.randomization, rows, by.at)
    if lock:
        return stands
    return replace(stands, needs=(*stands.needs, *_room_needs(session, study, stands)))


def _allowed(by: By, right: Right | None, study_id: str, who: ParticipantRow) -> bool:
    return right is None or by.actor.may(right, study_id, who.site)


def _standing(
    study: Study, rule: Randomization, rows: Sequence[Row[Any]], now: datetime
) -> Standing:  # fmt: skip
    first = rows[0]
    who = read_participant(first[:WIDTH])
    at = next(row for row in rows if row.Visit.key == rule.visit)
    sheet = _sheet(study, rule, who, rows)
    levels = {factor.id: _level(study, factor, who, sheet) for factor in rule.factors}
    known = {factor: value for factor, value in levels.items() if value is not None}
    return Standing(
        study=study, rule=rule, who=who,
        head=Head(first.name, first.size, first.link, first.last_at),
        visit_id=at.Visit.id, levels=known,
        needs=(*_person_needs(first.open, who),
               *_form_needs(study, rule, sheet, rows, civil_date(now, who.zone)),
               *_factor_needs(rule, levels)),
        stratum=strata.name(known) if len(known) == len(levels) else None,
        receipt=first.receipt,
    )  # fmt: skip


def _person_needs(site_open: bool, who: ParticipantRow) -> tuple[Need, ...]:
    return (
        Need(T("Site {site} is open.", site=who.site), site_open, path="people"),
        Need(
            T("Nothing of {code} is frozen or locked.", code=who.code),
            who.lock == "open",
            path=f"locks?participant={who.code}",
        ),
        Need(
            T("{code} is in screening and was not randomized before.", code=who.code),
            who.status == participants.SCREENING and who.random_number is None,
            path=f"participants/{who.code}",
        ),
    )


def _form_needs(
    study: Study, rule: Randomization, sheet: Sheet, rows: Sequence[Row[Any]], today: date
) -> tuple[Need, ...]:
    title, visit = study.forms[rule.form].title, study.visit[rule.visit].label
    entry = next(
        (r.Entry for r in rows if r.Visit.key == rule.visit and _is(r.Entry, rule.form)), None
    )
    signed = entry is not None and entry.status == "complete" and signing.standing(entry)
    eligible = truth(sheet.evaluate(rule.eligible)) is True
    needs = [
        Need(T("{form} of {visit} is complete and signed, and was not changed since.",
               form=title, visit=visit), signed, rule.visit, rule.form),
        Need(T("By {form} of {visit}, every criterion is met.", form=title, visit=visit),
             eligible, rule.visit, rule.form),
    ]  # fmt: skip
    if study.consent is not None:
        given = isinstance(sheet.evaluate(study.consent), Days)
        place = _place(study, study.consent)
        needs.insert(0, Need(T("Consent is given and not withdrawn."), given, *place))
    if study.consent_versions is not None:
        needs.insert(1 if study.consent else 0, _version_need(study, sheet, today))
    return tuple(needs)


def _version_need(study: Study, sheet: Sheet, today: date) -> Need:
    """Consent is of the version in force; where there is none yet, the consent's own form."""
    rule = study.consent_versions
    assert rule is not None  # noqa: S101 (the caller has looked)
    said = consenting.judge(rule, sheet.context.site, today, sheet.context.entries)
    visit, form = (said.visit, rule.form) if said.visit else (None, None)
    if visit is None and study.consent is not None:
        visit, form = _place(study, study.consent)
    return Need(said.text, said.met, visit, form)


def _room_needs(session: Session, study: Study, at: Standing) -> tuple[Need, ...]:
    counted = room.counted(session, study, at.who, at.stratum)
    return tuple(
        Need(T("{cap} may be randomized {where}; {count} are.",
               cap=one.most, where=one.where, count=one.randomized), one.randomized < one.most,
             path="amendments")
        for one in counted
    )  # fmt: skip


def _factor_needs(rule: Randomization, levels: Mapping[str, str | None]) -> tuple[Need, ...]:
    """The site is always known; every other factor is asked on some form."""
    return tuple(
        Need(T("Known for stratification: {factor}.", factor=factor.label),
             levels[factor.id] is not None, *_named(factor.from_))
        for factor in rule.factors
        if isinstance(factor.from_, Expression)
    )  # fmt: skip


def _named(expression: Expression | str) -> tuple[str | None, str | None]:
    """Return the visit and the form of an expression that is one path such as SCR.igh.bg."""
    if isinstance(expression, Expression):
        for path in paths(expression.tree):
            parts = path.split(".")
            if len(parts) == 3:
                return parts[0], parts[1]
    return None, None


def _place(study: Study, expression: Expression) -> tuple[str | None, str | None]:
    visit, form = _named(expression)
    return (visit, form) if visit in study.visit and form in study.forms else (None, None)


def _level(study: Study, factor: Factor, who: ParticipantRow, sheet: Sheet) -> str | None:
    if not isinstance(factor.from_, Expression):
        return who.site
    value: Value = sheet.evaluate(factor.from_)
    known = strata.levels(study, factor)
    return value if isinstance(value, str) and value in known else None


def _sheet(
    study: Study, rule: Randomization, who: ParticipantRow, rows: Sequence[Row[Any]]
) -> Sheet:
    """Return the scope of the rules: beside every form, so that answers count as stored.

    On the eligibility form itself its computed items would be computed anew; what was signed
    is what is stored.
    """
    entered = tuple(_entered(row) for row in rows if row.Entry is not None)
    at = next(row.Visit for row in rows if row.Visit.key == rule.visit)
    context = Context(
        visit=rule.visit, visit_key=rule.visit, visit_date=at.held_on,
        order=_order(at), site=who.site, entries=entered,
    )  # fmt: skip
    return scope(study, BESIDE, {}, context)


def _entered(row: Row[Any]) -> Entered:
    visit, entry = row.Visit, row.Entry
    return Entered(
        visit.plan, visit.key, _order(visit), entry.form, entry.number,
        answers.load(entry.answers), visit.held_on, settled=True,
    )  # fmt: skip


def _order(visit: Visit) -> int:
    return (visit.held_on or date.max).toordinal() * 10_000 + visit.position


def _is(entry: Entry | None, form: str) -> bool:
    return entry is not None and entry.form == form and entry.number == 1


@cache
def _query(lock: bool) -> Select[Any]:
    """Return the question, made once: participant, chain, definition, visits, entries."""
    chain = LEDGER.chain.c
    columns: tuple[Any, ...] = (
        *PARTICIPANT, Site.open, Participant.receipt, chain.name,
        chain.size, chain.link, chain.last_at, SEEN.c.size.label("seen_size"), Visit, Entry,
        defined.fingerprint().label("defined"),
    )  # fmt: skip
    query = (
        select(*columns)
        .join(StudyRow, StudyRow.id == Participant.study)
        .join(Site, and_(Site.study == Participant.study, Site.code == Participant.site))
        .join(LEDGER.chain, chain.name == bindparam("of_chain"))
        .join(SEEN, SEEN.c.name == chain.name)
        .join(Visit, Visit.participant_id == Participant.id)
        .outerjoin(Entry, Entry.visit_id == Visit.id)
        .where(
            Participant.study == bindparam("of_study"),
            Participant.code == bindparam("of_code"),
        )
        .order_by(Visit.position, Entry.form, Entry.number)
        .execution_options(populate_existing=True)
    )
    return query.with_for_update(of=LEDGER.chain) if lock else query
