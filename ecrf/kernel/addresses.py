"""Where notices for a person go. The ledger keeps who changed it."""

import re

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ecrf.kernel.chain import Change
from ecrf.kernel.errors import NotFound, Problem, Unacceptable
from ecrf.kernel.ledger import LEDGER, SYSTEM, Act, By
from ecrf.kernel.people import Person
from ecrf.kernel.text import T

EMAIL = re.compile(r"[^\s@<>,;\"]{1,64}@[A-Za-z0-9.-]{1,120}")


def set_email(session: Session, by: By, person_id: int, email: str, reason: str) -> None:
    """Say where notices for the person go; "" sends them none."""
    wanted = email.strip() or None
    if wanted is not None and not EMAIL.fullmatch(wanted):
        wrong = T("Write an address such as {example}.", example="name@hospital.example")
        raise Unacceptable(wrong, [Problem("email", wrong)])
    row = session.execute(
        select(Person.email).where(Person.id == person_id).with_for_update()
    ).one_or_none()
    if row is None:
        raise NotFound(T("There is no such person."))
    session.execute(update(Person).where(Person.id == person_id).values(email=wanted))
    changes = [Change("email", row.email, wanted)]
    act = Act(
        "person:email", None, key=f"person:{person_id}", reason=reason, changes=tuple(changes)
    )
    LEDGER.record(session, by, SYSTEM, act)
