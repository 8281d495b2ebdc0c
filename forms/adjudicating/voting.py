"""Vote on a case: what one person of the committee sees and does. Nobody sees another's vote.

A vote is found by its case's number and its holder; any other case is not found. It binds the
dossier it was made from by signature. The last vote of a round settles what becomes of it.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from ecrf.kernel.access import Actor, Right, Role
from ecrf.kernel.chain import Change, Head, canonical
from ecrf.kernel.errors import Conflict, NotAllowed, NotFound, Problem, Stale, Unacceptable
from ecrf.kernel.ledger import SALT_BYTES, By
from ecrf.kernel.signatures import Signature
from ecrf.kernel.text import T
from forms import answers, lookup
from forms.adjudicating import agreement, cases, sealed
from forms.adjudicating.agreement import Outcome, Verdict
from forms.adjudicating.cases import Found
from forms.adjudicating.states import State
from forms.adjudicating.tables import Case, Dossier, Vote
from forms.answers import Answer, Given
from forms.context import Context
from forms.plan import Plan, plan

OPEN = ("waiting", "draft")
NO_CONTEXT = Context()


@dataclass(frozen=True, slots=True)
class Seat:
    """A vote of the person who looks at it, with the dossier it is made from."""

    found: Found
    vote: Vote
    dossier: Dossier

    @property
    def answers(self) -> dict[str, Answer]:
        return answers.load(self.vote.answers)

    @property
    def writable(self) -> bool:
        return self.vote.status in OPEN


@dataclass(frozen=True, slots=True)
class Waiting:
    """A line of somebody's list: the case by its number, and what is to be done by when."""

    number: int
    name: str
    chair: bool
    status: str
    round: int
    assigned_on: date
    due_on: date


def mine(session: Session, actor: Actor, study: str) -> list[Waiting]:
    """Return the actor's own seats, what waits first, the oldest first."""
    rows = session.execute(
        select(Vote, Case.number)
        .join(Case, Case.id == Vote.case_id)
        .where(Case.study == study, Vote.person_id == actor.id, Vote.status != "ended")
        .order_by(Vote.due_on, Vote.id)
    )
    found = [
        Waiting(
            row.number, f"C-{row.number:03d}", row.Vote.chair, row.Vote.status,
            row.Vote.round, row.Vote.assigned_at.date(), row.Vote.due_on,
        )
        for row in rows
    ]  # fmt: skip
    return sorted(found, key=lambda seat: seat.status == "signed")


def find(
    session: Session, actor: Actor, study: str, number: int, *, lock: bool = False
) -> Seat:
    """Return the actor's newest seat on a case, or raise NotFound; `lock` in order to write."""
    found = cases.load(session, study, number, lock=lock)
    missing = NotFound(T("There is no such case."))
    if found is None or not actor.may(Right.ADJUDICATION_WRITE, study):
        raise missing
    row = session.execute(
        select(Vote, Dossier)
        .join(Dossier, Dossier.id == Vote.dossier_id)
        .where(
            Vote.case_id == found.case.id, Vote.person_id == actor.id, Vote.status != "ended"
        )
        .order_by(Vote.round.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        raise missing
    lookup.detach(session, row)
    return Seat(found, row.Vote, row.Dossier)


def planned(seat: Seat, given: Mapping[str, Given]) -> Plan:
    """Return what these answers would make of the vote."""
    found = seat.found
    return plan(found.study, found.vote_form, seat.answers, given, NO_CONTEXT)


def save(
    session: Session, by: By, seat: Seat, given: Mapping[str, Given], *, seen_version: int
) -> Seat:
    """Keep what was typed as a draft; return the seat as it then is."""
    held = _role(by, seat)
    _require_open(seat)
    if seat.vote.version != seen_version:
        raise Stale(T("You saved this vote in another window. Open it again."))
    decided = planned(seat, given)
    if decided.refusals:
        n = len(decided.refusals)
        message = T("Nothing was saved: {n} answer(s) cannot be taken.", n=n)
        raise Unacceptable(message, decided.refusals)
    if not decided.edits and seat.vote.status == "draft":
        return seat
    version = seat.vote.version + 1
    stored = answers.dump(decided.answers)
    session.execute(
        update(Vote)
        .where(Vote.id == seat.vote.id)
        .values(status="draft", answers=stored, version=version)
    )
    change = Change(sealed.VOTE, dict(seat.vote.answers) or None, stored)
    refs: dict[str, object] = {"vote": seat.vote.id, "version": version}
    head = cases.write(session, by, held, seat.found, "vote:save", [change], refs)
    return _as(seat, head, status="draft", answers=stored, version=version)


def sign(session: Session, by: By, seat: Seat, *, zone: str) -> State:
    """Sign the vote; return the state the case then has.

    The caller has saved what was typed and had the password typed again. What is signed is
    bound with a salt: a vote has so few values that its plain hash would tell it.
    """
    held = _role(by, seat)
    _require_open(seat)
    verdict = _require_whole(seat)
    rule = seat.found.rule
    salt = by.draw(SALT_BYTES).hex()
    digest = bound(seat, salt)
    signature = session.scalars(
        insert(Signature)
        .values(
            target=f"vote:{seat.vote.id}", version=seat.vote.version, content_hash=digest,
            person_id=by.actor.id, printed_name=by.actor.name, role=held,
            meaning_en=rule.signed.en, meaning_zh=rule.signed.zh, at=by.at, zone=zone,
        )
        .returning(Signature.id)
    ).one()  # fmt: skip
    session.execute(
        update(Vote)
        .where(Vote.id == seat.vote.id)
        .values(status="signed", signature_id=signature, signed_at=by.at, salt=salt)
    )
    refs: dict[str, object] = {
        "vote": seat.vote.id, "version": seat.vote.version, "signature": signature,
        "content": digest, "dossier": seat.dossier.content_hash,
    }  # fmt: skip
    change = Change(sealed.SALT, None, salt)
    head = cases.write(session, by, held, seat.found, "vote:sign", [change], refs)
    return _settle(session, by, held, _as(seat, head, status="signed"), verdict)


def bound(seat: Seat, salt: str) -> str:
    """Return the hash a signature binds: the vote, the dossier it was made from, the salt."""
    whole = {
        "answers": seat.vote.answers, "dossier": seat.dossier.content_hash, "salt": salt,
    }  # fmt: skip
    return hashlib.sha256(canonical(whole).encode()).hexdigest()


def _settle(session: Session, by: By, held: Role, seat: Seat, verdict: Verdict) -> State:
    found = seat.found
    if seat.vote.chair:
        return _close(session, by, held, found, verdict, "case:decide")
    cast = [vote for vote in cases.votes(session, found.case.id, found.case.round)
            if not vote.chair and vote.status != "ended"]  # fmt: skip
    signed = [vote for vote in cast if vote.status == "signed"]
    if len(signed) < found.rule.reviewers:
        return cases.move(session, by, held, found, State.REVIEW, "case:review").state
    if found.state is not State.REVIEW:
        found = cases.move(session, by, held, found, State.REVIEW, "case:review")
    outcome = outcome_of(found, signed, seat.dossier)
    found = cases.move(session, by, held, found, outcome.state, "case:compare")
    if outcome.verdict is None:
        return outcome.state
    return _close(session, by, held, found, outcome.verdict, "case:agree")


def outcome_of(found: Found, signed: Sequence[Vote], dossier: Dossier) -> Outcome:
    """Return what the signed votes of a round come to."""
    rule = found.rule.agreement
    read = [
        agreement.read(rule, answers.load(vote.answers), dossier.site_date) for vote in signed
    ]
    return agreement.compare(rule, read)


def _close(
    session: Session, by: By, held: Role, found: Found, verdict: Verdict, action: str
) -> State:
    said = "Y" if verdict.event else "N"
    organs = ",".join(sorted(verdict.organs)) or None
    on = verdict.on.isoformat() if verdict.on else None
    changes = [Change("#verdict", None, said), Change("#organs", None, organs),
               Change("#date", None, on)]  # fmt: skip
    return cases.move(
        session, by, held, found, State.FINAL, action, changes=changes, verdict=said,
        organs=organs, event_on=verdict.on,
    ).state  # fmt: skip


def _role(by: By, seat: Seat) -> Role:
    right = Right.ADJUDICATION_CHAIR if seat.vote.chair else Right.ADJUDICATION_WRITE
    held = by.actor.role_for(right, seat.found.case.study)
    if held is None or seat.vote.person_id != by.actor.id:
        raise NotAllowed(T("Your role does not include this."))
    return held


def _require_open(seat: Seat) -> None:
    if not seat.writable:
        raise Conflict(T("This vote is signed; it is not changed any more."))


def _require_whole(seat: Seat) -> Verdict:
    """Return the verdict; refuse what is not whole, and a chair who does not say."""
    decided = planned(seat, {})
    problems = [Problem(finding.item, finding.message) for finding in decided.findings]
    rule = seat.found.rule.agreement
    verdict = agreement.read(rule, seat.answers, seat.dossier.site_date)
    if verdict.event and verdict.on is None and not problems:
        problems.append(Problem(rule.date, T("Give the date of the event.")))
    if verdict.event is None and seat.vote.chair and not problems:
        problems.append(Problem(rule.verdict, T("The chair decides: yes or no.")))
    if problems:
        raise Unacceptable(T("The vote is not signed yet: something is missing."), problems)
    return verdict


def _as(seat: Seat, head: Head, **values: object) -> Seat:
    vote = Vote(**{c.name: getattr(seat.vote, c.name) for c in Vote.__table__.columns})
    for name, value in values.items():
        setattr(vote, name, value)
    return replace(seat, vote=vote, found=replace(seat.found, head=head))
