from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from ecrf.kernel.ledger import LEDGER
from forms.drafts import keeping
from forms.drafts.tables import Draft
from tests import people
from tests.forms.conftest import Desk
from tests.forms.trial import STUDY_ID, begin
from visits.tables import Participant

VS = f"/{STUDY_ID}/participants/PUMCH-001/visits/BL/vs"
ELSEWHERE = f"/{STUDY_ID}/participants/BFH-001/visits/BL/vs"
TYPED = {"seen_version": "0", "sbp": "12o", "symptoms": ["COUGH", "RASH"], "password": "x"}


@pytest.fixture
def database(database, draw):
    return begin(database, draw)


@pytest.fixture
def desk(database, by):
    return Desk(database, by)


@pytest.fixture
def carl(visitor):
    return visitor(people.CARL)


@pytest.fixture
def anna(visitor):
    return visitor(people.ANNA)


def tell(person, do, data=None, path=VS):
    return person.post(f"{path}/1/draft?do={do}", data or {"seen_version": "0"})


def kept(database):
    with database.read() as session:
        return {row.person_id: row.typed for row in session.scalars(select(Draft))}


def acts(database):
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(LEDGER.act))


def test_what_is_typed_is_kept_as_typed_and_stands_in_the_form_again(
    carl, anna, database, statements
):
    before = acts(database)
    with statements(database) as sent:
        answer = tell(carl, "keep", TYPED)
    assert answer.json == {"kept": "12:00:00", "others": []}
    assert sum(statement.startswith("INSERT") for statement in sent) == 1
    assert not any("FOR UPDATE" in statement for statement in sent)
    assert kept(database) == {
        people.CARL.id: [["seen_version", "0"], ["sbp", "12o"], ["symptoms", "COUGH"],
                         ["symptoms", "RASH"]]
    }  # fmt: skip
    page = carl.get(VS).text
    assert "You typed this on 2026-03-02 12:00 (Asia/Shanghai" in page
    assert 'value="12o"' in page
    assert 'value="RASH" checked' in page
    assert 'name="kept_draft"' in page
    assert "12o" not in anna.get(VS).text
    assert acts(database) == before


def test_a_draft_goes_with_the_save_or_when_it_is_discarded(carl, database):
    tell(carl, "keep", TYPED)
    done = carl.post(f"{VS}/1", {**TYPED, "sbp": "120", "act": "draft", "kept_draft": "1"})
    assert done.status_code == 303
    assert kept(database) == {}
    tell(carl, "keep", {"seen_version": "1", "sbp": "121"})
    assert "You typed this" in carl.get(VS).text
    assert tell(carl, "discard").location == VS
    assert kept(database) == {}


def test_what_is_stored_already_is_offered_to_nobody(carl, desk):
    desk.save({"sbp": "120"})
    tell(carl, "keep", {"seen_version": "1", "sbp": "120"})
    assert "You typed this" not in carl.get(VS).text


def test_a_draft_older_than_what_is_stored_leads_to_both_versions(carl, desk):
    desk.save({"sbp": "120"})
    tell(carl, "keep", {"seen_version": "1", "sbp": "125", "remark": "mine"})
    desk.save({"sbp": "122"}, actor=people.ANNA, reason="Read again")
    page = carl.get(VS).text
    assert "Two versions" in page
    assert 'name="take:sbp"' in page


def test_a_draft_is_kept_only_where_its_writer_may_write_now(carl, visitor, database):
    assert tell(carl, "keep", path=ELSEWHERE).status_code == 404
    assert tell(visitor(people.MONA), "keep").status_code == 403
    with database.write() as session:
        session.execute(update(Participant).values(state="frozen"))
    assert tell(carl, "keep", TYPED).status_code == 409
    assert kept(database) == {}


@pytest.mark.req("F3")
def test_the_second_person_reads_only_and_is_told_who_edits(carl, anna, database, desk):
    """F3: a second user sees the form read-only with a message; other forms stay editable."""
    tell(anna, "open")
    page = carl.get(VS).text
    assert "Anna Li has this form open since 2026-03-02 12:00 (Asia/Shanghai" in page
    assert 'name="sbp"' not in page
    assert 'name="LUNG.score"' in carl.get(VS.replace("/vs", "/gr")).text
    anyway = carl.get(f"{VS}?edit=1").text
    assert 'name="sbp"' in anyway
    assert tell(carl, "open").json["others"] == ["Anna Li"]
    assert 'name="sbp"' in anna.get(VS).text
    tell(anna, "leave")
    assert "Anna Li" not in carl.get(VS).text.split("<main")[1]


def test_a_screen_that_is_silent_counts_as_gone(carl, anna, database):
    tell(anna, "open")
    with database.write() as session:
        session.execute(update(Draft).values(there_until=people.NOON))
    assert 'name="sbp"' in carl.get(VS).text


def test_drafts_nobody_came_back_to_are_deleted(carl, anna, database):
    tell(anna, "keep", TYPED)
    with database.write() as session:
        session.execute(update(Draft).values(kept_at=people.NOON - keeping.KEPT))
    tell(carl, "open")
    assert set(kept(database)) == {people.ANNA.id, people.CARL.id}
    with database.write() as session:
        session.execute(update(Draft).values(kept_at=Draft.kept_at))
        keeping.purge(session, people.NOON + timedelta(seconds=1))
    assert set(kept(database)) == {people.CARL.id}


@pytest.mark.parametrize(
    ("act", "leads"),
    [
        ("next", VS.replace("/vs", "/gr")),
        ("next participant", f"/{STUDY_ID}/participants"),
        ("draft", f"/{STUDY_ID}/queries?site=PUMCH"),
    ],
)
@pytest.mark.req("F2")
def test_a_save_leads_where_the_person_wants_to_go(carl, act, leads):
    """F2: save and stay, next form, next record; leaving a changed form can save first."""
    going = {"going": leads} if act == "draft" else {}
    sent = {"seen_version": "0", "sbp": "120", "act": act, **going}
    assert carl.post(f"{VS}/1", sent).location == leads


def test_a_save_leads_nowhere_outside(carl):
    sent = {"seen_version": "0", "sbp": "120", "act": "draft", "going": "//evil.example"}
    assert carl.post(f"{VS}/1", sent).location == "/"


def test_the_history_of_an_item_can_be_shown_above_its_form(carl, desk, statements, database):
    desk.save({"sbp": "200"})
    desk.save({"sbp": "120"}, reason="Read again")
    with statements(database) as sent:
        part = carl.get(f"{VS}/1/history?item=sbp&part=1").text
    assert len(sent) <= 6, sent
    assert "<html" not in part
    for said in ("Read again", "2026-03-02 04:00 UTC", "Asia/Shanghai", "study coordinator"):
        assert said in part


def test_a_changed_item_shows_what_it_was(carl, desk):
    desk.save({"sbp": "120", "dbp": "80"}, complete=True)
    sent = {"seen_version": "1", "act": "complete", "sbp": "125", "dbp": "81"}
    page = carl.post(f"{VS}/1", sent).text
    assert 'data-was="sbp">was: 120</p>' in page
    assert 'data-was="dbp">was: 80</p>' in page
    wrong = {**sent, "dbp": "8o", "reason_code": "source", "reason": "Chart 2"}
    again = carl.post(f"{VS}/1", wrong)
    assert again.status_code == 422
    assert 'value="Chart 2"' in again.text
    assert 'value="source" checked' in again.text


def test_what_a_clock_sends_does_not_keep_the_session(carl, services, app, database):
    app.extensions["ecrf"] = services.__class__(
        services.config, database, lambda: people.NOON + timedelta(minutes=10), services.draw
    )
    tell(carl, "there")
    app.extensions["ecrf"] = services.__class__(
        services.config, database, lambda: people.NOON + timedelta(minutes=16), services.draw
    )
    assert tell(carl, "keep", TYPED).status_code == 401


def test_who_says_that_they_are_there_stays_signed_in(carl, services, app, database):
    for minutes in (10, 20, 30):
        app.extensions["ecrf"] = services.__class__(
            services.config, database, lambda m=minutes: people.NOON + timedelta(minutes=m),
            services.draw,
        )  # fmt: skip
        assert carl.get("/still-here").status_code == 204
