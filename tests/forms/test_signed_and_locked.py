"""A signature and a lock are two things, and two acts."""

import json

import pytest
from sqlalchemy import select

from ecrf.kernel.ledger import LEDGER
from forms import signing
from forms.tables import Entry
from tests import people
from tests.forms.test_locking import FULL, _freeze, _sign

pytestmark = pytest.mark.parametrize("kind", ["sqlite"])


@pytest.mark.req("L3")
def test_signing_and_freezing_a_form_are_two_acts_of_two_people(desk):
    """L3: lock and signature are two rows of the ledger; neither is the other."""
    desk.save(FULL, "BL", "vs", complete=True)
    _sign(desk, "BL")
    _freeze(desk, participant="PUMCH-001", visit="BL", form="vs")
    with desk.database.read() as session:
        entry = session.scalars(select(Entry)).one()
        assert (signing.standing(entry), entry.state) == (True, "frozen")
        told = [json.loads(act[3]) for act in LEDGER.acts(session)]
    about = {one["action"]: one["name"] for one in told}
    assert about["entry:sign"] == people.ANNA.name
    assert about["data:freeze"] == people.DORA.name
    assert [one["action"] for one in told if one["key"] == "entry:1"] == [
        "entry:save", "entry:sign",
    ]  # fmt: skip
