"""How far a form is and why an answer is missing: on pages, as stored, in the data files."""

import re
from pathlib import Path

import pytest

from ecrf.web import words
from reports import read, shape
from reports.read import Selection
from tests import people
from tests.forms.conftest import Desk
from tests.forms.trial import STUDY_ID, TRIAL, begin

pytestmark = pytest.mark.parametrize("kind", ["sqlite"])
BASE = f"/{STUDY_ID}/participants/PUMCH-001"
VS = f"{BASE}/visits/BL/vs"
STATUS = re.compile(
    r'<span class="ec-status ec-status--([\w-]+)">'
    r'<span class="ec-status__icon" aria-hidden="true">(.+?)</span> (.+?)</span>'
)


@pytest.fixture
def desk(database, draw, by):
    return Desk(begin(database, draw), by)


@pytest.fixture
def carl(desk, visitor):
    return visitor(people.CARL)


def exported(desk, form):
    """Return the lines of a form's data file, by visit."""
    [table] = [t for t in shape.tables([TRIAL]) if t.name == form]
    with desk.database.read() as session:
        found = read.entries(session, Selection(STUDY_ID, None, people.NOON), form)
        lines = {}
        for entry in found:
            keys = ["" for _ in shape.KEYS]
            keys[shape.KEYS.index("status")] = entry.status
            [row] = shape.rows(table, keys, entry.answers)
            lines[entry.visit] = dict(zip(table.header, row, strict=True))
        return lines


@pytest.mark.req("F1")
def test_a_form_is_shown_by_icon_word_and_colour_and_its_status_is_exported(desk, carl):
    """F1: nothing yet, begun, with an open query, complete; each of its own colour."""
    desk.save({"sex": "F"}, visit="SCR", form="dm", complete=True)
    desk.save({"sbp": "200"}, visit="SCR", complete=True)
    desk.save({"sbp": "120"})
    shown = {
        word: (colour, icon)
        for visit in ("SCR", "BL")
        for colour, icon, word in STATUS.findall(carl.get(f"{BASE}/visits/{visit}").text)
    }
    wanted = ("not started", "in progress", "has queries", "complete")
    for state in wanted:
        sign = words.sign(state)
        assert shown[sign.word.in_("en")] == (sign.colour, sign.icon)
    assert len({words.sign(state).icon for state in wanted}) == 4
    sheet = Path(words.__file__).with_name("static").joinpath("ecrf.css").read_text("utf-8")
    rules = re.findall(r"([^{}]*)\{ (--mark: \S+) (--tint: \S+) \}", sheet)
    painted = {
        state: (mark, tint)
        for state in wanted
        for chosen, mark, tint in rules
        if f".ec-status--{words.sign(state).colour}" in re.split(r"[,\s]+", chosen)
    }
    assert len(set(painted.values())) == 4
    assert {visit: line["status"] for visit, line in exported(desk, "vs").items()} == {
        "SCR": "complete", "BL": "draft",
    }  # fmt: skip


@pytest.mark.req("F4")
def test_a_missing_reason_is_chosen_stored_as_code_shown_with_label_and_exported(desk, carl):
    """F4: the choice stands beside the item; the page says the label, the file has the code."""
    page = carl.get(VS).text
    choice = page.split('<select class="govuk-select" id="sbp.missing"')[1].split("</select>")[
        0
    ]
    assert re.findall(r'value="(\w+)">([^<]+)<', choice) == [
        ("ND", "Not done"), ("UNK", "Unknown"),
    ]  # fmt: skip
    sent = {"seen_version": "0", "sbp.missing": "ND", "dbp": "80", "act": "draft"}
    assert carl.post(f"{VS}/1", sent).status_code == 303
    with desk.database.read() as session:
        found = desk.find(session)
        assert found.entry.answers["sbp"] == {"missing": "ND"}
    assert re.search(r'value="ND" selected>Not done<', carl.get(VS).text)
    line = exported(desk, "vs")["BL"]
    assert (line["sbp"], line["sbp__missing"]) == ("", "ND")
    assert (line["dbp"], line["dbp__missing"]) == ("80", "")
    both = {"seen_version": "1", "sbp": "120", "sbp.missing": "ND", "dbp": "80", "act": "draft"}
    assert "both an answer and a reason" in carl.post(f"{VS}/1", both).text


@pytest.mark.req("F4")
def test_an_answer_that_no_longer_applies_is_never_wiped_in_silence(desk, carl):
    """F4: a hidden item keeps its value; taking it away is a change with a reason."""
    desk.save({"sex": "F"}, visit="SCR", form="dm")
    desk.save({"sbp": "120", "pregnant": "Y"})
    desk.save({"sex": "M"}, visit="SCR", form="dm", reason="Transcription error")
    page = carl.get(VS).text
    assert "does not apply so far" in page
    assert re.search(r'name="pregnant" value="Y" checked', page)
    sent = {"seen_version": "1", "sbp": "120", "dbp": "80", "act": "draft"}
    kept = carl.post(f"{VS}/1", {**sent, "pregnant": "Y"})
    assert kept.status_code == 303
    with desk.database.read() as session:
        assert desk.find(session).answers["pregnant"].value == "Y"
    wiped = carl.post(f"{VS}/1", {**sent, "seen_version": "2"})
    assert wiped.status_code == 422
    assert "Say why answers given earlier are being changed" in wiped.text
    assert exported(desk, "vs")["BL"]["pregnant"] == "Y"
