import json

import pytest
from sqlalchemy import event, select, update

from ecrf.kernel.access import Right
from ecrf.kernel.errors import Conflict, NotAllowed, NotFound, Unacceptable, Unavailable
from ecrf.kernel.ledger import LEDGER
from ecrf.kernel.text import T
from forms import queries, queue
from forms.queue import Filters
from forms.tables import Query, QueryMessage
from tests import people
from tests.forms.trial import STUDY_ID
from visits.tables import Participant

READ, ASK, ANSWER, CLOSE = (
    Right.ENTRY_READ, Right.QUERY_OPEN, Right.QUERY_ANSWER, Right.QUERY_CLOSE,
)  # fmt: skip


@pytest.fixture
def ask(desk):
    """Give `ask(item, text)`: the data manager's question on the vital signs."""
    desk.save({"sbp": "120"})

    def asked(item="sbp", text="Please check the source.", actor=people.DORA):
        with desk.database.write() as session:
            found = desk.find(session, actor=actor, right=READ)
            return queries.open_(session, desk.by(actor), found, item, text)

    return asked


@pytest.fixture
def turn(desk):
    """Give `turn(act, actor, text)`: one turn in the thread of query 1."""

    def taken(act, actor, text="Checked.", right=READ, query_id=1):
        with desk.database.write() as session:
            asked = queries.find(session, actor, STUDY_ID, query_id, right, lock=True)
            act(session, desk.by(actor), asked, text)

    return taken


def status(database, query_id=1):
    with database.read() as session:
        return session.scalar(select(Query.status).where(Query.id == query_id))


def test_a_question_is_asked_about_an_answered_or_a_blank_item(ask, desk):
    assert [ask("sbp"), ask("remark"), ask("remark", "And why?")] == [1, 2, 3]
    with desk.database.read() as session:
        rows = session.execute(select(Query.item, Query.rule, Query.serial, Query.opened_by))
        assert [tuple(row) for row in rows] == [
            ("sbp", "", 1, people.DORA.id),
            ("remark", "", 1, people.DORA.id),
            ("remark", "", 2, people.DORA.id),
        ]


@pytest.mark.req("DC-16")
def test_a_query_is_asked_answered_and_closed(ask, turn, desk):
    ask()
    turn(queries.answer, people.CARL, "120 is right, see the chart.", ANSWER)
    assert status(desk.database) == "answered"
    turn(queries.close, people.MONA, "Thank you.", CLOSE)
    assert status(desk.database) == "closed"
    with desk.database.read() as session:
        told = [(m.act, m.by_name, m.text) for m in queries.thread(session, 1)]
    assert told == [
        ("open", "Dora Chen", "Please check the source."),
        ("answer", "Carl Wu", "120 is right, see the chart."),
        ("close", "Mona Zhou", "Thank you."),
    ]


def test_every_turn_is_an_act_with_its_words_as_the_reason(ask, turn, desk):
    ask()
    turn(queries.answer, people.CARL)
    with desk.database.read() as session:
        acts = list(LEDGER.acts(session, key="query:1"))
    told = [json.loads(act[4]) for act in acts]
    assert [[(c["item"], c["old"], c["new"]) for c in changes] for changes in told] == [
        [("#status", None, "open"), ("#reason", None, "Please check the source.")],
        [("#status", "open", "answered"), ("#reason", None, "Checked.")],
    ]
    refs = json.loads(acts[1][3])["refs"]
    assert (refs["item"], refs["form"], refs["visit"]) == ("sbp", "vs", "BL")


def test_asking_answering_and_closing_are_separate_rights(ask, turn):
    ask()
    with pytest.raises(NotAllowed):
        ask(actor=people.CARL)
    for act, actor in (
        (queries.close, people.CARL), (queries.reopen, people.CARL),
        (queries.answer, people.DORA), (queries.answer, people.AUDREY),
    ):  # fmt: skip
        with pytest.raises(NotAllowed):
            turn(act, actor)


def test_what_is_not_settled_is_asked_again(ask, turn, desk):
    ask()
    turn(queries.answer, people.CARL)
    turn(queries.reopen, people.DORA, "Which chart?")
    assert status(desk.database) == "open"
    turn(queries.close, people.DORA)
    turn(queries.reopen, people.DORA, "I was wrong.")
    assert status(desk.database) == "open"


def test_a_turn_that_does_not_fit_the_state_is_refused(ask, turn):
    ask()
    with pytest.raises(Conflict, match="open already"):
        turn(queries.reopen, people.DORA)
    turn(queries.close, people.DORA)
    for act, actor in ((queries.answer, people.CARL), (queries.close, people.DORA)):
        with pytest.raises(Conflict, match="is closed"):
            turn(act, actor)


def test_of_two_who_close_at_once_the_second_is_told(ask, desk):
    ask()
    with desk.database.write() as session:
        asked = queries.find(session, people.DORA, STUDY_ID, 1, CLOSE, lock=True)
        session.connection().execute(update(Query).values(status="closed"))
        with pytest.raises(Conflict, match="a moment ago"):
            queries.close(session, desk.by(people.DORA), asked, "Fine.")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("  ", "the text is empty"),
        ("x" * 601, "601 characters"),
        ("a\0b", "a sign in it that is no text"),
    ],
)
def test_an_empty_or_over_long_question_is_refused(ask, text, message):
    with pytest.raises(Unacceptable, match=message):
        ask(text=text)


def test_a_question_about_an_unknown_item_is_refused(ask):
    with pytest.raises(Unacceptable, match="Vital signs has no item sbpp"):
        ask("sbpp")


def test_queries_flow_while_frozen_and_stop_when_locked(ask, turn, desk):
    ask()
    _set(desk.database, "frozen")
    turn(queries.answer, people.CARL)
    ask("dbp")
    _set(desk.database, "locked")
    for act, actor in ((queries.close, people.DORA), (queries.reopen, people.DORA)):
        with pytest.raises(Conflict, match="participant is locked"):
            turn(act, actor)
    with pytest.raises(Conflict, match="participant is locked"):
        ask()


def _set(database, state):
    with database.write() as session:
        session.execute(update(Participant).values(state=state))


def test_another_sites_query_is_not_found(ask, desk):
    ask()
    with desk.database.read() as session, pytest.raises(NotFound):
        queries.find(session, people.BO, STUDY_ID, 1, READ)


def test_when_the_ledger_cannot_be_written_the_turn_is_undone(ask, turn, desk):
    ask()

    def fail(_connection, _cursor, statement, *_):
        if "INSERT INTO act" in statement:
            raise Unavailable(T("The ledger is ill."))

    event.listen(desk.database.engine, "before_cursor_execute", fail)
    try:
        with pytest.raises(Unavailable):
            turn(queries.close, people.DORA)
    finally:
        event.remove(desk.database.engine, "before_cursor_execute", fail)
    assert status(desk.database) == "open"
    with desk.database.read() as session:
        assert len(session.scalars(select(QueryMessage)).all()) == 1


def test_the_list_is_filtered_and_comes_page_by_page(ask, turn, desk):
    desk.save({"sbp": "200"}, actor=people.BO, code="BFH-001")
    for item in ("sbp", "dbp", "remark"):
        ask(item)
    turn(queries.close, people.DORA, query_id=2)

    def ids(actor=people.DORA, after=0, limit=50, **filters):
        with desk.database.read() as session:
            page = queue.listing(
                session, actor, STUDY_ID, Filters(**filters), after=after, limit=limit
            )
            return [line.id for line in page.lines], page.after

    assert ids() == ([1, 3, 4], None)
    assert ids(limit=2) == ([1, 3], 3)
    assert ids(limit=2, after=3) == ([4], None)
    assert ids(status="closed") == ([2], None)
    assert ids(status="all", origin="rule") == ([1], None)
    assert ids(origin="person") == ([3, 4], None)
    assert ids(site="BFH") == ids(participant="bfh-001") == ([1], None)
    assert ids(form="gr") == ([], None)
    assert ids(people.CARL) == ([3, 4], None)
    assert ids(people.BO) == ([1], None)
    with desk.database.read() as session:
        around = queue.neighbours(session, people.DORA, STUDY_ID, Filters(), 3)
    assert around == (1, 4)


def test_one_page_of_the_list_is_one_statement(ask, desk, statements):
    ask()
    with statements(desk.database) as sent, desk.database.read() as session:
        queue.listing(session, people.DORA, STUDY_ID, Filters())
    assert len(sent) == 1
