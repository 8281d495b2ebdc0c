"""The vault app's pages of supply, over HTTP: a shipment, what is held back, a wrong kit."""

import csv
import io
import re
from datetime import date

import pytest
from sqlalchemy import insert, select

from ecrf.kernel.access import Actor, Grant, Role
from ecrf.kernel.chance import Seeded
from ecrf.kernel.ledger import By, Origin
from ecrf.kernel.people import GrantRow, Person
from randomization import api
from randomization.supplying.api import DEPOT
from randomization.tables import Kit
from tests.people import ALMA, ANNA, NOON, PASSWORD, PAUL, PETRA, START, STUDY
from tests.web.test_randomize import (  # noqa: F401
    CODE,
    app,
    confirm,
    database,
    listed_databases,
    opened,
    ready_databases,
    trial,
    unblinded,
    vault_app,
)
from visits.tables import KitGiven

SUE = Actor(40, "Sue Ren", frozenset({Grant(STUDY, Role.SUPPLIER)}))
HOME = f"/vault/{STUDY}"


@pytest.fixture
def stocked(database, opened):  # noqa: F811
    """The shipped trial with a supply manager, and 12 kits of each arm in the depot."""
    with database.write() as session:
        session.execute(insert(Person).values(
            id=SUE.id, username="sue", name=SUE.name, password="-", locale="en",
            created_at=START,
        ))  # fmt: skip
        session.execute(insert(GrantRow).values(
            person_id=SUE.id, study=STUDY, role=Role.SUPPLIER, site=None, starts_at=START,
        ))  # fmt: skip
    by = By(ALMA, NOON, Origin.COMMAND, Seeded(b"depot"))
    contents = {"MMF": 12, "PBO": 12}
    api.register_kits(
        opened, by, api.Packing(STUDY, DEPOT, "P-002", date(2029, 6, 1), contents)
    )
    return opened


def act(visitor, page, act, **other):
    return visitor.post(page, {"act": act, **other})


def numbers(text):
    return sorted(set(re.findall(r"K\d{7}", text)))


def test_a_shipment_is_ordered_sent_and_received_by_scanning(stocked, unblinded):  # noqa: F811
    paul, sue = unblinded(PAUL), unblinded(SUE)
    listing, page = f"{HOME}/shipments", f"{HOME}/shipments/1"
    assert paul.post(listing, {"site": "PUMCH", "sets": "none"}).status_code == 422
    assert paul.post(listing, {"site": "BFH", "sets": "2"}).status_code == 422
    assert paul.post(listing, {"site": "PUMCH", "sets": "2"}).status_code == 303
    assert act(paul, page, "approve").status_code == 403
    for step in ("approve", "pick", "dispatch"):
        assert act(sue, page, step).status_code == 303
    assert act(sue, page, "pick").status_code == 409
    shown = paul.get(page).text
    kits = numbers(shown)
    assert len(kits) == 4
    wrong = act(paul, page, "scan", number="K0000000", condition="intact")
    assert wrong.status_code == 409
    assert "Kit K0000000 is not in this shipment." in wrong.text
    for kit in kits:
        state = "damaged" if kit == kits[0] else "intact"
        assert act(paul, page, "scan", number=kit.lower(), condition=state).status_code == 303
    assert "4 of 4 scanned" in paul.get(page).text
    unread = act(paul, page, "receive", logger="LOG-1", low="warm", high="9")
    assert unread.status_code == 422
    assert "Write the temperature" in unread.text
    assert 'value="LOG-1"' in unread.text, "what was typed is still there"
    assert act(paul, page, "receive", logger="LOG-1", low="4", high="22,5").status_code == 303
    assert "received" in paul.get(page).text
    assert unblinded(PETRA).get(page).status_code == 404
    stock = paul.get(f"{HOME}/stock").text
    assert not re.search(r"\b(MMF|PBO)\b", shown + stock + sue.get(page).text)
    assert DEPOT not in re.sub("<[^>]*>", "", stock)
    held = act(sue, f"{HOME}/stock", "decide", quarantine="1", site="PUMCH", outcome="released",
               reason="Only the outer box")  # fmt: skip
    assert held.status_code == 303
    with stocked.database.read() as session:
        states = session.scalars(select(Kit.state).where(Kit.number.in_(kits))).all()
    assert set(states) == {"available"}


def test_a_pharmacist_holds_kits_back_and_only_the_manager_decides(stocked, unblinded):  # noqa: F811
    paul, page = unblinded(PAUL), f"{HOME}/stock"
    put = {"site": "PUMCH", "cause": "excursion", "numbers": ""}
    silent = act(paul, page, "put", **put)
    assert silent.status_code == 422
    assert act(paul, page, "put", **put, text="The fridge was off").status_code == 303
    assert "The supply manager decides." in paul.get(page).text
    no = act(paul, page, "decide", quarantine="1", site="PUMCH", outcome="released", reason="x")
    assert no.status_code == 403
    assert act(paul, page, "recall", batch="P-002", recall_text="x").status_code == 403
    sue = unblinded(SUE)
    assert act(sue, page, "recall", batch="P-002", recall_text="Leaking").status_code == 303
    chinese = sue.get(f"{page}?lang=zh").text
    assert "召回" in chinese
    assert act(sue, page, "nonsense").status_code == 422
    assert act(paul, page, "expire", site="PUMCH").status_code == 409


def test_a_pharmacists_day_ends_with_a_log_that_closes(
    trial,  # noqa: F811
    stocked,
    visitor,
    unblinded,  # noqa: F811
):
    """Hand out, replace one that was lost, take back, count, reconcile."""
    confirm(visitor(ANNA))
    paul, page = unblinded(PAUL), f"{HOME}/returns"
    one = f"{HOME}/participants/{CODE}/BL"
    first, second = numbers(paul.get(one).text)
    act(paul, one, "dispense", number=first)
    reason = {"site": "PUMCH", "loss": "lost", "reason": "Left on the bus"}
    assert act(paul, page, "replace", **reason, number=second).status_code == 303
    (third,) = set(numbers(paul.get(one).text)) - {first, second}
    with trial.read() as session:
        shown = dict(map(tuple, session.execute(select(KitGiven.number, KitGiven.status))))
    assert shown == {first: "dispensed", second: "gone", third: "assigned"}
    assert "Lost or spoilt" in visitor(ANNA).get(f"/{STUDY}/participants/{CODE}").text
    listed = paul.get(f"{HOME}/").text
    assert second not in listed
    assert third in listed
    act(paul, one, "dispense", number=third)
    assert CODE not in paul.get(f"{HOME}/").text
    back = {"site": "PUMCH", "units": "60", "on": "2026-03-02"}
    assert (
        act(paul, page, "take back", **back | {"units": "61"}, number=first).status_code == 422
    )
    assert act(paul, page, "take back", **back, number=first).status_code == 303
    assert act(paul, page, "take back", **back, number=first).status_code == 409
    books = f"{HOME}/accountability"
    plan = {"site": "PUMCH", "method": "incineration", "place": "Hospital", "on": "2026-03-03"}
    assert act(paul, books, "propose", **plan | {"on": "soon"}).status_code == 422
    assert act(paul, books, "propose", **plan).status_code == 303
    sign = {"site": "PUMCH", "destruction": "1"}
    assert act(paul, books, "sign", **sign, password="guess").status_code in (401, 403, 422)
    assert act(paul, books, "sign", **sign, password=PASSWORD).status_code == 303
    assert act(paul, books, "sign", **sign, password=PASSWORD).status_code == 409
    log = paul.get(f"{HOME}/accountability?site=PUMCH").text
    assert "Paul Sun, 2026-03-02" in log
    assert re.search(r'id="difference">\W+0<', log)
    rows = list(csv.DictReader(io.StringIO(paul.get(f"{HOME}/accountability.csv").text)))
    assert len(rows) == 60
    found = {row["number"]: row for row in rows}
    assert found[first]["returned_units"] == "60"
    assert found[second]["replaced_by"] == third
    assert found[second]["state"] == "lost"
    paper = paul.get(f"{HOME}/accountability.pdf?lang=zh")
    assert paper.data.startswith(b"%PDF-")
    assert not re.search(r"\b(MMF|PBO)\b", log + str(rows))
    assert unblinded(PETRA).get(f"{HOME}/accountability?site=PUMCH").status_code == 404
    assert visitor(ANNA).get(f"{HOME}/accountability").status_code == 404
