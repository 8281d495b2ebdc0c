"""Pages of the laboratory: ranges, alerts, files of results; who reaches them."""

import io

import pytest

from tests import people
from tests.forms.conftest import Desk
from tests.forms.laboratory.conftest import RANGES, running  # noqa: F401 (a fixture)
from tests.forms.trial import STUDY_ID

BASE = f"/{STUDY_ID}"


@pytest.fixture
def desk(running, by):  # noqa: F811 (the fixture)
    return Desk(running, by)


def sent(name, content):
    return {name: (io.BytesIO(content.encode()), f"{name}.csv")}


def test_a_table_of_ranges_is_loaded_and_a_wrong_one_changes_nothing(desk, visitor):
    dora = visitor(people.DORA)
    wrong = dora.post(f"{BASE}/laboratory", sent("table", RANGES + ",,ALT,F,,,x,1,2,U/L,\n"))
    assert wrong.status_code == 422
    assert "Line 5" in wrong.text
    assert "Reference ranges <span" in wrong.text
    assert "(0)</span>" in wrong.text
    assert dora.post(f"{BASE}/laboratory", sent("table", RANGES)).status_code == 303
    one = {"analyte": "PLAT", "site": "PUMCH", "starts_on": "2026-01-01", "low": "100"}
    assert dora.post(f"{BASE}/laboratory", one).status_code == 303
    page = dora.get(f"{BASE}/laboratory?analyte=PLAT")
    assert "illustrative, unverified" in page.text
    assert "(4)</span>" in page.text
    assert visitor(people.CARL).get(f"{BASE}/laboratory").status_code == 403


def test_an_alert_stands_on_today_until_it_is_acknowledged(desk, visitor):
    desk.save({"plat": "60"}, form="lb")
    anna, bo = visitor(people.ANNA), visitor(people.BO)
    group = '<h2 class="govuk-heading-m" id="alerts">'
    assert group in anna.get(f"{BASE}/").text
    assert group not in bo.get(f"{BASE}/").text
    assert "Platelets below 75" not in bo.get(f"{BASE}/alerts").text
    again = anna.post(f"{BASE}/alerts/1", {"comment": " "})
    assert again.status_code == 422
    assert bo.post(f"{BASE}/alerts/1", {"comment": "x"}).status_code == 404
    assert anna.post(f"{BASE}/alerts/1", {"comment": "Dose held"}).status_code == 303
    assert group not in anna.get(f"{BASE}/").text
    assert "Dose held" in visitor(people.DORA).get(f"{BASE}/alerts").text


def test_a_file_is_sent_looked_at_and_taken_in(desk, visitor):
    carl = visitor(people.CARL)
    content = (
        "Code,visit,date,test,result,unit\nPUMCH-001,BL,2026-03-01,PLT,74,\nX,BL,,PLT,1,\n"
    )
    how = {"laboratory": "Central", "columns": "participant = Code", "tests": "PLT = PLAT"}
    answer = carl.post(f"{BASE}/results", {**sent("file", content), **how})
    assert answer.status_code == 303
    page = carl.get(answer.location)
    assert "There is no participant X at your sites." in page.text
    assert "Take in the 1 good line(s)" in page.text
    assert visitor(people.BO).get(answer.location).status_code == 404
    assert carl.post(answer.location, {"act": "accept"}).status_code == 303
    assert "Platelets below 75" in visitor(people.ANNA).get(f"{BASE}/alerts").text
    again = carl.post(f"{BASE}/results", {**sent("file", content), **how})
    assert "Nothing was changed" in carl.get(again.location).text
    assert "participant = Code" in carl.get(f"{BASE}/results?laboratory=Central").text
    missing = carl.post(f"{BASE}/results", {**sent("file", "a,b\n1,2\n"), **how})
    assert (missing.status_code, "no column for participant" in missing.text) == (422, True)


def test_a_result_shows_its_range_beside_it(desk, visitor):
    visitor(people.DORA).post(f"{BASE}/laboratory", sent("table", RANGES))
    desk.save({"lbdat": "2026-03-01", "lab_id": "Central", "plat": "124"}, form="lb")
    page = visitor(people.CARL).get(f"{BASE}/participants/PUMCH-001/visits/BL/lb")
    assert "125–350" in page.text
    assert "illustrative, unverified" in page.text
