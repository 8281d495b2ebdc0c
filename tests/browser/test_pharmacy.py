"""A pharmacist's day: a shipment in, five visits out, a return, zero, destruction by two."""

from datetime import date

import pytest
from sqlalchemy import insert, select

from ecrf.kernel.access import Actor, Grant, Role
from ecrf.kernel.people import GrantRow, Person
from ecrf.study import strata, versions
from randomization import api
from randomization.supplying import api as supplies
from tests import people
from tests.people import ALMA, ANNA, PAUL, START, STUDY
from visits import lookup, participants, randomized
from visits.tables import Visit

SUE = Actor(40, "Sue Ren", frozenset({Grant(STUDY, Role.SUPPLIER)}))
CODES = tuple(f"PUMCH-{n:03d}" for n in range(1, 6))
HOME = f"/vault/{STUDY}"
PAGES = ("/", "/stock", "/shipments", "/shipments/1", "/batches", "/incidents", "/returns",
         "/accountability?site=PUMCH")  # fmt: skip


@pytest.fixture
def prepared(trial_databases):
    return trial_databases


@pytest.fixture
def site(site, study, by):
    """The shipped trial in force with its list, 12 kits of each arm in the depot, a manager."""
    with site.database.write() as session:
        known = session.scalar(select(Person.password).where(Person.id == PAUL.id))
        session.execute(insert(Person).values(
            id=SUE.id, username="sue", name=SUE.name, password=known, locale="en",
            created_at=START,
        ))  # fmt: skip
        session.execute(insert(GrantRow).values(
            person_id=SUE.id, study=STUDY, role=Role.SUPPLIER, site=None, starts_at=START,
        ))  # fmt: skip
    ratio = tuple(study.randomization.ratio.items())
    spec = api.Spec(
        study=STUDY, version=1, environment="training", scheme="permuted_block", ratio=ratio,
        options={"sizes": (4, 6)}, strata=strata.names(study), slots=20,
    )  # fmt: skip
    api.generate(site.vault, by(ALMA), spec)
    api.publish(site.vault, by(ALMA), STUDY, 1)
    api.activate(site.vault, by(ALMA), STUDY, 1)
    packing = api.Packing(
        STUDY, supplies.DEPOT, "P-001", date(2029, 1, 1), {a: 12 for a, _ in ratio}
    )
    api.register_kits(site.vault, by(ALMA), packing)
    return site


def randomize(site, study, by):
    """Enrol five people and randomize them, each with two kits of the shelf."""
    with site.database.write() as session:
        fingerprint = versions.in_force(session, STUDY)[1]
        for _ in CODES:
            participants.enrol(session, by(ANNA), study, fingerprint, "PUMCH")
    for code in CODES:
        asked = api.Request(
            study=STUDY, site="PUMCH", participant=code, stratum=strata.names(study)[0],
            visit="BL", kits=2, usable_until=date(2026, 6, 1),
        )  # fmt: skip
        receipt = api.randomize(site.vault, by(ANNA), asked)
        store(site, study, by, code, receipt)


def store(site, study, by, code, receipt):
    from ecrf.kernel.access import Right
    from ecrf.kernel.ledger import LEDGER, participant_chain

    with site.database.write() as session:
        who = lookup.participant(session, ANNA, STUDY, code, Right.PARTICIPANT_READ)
        head = LEDGER.head(session, participant_chain(STUDY, code))
        visit = session.scalar(
            select(Visit.id).where(Visit.participant_id == who.id, Visit.key == "BL")
        )
        drawn = randomized.Drawn(
            receipt.random_number, receipt.kit_numbers, "receipt", people.NOON.date()
        )
        randomized.store(session, by(ANNA), study, who, head, visit, drawn)


def supply_by(page, actor, sign_in):
    page.context.clear_cookies()
    sign_in(actor)


def press(page, name):
    page.get_by_role("button", name=name, exact=True).first.click()
    page.wait_for_load_state()


def test_a_pharmacists_day(site, study, by, page, sign_in, faults, overflow):
    sign_in(PAUL)
    page.goto(f"{HOME}/shipments")
    page.fill("#sets", "6")
    press(page, "Order")
    supply_by(page, SUE, sign_in)
    page.goto(f"{HOME}/shipments/1")
    for name in ("Approve", "Pick whole sets from the depot", "Hand over to the carrier"):
        press(page, name)
    supply_by(page, PAUL, sign_in)
    receive(page, faults)
    randomize(site, study, by)
    handed = [kit for code in CODES for kit in dispense(page, code, faults)]
    assert len(set(handed)) == 10
    page.goto(f"{HOME}/")
    assert not any(code in page.locator("main").inner_text() for code in CODES)
    take_back(page, handed[:2], faults)
    page.goto(f"{HOME}/accountability?site=PUMCH")
    assert page.locator("#difference").inner_text().split()[-1] == "0"
    destroy(page, sign_in, faults)
    look(page, faults, overflow)


def receive(page, faults):
    page.goto(f"{HOME}/shipments/1")
    kits = page.locator("tbody th.ec-code").all_inner_texts()
    assert len(kits) == 12
    assert faults() == []
    for kit in kits:
        page.fill("#number", kit.lower())
        page.keyboard.press("Enter")
        page.wait_for_load_state()
    page.get_by_text("12 of 12 scanned").wait_for()
    for name, value in (("logger", "LOG-7"), ("low", "4"), ("high", "21,5")):
        page.fill(f"#{name}", value)
    press(page, "Settle the receipt")
    page.get_by_text("received").first.wait_for()


def dispense(page, code, faults):
    page.goto(f"{HOME}/")
    page.get_by_role("link", name=code).first.click()
    kits = page.locator("tbody th.ec-code").all_inner_texts()
    assert len(kits) == 2
    if code == CODES[0]:
        wrong_kit(page, faults)
    for kit in kits:
        page.fill("#number", kit)
        page.keyboard.press("Enter")
        page.get_by_role("row", name=kit).get_by_text("dispensed").wait_for()
    return kits


def wrong_kit(page, faults):
    """Another pack is scanned: the page stops until the pharmacist has said why."""
    here = page.url
    page.fill("#number", "K0000000")
    page.keyboard.press("Enter")
    page.get_by_text("Stop: explain it").wait_for()
    assert page.locator("#number").count() == 0
    assert faults() == []
    page.goto(f"{HOME}/incidents")
    assert faults() == []
    page.fill("#text", "A pack of another trial stood beside it")
    press(page, "Explain the incident")
    page.goto(here)


def take_back(page, kits, faults):
    page.goto(f"{HOME}/returns")
    for kit in kits:
        page.fill("#number", kit)
        page.fill("#units", "60")
        press(page, "Take the kit back")
        page.locator("#back").wait_for()
    assert all(page.get_by_role("rowheader", name=kit).count() for kit in kits)
    assert faults() == []


def destroy(page, sign_in, faults):
    page.locator("summary").first.click()
    page.fill("#method", "incineration")
    page.fill("#place", "Hospital")
    press(page, "List kits for destruction")
    for actor in (PAUL, SUE):
        supply_by(page, actor, sign_in)
        page.goto(f"{HOME}/accountability?site=PUMCH")
        page.locator("[name=password]").first.fill(people.PASSWORD)
        press(page, "Sign the destruction")
    page.goto(f"{HOME}/accountability?site=PUMCH")
    page.get_by_text("✓ Destroyed").wait_for()
    assert page.locator("#difference").inner_text().split()[-1] == "0"
    with page.expect_download() as coming:
        page.get_by_role("link", name="Certificate as PDF").click()
    assert coming.value.path().read_bytes().startswith(b"%PDF-")


def look(page, faults, overflow):
    """Every page the manager has, in both languages, wide and narrow."""
    for width, language in ((1280, "en"), (320, "zh")):
        page.set_viewport_size({"width": width, "height": 900})
        for path in (*PAGES[1:6], "/resupply", PAGES[-1]):
            mark = "&" if "?" in path else "?"
            page.goto(f"{HOME}{path}{mark}lang={language}")
            assert overflow() <= 0, (path, width, language)
            assert faults() == [], (path, width, language)
