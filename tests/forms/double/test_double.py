"""A form is entered twice without sight of the other, compared, and settled by a third."""

import json

import pytest
from sqlalchemy import select

from ecrf.kernel.errors import Conflict, NotFound, Stale, Unacceptable
from ecrf.kernel.ledger import LEDGER, participant_chain
from forms import fold, gates
from forms.answers import Given
from forms.double import waiting
from forms.scope import Level, Scope
from tests import people
from tests.forms.trial import STUDY_ID

CHAIN = participant_chain(STUDY_ID, "PUMCH-001")
ONE = {"sbp": "120", "dbp": "80", "weight": Given("60.2", "kg"), "position": "SITTING"}
SAME = {"sbp": "120", "dbp": "80", "weight": Given("60200", "g"), "position": "SITTING"}
OTHER = {"sbp": "102", "dbp": "80", "weight": Given("60.2", "kg"), "remark": "tired"}


def _acts(desk, action):
    c = LEDGER.act.c
    with desk.database.read() as session:
        rows = session.execute(select(c.header, c.changes).where(c.action == action))
        return [(json.loads(row.header), json.loads(row.changes)) for row in rows]


@pytest.mark.req("F5")
def test_two_entries_that_differ_are_settled_item_by_item_into_the_entry(desk):
    """F5: two blind entries, compared, a third person's merged record."""
    with pytest.raises(Conflict, match="entered twice"):
        desk.save(ONE, complete=True)
    desk.enter(people.CARL, {"dbp": "80"}, complete=False)
    with pytest.raises(Stale):
        desk.enter(people.CARL, ONE, seen=0)
    desk.enter(people.CARL, ONE, seen=1)
    assert desk.entry().entry is None
    with pytest.raises(Conflict, match="handed in"):
        desk.enter(people.CARL, {"sbp": "121"}, seen=2)
    both = desk.enter(people.ANNA, OTHER)
    assert both.complete
    assert [d.key for d in both.differences(desk.entry())] == ["sbp", "position", "remark"]
    assert desk.entry().entry is None
    with desk.database.read() as session:
        (waits,) = waiting.listing(session, people.DORA, STUDY_ID)
        assert waits.compares
        assert waiting.listing(session, people.BO, STUDY_ID) == []
        whole = Scope(Level.STUDY, STUDY_ID, STUDY_ID)
        blocked = [b for b in gates.open_ends(session, whole, people.NOON) if b.form == "vs"]
        assert any("Double entry is not settled" in b.text.in_("en") for b in blocked)
    chosen = {"sbp": "102", "position": "LYING", "remark": ""}
    with pytest.raises(Conflict, match="third person"):
        desk.settle(people.ANNA, chosen)
    with pytest.raises(Unacceptable) as open_:
        desk.settle(people.DORA, {"sbp": "102"})
    assert [problem.item for problem in open_.value.problems] == ["position", "remark"]
    with pytest.raises(Unacceptable, match="reason"):
        desk.settle(people.DORA, chosen, " ")
    desk.settle(people.DORA, chosen)
    found = desk.entry()
    assert found.status == "complete"
    assert {key: answer.value for key, answer in found.answers.items()} == {
        "sbp": "102", "dbp": "80", "weight": "60.2", "position": "LYING",
    }  # fmt: skip
    ((header, changes),) = _acts(desk, "entry:save")
    assert header["refs"]["double"] == ["double:1", "double:2"]
    assert header["refs"]["differences"] == ["sbp", "position", "remark"]
    assert header["role"] == "data manager"
    assert changes[-1]["new"] == "The paper says so."
    with desk.database.read() as session:
        assert waiting.listing(session, people.DORA, STUDY_ID) == []
        assert list(fold.differences(session, [CHAIN], [1])) == []
    desk.save({"sbp": "103"}, reason="source", complete=True)
    assert desk.entry().answers["sbp"].value == "103"


@pytest.mark.req("F5")
def test_two_entries_that_agree_become_the_entry_at_once(desk):
    """F5: nothing to settle when both say the same."""
    desk.enter(people.CARL, ONE)
    desk.enter(people.ANNA, SAME)
    found = desk.entry()
    assert found.status == "complete"
    assert found.answers["weight"].text == "60.2"
    assert len(_acts(desk, "double:complete")) == 2
    with pytest.raises(Conflict, match="does not wait"):
        desk.settle(people.DORA, {})


def test_what_cannot_be_read_is_refused_in_either_entry_and_the_site_is_closed(desk):
    with pytest.raises(Unacceptable) as refused:
        desk.enter(people.CARL, {"sbp": "twelve"})
    assert refused.value.problems[0].item == "sbp"
    desk.enter(people.CARL, ONE)
    desk.enter(people.CARL, ONE)
    with pytest.raises(NotFound):
        desk.enter(people.BO, ONE)
    with pytest.raises(Conflict, match="Both entries"):
        desk.settle(people.DORA, {})
