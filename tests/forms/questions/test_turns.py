"""Queries on every kind of place, assigned, cancelled, closed in bulk; who may do what."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from ecrf.kernel import access
from ecrf.kernel.access import Actor, Grant, Right, Role
from ecrf.kernel.errors import Conflict, NotAllowed, NotFound, Unacceptable
from ecrf.kernel.ledger import LEDGER
from forms import progress, queries, queue
from forms.questions import asked, assigning, figures, places
from forms.questions.readymade import Said
from forms.queue import Filters
from forms.tables import Query, QueryMessage
from tests import people
from tests.forms.trial import STUDY_ID, TRIAL
from visits.tables import Participant, Visit

READ = Right.QUERY_READ
ZONES = {"PUMCH": "Asia/Shanghai", "BFH": "Asia/Shanghai"}


@pytest.fixture
def ask(desk):
    """Give `ask(visit, form, item)`: a question of the data manager on a place."""

    def asked_(visit="", form="", item="", actor=people.DORA, code="PUMCH-001", at=people.NOON,
               assignee=None, text="Please check."):  # fmt: skip
        with desk.database.write() as session:
            if form:
                where = desk.find(session, visit, form, actor=actor, right=READ, code=code)
            else:
                where = places.above_forms(
                    session, actor, STUDY_ID, code, visit, Right.QUERY_OPEN, lock=True
                )
            return queries.open_(session, desk.by(actor, at=at), where, item, text, assignee)

    return asked_


@pytest.fixture
def take(desk):
    def taken(act, actor, *ids, text="Checked.", at=people.NOON):
        with desk.database.write() as session:
            found = queries.find_all(session, actor, STUDY_ID, ids or [1], READ, lock=True)
            given = found if act is queries.close_all else found[0]
            act(session, desk.by(actor, at=at), given, text)

    return taken


def rows(database, *columns):
    with database.read() as session:
        return [tuple(row) for row in session.execute(select(*columns).order_by(Query.id))]


def ids(database, actor=people.DORA, **filters):
    with database.read() as session:
        page = queue.listing(session, actor, STUDY_ID, Filters(**filters))
        return [line.id for line in page.lines]


def test_a_query_is_on_an_item_a_form_the_date_of_a_visit_or_a_participant(ask, desk):
    ask("BL", "vs", "remark")
    ask("BL", "vs")
    ask("BL")
    ask()
    ask()
    assert rows(desk.database, Query.form, Query.item, Query.entry_id, Query.serial) == [
        ("vs", "remark", None, 1), ("vs", "", None, 1), ("", "visit_date", None, 1),
        ("", "", None, 1), ("", "", None, 2),
    ]  # fmt: skip
    with desk.database.read() as session:
        lines = queue.listing(session, people.MONA, STUDY_ID, Filters()).lines
        assert [line.about for line in lines] == ["item", "form", "visit", *["participant"] * 2]
        counted = progress.by_visit(session, people.DORA, TRIAL, site=None, status=None)
        visit_id = session.scalars(
            select(Visit.id)
            .join(Participant, Participant.id == Visit.participant_id)
            .where(Visit.key == "BL", Participant.code == "PUMCH-001")
        ).one()
        assert counted[visit_id].queries == 3
        acts = [json.loads(act[3])["refs"] for act in LEDGER.acts(session, key="query:3")]
    assert acts == [{"participant": "PUMCH-001", "visit": "BL", "item": "visit_date"}]


def test_what_was_asked_before_a_form_was_begun_belongs_to_it_from_its_first_save(ask, desk):
    ask("BL", "vs", "remark")
    ask("W4", "vs", "remark")
    desk.save({"sbp": "200"})
    desk.save({"sbp": "120"}, reason="Transcription error")
    assert rows(desk.database, Query.entry_id, Query.rule != "", Query.status) == [
        (1, False, "open"), (None, False, "open"), (1, True, "closed"),
    ]  # fmt: skip


def test_a_place_at_another_site_or_that_does_not_exist_is_not_found(ask):
    ask("BL", "vs", "sbp")
    for more in ({"visit": "BL"}, {"visit": "BL", "code": "NOBODY-1"}, {"visit": "W99"}):
        actor = people.BO if more == {"visit": "BL"} else people.DORA
        with pytest.raises(NotFound):
            ask(actor=actor, **more)


def test_a_question_is_taken_back_only_by_who_asked_it_with_a_reason(ask, take, desk):
    ask("BL", "vs", "sbp")
    with pytest.raises(NotAllowed, match="who asked"):
        take(queries.cancel, people.DIRK)
    with pytest.raises(Unacceptable, match="empty"):
        take(queries.cancel, people.DORA, text=" ")
    take(queries.cancel, people.DORA, text="Asked of the wrong visit.")
    assert ids(desk.database) == []
    assert ids(desk.database, status="cancelled") == [1]
    with pytest.raises(Conflict, match="is cancelled"):
        take(queries.answer, people.CARL)


@pytest.mark.req("Q7")
def test_a_query_goes_from_opened_to_assigned_answered_closed_and_reopened(ask, take, desk):
    """Q7: each step is an act, and the list is filtered by participant, item, visit, person."""
    ask("BL", "vs", "sbp")
    ask(code="BFH-001")
    with desk.database.write() as session:
        possible = assigning.candidates(session, STUDY_ID, "PUMCH", people.NOON)
        assert [one.said.text for one in possible] == [
            "site investigator", "Anna Li (site investigator)",
            "study coordinator", "Carl Wu (study coordinator)",
        ]  # fmt: skip
        found = queries.find(session, people.DORA, STUDY_ID, 1, READ, lock=True)
        queries.assign(session, desk.by(people.DORA), found, possible[3])
    day = timedelta(days=1)
    take(queries.answer, people.CARL, at=people.NOON + day)
    assert rows(desk.database, Query.answered_at)[0] == (people.NOON + day,)
    take(queries.close, people.MONA, at=people.NOON + 2 * day)
    take(queries.reopen, people.DORA, at=people.NOON + 3 * day)
    assert rows(desk.database, Query.answered_at, Query.closed_at)[0] == (None, None)
    with desk.database.read() as session:
        told = [json.loads(act[3])["action"] for act in LEDGER.acts(session, key="query:1")]
    assert told == [f"query:{a}" for a in ("open", "assign", "answer", "close", "reopen")]
    mine = {"status": "all", "mine": "assigned"}
    assert ids(desk.database, people.CARL, **mine) == [1]
    assert ids(desk.database, people.ANNA, **mine) == []
    assert ids(desk.database, status="all", mine="opened") == [1, 2]
    assert ids(desk.database, participant="pumch-001", item="sbp", visit="BL") == [1]
    assert ids(desk.database, visit="W4") == ids(desk.database, rule="VS01") == []


def test_what_is_assigned_to_a_role_waits_for_everyone_of_it_at_the_site(ask, desk):
    role = assigning.Assignee(Role.COORDINATOR)
    ask("BL", "vs", "sbp", assignee=role)
    ask(code="BFH-001", assignee=assigning.Assignee(Role.INVESTIGATOR))
    with desk.database.read() as session:
        counts = [
            queue.assigned(session, actor, STUDY_ID)
            for actor in (people.CARL, people.ANNA, people.BO, people.DORA)
        ]
    assert counts == [1, 0, 1, 0]


def test_nobody_is_assigned_who_could_not_answer(ask, desk):
    ask("BL", "vs", "sbp")
    with desk.database.write() as session:
        possible = assigning.candidates(session, STUDY_ID, "PUMCH", people.NOON)
        with pytest.raises(Unacceptable, match="cannot answer"):
            assigning.chosen(possible, f"site investigator:{people.BO.id}")
        found = queries.find(session, people.AUDREY, STUDY_ID, 1, READ, lock=True)
        with pytest.raises(NotAllowed):
            queries.assign(session, desk.by(people.AUDREY), found, possible[0])


def test_answered_queries_are_closed_at_once_with_an_act_each(ask, take, desk, statements):
    for item in ("sbp", "dbp", "pain"):
        ask("BL", "vs", item)
    ask(code="BFH-001")
    take(queries.answer, people.CARL, 1)
    take(queries.answer, people.CARL, 2)
    take(queries.answer, people.BO, 4)
    with pytest.raises(Conflict, match="Query 3 is not answered"):
        take(queries.close_all, people.DORA, 1, 2, 3)
    assert ids(desk.database, status="closed") == []
    with statements(desk.database) as sent:
        take(queries.close_all, people.DORA, 1, 2, 4)
    assert len(sent) <= 6
    assert ids(desk.database, status="closed") == [1, 2, 4]
    with desk.database.read() as session:
        acts = [len(list(LEDGER.acts(session, key=f"query:{n}"))) for n in (1, 2, 4)]
    assert acts == [3, 3, 3]


def test_nothing_is_closed_in_bulk_at_another_site(ask, take):
    ask("BL", "vs", "sbp")
    ask(code="BFH-001")
    with pytest.raises(NotFound):
        take(queries.close_all, people.BO, 1, 2)


COMBINATIONS = {
    "none": frozenset(),
    "view": {Right.QUERY_READ},
    "open": {Right.QUERY_READ, Right.QUERY_OPEN},
    "answer": {Right.QUERY_READ, Right.QUERY_ANSWER},
    "open and answer": {Right.QUERY_READ, Right.QUERY_OPEN, Right.QUERY_ANSWER},
    "open, answer and close": {
        Right.QUERY_READ, Right.QUERY_OPEN, Right.QUERY_ANSWER, Right.QUERY_CLOSE,
    },
}  # fmt: skip


@pytest.mark.req("Q6")
def test_the_six_combinations_of_rights_allow_what_they_say(ask, take, desk, monkeypatch):
    """Q6: none, view, open, answer, open and answer, open and answer and close."""
    ask("BL", "vs", "sbp")
    who = Actor(people.MONA.id, "Mona", frozenset({Grant(STUDY_ID, Role.MONITOR)}))
    allowed = {}
    for name, held in COMBINATIONS.items():
        rights = frozenset({*held, Right.ENTRY_READ, Right.PARTICIPANT_READ})
        monkeypatch.setitem(access.RIGHTS, Role.MONITOR, rights)
        allowed[name] = [
            act
            for act, done in (
                ("view", lambda: take_seen(desk.database, who)),
                ("open", lambda: ask("BL", "vs", "dbp", actor=who)),
                ("answer", lambda: take(queries.answer, who)),
                ("close", lambda: take(queries.close, who)),
            )
            if _may(done)
        ]
    assert allowed == {
        "none": [],
        "view": ["view"],
        "open": ["view", "open"],
        "answer": ["view", "answer"],
        "open and answer": ["view", "open", "answer"],
        "open, answer and close": ["view", "open", "answer", "close"],
    }


def take_seen(database, who):
    with database.read() as session:
        return asked.find(session, who, STUDY_ID, 1, READ)


def _may(done):
    try:
        done()
    except (NotAllowed, NotFound):
        return False
    return True


def test_every_role_holds_one_of_the_combinations_of_rights_to_queries():
    rights = {Right.QUERY_READ, Right.QUERY_OPEN, Right.QUERY_ANSWER, Right.QUERY_CLOSE}
    held = {role: access.RIGHTS[role] & rights for role in Role}
    for role, found in held.items():
        assert not found or Right.QUERY_READ in found, role
        assert not {Right.QUERY_ANSWER, Right.QUERY_CLOSE} <= found, role
    assert held[Role.COORDINATOR] == {Right.QUERY_READ, Right.QUERY_ANSWER}
    assert held[Role.AUDITOR] == {Right.QUERY_READ}
    assert held[Role.PHARMACIST] == frozenset()


def test_figures_count_by_site_and_by_age_in_days_at_the_site(ask, take, desk, statements):
    for days, item in ((0, "sbp"), (7, "dbp"), (8, "pain"), (29, "remark")):
        ask("BL", "vs", item, at=people.NOON - timedelta(days=days))
    take(queries.answer, people.CARL, 2)
    take(queries.close, people.DORA, 1)
    with statements(desk.database) as sent, desk.database.read() as session:
        found = figures.by_site(session, people.DORA, STUDY_ID, ZONES, people.NOON)
    assert len(sent) == 1
    assert found[0] == figures.Figures("BFH", 0, 0, 0, 0, (0, 0, 0, 0), None)
    assert found[1] == figures.Figures("PUMCH", 2, 1, 1, 0, (1, 1, 0, 1), 29)
    with desk.database.read() as session:
        mine = figures.by_site(session, people.BO, STUDY_ID, ZONES, people.NOON)
        assert [one.site for one in mine] == ["BFH"]
    with desk.database.read() as session:
        before = figures.ageing.asked_before(ZONES, people.NOON, 8)
        page = queue.listing(session, people.DORA, STUDY_ID, Filters(age="8"), before=before)
    assert [line.id for line in page.lines] == [3, 4]


def test_ready_made_words_are_kept_in_both_languages(ask, take, desk):
    ask("BL", "vs", "sbp", text=Said("Why?", "为什么？", "WHY"))
    take(queries.answer, people.CARL, text=Said("Corrected.", "已更正。", "TYPO"))
    assert rows(desk.database, Query.text_en, Query.text_zh) == [("Why?", "为什么？")]
    with desk.database.read() as session:
        said = session.scalars(select(QueryMessage).order_by(QueryMessage.id)).all()
        assert [(m.text, m.text_zh, m.template) for m in said] == [
            ("Why?", "为什么？", "WHY"), ("Corrected.", "已更正。", "TYPO"),
        ]  # fmt: skip
