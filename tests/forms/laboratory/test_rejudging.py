"""Ranges are corrected: which results are judged by another one, and accepting that."""

import pytest
from sqlalchemy import select

from ecrf.kernel import jobs
from ecrf.kernel.chance import Seeded
from ecrf.kernel.errors import Conflict, NotAllowed
from ecrf.kernel.ledger import LEDGER
from forms.laboratory import loading, rejudging, sheet
from forms.tables import Entry
from tests import people
from tests.forms.laboratory.conftest import RANGES, WITH_LAB
from tests.forms.trial import STUDY_ID

WORKS = rejudging.works(Seeded(b"job"))
RESULTS = {"lbdat": "2026-03-02", "lab_id": "Central", "alt": "60", "plat": "130"}


@pytest.fixture
def corrected(desk):
    """ALT 60 is high by the range of then, 7 to 40, and within the corrected 7 to 70."""
    _load(desk, RANGES)
    desk.save({"sex": "F"}, visit="SCR", form="dm")
    desk.save(RESULTS, visit="SCR", form="lb", complete=True)
    _load(desk, RANGES.replace("7,40", "7,70"))
    return desk


def _load(desk, text):
    with desk.database.write() as session:
        found = sheet.read(text.splitlines(), WITH_LAB)
        loading.load(session, desk.by(people.DORA), STUDY_ID, found.ranges, "0" * 64)


def _asked(desk, act, *args):
    with desk.database.write() as session:
        number = act(session, desk.by(people.DORA), STUDY_ID, *args)
    assert jobs.run(desk.database, WORKS, "one", lambda: people.NOON)
    return number


def _flag(desk):
    with desk.database.read() as session:
        answers = session.scalars(select(Entry.answers).where(Entry.form == "lb")).one()
        return answers["ALT.flag"]["value"]


def test_a_corrected_range_reaches_stored_results_only_when_it_is_accepted(corrected):
    looked = _asked(corrected, rejudging.ask)
    with corrected.database.read() as session:
        [line] = rejudging.listing(session, looked)
    assert (line.item, line.old_flag, line.new_flag) == ("alt", "H", "N")
    assert (line.old_grade, line.new_grade) == ("1", "0")
    assert _flag(corrected) == "H"
    _asked(corrected, rejudging.accept, looked, "The laboratory corrected its range.")
    assert _flag(corrected) == "N"
    with corrected.database.read() as session:
        c = LEDGER.act.c
        header = session.scalars(select(c.header).where(c.action == "entry:recompute")).one()
        assert f'"looked":{looked}' in header and "corrected its range" in header
        [line] = rejudging.listing(session, looked)
        assert line.status == "taken"
    with corrected.database.write() as session, pytest.raises(Conflict):
        rejudging.accept(session, corrected.by(people.DORA), STUDY_ID, looked, "Once more")
    again = _asked(corrected, rejudging.ask)
    with corrected.database.read() as session:
        assert rejudging.listing(session, again) == []


def test_a_form_saved_after_the_look_is_left_as_it_is(corrected):
    looked = _asked(corrected, rejudging.ask)
    corrected.save({"plat": "140"}, visit="SCR", form="lb", reason="Typing error")
    _asked(corrected, rejudging.accept, looked, "The laboratory corrected its range.")
    assert _flag(corrected) == "H"
    with corrected.database.read() as session:
        assert [line.status for line in rejudging.listing(session, looked)] == ["left"]
    with corrected.database.write() as session, pytest.raises(NotAllowed):
        rejudging.ask(session, corrected.by(people.CARL), STUDY_ID)
