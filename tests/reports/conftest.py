"""A trial that is locked, and its package: data of every kind, with bait for spreadsheets."""

import pytest
from sqlalchemy import update

from ecrf.kernel.access import Right
from forms import queries, signing
from forms.answers import Given
from reports import package
from tests import people
from tests.forms.conftest import Desk, desk, running  # noqa: F401 (fixtures)
from tests.forms.test_locking import _lock, notary  # noqa: F401 (a fixture)
from tests.forms.trial import STUDY_ID
from visits import lookup, participants
from visits.tables import Visit

FORMULA = '=HYPERLINK("x")'
FULL = {
    "sbp": "120", "dbp": "80", "position": "SITTING", "symptoms": "COUGH,RASH",
    "begin": "UN-UNK-2024", "taken": "20-FEB-2026", "remark": FORMULA,
}  # fmt: skip
GRID = {"LUNG.score": "2", "LUNG.urgent": "Y", "SKIN.score": "0", "CONST.score": "0"}


@pytest.fixture
def filled(desk):  # noqa: F811 (the fixture)
    """PUMCH-001 complete and signed, a value changed with a reason, a query closed."""
    desk.save({"sex": "F"}, "SCR", "dm", complete=True)
    desk.save({**FULL, "weight": Given("60200", "g")}, "SCR", "vs", complete=True)
    desk.save({"sbp": "118"}, "BL", "vs")
    changed = {"sbp": "119", "dbp": Given("", missing="ND"), "weight": "61.5"}
    desk.save(changed, "BL", "vs", reason="Tippfehler", complete=True)
    desk.save(GRID, "BL", "gr", complete=True)
    _sign(desk, "SCR")
    _sign(desk, "BL")
    _query(desk)
    _leave(desk)
    return desk


def _sign(desk, visit):  # noqa: F811
    with desk.database.write() as session:
        found = desk.find(session, visit, "vs", actor=people.ANNA, right=Right.ENTRY_SIGN)
        seen = found.version
        by = desk.by(people.ANNA)
        signing.sign(session, by, found, zone="Asia/Shanghai", seen_version=seen)


def _query(desk):  # noqa: F811
    with desk.database.write() as session:
        found = desk.find(session, "BL", "vs", actor=people.DORA, right=Right.QUERY_OPEN)
        asked = queries.open_(session, desk.by(people.DORA), found, "dbp", "@why no diastolic?")
    with desk.database.write() as session:
        found = queries.find(
            session, people.DORA, STUDY_ID, asked, Right.QUERY_CLOSE, lock=True
        )
        queries.close(session, desk.by(people.DORA), found, "cuff broken, 已核实")


def _leave(desk):  # noqa: F811
    with desk.database.write() as session:
        for code, who in (("PUMCH-001", people.ANNA), ("BFH-001", people.BO)):
            row = lookup.participant(session, who, STUDY_ID, code, Right.PARTICIPANT_READ)
            participants.screen_fail(session, desk.by(who), row, "not eligible")
        session.execute(
            update(Visit)
            .where(Visit.participant_id == 2)
            .values(status="planned", held_on=None)
        )


@pytest.fixture
def locked(filled, notary):  # noqa: F811
    """The same after the study's lock; gives (desk, id of the lock)."""
    return filled, _lock(filled, notary).id


@pytest.fixture
def make(running, notary, by, tmp_path):  # noqa: F811
    """Give `make(lock_id)`: export as Dora, or as somebody else, into a folder of its own."""
    counter = iter(range(100))

    def export(lock_id=None, actor=people.DORA):
        folder = tmp_path / f"packages-{next(counter)}"
        with running.write() as session:
            return package.make(running, session, by(actor), notary, folder, STUDY_ID, lock_id)

    return export


@pytest.fixture
def packed(locked, make):
    """The package of the study's lock."""
    return make(locked[1])
