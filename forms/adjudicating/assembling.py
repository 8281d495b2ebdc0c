"""Assemble, complete and renew dossiers; notice when what they were made of has changed."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import exists, func, insert, or_, select, update
from sqlalchemy.orm import Session

from ecrf.kernel.access import Right
from ecrf.kernel.chain import Change
from ecrf.kernel.errors import Conflict
from ecrf.kernel.ledger import By
from ecrf.kernel.text import T
from ecrf.study import versions
from forms import answers
from forms.adjudicating import cases, dossier, redaction
from forms.adjudicating.cases import Found
from forms.adjudicating.dossier import Source
from forms.adjudicating.redaction import Decided, Do, Free
from forms.adjudicating.states import SETTLED, State
from forms.adjudicating.tables import Case, Dossier, Vote
from forms.context import scope
from forms.lookup import entry as entry_of
from forms.tables import Entry
from visits import refusals
from visits.tables import KitGiven, Visit


def assemble(session: Session, by: By, found: Found) -> int:
    """Make a new dossier of the data as they are; return its version."""
    held = cases.role(by, Right.ADJUDICATION_MANAGE, found)
    chosen = sources(session, found)
    raw = dossier.content(found.rule, found.case.name, chosen)
    version = max((d.version for d in cases.dossiers(session, found.case.id)), default=0) + 1
    site_date = dossier.whole_day(chosen[0].answers.get(found.rule.site_date))
    refs: dict[str, object] = {"dossier": version, "raw": dossier.digest(raw)}
    cases.move(session, by, held, found, State.DRAFT, "case:assemble", refs=refs)
    session.execute(
        insert(Dossier).values(
            case_id=found.case.id, version=version, raw=raw, raw_hash=dossier.digest(raw),
            sources=_marks(chosen), redactions={}, site_date=site_date, made_at=by.at,
            made_by=by.actor.id,
        )
    )  # fmt: skip
    return version


def complete(session: Session, by: By, found: Found, decisions: Mapping[str, Decided]) -> str:
    """Take out of the newest dossier what was decided, freeze it, and return its hash."""
    held = cases.role(by, Right.ADJUDICATION_MANAGE, found)
    newest = _newest(session, found)
    if newest is None:
        raise Conflict(T("The dossier has not been assembled yet."))
    if changed(session, found):
        raise Conflict(T("The data changed since the dossier was assembled. Assemble it anew."))
    words = looked_for(session, found)
    made = redaction.require_decided(redaction.free_texts(newest.raw, words), decisions)
    content = redaction.redact(newest.raw, made, words)
    digest = dossier.digest(content)
    changes = [
        Change(key, None, [decided.do, decided.reason])
        for key, decided in made.items()
        if decided.do is not Do.KEEP or decided.reason
    ]
    refs: dict[str, object] = {"dossier": newest.version, "content": digest}
    cases.move(
        session, by, held, found, State.COMPLETE, "case:complete", refs=refs, changes=changes
    )
    session.execute(
        update(Dossier)
        .where(Dossier.id == newest.id)
        .values(
            content=content, content_hash=digest, completed_at=by.at, completed_by=by.actor.id,
            redactions={key: list(decided) for key, decided in made.items()},
        )
    )  # fmt: skip
    return digest


def reopen(session: Session, by: By, found: Found, reason: str) -> int:
    """Begin a new round with a new dossier; the votes of the old round are kept."""
    held = cases.role(by, Right.ADJUDICATION_MANAGE, found)
    why = refusals.require_reason(reason)
    was = Change("#verdict", found.case.verdict, None)
    again = cases.move(
        session, by, held, found, State.REOPENED, "case:reopen", reason=why, changes=[was],
        round=found.case.round + 1, verdict=None, organs=None, event_on=None,
    )  # fmt: skip
    session.execute(
        update(Vote)
        .where(Vote.case_id == found.case.id, Vote.status.in_(("waiting", "draft")))
        .values(status="ended")
    )
    return assemble(session, by, again)


def withdraw(session: Session, by: By, found: Found, reason: str) -> None:
    """Take back a case whose event is none any more by the site's own data."""
    held = cases.role(by, Right.ADJUDICATION_MANAGE, found)
    why = refusals.require_reason(reason)
    if fits(session, by, found):
        raise Conflict(T("The event still is one to be judged; it cannot be withdrawn."))
    cases.move(session, by, held, found, State.WITHDRAWN, "case:withdraw", reason=why)


def fits(session: Session, by: By, found: Found) -> bool:
    """Say whether the event, as it stands, is one to be judged."""
    who = found.participant
    event = entry_of(
        session, by.actor, who.study, who.code, found.visit.key, found.entry.form,
        found.entry.number, Right.ADJUDICATION_MANAGE,
    )  # fmt: skip
    sheet = scope(event.study, event.form, event.answers, event.context)
    return event.status == "complete" and sheet.holds(found.rule.when)


def changed(session: Session, found: Found) -> bool:
    """Say whether what the newest dossier was made of reads otherwise now."""
    newest = _newest(session, found)
    if newest is None:
        return False
    return _differs(found, newest, sources(session, found))


def changed_cases(session: Session, listed: Sequence[Found]) -> frozenset[int]:
    """Return the numbers of those cases whose dossier no longer tells what the data tell."""
    return frozenset(
        found.case.number
        for found in listed
        if found.state is not State.WITHDRAWN and changed(session, found)
    )


def touched(session: Session, study: str) -> frozenset[int]:
    """Return the cases whose participant has an entry saved after the newest dossier.

    Only these can be changed; it costs one statement for all of them.
    """
    made = (
        select(func.max(Dossier.made_at))
        .where(Dossier.case_id == Case.id)
        .correlate(Case)
        .scalar_subquery()
    )
    later = exists().where(Entry.participant_id == Case.participant_id, Entry.saved_at > made)
    return frozenset(session.scalars(select(Case.number).where(Case.study == study, later)))


def settled(session: Session, found: Found) -> bool:
    """Say whether nothing more is to be done about a case."""
    return found.state in SETTLED and not (
        found.state is State.FINAL and changed(session, found)
    )


def _differs(found: Found, newest: Dossier, now: Sequence[Source]) -> bool:
    if [list(mark) for mark in newest.sources] == _marks(now):
        return False
    raw = dossier.content(found.rule, found.case.name, now)
    return dossier.digest(raw) != newest.raw_hash


def free_texts(session: Session, found: Found, raw: str) -> list[Free]:
    """Return the free texts of a dossier with the words found in them."""
    return redaction.free_texts(raw, looked_for(session, found))


def looked_for(session: Session, found: Found) -> tuple[str, ...]:
    """Return the words that must not reach the committee."""
    who = found.participant
    kits = session.scalars(select(KitGiven.number).where(KitGiven.participant_id == who.id))
    mine = [who.code, *(filter(None, [who.random_number])), *kits]
    return redaction.terms(found.study, found.rule.dossier, mine)


def sources(session: Session, found: Found) -> tuple[Source, ...]:
    """Return the filled forms a dossier is made of now, the event's first."""
    wanted = [found.rule.form, *found.rule.dossier.forms]
    rows = session.execute(
        select(
            Entry.id, Entry.version, Entry.protocol, Entry.form, Entry.number, Entry.answers,
            Visit.plan, Visit.key, Visit.held_on,
        )
        .join(Visit, Visit.id == Entry.visit_id)
        .where(
            Entry.participant_id == found.participant.id, Entry.form.in_(wanted),
            or_(Entry.status == "complete", Entry.id == found.entry.id),
        )
        .order_by(Entry.id)
    )  # fmt: skip
    known = [_source(session, row) for row in rows]
    event = next(source for source in known if source.id == found.entry.id)
    return dossier.choose(found.rule, event, known)


def _source(session: Session, row: Any) -> Source:
    study = versions.model(session, row.protocol)
    given = answers.load(row.answers)
    return Source(
        row.id, row.version, study, row.form, row.plan, row.key, row.number, row.held_on, given
    )


def _marks(chosen: Sequence[Source]) -> list[list[int]]:
    return sorted([source.id, source.version] for source in chosen)


def _newest(session: Session, found: Found) -> Dossier | None:
    return next(iter(cases.dossiers(session, found.case.id)), None)


def read(content: str) -> Any:
    """Return a dossier's content as it is drawn."""
    return json.loads(content)
