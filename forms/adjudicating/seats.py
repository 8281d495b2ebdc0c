"""Give a case to people of the committee, by hand or in turn.

Nobody holds two seats on one case, and the chair has not voted on it before.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import func, insert, or_, select, update
from sqlalchemy.orm import Session

from ecrf.kernel.access import RIGHTS, Right, Role
from ecrf.kernel.chain import Change
from ecrf.kernel.errors import Conflict, Problem, Unacceptable
from ecrf.kernel.ledger import By
from ecrf.kernel.people import GrantRow, Person
from ecrf.kernel.text import T
from forms.adjudicating import cases
from forms.adjudicating.cases import Found
from forms.adjudicating.states import State
from forms.adjudicating.tables import Dossier, Vote

PEOPLE = "people"


class Member(NamedTuple):
    """A person of the committee, with the number of cases that wait for them."""

    id: int
    name: str
    waiting: int


def members(session: Session, study: str, right: Right, at: datetime) -> list[Member]:
    """Return who may vote (or decide as the chair) now, who has least to do first."""
    roles = [role for role in Role if right in RIGHTS[role]]
    if right is Right.ADJUDICATION_WRITE:
        roles = [role for role in roles if Right.ADJUDICATION_CHAIR not in RIGHTS[role]]
    waiting = (
        select(func.count())
        .where(Vote.person_id == Person.id, Vote.status.in_(("waiting", "draft")))
        .scalar_subquery()
    )
    rows = session.execute(
        select(Person.id, Person.name, waiting.label("waiting"))
        .join(GrantRow, GrantRow.person_id == Person.id)
        .where(
            GrantRow.study == study, GrantRow.role.in_(roles), GrantRow.site.is_(None),
            GrantRow.starts_at <= at, or_(GrantRow.ends_at.is_(None), GrantRow.ends_at > at),
            Person.active,
        )
        .distinct()
    )  # fmt: skip
    known = [Member(row.id, row.name, row.waiting) for row in rows]
    return sorted(known, key=lambda member: (member.waiting, member.id))


def in_turn(session: Session, found: Found, at: datetime) -> tuple[int, ...]:
    """Return who is next: those with the fewest cases waiting."""
    able = members(session, found.case.study, Right.ADJUDICATION_WRITE, at)
    return tuple(member.id for member in able[: found.rule.reviewers])


def assign(session: Session, by: By, found: Found, people: Sequence[int]) -> None:
    """Give the case to as many people as the study asks for; also instead of others.

    A seat whose vote is signed stays; the others are given anew.
    """
    held = cases.role(by, Right.ADJUDICATION_MANAGE, found)
    wanted = _require_able(session, by, found, people, Right.ADJUDICATION_WRITE)
    if len(wanted) != found.rule.reviewers:
        wrong = T("Choose {n} different adjudicators.", n=found.rule.reviewers)
        raise Unacceptable(wrong, [Problem(PEOPLE, wrong)])
    sitting = [v for v in cases.votes(session, found.case.id, found.case.round) if not v.chair]
    signed = {vote.person_id for vote in sitting if vote.status == "signed"}
    if not signed <= wanted:
        raise Conflict(T("A vote that is signed stays; choose its adjudicator again."))
    then = State.REVIEW if signed else State.ASSIGNED
    dossier = _dossier(session, found)
    for vote in sitting:
        if vote.person_id not in wanted and vote.status != "ended":
            _end(session, vote.id)
    there = {vote.person_id: vote for vote in sitting}
    for person in sorted(wanted - signed):
        _seat(session, by, found, dossier, person, there.get(person), chair=False)
    names = Change("#adjudicators", None, sorted(wanted))
    cases.move(session, by, held, found, then, "case:assign", changes=[names])


def give_to_chair(session: Session, by: By, found: Found, person: int) -> None:
    """Give a discordant case to a third person, who decides."""
    held = cases.role(by, Right.ADJUDICATION_MANAGE, found)
    _require_able(session, by, found, [person], Right.ADJUDICATION_CHAIR)
    sitting = cases.votes(session, found.case.id, found.case.round)
    if any(vote.person_id == person and not vote.chair for vote in sitting):
        wrong = T("The chair is a third person, who has not voted on this case.")
        raise Unacceptable(wrong, [Problem(PEOPLE, wrong)])
    for vote in sitting:
        if vote.chair and vote.person_id != person:
            _end(session, vote.id)
    there = next((v for v in sitting if v.chair and v.person_id == person), None)
    _seat(session, by, found, _dossier(session, found), person, there, chair=True)
    change = Change("#chair", None, person)
    cases.move(session, by, held, found, State.CHAIR, "case:chair", changes=[change])


def _require_able(
    session: Session, by: By, found: Found, people: Sequence[int], right: Right
) -> set[int]:
    able = {member.id for member in members(session, found.case.study, right, by.at)}
    if not set(people) <= able or not people:
        wrong = T("Choose somebody who may judge the cases of this study now.")
        raise Unacceptable(wrong, [Problem(PEOPLE, wrong)])
    return set(people)


def _dossier(session: Session, found: Found) -> Dossier:
    newest = next(iter(cases.dossiers(session, found.case.id)), None)
    if newest is None or newest.content is None:
        raise Conflict(T("The dossier is not complete yet."))
    return newest


def _end(session: Session, vote_id: int) -> None:
    session.execute(update(Vote).where(Vote.id == vote_id).values(status="ended"))


def _seat(
    session: Session, by: By, found: Found, dossier: Dossier, person: int, there: Vote | None,
    *, chair: bool,
) -> None:  # fmt: skip
    due = by.at.date() + timedelta(days=found.rule.timers.review)
    if there is not None:
        if there.status == "ended":
            session.execute(
                update(Vote)
                .where(Vote.id == there.id)
                .values(status="waiting", assigned_at=by.at, due_on=due)
            )
        return
    session.execute(
        insert(Vote).values(
            case_id=found.case.id, dossier_id=dossier.id, round=found.case.round,
            person_id=person, chair=chair, status="waiting", assigned_at=by.at, due_on=due,
            answers={}, version=0,
        )
    )  # fmt: skip
