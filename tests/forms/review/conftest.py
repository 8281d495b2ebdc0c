import pytest

from ecrf.kernel.access import Right
from forms.review import verifying
from forms.tables import Entry
from tests import people
from tests.forms.conftest import desk, running

__all__ = ["desk", "running"]


class Monitor:
    """Mona at work, as the page lets her."""

    def __init__(self, desk):
        self.desk = desk

    def verify(self, *items, actor=people.MONA, seen=None, **where):
        with self.desk.database.write() as session:
            found = self.desk.find(session, actor=actor, right=Right.ENTRY_READ, **where)
            version = found.version if seen is None else seen
            return verifying.verify(
                session, self.desk.by(actor), found, items, seen_version=version
            )

    def unverify(self, *items, reason="The source says otherwise", **where):
        with self.desk.database.write() as session:
            found = self.desk.find(session, actor=people.MONA, right=Right.ENTRY_READ, **where)
            return verifying.unverify(
                session, self.desk.by(people.MONA), found, items, reason,
                seen_version=found.version,
            )  # fmt: skip

    def entry(self, entry_id=1):
        with self.desk.database.read() as session:
            found = session.get(Entry, entry_id)
            session.expunge(found)
            return found


@pytest.fixture
def mona(desk):
    return Monitor(desk)
