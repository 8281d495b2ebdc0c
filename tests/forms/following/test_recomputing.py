"""A corrected answer comes to every entry that reads it, in the same transaction."""

import json

import pytest
from sqlalchemy import select, update

from ecrf.kernel.ledger import LEDGER
from forms import fold
from forms.answers import Given
from forms.following import dependants
from forms.tables import Entry, Query
from tests import people
from tests.forms.trial import FINGERPRINT, TRIAL
from visits.tables import Participant


@pytest.fixture
def weighed(desk):
    """Screening at 60 kg, baseline at 61.5 kg, both complete: a gain of 1.5 kg."""
    desk.save({"sbp": "120", "weight": Given("60", "kg")}, visit="SCR", complete=True)
    desk.save({"sbp": "120", "weight": Given("61.5", "kg")}, visit="BL", complete=True)
    return desk


def correct(desk, weight="58", at=people.NOON):
    return desk.save(
        {"weight": Given(weight, "kg")}, visit="SCR", reason="misread", at=at, complete=True
    )


def entries(session):
    return {e.id: e for e in session.scalars(select(Entry).order_by(Entry.id))}


def last_act(session, entry_id):
    c = LEDGER.act.c
    row = session.execute(
        select(c.action, c.header, c.changes)
        .where(c.key == f"entry:{entry_id}")
        .order_by(c.seq.desc())
        .limit(1)
    ).one()
    return row.action, json.loads(row.header)["refs"], json.loads(row.changes)


def test_an_earlier_correction_recomputes_what_reads_it_and_the_ledger_says_why(weighed):
    with weighed.database.write() as session:  # frozen is still recomputed
        session.execute(update(Entry).where(Entry.id == 2).values(state="frozen"))
    correct(weighed)
    with weighed.database.read() as session:
        now = entries(session)
        assert now[2].answers["gain"]["value"] == "3.5"
        assert now[2].version == 2
        action, refs, changes = last_act(session, 2)
        assert action == "entry:recompute"
        assert refs["derived"] == ["gain"]
        assert refs["cause"] == {
            "entry": 1, "visit": "SCR", "form": "vs", "number": 1, "version": 2,
        }  # fmt: skip
        assert [(c["item"], c["old"]["value"], c["new"]["value"]) for c in changes] == [
            ("gain", "1.5", "3.5")
        ]
        chains = session.scalars(select(LEDGER.chain.c.name)).all()
        ids = session.scalars(select(Participant.id)).all()
        assert list(fold.differences(session, chains, ids)) == []


def test_what_is_locked_stays_and_becomes_a_query_that_closes_when_it_fits_again(weighed):
    with weighed.database.write() as session:
        session.execute(update(Entry).where(Entry.id == 2).values(state="locked"))
    correct(weighed)
    with weighed.database.read() as session:
        assert entries(session)[2].answers["gain"]["value"] == "1.5"
        assert entries(session)[2].version == 1
        query = session.scalars(select(Query).where(Query.rule == "outdated")).one()
        assert (query.entry_id, query.item, query.status) == (2, "gain", "open")
        assert "3.5" in query.text_en
        assert "1.5" in query.text_en
    correct(weighed, "60")
    with weighed.database.read() as session:
        assert session.scalars(select(Query.status).where(Query.rule == "outdated")).one() == (
            "closed"
        )


def test_the_statements_of_a_correction_do_not_grow_with_what_follows(weighed, statements):
    with statements(weighed.database) as one:
        correct(weighed, "58")
    with weighed.database.write() as session:
        from tests.forms.trial import BASELINE
        from visits.tables import Visit

        session.execute(
            update(Visit).where(Visit.key == "W4").values(held_on=BASELINE, status="held")
        )
    weighed.save({"sbp": "120", "weight": Given("62", "kg")}, visit="W4", complete=True)
    with statements(weighed.database) as two:
        correct(weighed, "57")
    with statements(weighed.database) as none:
        weighed.save({"dbp": "80"}, visit="SCR", complete=True)
    assert len(two) == len(one)
    assert len(two) - len(none) <= 5
    assert len(none) <= 8


def test_the_graph_names_every_reader_of_an_answer():
    readers = dependants.graph(TRIAL, FINGERPRINT).readers
    assert {(d.item, d.part, d.here, d.way) for d in readers["vs", "weight"]} == {
        ("gain", "derive", True, ""), ("gain", "derive", False, "SCR"),
        ("weight", "VS02", True, ""),
    }  # fmt: skip
    assert dependants.touched(TRIAL, FINGERPRINT, "vs", ["dbp"]) == frozenset()
    assert dependants.touched(TRIAL, FINGERPRINT, "dm", ["sex"]) == {"vs"}
    assert dependants.touched(TRIAL, FINGERPRINT, "vs", None) == {"vs"}


@pytest.mark.parametrize(
    ("visit", "when", "reached"), [("SCR", "later", {"vs"}), ("BL", "earlier", set())]
)
def test_a_change_reaches_only_entries_that_look_at_its_visit(visit, when, reached):
    beside = {dependants.Beside("vs", when)}
    found = dependants.reached(TRIAL, FINGERPRINT, "vs", ["weight"], visit, beside)
    assert found == reached
