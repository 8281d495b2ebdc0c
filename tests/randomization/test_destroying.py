"""Destruction: two signatures, settled kits only, and never while the books do not close."""

from datetime import date

import pytest
from sqlalchemy import delete, insert

from ecrf.kernel.errors import Conflict, NotAllowed, NotFound, Unacceptable
from randomization.supplying import api as supplies
from randomization.supplying.tables import Shipment, Shipped
from tests.people import ANNA, NOON, PAUL, PETRA, STUDY
from tests.randomization.conftest import who
from tests.randomization.test_giving import HALF, LATER, given
from tests.randomization.test_shipments import SUE, acts, states

PLAN = supplies.Plan(STUDY, "PUMCH", "incineration", "Beijing waste plant", date(2026, 4, 1))


def test_two_people_sign_before_settled_kits_are_destroyed(vault, anna):
    first, second = given(vault, anna)
    paul, sue = who(PAUL, at=LATER), who(SUE, at=LATER)
    with pytest.raises(Conflict, match="No kit here"):
        supplies.propose(vault, paul, PLAN)
    supplies.take_back(vault, paul, STUDY, "PUMCH", first, HALF)
    number = supplies.propose(vault, paul, PLAN)
    assert supplies.sign(vault, paul, STUDY, "PUMCH", number) is False
    with pytest.raises(Conflict, match="You signed this already"):
        supplies.sign(vault, paul, STUDY, "PUMCH", number)
    assert states(vault)["destroyed"] == 0
    (found,) = supplies.certificates(vault, STUDY, "PUMCH")
    assert (found.kits, found.stands) == ((first,), False)
    assert supplies.sign(vault, sue, STUDY, "PUMCH", number) is True
    assert states(vault) == {"available": 118, "dispensed": 1, "destroyed": 1}
    (found,) = supplies.certificates(vault, STUDY, "PUMCH")
    assert [name for name, _ in found.signed] == ["Paul Sun", "Sue Ren"]
    assert supplies.balance(vault, STUDY, "PUMCH").difference == 0
    supplies.take_back(vault, paul, STUDY, "PUMCH", second, HALF)
    supplies.propose(vault, paul, PLAN)
    assert supplies.certificates(vault, STUDY, "PUMCH")[0].kits == (second,)
    assert "supply:refuse" in {act["action"] for act in acts(vault)}


def test_nothing_is_destroyed_while_the_books_do_not_close(vault, anna):
    first, _ = given(vault, anna)
    paul = who(PAUL, at=LATER)
    supplies.take_back(vault, paul, STUDY, "PUMCH", first, HALF)
    number = supplies.propose(vault, paul, PLAN)
    with vault.database.write() as session:
        session.execute(insert(Shipment).values(
            id=9, study=STUDY, environment="test", site="BFH", number=9, cause="x", sets=1,
            stage="received", requested_by=1, requested_at=NOON,
        ))  # fmt: skip
        session.execute(insert(Shipped).values(shipment_id=9, kit_id=1, condition=""))
    for do in (lambda: supplies.propose(vault, paul, PLAN),
               lambda: supplies.sign(vault, paul, STUDY, "PUMCH", number)):  # fmt: skip
        with pytest.raises(Conflict, match="does not close: -1 kits differ"):
            do()
    with vault.database.write() as session:
        session.execute(delete(Shipped))
    assert supplies.sign(vault, paul, STUDY, "PUMCH", number) is False


def test_a_destruction_is_no_business_of_other_sites_or_of_the_blinded(vault, anna):
    first, _ = given(vault, anna)
    supplies.take_back(vault, who(PAUL, at=LATER), STUDY, "PUMCH", first, HALF)
    number = supplies.propose(vault, who(PAUL), PLAN)
    for actor in (PETRA, ANNA):
        with pytest.raises(NotAllowed):
            supplies.sign(vault, who(actor), STUDY, "PUMCH", number)
    with pytest.raises(NotFound):
        supplies.sign(vault, who(PETRA), STUDY, "BFH", number)
    with pytest.raises(Unacceptable):
        supplies.propose(vault, who(PAUL), supplies.Plan(STUDY, "PUMCH", " ", "x", PLAN.on))
