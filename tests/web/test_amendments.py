"""The page of amendments over HTTP."""

import pytest

from tests import people
from tests.forms.amending.amended import AMENDED_PRINT, approve
from tests.forms.conftest import Desk
from tests.forms.trial import begin

PATH = f"/{people.STUDY}/amendments"
DRY = f"{PATH}/{AMENDED_PRINT}/PUMCH"
ADOPT = {
    "site": "PUMCH", "version": AMENDED_PRINT, "ethics_on": "2026-02-10",
    "effective_on": "2026-03-01", "reference": "EC 12",
}  # fmt: skip


@pytest.fixture
def dora(database, draw, by, visitor):
    desk = Desk(begin(database, draw), by)
    desk.save({"sbp": "150", "dbp": "70", "remark": "=1+1"}, visit="SCR", complete=True)
    with database.write() as session:
        approve(session, by(people.DORA))
    return visitor(people.DORA)


@pytest.mark.req("F7")
def test_a_data_manager_reads_the_differences_tries_dry_adopts_and_applies(dora, visitor):
    """F7: impact list, requester and approver, dated history."""
    page = dora.get(PATH).text
    assert "item sbp of form vs: soft upper limit 180 -&gt; 140" in page
    assert "Dirk Yang" in page
    assert "Apply at" not in page
    tried = dora.get(DRY).text
    assert "150 is unusual" in tried
    assert "'=1+1" in dora.get(f"{DRY}.csv").text
    wrong = dora.post(f"{PATH}/adopt", {**ADOPT, "effective_on": "soon"})
    assert (wrong.status_code, 'value="EC 12"' in wrong.text) == (422, True)
    assert dora.post(f"{PATH}/adopt", ADOPT).status_code == 303
    refused = dora.post(f"{PATH}/apply", {"site": "BFH", "version": AMENDED_PRINT})
    assert refused.status_code == 409
    assert dora.post(f"{PATH}/apply", ADOPT).status_code == 303
    page = dora.get(PATH).text
    assert "waits for a worker" in page
    assert "(EC 12); put in force by Dora Chen" in page
    assert dora.get(f"{PATH}/x/PUMCH").status_code == 404
    assert visitor(people.CARL).get(PATH).status_code == 403
    assert (
        visitor(people.CARL).get(f"/{people.STUDY}/participants/PUMCH-001").status_code == 200
    )
