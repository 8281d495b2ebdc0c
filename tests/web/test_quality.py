"""The page of data quality over HTTP."""

import io

import pytest

from tests import people
from tests.forms.conftest import Desk
from tests.forms.trial import begin

PATH = f"/{people.STUDY}/quality"


@pytest.fixture
def desk(database, draw, by):
    made = Desk(begin(database, draw), by)
    made.save({"sbp": "200"}, visit="SCR", complete=True)
    return made


@pytest.mark.req("Q3")
def test_a_data_manager_runs_sets_aside_downloads_and_asks_for_all_checks(desk, visitor):
    """Q2, Q3."""
    dora = visitor(people.DORA)
    page = dora.get(f"{PATH}?run=1&rule=D")
    assert "200, not 90 to 180" in page.text
    assert "PUMCH-001" in dora.get(f"{PATH}.csv?rule=D").text
    place = {"entry": "1", "item": "sbp", "rule": "D", "ran": "D", "act": "exclude"}
    assert dora.post(f"{PATH}/aside", place).status_code == 422
    assert dora.post(f"{PATH}/aside", {**place, "reason": "Twice"}).status_code == 303
    assert "200, not" not in dora.get(f"{PATH}?run=1&rule=D").text
    assert "Twice" in dora.get(f"{PATH}?run=1&rule=D&all=1").text
    bad = {"code": "DQ1", "form": "vs", "item": "sbp", "when": "sbpp > 1", "text": "x"}
    again = dora.post(f"{PATH}/rules", bad)
    assert (again.status_code, "sbpp" in again.text) == (422, True)
    assert dora.post(f"{PATH}/rules", {**bad, "when": "sbp > 1"}).status_code == 303
    file = io.BytesIO(b"code,form,item,when,text\nDQ2,vs,sbp,sbp > 1,x")
    sent = dora.post(f"{PATH}/rules", {"act": "file", "file": (file, "rules.csv")})
    assert sent.status_code == 303
    assert dora.post(f"{PATH}/rerun").status_code == 303
    assert "waits for a worker" in dora.get(PATH).text


@pytest.mark.req("Q5")
def test_only_who_may_sees_the_page_and_only_who_manages_changes(desk, visitor):
    """Q5."""
    assert visitor(people.CARL).get(PATH).status_code == 403
    mona = visitor(people.MONA)
    assert "Set aside" not in mona.get(f"{PATH}?run=1").text
    assert mona.post(f"{PATH}/rerun").status_code == 403
