"""Files as answers: through the one door, every version kept, nobody else's before the save."""

import hashlib
import json
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from ecrf.kernel.access import Right
from ecrf.kernel.errors import NotFound, Unacceptable
from ecrf.kernel.ledger import LEDGER, participant_chain
from forms import fold
from forms.entries import ReasonNeeded
from forms.files import keeping
from forms.files.keeping import Sent
from forms.files.tables import FileContent, FileVersion
from tests import people
from tests.forms import trial
from tests.forms.attached import OTHER, PDF, put_in_force
from tests.forms.conftest import Desk


@pytest.fixture
def desk(database, draw, by, monkeypatch):
    put_in_force(monkeypatch)
    return Desk(trial.begin(database, draw), by)


def put(desk, content, name="ct.pdf", actor=people.CARL, at=people.NOON):
    one = Sent("scan", name, "pdf", content)
    with desk.database.write() as session:
        keeping.put(session, desk.by(actor, at=at), desk.find(session, actor=actor), [one])
    return one


def handed_out(desk, one, actor):
    with desk.database.read() as session:
        found = desk.find(session, actor=actor, right=Right.ENTRY_READ, lock=False)
        return keeping.content(session, actor, found, one.item, one.sha256)


@pytest.mark.req("F6")
def test_every_version_of_a_file_is_kept_and_named_by_the_ledger(desk):
    """F6: a new file takes the place of the old one, which stays."""
    first = put(desk, PDF)
    put(desk, PDF)
    with pytest.raises(NotFound):
        handed_out(desk, first, people.ANNA)
    with pytest.raises(Unacceptable, match="cannot be taken"):
        desk.save({"scan": "ct.pdf"})
    with pytest.raises(Unacceptable, match="was not sent here"):
        desk.save({"scan": f"ct.pdf sha256:{hashlib.sha256(OTHER).hexdigest()}"})
    with pytest.raises(Unacceptable, match="was not sent here"):
        desk.save({"scan": first.answer}, actor=people.ANNA)
    desk.save({"scan": first.answer})
    assert handed_out(desk, first, people.ANNA).content == PDF
    second = put(desk, OTHER)
    with pytest.raises(ReasonNeeded):
        desk.save({"scan": second.answer})
    desk.save({"scan": second.answer}, reason="The better picture")
    desk.save({"scan": ""}, reason="Of somebody else")
    with desk.database.read() as session:
        found = desk.find(session, lock=False)
        assert "scan" not in found.answers
        kept = keeping.versions(session, found)["scan"]
        assert [(one.name, one.sha256) for one in kept] == [
            ("ct.pdf", first.sha256), ("ct.pdf", second.sha256),
        ]  # fmt: skip
        acts = [json.loads(act[3]) for act in LEDGER.acts(session, key="entry:1")]
        assert len(acts) == 3
        chains = [participant_chain(trial.STUDY_ID, "PUMCH-001")]
        assert not list(fold.differences(session, chains, [1]))
    assert handed_out(desk, first, people.MONA).content == PDF


def test_what_was_sent_and_never_saved_is_deleted_in_the_end(desk):
    put(desk, PDF)
    put(desk, OTHER, at=people.NOON + keeping.KEPT + timedelta(seconds=1))
    with desk.database.read() as session:
        assert session.scalar(select(func.count(FileVersion.id))) == 1
        assert session.scalars(select(FileContent.content)).all() == [OTHER]
