"""The page of deviations, and what an entry's page leads to."""

import pytest

from tests import people
from tests.forms.conftest import Desk
from tests.forms.consequent import in_force
from tests.forms.trial import STUDY_ID, begin

PAGE = f"/{STUDY_ID}/deviations"
ENTRY = f"/{STUDY_ID}/participants/PUMCH-001/visits/BL/vs"


@pytest.fixture
def database(database, draw, monkeypatch):
    in_force(monkeypatch)
    return begin(database, draw)


def test_what_departs_is_listed_leads_to_its_entry_and_leaves_with_its_correction(
    visitor, database, by
):
    desk = Desk(database, by)
    desk.save({"sbp": "210", "dbp": "80"}, complete=True)
    manager = visitor(people.DORA)
    listed = manager.get(PAGE)
    assert listed.status_code == 200
    assert "Too high." in listed.text
    assert f'href="{ENTRY}"' in listed.text
    assert "Too high." not in visitor(people.BO).get(PAGE).text, "another site sees nothing"
    desk.save({"sbp": "120"}, reason="Transcription error")
    assert "Too high." not in manager.get(PAGE).text


def test_an_entry_leads_to_the_form_its_answers_call_for(visitor, database, by):
    desk = Desk(database, by)
    carl = visitor(people.CARL)
    desk.save({"sbp": "120", "dbp": "80"})
    assert "Report it." not in carl.get(ENTRY).text
    desk.save({"sbp": "210"}, reason="Transcription error")
    page = carl.get(ENTRY).text
    assert "Report it." in page
    assert f'href="/{STUDY_ID}/participants/PUMCH-001/visits/LOG/ae"' in page
