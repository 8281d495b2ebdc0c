import json
import threading
from datetime import timedelta

import pytest
from sqlalchemy import event, func, select, update

from ecrf.kernel.access import Right
from ecrf.kernel.errors import (
    Conflict,
    NotAllowed,
    NotFound,
    Stale,
    Unacceptable,
    Unavailable,
)
from ecrf.kernel.ledger import LEDGER
from ecrf.kernel.text import T
from ecrf.study.tables import StudyRow
from forms import entries, fold
from forms.answers import Given
from forms.tables import Entry, Query
from tests import people
from tests.forms.trial import STUDY_ID
from visits.tables import Participant, Visit

NORMAL = {"sbp": "120", "dbp": "80"}


def stored(database):
    with database.read() as session:
        found = list(session.scalars(select(Entry).order_by(Entry.id)))
        session.expunge_all()
        return found


def acts(database, key="entry:1"):
    with database.read() as session:
        return [json.loads(act[3]) for act in LEDGER.acts(session, key=key)]


def changes(database, key="entry:1"):
    with database.read() as session:
        return [json.loads(act[4]) for act in LEDGER.acts(session, key=key)]


def queries(database):
    with database.read() as session:
        rows = session.execute(
            select(Query.item, Query.rule, Query.status).order_by(Query.item, Query.rule)
        )
        return [tuple(row) for row in rows]


def test_a_first_save_stores_what_was_given_beside_its_canonical_value(desk):
    saved = desk.save({"weight": Given("65000", "g"), "begin": "UN-FEB-2024"})
    (entry,) = stored(desk.database)
    assert entry.answers == {
        "weight": {"text": "65000", "unit": "g", "value": "65"},
        "begin": {"text": "UN-FEB-2024", "value": "2024-02"},
    }
    assert (entry.status, entry.version, entry.saved_by) == ("draft", 1, people.CARL.id)
    assert (saved.entry_id, saved.version, saved.again) == (entry.id, 1, False)


@pytest.mark.req("AT-02")
def test_the_act_tells_who_what_where_and_which_items_were_computed(desk):
    desk.save({"weight": Given("60", "kg")}, visit="SCR")
    desk.save({"weight": Given("61.5", "kg"), "sbp": "120"})
    (act,) = acts(desk.database, "entry:2")
    assert (act["action"], act["name"], act["role"]) == (
        "entry:save", "Carl Wu", "study coordinator",
    )  # fmt: skip
    assert act["refs"] == {
        "participant": "PUMCH-001", "visit": "BL", "form": "vs", "number": 1, "version": 1,
        "status": "draft", "protocol": act["refs"]["protocol"], "derived": ["gain"],
    }  # fmt: skip
    told = {c["item"]: c["new"]["value"] for c in changes(desk.database, "entry:2")[0]}
    assert told == {"sbp": "120", "weight": "61.5", "gain": "1.5"}


def test_answers_are_the_fold_of_the_ledger(desk):
    desk.save({"weight": Given("60", "kg")}, visit="SCR")
    desk.save({**NORMAL, "weight": Given("61", "kg"), "symptoms": "FEVER,COUGH"})
    desk.save({"weight": Given("62", "kg"), "sbp": ""}, reason="Read again", complete=True)
    desk.save({"weight": Given("", "kg"), "remark": "ok"}, reason="Scales broken")
    with desk.database.read() as session:
        told = {}
        for act in LEDGER.acts(session, key="entry:2"):
            for change in json.loads(act[4]):
                if change["item"].startswith("#"):
                    continue
                assert change["old"] == told.get(change["item"])
                told[change["item"]] = change["new"]
        entry = session.get(Entry, 2)
        assert {item: new for item, new in told.items() if new is not None} == entry.answers
        assert "gain" not in entry.answers
        chain = f"participant:{STUDY_ID}/PUMCH-001"
        assert not list(fold.differences(session, [chain], [entry.participant_id]))


@pytest.mark.req("AT-05")
def test_an_earlier_answer_changes_only_with_a_reason(desk):
    desk.save({**NORMAL, "remark": "fine"})
    with pytest.raises(entries.ReasonNeeded) as no:
        desk.save({"sbp": "121", "remark": ""}, reason="  ")
    assert [(p.item, p.message.in_("en")) for p in no.value.problems] == [
        ("sbp", "Systolic: say why “120” becomes “121”."),
        ("remark", "Remark: say why “fine” becomes “–”."),
    ]
    assert [edit.key for edit in no.value.edits] == ["sbp", "remark"]
    assert stored(desk.database)[0].version == 1
    desk.save({"sbp": "121"}, reason="Transcription error")
    (*_, last) = changes(desk.database)
    assert {c["item"]: c["new"] for c in last}["#reason"] == "Transcription error"


def test_a_blank_item_is_filled_in_later_without_a_reason(desk):
    desk.save({"sbp": "120"})
    saved = desk.save({"dbp": "80"}, reason="no reason is due")
    assert saved.version == 2
    assert [c["item"] for c in changes(desk.database)[1]] == ["dbp"]


def test_an_over_long_reason_is_refused(desk):
    desk.save({"sbp": "120"})
    with pytest.raises(Unacceptable, match="401 characters"):
        desk.save({"sbp": "121"}, reason="x" * 401)


def test_nothing_is_written_when_nothing_changes(desk):
    desk.save({"sbp": "120"})
    saved = desk.save({"sbp": "120"})
    assert (saved.version, len(acts(desk.database))) == (1, 1)


@pytest.mark.req("DC-10")
def test_the_second_of_two_savers_is_told(desk):
    desk.save({"sbp": "120"})
    desk.save({"dbp": "80"}, actor=people.ANNA)
    with pytest.raises(Stale, match=r"Anna Li saved .* version 2, you saw version 1"):
        desk.save({"sbp": "121"}, seen=1, reason="Typing error")
    with pytest.raises(Stale):
        desk.save({"remark": "new"}, seen=0)
    assert stored(desk.database)[0].version == 2


@pytest.mark.req("DC-11")
def test_the_very_same_save_sent_twice_is_answered_as_saved(desk):
    first = desk.save(NORMAL, seen=0, complete=True)
    second = desk.save(NORMAL, seen=0, complete=True)
    assert second.again
    assert (second.entry_id, second.version) == (first.entry_id, first.version)
    assert len(acts(desk.database)) == 1
    with pytest.raises(Stale):
        desk.save(NORMAL, seen=0, complete=True, actor=people.ANNA)


@pytest.mark.race
@pytest.mark.parametrize("same", [True, False])
def test_of_two_first_saves_at_once_one_is_stored(desk, same):
    outcome = []
    barrier = threading.Barrier(2)

    def send(text):
        barrier.wait()
        try:
            outcome.append(desk.save({"sbp": text}, seen=0).again)
        except Stale:
            outcome.append("stale")

    senders = [
        threading.Thread(target=send, args=(t,)) for t in ("120", "120" if same else "99")
    ]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert sorted(map(str, outcome)) == ["False", "True" if same else "stale"]
    assert len(stored(desk.database)) == len(acts(desk.database)) == 1


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"sbp": "12o"}, "Systolic: “12o” is not a number"),
        ({"sbp": "301"}, "Systolic: 301 is not possible. It must be from 50 to 300."),
        ({"weight": Given("60", "stone")}, "“stone” is no unit of it. Possible are kg, g."),
        ({"position": "STANDING"}, "“STANDING” is none of its codes"),
        ({"taken": "5/3/26"}, "can be read in two ways"),
        ({"remark": "x" * 21}, "Remark: has 21 characters. At most 20 are kept."),
        ({"sbp": Given("", "", "NASK")}, "is no missing reason for it. Possible are ND, UNK."),
        ({"weight": Given("401", "kg")}, "Weight: Nobody weighs that much."),
        ({"wieght": "60"}, "is no item of the form Vital signs. Did you mean"),
        ({"gain": "5"}, "is computed and cannot be typed"),
    ],
)
def test_what_cannot_be_taken_is_named_and_nothing_is_stored(desk, given, message):
    with pytest.raises(Unacceptable) as no:
        desk.save({"dbp": "80", **given})
    assert message in no.value.problems[0].message.in_("en")
    assert not stored(desk.database)


def test_a_finding_of_an_answered_item_opens_its_query_at_once(desk):
    saved = desk.save({"sbp": "200"})
    assert saved.opened == 1
    assert queries(desk.database) == [("sbp", "soft_limit", "open")]
    with desk.database.read() as session:
        query = session.scalars(select(Query)).one()
        assert query.text_en.startswith("Systolic: 200 is unusual.")
        assert "（中）" in query.text_zh
        assert (query.opened_by, query.site) == (None, "PUMCH")
    assert acts(desk.database)[0]["refs"]["opened"] == [["sbp", "soft_limit"]]


def test_a_blank_required_item_is_asked_about_only_when_the_form_is_complete(desk):
    assert desk.save({"dbp": "80"}).opened == 0
    assert desk.save({"dbp": "80"}, complete=True).opened == 1
    assert queries(desk.database) == [("sbp", "required", "open")]
    assert stored(desk.database)[0].status == "complete"


@pytest.mark.req("DC-16")
def test_a_finding_that_is_gone_closes_its_query(desk):
    desk.save({"sbp": "200"})
    saved = desk.save({"sbp": "120"}, reason="Transcription error")
    assert (saved.opened, saved.closed) == (0, 1)
    assert queries(desk.database) == [("sbp", "soft_limit", "closed")]
    assert acts(desk.database)[1]["refs"]["closed"] == [["sbp", "soft_limit"]]


def test_a_finding_that_comes_back_opens_its_query_again(desk):
    desk.save({"sbp": "200"})
    desk.save({"sbp": "120"}, reason="Transcription error")
    assert desk.save({"sbp": "210"}, reason="It was right").opened == 1
    with desk.database.read() as session:
        query = session.scalars(select(Query)).one()
        assert (query.status, "210" in query.text_en) == ("open", True)


def test_a_query_a_person_closed_stays_closed_until_its_item_changes(desk):
    desk.save({"sbp": "200"})
    with desk.database.write() as session:
        session.execute(update(Query).values(status="closed"))
    assert desk.save({"remark": "resting"}).opened == 0
    assert queries(desk.database) == [("sbp", "soft_limit", "closed")]
    assert desk.save({"sbp": "205"}, reason="Measured again").opened == 1


def test_a_form_once_complete_stays_complete(desk):
    desk.save(NORMAL, complete=True)
    desk.save({"remark": "later"})
    assert stored(desk.database)[0].status == "complete"


def test_a_save_costs_at_most_seven_statements_beside_finding_out_who_asks(desk, statements):
    desk.save(NORMAL, visit="SCR")
    with statements(desk.database) as sent:
        desk.save({"sbp": "200", "dbp": "210"}, complete=True)
    assert len(queries(desk.database)) == 2
    assert len(sent) <= 6, sent
    with statements(desk.database) as sent:
        saved = desk.save({"sbp": "", "dbp": "80"}, reason="Read again", complete=True)
    assert (saved.opened, saved.closed) == (1, 2)
    assert len(sent) <= 7, sent


@pytest.mark.req("AT-01")
def test_when_the_ledger_cannot_be_written_nothing_is(desk):
    def fail(_connection, _cursor, statement, *_):
        if "INSERT INTO act" in statement:
            raise Unavailable(T("The ledger is ill."))

    desk.save({"sbp": "120"})
    event.listen(desk.database.engine, "before_cursor_execute", fail)
    try:
        with pytest.raises(Unavailable):
            desk.save({"sbp": "200"}, reason="Read again")
    finally:
        event.remove(desk.database.engine, "before_cursor_execute", fail)
    assert stored(desk.database)[0].answers["sbp"]["value"] == "120"
    assert queries(desk.database) == []


CLOSABLE = [
    (Entry, "form"),
    (Visit, "visit"),
    (Participant, "participant"),
    (StudyRow, "study"),
]


@pytest.mark.parametrize("state", ["frozen", "locked"])
@pytest.mark.parametrize(("table", "name"), CLOSABLE, ids=[name for _, name in CLOSABLE])
def test_what_is_frozen_or_locked_refuses_a_save_by_name(desk, table, name, state):
    desk.save({"sbp": "120"})
    with desk.database.write() as session:
        session.execute(update(table).values(state=state))
    with pytest.raises(Conflict, match=f"(This|The) {name} is {state}"):
        desk.save({"dbp": "80"})
    with pytest.raises(Conflict, match=state), desk.database.write() as session:
        entries.not_done(session, desk.by(people.CARL), desk.find(session), "Not held")
    assert len(acts(desk.database)) == 1


def test_what_is_locked_after_it_was_looked_up_is_not_written(desk):
    desk.save({"sbp": "120"})
    with desk.database.write() as session:
        found = desk.find(session)
        session.connection().execute(update(Participant).values(state="locked"))
        with pytest.raises(Conflict, match="This participant is locked"):
            entries.save(
                session, desk.by(people.CARL), found, {"dbp": Given("80")},
                seen_version=1, reason=None, complete=False,
            )  # fmt: skip
    assert stored(desk.database)[0].version == 1


def test_a_form_of_a_visit_without_a_date_is_not_due(desk):
    with pytest.raises(Conflict, match="Vital signs is not due: Week 4 has no date yet"):
        desk.save(NORMAL, visit="W4")
    with desk.database.write() as session:
        session.execute(update(Visit).where(Visit.key == "W4").values(status="missed"))
    with pytest.raises(Conflict, match="Week 4 was missed"):
        desk.save(NORMAL, visit="W4")


def test_logs_are_always_due_and_their_numbers_come_in_turn(desk):
    desk.save({"term": "Cough"}, visit="LOG", form="ae", number=1)
    with pytest.raises(Conflict, match="The next Adverse event is number 2"):
        desk.save({"term": "Rash"}, visit="LOG", form="ae", number=3)
    desk.save({"term": "Rash"}, visit="LOG", form="ae", number=2)
    assert [entry.number for entry in stored(desk.database)] == [1, 2]


@pytest.mark.parametrize(
    "place",
    [
        {"code": "BFH-001"},
        {"code": "PUMCH-009"},
        {"visit": "W99"},
        {"form": "gr", "visit": "W4"},
        {"form": "nothing"},
        {"number": 2},
        {"number": 0},
    ],
)
def test_what_is_elsewhere_or_nowhere_is_not_found(desk, place):
    with pytest.raises(NotFound), desk.database.read() as session:
        desk.find(session, **place, lock=False)


@pytest.mark.req("DC-03")
def test_only_those_who_may_write_save(desk):
    with desk.database.write() as session:
        found = desk.find(session, actor=people.MONA, right=Right.ENTRY_READ)
        with pytest.raises(NotAllowed):
            entries.save(
                session, desk.by(people.MONA), found, {"sbp": Given("120")},
                seen_version=0, reason=None, complete=False,
            )  # fmt: skip
    assert not stored(desk.database)


def test_a_whole_form_not_done_has_a_reason_and_closes_its_queries(desk):
    desk.save({"dbp": "80"}, complete=True)
    with pytest.raises(Conflict, match="has answers"), desk.database.write() as session:
        entries.not_done(session, desk.by(people.CARL), desk.find(session), "Machine broken")
    desk.save({"dbp": ""}, reason="Wrong participant")
    with pytest.raises(Unacceptable), desk.database.write() as session:
        entries.not_done(session, desk.by(people.CARL), desk.find(session), " ")
    with desk.database.write() as session:
        entries.not_done(session, desk.by(people.CARL), desk.find(session), "Machine broken")
    (entry,) = stored(desk.database)
    assert (entry.status, entry.version, entry.answers) == ("not done", 3, {})
    assert {status for *_, status in queries(desk.database)} == {"closed"}
    assert acts(desk.database)[-1]["action"] == "entry:not-done"
    with pytest.raises(entries.ReasonNeeded):
        desk.save({"sbp": "120"})
    desk.save({"sbp": "120"}, reason="Another machine was found")
    assert stored(desk.database)[0].status == "draft"


@pytest.mark.req("DC-02")
def test_an_entry_stays_under_the_definition_it_was_made_under(desk):
    desk.save(NORMAL)
    with desk.database.read() as session:
        found = desk.find(session, lock=False)
        assert found.fingerprint == found.entry.protocol
        assert found.head is None
        with pytest.raises(ValueError, match="lock=True"):
            entries.save(
                session, desk.by(people.CARL), found, {"remark": Given("x")},
                seen_version=1, reason=None, complete=False,
            )  # fmt: skip


def test_time_in_the_ledger_is_the_time_of_the_save(desk):
    later = people.NOON + timedelta(hours=1)
    desk.save(NORMAL)
    desk.save({"remark": "x"}, at=later)
    with desk.database.read() as session:
        assert session.scalar(select(func.max(LEDGER.act.c.at))) == later
        assert session.scalars(select(Entry.saved_at)).one() == later


def test_computed_items_of_a_grid_follow_its_cells(desk):
    desk.save(
        {"LUNG.score": "2", "LUNG.urgent": "Y", "SKIN.score": "0", "CONST.score": "1"},
        form="gr", complete=True,
    )  # fmt: skip
    (entry,) = stored(desk.database)
    assert entry.answers["total"]["value"] == "5"
    desk.save({"LUNG.urgent": "N"}, form="gr", reason="Not urgent")
    assert stored(desk.database)[0].answers["total"]["value"] == "3"
