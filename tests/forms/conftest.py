import pytest

from ecrf.kernel.access import Right
from forms import entries, lookup
from forms.answers import Given
from tests import people
from tests.forms.trial import STUDY_ID, begin


@pytest.fixture
def running(database, draw):
    """The database with the small trial, PUMCH-001 and BFH-001 enrolled."""
    return begin(database, draw)


class Desk:
    """Fill in forms of PUMCH-001 the way a page does, each in its own transaction."""

    def __init__(self, database, by):
        self.database = database
        self.by = by

    def find(self, session, visit="BL", form="vs", number=1, *, actor=people.CARL,
             right=Right.ENTRY_WRITE, code="PUMCH-001", lock=True):  # fmt: skip
        return lookup.entry(
            session, actor, STUDY_ID, code, visit, form, number, right, lock=lock
        )

    def save(self, given, visit="BL", form="vs", number=1, *, actor=people.CARL, seen=None,
             reason=None, complete=False, at=people.NOON, code="PUMCH-001"):  # fmt: skip
        with self.database.write() as session:
            found = self.find(session, visit, form, number, actor=actor, code=code)
            return entries.save(
                session, self.by(actor, at=at), found,
                {key: text if isinstance(text, Given) else Given(text)
                 for key, text in given.items()},
                seen_version=found.version if seen is None else seen,
                reason=reason, complete=complete,
            )  # fmt: skip


@pytest.fixture
def desk(running, by):
    return Desk(running, by)
