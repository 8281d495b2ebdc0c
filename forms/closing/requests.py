"""The lock of a whole study takes two people: one asks for it, another one locks."""

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from ecrf.kernel.access import Role
from ecrf.kernel.chain import Head
from ecrf.kernel.errors import Conflict, NotAllowed
from ecrf.kernel.ledger import LEDGER, Act, By, study_chain
from ecrf.kernel.text import T
from forms.closing.tables import LockRequest


def pending(session: Session, study: str) -> LockRequest | None:
    """Return the lock of the study that waits for a second person."""
    query = select(LockRequest).where(LockRequest.study == study, LockRequest.status == "asked")
    return session.scalars(query.order_by(LockRequest.id).limit(1)).one_or_none()


def make(session: Session, by: By, role: Role, head: Head, reason: str, zone: str) -> int:
    """Write down who asks for the lock of the study of this chain; one waits at a time."""
    study = head.chain.removeprefix(study_chain(""))
    if pending(session, study) is not None:
        raise Conflict(T("The lock of this study has been asked for already."))
    made = session.scalars(
        insert(LockRequest)
        .values(
            study=study, reason=reason, zone=zone, by=by.actor.id, name=by.actor.name,
            role=role.value, at=by.at,
        )
        .returning(LockRequest.id)
    ).one()  # fmt: skip
    _tell(session, by, role, head, "data:lock-ask", made, reason)
    return made


def withdraw(session: Session, by: By, role: Role, study: str, reason: str) -> None:
    """Take back, or refuse, what was asked for; whoever may lock may say so."""
    head = LEDGER.head(session, study_chain(study))
    asked = pending(session, study)
    if asked is None:
        raise Conflict(T("Nobody has asked for the lock of this study."))
    _end(session, by, asked, "withdrawn", None)
    _tell(session, by, role, head, "data:lock-withdraw", asked.id, reason)


def settle(session: Session, by: By, study: str) -> LockRequest:
    """Return what somebody else has asked for; refuse to lock a study alone."""
    asked = pending(session, study)
    if asked is None:
        raise Conflict(
            T("A study is locked by two people: one asks for the lock, another one locks.")
        )
    if asked.by == by.actor.id:
        raise NotAllowed(T("You asked for this lock yourself; a second person locks."))
    return asked


def done(session: Session, by: By, asked: LockRequest, lock_id: int) -> None:
    _end(session, by, asked, "done", lock_id)


def _end(
    session: Session, by: By, asked: LockRequest, status: str, lock_id: int | None
) -> None:
    session.connection().execute(
        update(LockRequest)
        .where(LockRequest.id == asked.id)
        .values(status=status, decided_at=by.at, lock_id=lock_id)
    )


def _tell(
    session: Session, by: By, role: Role, head: Head, action: str, number: int, reason: str
) -> None:
    study = head.chain.removeprefix(study_chain(""))
    act = Act(
        action, role, study, key=f"lock-request:{number}", refs={"request": number},
        reason=reason,
    )  # fmt: skip
    LEDGER.write(session, by, [(head, act)])
