"""The address of an entry, and finding what is there."""

from typing import NamedTuple
from urllib.parse import quote

from flask import g

from ecrf.kernel.access import Right
from ecrf.web import where
from forms import lookup
from forms.lookup import Found

FIRST = "/<study_id>/participants/<code>/visits/<key>/<form>"
NUMBERED = f"{FIRST}/<int(max=9999):number>"


class Spot(NamedTuple):
    """The address of an entry."""

    study_id: str
    code: str
    key: str
    form: str
    number: int

    def find(self, right: Right, *, lock: bool = False) -> Found:
        return lookup.entry(g.session, g.actor, *self, right, lock)

    @property
    def path(self) -> str:
        return where.entry(*self)

    @property
    def numbered(self) -> str:
        visit = where.visit(self.study_id, self.code, self.key)
        return f"{visit}/{quote(self.form)}/{self.number}"
