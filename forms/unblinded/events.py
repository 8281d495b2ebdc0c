"""Write down on the blinded side that a code was broken: flag, notice, task, act. Once.

The vault is the record of the code break itself; what stands here is carried over from it, in
the request that breaks the code or later by the worker, under the same reference.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from ecrf.kernel import outbox
from ecrf.kernel.access import Right
from ecrf.kernel.chain import Change
from ecrf.kernel.ledger import LEDGER, Act, By, participant_chain
from ecrf.kernel.people import Site
from ecrf.kernel.text import Message, T, Text
from ecrf.study.model import Study
from forms.unblinded.tables import CodeBreak
from visits.tables import Participant
from visits.windows import civil_date

EMERGENCY, SAFETY, ACCIDENTAL = "emergency", "safety reporting", "accidental"
KINDS: Mapping[str, Message] = {
    EMERGENCY: T("code broken"),
    SAFETY: T("opened for safety reporting; the site stays blinded"),
    ACCIDENTAL: T("accidental unblinding"),
}
WAYS: Mapping[str, Message] = {
    "page": T("in the system"),
    "emergency": T("in the vault, while the main database did not answer"),
    "offline card": T("with an offline card"),
    "form": T("reported on a form"),
}


class Told(NamedTuple):
    """What is known of a code break; `why` is the class of reason, never its text."""

    ref: str
    kind: str
    way: str
    why: str
    by_name: str
    at: datetime
    contacted: bool = False
    telephone: str = ""
    sent_to: str = ""


class Who(NamedTuple):
    """The participant a code break is about."""

    id: int
    study: str
    site: str
    code: str
    zone: str


def find(session: Session, study: str, code: str) -> Who | None:
    """Return the participant, whoever asks: what happened in the vault is written down."""
    row = session.execute(
        select(Participant.id, Participant.study, Participant.site, Participant.code, Site.zone)
        .join(Site, (Site.study == Participant.study) & (Site.code == Participant.site))
        .where(Participant.study == study, Participant.code == code)
    ).one_or_none()
    return None if row is None else Who(*row)


def record(session: Session, by: By, study: Study, who: Who, told: Told, why: Text) -> bool:
    """Write the code break down unless it is known; return whether it was new.

    Whatever is locked, it is written. After safety reporting the participant is not flagged:
    nobody at the site has learned anything.
    """
    head = LEDGER.head(session, participant_chain(who.study, who.code))
    known = session.scalar(select(CodeBreak.id).where(CodeBreak.ref == told.ref))
    if known is not None:
        return False
    if told.kind != SAFETY:
        _flag(session, who, told.at)
    number = _row(session, by, study, who, told)
    outbox.put(
        session, by, who.study, who.site,
        Right.BREAK_ASSESS if told.kind == SAFETY else Right.BREAK_READ,
        "code break", _notice(who, told, why), f"/{who.study}/code-breaks#break-{number}",
    )  # fmt: skip
    LEDGER.write(session, by, [(head, _act(by, who, told, number))])
    return True


def _flag(session: Session, who: Who, at: datetime) -> None:
    session.execute(
        update(Participant)
        .where(Participant.id == who.id, Participant.unblinded_at.is_(None))
        .values(unblinded_at=at)
        .execution_options(synchronize_session=False)
    )


def _row(session: Session, by: By, study: Study, who: Who, told: Told) -> int:
    due = civil_date(told.at, who.zone) + timedelta(days=study.code_break.assess_within)
    made = session.execute(
        insert(CodeBreak)
        .values(
            study=who.study, site=who.site, participant_id=who.id, ref=told.ref,
            kind=told.kind, way=told.way, why=told.why, by_name=told.by_name, at=told.at,
            known_at=by.at, contacted=told.contacted, telephone=told.telephone,
            sent_to=told.sent_to, due_on=due,
        )
        .returning(CodeBreak.id)
    )  # fmt: skip
    return int(made.scalar_one())


def _notice(who: Who, told: Told, why: Text) -> Text:
    """Say that it happened. Nothing of it depends on what was learned."""
    return T(
        "Participant {code}: {kind}, on {at} UTC by {name}. Reason: {why}. Please do not ask "
        "what the treatment is.",
        code=who.code, kind=KINDS[told.kind], at=f"{told.at:%Y-%m-%d %H:%M}",
        name=told.by_name, why=why,
    )  # fmt: skip


def _act(by: By, who: Who, told: Told, number: int) -> Act:
    refs = {
        "participant": who.code, "break": number, "ref": told.ref, "way": told.way,
        "by": told.by_name, "broken_at": told.at.isoformat(), "contacted": told.contacted,
    }  # fmt: skip
    role = by.actor.role_for(Right.CODE_BREAK, who.study, who.site)
    what = "code_broken" if told.kind == EMERGENCY else told.kind.replace(" ", "_")
    return Act(
        "participant:code-break", role, who.study, who.site, key=f"participant:{who.id}",
        refs=refs, changes=[Change(what, None, told.why)],
    )  # fmt: skip
