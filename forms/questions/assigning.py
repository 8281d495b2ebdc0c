"""Who at the site a query waits for: a role, one person of it, or whoever may answer."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from ecrf.kernel.access import RIGHTS, TITLES, Right, Role
from ecrf.kernel.errors import Problem, Unacceptable
from ecrf.kernel.people import GrantRow, Person
from ecrf.kernel.text import T, say
from forms.questions.readymade import Said


class Assignee(NamedTuple):
    """A role, or one person in it; `key` is how a page names them."""

    role: Role
    person_id: int | None = None
    name: str = ""

    @property
    def key(self) -> str:
        return f"{self.role.value}:{self.person_id or ''}"

    @property
    def said(self) -> Said:
        title = TITLES[self.role]
        if self.name:
            return Said(
                f"{self.name} ({say(title, 'en')})", f"{self.name}（{say(title, 'zh')}）"
            )
        return Said(say(title, "en"), say(title, "zh"))


def candidates(session: Session, study: str, site: str, at: datetime) -> Sequence[Assignee]:
    """Return who may answer queries at the site now: each role, then its people by name."""
    answering = [role for role in Role if Right.QUERY_ANSWER in RIGHTS[role]]
    rows = session.execute(
        select(GrantRow.role, Person.id, Person.name)
        .join(Person, Person.id == GrantRow.person_id)
        .where(
            GrantRow.study == study, GrantRow.role.in_(answering), Person.active,
            or_(GrantRow.site == site, GrantRow.site.is_(None)),
            GrantRow.starts_at <= at,
            or_(GrantRow.ends_at.is_(None), GrantRow.ends_at > at),
        )
        .order_by(Person.name, Person.id)
    ).all()  # fmt: skip
    found: dict[Assignee, None] = {}
    for role in answering:
        people = [Assignee(role, row.id, row.name) for row in rows if row.role == role]
        if people:
            found |= dict.fromkeys([Assignee(role), *people])
    return tuple(found)


def chosen(possible: Sequence[Assignee], key: str) -> Assignee | None:
    """Return the candidate a page named; "" is nobody in particular."""
    if not key:
        return None
    for one in possible:
        if one.key == key:
            return one
    wrong = T("This person or role cannot answer queries at the site.")
    raise Unacceptable(wrong, [Problem("assignee", wrong)])
