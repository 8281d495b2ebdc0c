"""The small trial with its vital signs entered twice."""

import pytest

from ecrf.kernel.access import Right
from ecrf.study import canonical
from forms.answers import Given
from forms.double import copies, settling
from tests import people
from tests.forms import trial
from tests.forms.conftest import Desk

VS = trial.TRIAL.forms["vs"].model_copy(update={"double": True})
TWICE = trial.TRIAL.model_copy(update={"forms": {**trial.TRIAL.forms, "vs": VS}})


@pytest.fixture
def desk(database, draw, by, monkeypatch):
    monkeypatch.setattr(trial, "TRIAL", TWICE)
    monkeypatch.setattr(trial, "FINGERPRINT", canonical.fingerprint(TWICE))
    return Pairs(trial.begin(database, draw), by)


class Pairs(Desk):
    """Enter vital signs at baseline twice, and settle them."""

    def enter(self, actor, given, *, complete=True, seen=0):
        with self.database.write() as session:
            found = self.find(session, actor=actor)
            wanted = {key: _given(text) for key, text in given.items()}
            return copies.save(
                session, self.by(actor), found, wanted, seen_version=seen, complete=complete
            )

    def settle(self, actor, chosen, reason="The paper says so."):
        with self.database.write() as session:
            found = self.find(session, actor=actor, right=Right.DOUBLE_SETTLE)
            wanted = {key: _given(text) for key, text in chosen.items()}
            return settling.settle(session, self.by(actor), found, wanted, reason)

    def entry(self):
        with self.database.read() as session:
            return self.find(session, actor=people.CARL, right=Right.ENTRY_READ, lock=False)


def _given(text):
    return text if isinstance(text, Given) else Given(text)
