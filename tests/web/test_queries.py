"""Queries through the pages: asked anywhere, answered with a correction, closed in bulk."""

import csv
import io
import re

import pytest
from sqlalchemy import select

from forms.tables import Entry, Query
from tests import people
from tests.forms.conftest import Desk
from tests.forms.trial import STUDY_ID, begin

BASE = f"/{STUDY_ID}/participants/PUMCH-001"
VISIT = f"{BASE}/visits/BL"
VS = f"{VISIT}/vs"
QUEUE = f"/{STUDY_ID}/queries"
WORDS = "query-text"


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
def dora(visitor):
    return visitor(people.DORA)


def statuses(database):
    with database.read() as session:
        return list(session.scalars(select(Query.status).order_by(Query.id)))


def test_a_question_can_be_asked_about_every_place_and_is_shown_there(dora, carl, database):
    for path, item in ((f"{VS}/1", "dbp"), (f"{VS}/1", ""), (VISIT, ""), (BASE, "")):
        assert dora.get(f"{path}/ask?item={item}").status_code == 200
        sent = dora.post(f"{path}/ask", {"item": item, WORDS: f"About {item or path}?"})
        assert sent.status_code == 303, path
    assert statuses(database) == ["open"] * 4
    form = carl.get(VS).text
    assert f'href="{QUEUE}/1"' in form
    assert f'href="{QUEUE}/2"' in form
    visit, who = carl.get(VISIT).text, carl.get(BASE).text
    assert f"About {VISIT}?" in visit
    assert f"About {BASE}?" in who
    listed = carl.get(QUEUE).text
    for word in ("the whole form", "the date of the visit", "the participant", "Diastolic"):
        assert word in listed
    for number in (1, 2, 3, 4):
        assert carl.get(f"{QUEUE}/{number}").status_code == 200
    assert carl.get(f"{VS}/1/ask").status_code == 403
    assert carl.post(f"{VISIT}/ask", {WORDS: "Why?"}).status_code == 403


def test_a_value_is_corrected_and_the_query_answered_on_one_page(
    dora, carl, visitor, desk, database
):
    desk.save({"sbp": "120", "dbp": "80", "remark": "kept"})
    dora.post(f"{VS}/1/ask", {"item": "sbp", WORDS: "Please check."})
    page = carl.get(f"{QUEUE}/1").text
    assert re.search(r'name="sbp"[^>]*value="120"', page)
    assert 'name="remark"' not in page
    assert 'name="sbp"' not in dora.get(f"{QUEUE}/1").text
    given = {"seen_version": "1", "sbp": "125", "dbp": "80", WORDS: "It was 125."}
    sent = carl.post(f"{QUEUE}/1/answer?status=open", given)
    assert (sent.status_code, sent.location) == (303, f"{QUEUE}/1?status=open&done=1")
    with database.read() as session:
        entry = session.scalars(select(Entry)).one()
        assert (entry.answers["sbp"]["value"], entry.answers["remark"]["value"]) == (
            "125", "kept",
        )  # fmt: skip
    assert statuses(database) == ["answered"]
    assert "Query 1: It was 125." in carl.get(f"{VS}/1/history").text


def test_a_correction_that_cannot_be_taken_undoes_the_answer_and_keeps_what_was_typed(
    dora, carl, desk, database
):
    desk.save({"sbp": "120", "dbp": "80"})
    dora.post(f"{VS}/1/ask", {"item": "sbp", WORDS: "Please check."})
    for sbp, seen, status in (("999", "1", 422), ("125", "0", 409)):
        given = {"seen_version": seen, "sbp": sbp, "dbp": "80", WORDS: "My answer"}
        page = carl.post(f"{QUEUE}/1/answer", given)
        assert page.status_code == status
        assert "My answer</textarea>" in page.text
        assert re.search(rf'name="sbp"[^>]*value="{sbp}"', page.text)
    assert statuses(database) == ["open"]


def test_correcting_what_a_rule_found_closes_its_query_with_the_answer_kept(
    carl, desk, database
):
    desk.save({"sbp": "200", "dbp": "80"})
    given = {"seen_version": "1", "sbp": "120", "dbp": "80", WORDS: "Mistyped."}
    assert carl.post(f"{QUEUE}/1/answer", given).status_code == 303
    assert statuses(database) == ["closed"]
    assert "Mistyped." in carl.get(f"{QUEUE}/1").text


def test_answered_queries_are_ticked_reviewed_and_closed(dora, carl, desk, database):
    desk.save({"sbp": "120"})
    for item in ("sbp", "dbp"):
        dora.post(f"{VS}/1/ask", {"item": item, WORDS: "Please check."})
    carl.post(f"{QUEUE}/1/answer", {WORDS: "As in the chart."})
    page = dora.get(f"{QUEUE}?tick=1").text
    assert re.findall(r'name="pick" value="(\d+)"[^>]*checked', page) == ["1"]
    assert 'name="pick"' not in carl.get(QUEUE).text
    review = dora.get(f"{QUEUE}/review?pick=1&pick=2&pick=x").text
    assert "As in the chart." in review
    assert re.findall(r'name="pick" value="(\d+)"', review) == ["1"]
    assert dora.post(f"{QUEUE}/close", {"pick": ["1"], WORDS: " "}).status_code == 422
    assert dora.post(f"{QUEUE}/close", {WORDS: "Fine."}).status_code == 422
    assert dora.post(f"{QUEUE}/close", {"pick": ["1", "2"], WORDS: "x"}).status_code == 409
    assert carl.post(f"{QUEUE}/close", {"pick": ["1"], WORDS: "x"}).status_code == 403
    sent = dora.post(f"{QUEUE}/close", {"pick": ["1"], WORDS: "Fine."})
    assert sent.location == f"{QUEUE}?done=1&closed=1"
    assert statuses(database) == ["closed", "open"]


@pytest.mark.req("Q7")
def test_filters_stay_in_the_address_from_the_list_to_the_next_query(dora, carl, desk):
    """Q7: filter by record, field, event and user; the list is walked within the filter."""
    desk.save({"sbp": "200", "dbp": "80"})
    for item in ("sbp", "dbp", "sbp"):
        dora.post(f"{VS}/1/ask", {"item": item, WORDS: "Please check."})
    found = f"{QUEUE}?status=live&amp;item=sbp&amp;mine=opened"
    page = dora.get(found.replace("&amp;", "&")).text
    assert re.findall(rf'href="{QUEUE}/(\d+)\?status=live&amp;item=sbp', page) == ["2", "4"]
    page = dora.get(f"{QUEUE}/2?status=live&item=sbp&mine=opened").text
    assert re.search(rf'rel="next" href="{QUEUE}/4\?status=live&amp;item=sbp', page)
    assert 'rel="prev"' not in page
    lines = list(csv.DictReader(io.StringIO(dora.get(f"{QUEUE}.csv?item=sbp").text)))
    assert [(line["query"], line["rule"], line["asked_by"]) for line in lines] == [
        ("1", "soft_limit", ""), ("2", "", "Dora Chen"), ("4", "", "Dora Chen"),
    ]  # fmt: skip
    assert "No query fits." in dora.get(f"{QUEUE}?age=8").text


def test_a_query_is_assigned_and_counted_for_whom_it_waits(dora, carl, visitor, desk):
    desk.save({"sbp": "120"})
    dora.post(f"{VS}/1/ask", {"item": "sbp", WORDS: "Please check."})
    key = f"study coordinator:{people.CARL.id}"
    assert dora.post(f"{QUEUE}/1/assign", {"assignee": key}).status_code == 303
    assert "Assigned to me</a> (1)" in carl.get(QUEUE).text.replace(" (1)</a>", "</a> (1)")
    assert "Assigned to me (0)" in visitor(people.ANNA).get(QUEUE).text
    assert "Carl Wu" in dora.get(f"{QUEUE}?status=open").text
    assert dora.post(f"{QUEUE}/1/assign", {"assignee": "boss:9"}).status_code == 422
    assert visitor(people.BO).post(f"{QUEUE}/1/assign", {"assignee": ""}).status_code == 404
    assert visitor(people.AUDREY).post(f"{QUEUE}/1/assign", {}).status_code == 403


def test_the_figures_are_a_table_and_a_file(dora, carl, desk):
    desk.save({"sbp": "200", "dbp": "80"})
    assert "PUMCH" in dora.get(f"{QUEUE}/figures").text
    lines = list(csv.DictReader(io.StringIO(dora.get(f"{QUEUE}/figures.csv").text)))
    assert [(line["site"], line["open"], line["oldest_days"]) for line in lines] == [
        ("BFH", "0", ""), ("PUMCH", "1", "0"),
    ]  # fmt: skip
    assert "BFH" not in carl.get(f"{QUEUE}/figures.csv").text


def test_pages_of_queries_cost_the_same_however_many_there_are(
    dora, carl, desk, database, statements
):
    def cost():
        found = []
        for path in (QUEUE, f"{QUEUE}/1", f"{QUEUE}/figures", VS, VISIT, BASE):
            with statements(database) as sent:
                assert carl.get(path).status_code == 200
            found.append(len(sent))
        return found

    desk.save({"sbp": "200", "dbp": "80"})
    few = cost()
    for item in ("sbp", "dbp", "pain", "remark"):
        dora.post(f"{VS}/1/ask", {"item": item, WORDS: "Please check."})
    dora.post(f"{VISIT}/ask", {WORDS: "Why then?"})
    assert cost() == few
    assert max(few[:3]) <= 9
