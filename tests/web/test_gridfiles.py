import csv
import io
from datetime import date

import pytest
from sqlalchemy import update

from tests import people
from tests.forms.conftest import Desk
from tests.forms.trial import STUDY_ID, begin
from visits.tables import Visit

GRID = f"/{STUDY_ID}/participants"


@pytest.fixture
def database(database, draw):
    return begin(database, draw)


@pytest.fixture
def desk(database, by):
    return Desk(database, by)


def rows(answer):
    return list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))


def test_the_grid_is_taken_away_as_shown_and_of_ones_own_sites_only(visitor, desk):
    answer = visitor(people.CARL).get(f"{GRID}.csv")
    assert answer.mimetype == "text/csv"
    head, *lines = rows(answer)
    assert head == ["Participant", "Site", "Status", "SCR", "BL", "W4", "LOG"]
    assert [line[0] for line in lines] == ["PUMCH-001"]
    assert {line[0] for line in rows(visitor(people.MONA).get(f"{GRID}.csv"))[1:]} == {
        "PUMCH-001", "BFH-001",
    }  # fmt: skip
    assert rows(visitor(people.MONA).get(f"{GRID}.csv?site=BFH&lang=zh"))[1][:2] == [
        "BFH-001", "BFH",
    ]  # fmt: skip


def test_who_needs_me_are_those_with_something_for_my_role(visitor, desk):
    mona = visitor(people.MONA)
    assert "PUMCH-001" not in mona.get(f"{GRID}?needs=me").text
    desk.save({"sbp": "200", "dbp": "80"}, complete=True)
    page = mona.get(f"{GRID}?needs=me").text
    assert "PUMCH-001" in page
    assert "BFH-001" not in page
    assert f'href="{GRID}.csv?needs=me"' in page
    assert len(rows(mona.get(f"{GRID}.csv?needs=me"))) == 2
    assert "PUMCH-001" in visitor(people.CARL).get(f"{GRID}?needs=me").text


def test_the_visits_due_are_a_calendar_without_anything_answered(visitor, database):
    with database.write() as session:
        session.execute(
            update(Visit)
            .where(Visit.key == "W4")
            .values(first=date(2026, 3, 3), last=date(2026, 3, 9), due=date(2026, 3, 9))
        )
    answer = visitor(people.CARL).get(f"/{STUDY_ID}/due.ics?lang=zh")
    assert answer.mimetype == "text/calendar"
    text = answer.data.decode()
    assert text.startswith("BEGIN:VCALENDAR\r\n") and text.endswith("END:VCALENDAR\r\n")
    assert "DTSTART;VALUE=DATE:20260303\r\nDTEND;VALUE=DATE:20260310\r\n" in text
    assert "SUMMARY:PUMCH-001 Week 4（中）" in text
    assert "BFH-001" not in text
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
