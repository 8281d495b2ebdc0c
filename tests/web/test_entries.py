import re

import pytest
from sqlalchemy import select, update

from ecrf.kernel.signatures import Signature
from forms.tables import Entry, Query
from tests import people
from tests.forms.conftest import Desk
from tests.forms.trial import STUDY_ID, begin
from visits.tables import Participant

VISIT = f"/{STUDY_ID}/participants/PUMCH-001/visits/BL"
VS, GR = f"{VISIT}/vs", f"{VISIT}/gr"
NORMAL = {"sbp": "120", "dbp": "80"}


@pytest.fixture
def database(database, draw):
    return begin(database, draw)


@pytest.fixture
def desk(database, by):
    return Desk(database, by)


@pytest.fixture
def carl(visitor):
    return visitor(people.CARL)


def stored(database):
    with database.read() as session:
        found = list(session.scalars(select(Entry).order_by(Entry.id)))
        session.expunge_all()
        return found


def send(person, path, seen=0, act="draft", **data):
    fields = {key.replace("__", "."): value for key, value in data.items()}
    return person.post(f"{path}/1", {"seen_version": str(seen), "act": act, **fields})


def value(page, name):
    match = re.search(rf'name="{re.escape(name)}"[^>]*value="([^"]*)"', page.text)
    return match and match[1]


def test_an_empty_form_shows_every_item_with_its_label_and_hint(carl):
    page = carl.get(VS)
    assert page.status_code == 200
    for word in ("Systolic", "Without shoes", "Save draft", "Save and mark complete", "kg"):
        assert word in page.text
    assert '<label class="govuk-label" for="weight">' in page.text
    assert "style=" not in page.text
    assert "<script>" not in page.text


def test_a_save_is_stored_and_leads_back_to_the_form(carl, database):
    answer = send(
        carl, VS, **NORMAL, weight="65000", weight__unit="g", symptoms=["COUGH", "RASH"]
    )
    assert (answer.status_code, answer.location) == (303, f"{VS}?done=1")
    (entry,) = stored(database)
    assert entry.answers["weight"] == {"text": "65000", "unit": "g", "value": "65"}
    assert entry.answers["symptoms"]["value"] == "COUGH,RASH"
    page = carl.get(answer.location)
    assert "✓ Saved." in page.text
    assert value(page, "weight") == "65000"
    assert '<option value="g" selected>' in page.text
    assert "= 65 kg" in page.text
    assert value(page, "seen_version") == "1"


def test_a_save_costs_at_most_eight_statements_with_finding_out_who_asks(
    carl, desk, database, statements
):
    desk.save(NORMAL, visit="SCR")
    with statements(database) as sent:
        send(carl, VS, act="complete", sbp="200", dbp="210")
    assert len(sent) <= 8, sent
    with statements(database) as sent:
        answer = send(carl, VS, seen=1, act="complete", dbp="80", sbp="",
                      reason_code="source", reason="Chart 2")  # fmt: skip
    assert answer.status_code == 303
    assert len(sent) <= 8, sent


def test_what_cannot_be_read_is_said_on_top_and_beside_and_what_was_typed_stays(carl, database):
    page = send(carl, VS, sbp="12o", dbp="81", remark="x" * 21, pain="50")
    assert page.status_code == 422
    assert not stored(database)
    assert '<a href="#sbp">Systolic: “12o” is not a number.' in page.text
    assert 'id="sbp-error"' in page.text
    assert 'aria-describedby="sbp-error" aria-invalid="true"' in page.text
    for typed in ('value="12o"', 'value="81"', 'value="50"', "x" * 21):
        assert typed in page.text


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        ({"weight": "401", "weight__unit": "kg"}, "Nobody weighs that much."),
        ({"sbp": "301"}, "301 is not possible"),
        ({"weight": "60", "weight__unit": "stone"}, "“stone” is no unit of it"),
        ({"position": "STANDING"}, "“STANDING” is none of its codes"),
        ({"taken": "5/3/26"}, "can be read in two ways"),
    ],
)
def test_what_is_impossible_is_refused_with_what_would_be_right(carl, database, sent, message):
    page = send(carl, VS, **sent)
    assert page.status_code == 422
    assert message in page.text
    assert not stored(database)


def test_a_doubtful_answer_is_saved_and_asked_about_beside_the_item(carl, database):
    assert send(carl, VS, sbp="200", dbp="80").status_code == 303
    page = carl.get(VS)
    assert "Systolic: 200 is unusual. Expected is 90 to 180." in page.text
    assert "ec-finding" in page.text
    assert f'href="/{STUDY_ID}/queries/1"' in page.text


def test_a_change_is_asked_why_with_old_and_new_and_saved_with_the_reason(carl, desk, database):
    desk.save(NORMAL, complete=True)
    page = send(carl, VS, seen=1, act="complete", sbp="125", dbp="80", remark="resting")
    assert page.status_code == 422
    assert "Say why answers given earlier are being changed." in page.text
    assert re.search(r'class="ec-old">120</td><td>125</td>', page.text)
    assert 'value="resting"' in page.text
    assert stored(database)[0].version == 1
    again = send(carl, VS, seen=1, act="complete", sbp="125", dbp="80", remark="resting",
                 reason_code="transcription", reason="read from line 2")  # fmt: skip
    assert again.status_code == 303
    history = carl.get(f"{VS}/1/history?item=sbp").text
    assert "Transcription error: read from line 2" in history
    assert re.search(r'class="ec-old">120</td>\s*<td>125</td>', history)


def test_another_reason_needs_words(carl, desk):
    desk.save(NORMAL)
    page = send(carl, VS, seen=1, sbp="125", dbp="80", reason_code="other", reason=" ")
    assert page.status_code == 422
    assert re.search(r'value="other" checked', page.text)


def test_the_second_of_two_savers_sees_both_versions_and_keeps_the_typing(carl, desk, database):
    desk.save({**NORMAL, "weight": "60"})
    desk.save({"sbp": "122", "weight": "61"}, actor=people.ANNA, reason="Read again")
    page = send(carl, VS, seen=1, sbp="125", dbp="80", weight="60", remark="mine")
    assert page.status_code == 409
    assert "Anna Li saved this form while you had it open" in page.text
    row = re.search(r">Systolic</a></th><td>120</td>(.*?)</tr>", page.text, re.DOTALL)
    assert row and "122</label>" in row[1] and "125</label>" in row[1]
    assert "you did not change it: theirs is taken" in page.text
    assert value(page, "weight") == "61"
    assert value(page, "remark") == "mine"
    assert value(page, "seen_version") == "2"
    assert stored(database)[0].version == 2
    chosen = {"sbp": "125", "dbp": "80", "weight": "61", "remark": "mine", "clash": "sbp",
              "base_version": "1", "reason_code": "source"}  # fmt: skip
    unsure = send(carl, VS, seen=2, **chosen)
    assert unsure.status_code == 422
    assert "Systolic: choose an answer." in unsure.text
    assert value(unsure, "sbp") == "125"
    theirs = send(carl, VS, seen=2, **chosen, **{"take:sbp": "theirs"})
    assert theirs.status_code == 303
    kept = stored(database)[0].answers
    assert [kept[key]["text"] for key in ("sbp", "weight", "remark")] == ["122", "61", "mine"]


def test_the_same_form_sent_twice_is_saved_once(carl, database):
    first, second = send(carl, VS, **NORMAL), send(carl, VS, **NORMAL)
    assert (first.status_code, second.status_code) == (303, 303)
    assert stored(database)[0].version == 1


def test_sending_a_form_back_untouched_changes_nothing(carl, desk, database):
    desk.save({**NORMAL, "symptoms": "rash; cough", "position": "lying", "remark": "a"})
    answer = send(carl, VS, seen=1, **NORMAL, symptoms=["COUGH", "RASH"], position="LYING",
                  remark="a")  # fmt: skip
    assert answer.status_code == 303
    assert stored(database)[0].version == 1


def test_a_locked_form_refuses_and_shows_what_was_typed(carl, desk, database):
    desk.save(NORMAL)
    with database.write() as session:
        session.execute(update(Participant).values(state="locked"))
    page = send(carl, VS, seen=1, **NORMAL, remark="late")
    assert page.status_code == 409
    assert "This participant is locked: nothing can be changed." in page.text
    assert 'value="late"' in page.text
    assert "<input" not in carl.get(VS).text.split('<main id="main"')[1]


def test_a_form_not_due_says_so_instead_of_offering_inputs(carl, database):
    path = VS.replace("/BL/", "/W4/")
    page = carl.get(path)
    assert page.status_code == 200
    assert "Week 4 has no date yet. Enter the date of the visit first." in page.text
    assert 'name="sbp"' not in page.text
    assert send(carl, path, **NORMAL).status_code == 409
    assert not stored(database)


@pytest.mark.parametrize("actor", [people.BO, people.PETRA])
def test_a_participant_of_another_site_is_not_found(visitor, actor, desk, database):
    desk.save(NORMAL)
    person = visitor(actor)
    missing = 404 if actor is people.BO else 403
    assert person.get(VS).status_code == missing
    assert send(person, VS, seen=1, sbp="99").status_code == missing
    assert stored(database)[0].answers["sbp"]["value"] == "120"


@pytest.mark.parametrize("path", [f"{VISIT}/nothing", f"{VS}/2", VS.replace("001", "777")])
def test_what_does_not_exist_is_not_found(carl, path):
    assert carl.get(path).status_code == 404


def test_those_who_only_read_see_answers_and_no_inputs(visitor, desk):
    desk.save({**NORMAL, "position": "LYING"})
    mona = visitor(people.MONA)
    page = mona.get(VS)
    assert "Lying" in page.text
    assert 'name="sbp"' not in page.text
    assert "Ask a question" in page.text
    assert send(mona, VS, seen=1, sbp="99").status_code == 403


def test_the_remaining_rows_are_filled_in_without_being_saved(carl, database):
    page = carl.post(f"{GR}/1", {"fill": "organs", "LUNG.score": "2", "seen_version": "0"})
    assert page.status_code == 200
    assert not stored(database)
    chosen = re.findall(r'<option value="(\d)" selected>', page.text)
    assert chosen == ["2", "0", "0"]


def test_a_grid_is_saved_and_its_total_computed(carl, database):
    answer = send(
        carl, GR, act="complete", LUNG__score="2", LUNG__urgent="Y", SKIN__score="0",
        CONST__score="0",
    )  # fmt: skip
    assert answer.status_code == 303
    page = carl.get(GR)
    assert re.search(r'<output id="total"[^>]*>4 ?</output>', page.text)
    assert 'data-label="Score"' in page.text
    assert "LUNG.score" in page.text


def test_the_preview_says_what_applies_and_is_computed_and_stores_nothing(carl, desk, database):
    desk.save({"sex": "F"}, visit="SCR", form="dm")
    desk.save({"weight": "60"}, visit="SCR")
    told = carl.post(f"{VS}/1/preview", {"weight": "61.5", "sbp": "200"}).json
    assert told["derived"] == {"gain": "1.5"}
    assert told["applies"]["pregnant"] is True
    assert told["findings"]["sbp"] == ["Systolic: 200 is unusual. Expected is 90 to 180."]
    assert len(stored(database)) == 2


def test_an_item_that_does_not_apply_is_folded_away(carl, desk):
    assert "does not apply so far" in carl.get(VS).text
    desk.save({"sex": "F"}, visit="SCR", form="dm")
    assert "does not apply so far" not in carl.get(VS).text


def test_an_investigator_signs_with_the_password_and_a_change_breaks_it(visitor, carl, desk):
    desk.save(NORMAL, complete=True)
    anna = visitor(people.ANNA)
    wrong = anna.post(
        f"{VS}/1/sign", {"seen_version": "1", "username": "anna", "password": "wrong"}
    )
    assert wrong.status_code == 403
    assert "The user name or the password is not right" in wrong.text
    right = anna.post(
        f"{VS}/1/sign", {"seen_version": "1", "username": "anna", "password": people.PASSWORD}
    )
    assert right.status_code == 303
    page = anna.get(VS).text
    assert (
        "<strong>Anna Li</strong> (site investigator), 2026-03-02 12:00 (Asia/Shanghai" in page
    )
    assert "I have read these signs." in page
    answer = send(carl, VS, seen=1, sbp="121", dbp="80", reason_code="source", reason="x")
    assert answer.status_code == 303
    page = anna.get(VS).text
    assert "<s><strong>Anna Li" in page
    assert "it no longer stands" in page


def test_a_coordinator_does_not_sign(carl, desk, database):
    desk.save(NORMAL, complete=True)
    assert "Your password, again" not in carl.get(VS).text
    sent = carl.post(
        f"{VS}/1/sign", {"seen_version": "1", "username": "anna", "password": people.PASSWORD}
    )
    assert sent.status_code == 403
    with database.read() as session:
        assert session.scalar(select(Signature.id)) is None


def test_a_whole_form_is_marked_as_not_done_with_a_reason(carl, database):
    assert carl.post(f"{VS}/1/not-done", {"not_done_reason": ""}).status_code == 422
    done = carl.post(f"{VS}/1/not-done", {"not_done_reason": "Machine broken"})
    assert done.status_code == 303
    assert stored(database)[0].status == "not done"
    assert "Not done" in carl.get(VS).text
    again = f"{VS}/1/done-after-all"
    assert carl.post(again, {"again_reason": " "}).status_code == 422
    assert carl.post(again, {"again_reason": "Found the paper"}).status_code == 303
    assert stored(database)[0].status == "draft"
    assert "Found the paper" in carl.get(f"{VS}/1/history").text
    assert carl.post(again, {"again_reason": "Twice"}).status_code == 409


def test_saving_and_going_on_leads_to_the_next_form_and_then_to_the_visit(carl):
    assert send(carl, VS, act="next", **NORMAL).location == GR
    assert send(carl, GR, act="next", LUNG__score="0").location == VISIT


def test_a_log_offers_its_next_number(carl, desk):
    desk.save({"term": "Cough"}, visit="LOG", form="ae")
    path = f"/{STUDY_ID}/participants/PUMCH-001/visits/LOG/ae"
    assert f'href="{path}/2"' in carl.get(path).text
    assert carl.get(f"{path}/2").status_code == 200


def test_the_page_is_chinese_when_asked(carl):
    page = carl.get(f"{VS}?lang=zh")
    assert "Systolic（中）" in page.text


def test_nothing_typed_can_break_out_of_the_page(carl, desk):
    send(carl, VS, remark='"><script>x</script>')
    page = carl.get(VS)
    assert "<script>x" not in page.text
    assert "&lt;script&gt;x" in page.text


def test_a_question_is_asked_answered_and_closed_through_the_pages(
    visitor, carl, desk, database
):
    desk.save(NORMAL)
    dora = visitor(people.DORA)
    assert "About" in dora.get(f"{VS}/1/ask?item=sbp").text
    assert dora.post(f"{VS}/1/ask", {"item": "sbp", "query-text": " "}).status_code == 422
    sent = dora.post(f"{VS}/1/ask", {"item": "sbp", "query-text": "Which arm cuff?"})
    assert (sent.status_code, sent.location) == (303, f"{VS}?done=1#sbp")
    path = f"/{STUDY_ID}/queries/1"
    assert "Which arm cuff?" in carl.get(f"/{STUDY_ID}/queries").text
    page = carl.get(path).text
    assert "Systolic" in page
    assert "Diastolic" in page
    assert "Close" not in re.findall(r"formaction=[^>]*>([^<]*)<", page)
    assert carl.post(f"{path}/close", {"query-text": "no"}).status_code == 403
    assert carl.post(f"{path}/answer", {"query-text": "The left one."}).status_code == 303
    assert dora.post(f"{path}/close", {"query-text": "Thank you."}).status_code == 303
    assert carl.post(f"{path}/answer", {"query-text": "More"}).status_code == 409
    with database.read() as session:
        assert session.scalars(select(Query.status)).one() == "closed"
    assert "No query fits." in dora.get(f"/{STUDY_ID}/queries").text
    assert "The left one." in dora.get(path).text
    assert "Query closed" in dora.get(f"{VS}/1/history").text


def test_queries_of_another_site_are_neither_listed_nor_found(visitor, desk):
    desk.save({"sbp": "200"})
    bo = visitor(people.BO)
    assert "No query fits." in bo.get(f"/{STUDY_ID}/queries").text
    assert bo.get(f"/{STUDY_ID}/queries/1").status_code == 404
    assert bo.post(f"/{STUDY_ID}/queries/1/answer", {"query-text": "x"}).status_code == 404


def test_codes_are_shown_by_their_labels_wherever_answers_are_told(carl, desk):
    desk.save({"position": "LYING"})
    page = send(carl, VS, seen=1, position="SITTING")
    assert re.search(r'class="ec-old">Lying</td><td>Sitting</td>', page.text)
    assert "Lying" in carl.get(f"{VS}/1/history").text


@pytest.mark.parametrize("path", [f"{VS}/99999999999", f"/{STUDY_ID}/queries/99999999999"])
def test_a_number_beyond_every_table_is_not_found(carl, path):
    assert carl.get(path).status_code == 404
