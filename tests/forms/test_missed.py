import json

from sqlalchemy import select

from ecrf.kernel.access import Right
from ecrf.kernel.ledger import LEDGER
from forms import missed
from forms.tables import Query
from tests import people
from tests.forms.trial import STUDY_ID
from visits import lookup


def change(desk, act, reason):
    with desk.database.write() as session:
        found = lookup.visit(
            session, people.CARL, STUDY_ID, "PUMCH-001", "BL", Right.ENTRY_WRITE
        )
        act(session, desk.by(people.CARL), found, reason)


def queries(desk):
    with desk.database.read() as session:
        rows = session.execute(select(Query.item, Query.status).order_by(Query.id))
        return [tuple(row) for row in rows]


def told(desk, action):
    with desk.database.read() as session:
        act = LEDGER.act.c
        header = session.scalar(select(act.header).where(act.action == action))
        return json.loads(header)["refs"]


def test_a_missed_visit_closes_the_queries_of_its_rules_and_opening_it_asks_again(desk):
    desk.save({"sbp": "200", "dbp": "80"}, visit="SCR", complete=True)
    desk.save({"sbp": "200", "dbp": "80"}, complete=True)
    change(desk, missed.reopen, "Dated by mistake")
    assert queries(desk) == [("sbp", "open"), ("sbp", "open")]
    change(desk, missed.miss, "Did not come")
    assert queries(desk) == [("sbp", "open"), ("sbp", "closed")]
    assert told(desk, "visit:miss")["closed"] == [["vs", 1, "sbp", "soft_limit"]]
    change(desk, missed.reopen, "Came later")
    assert queries(desk) == [("sbp", "open"), ("sbp", "open")]
