"""The vault app's pages of batches, labels, incidents, resupply, the second person."""

import io
import re
from datetime import date

import pypdf
import pytest
from sqlalchemy import insert, select, update

from ecrf.kernel.access import Role
from ecrf.kernel.chance import Seeded
from ecrf.kernel.ledger import By, Origin
from ecrf.kernel.people import GrantRow, Person
from ecrf.study import versions
from ecrf.web.vault.supply import label
from randomization import api
from randomization.supplying.tables import DispensationCheck
from randomization.tables import Kit
from tests.people import ANNA, DIRK, DORA, NOON, PASSWORD, PAUL, PETRA, START, STUDY
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
from tests.web.test_vault_supply import SUE, act, numbers, stocked  # noqa: F401

HOME = f"/vault/{STUDY}"
VISIT = f"{HOME}/participants/{CODE}/BL"
DESCRIBED = {
    "batch": "P-009", "expiry": "2028-06-30", "product-1": "MMF tablets 250 mg",
    "lot-1": "LOT-MMF-7", "product-2": "Placebo tablets", "lot-2": "LOT-PBO-3",
}  # fmt: skip


STUDY_SHEET = {"batch": "P-001", "expiry": date(2029, 1, 1)}


def drawn(study, *numbers_, single=True):
    sheet = label.Sheet(study, study.supply.label, **STUDY_SHEET)
    return label.draw(sheet, numbers_, single=single)


def contents(pdf):
    """Return the drawing of each page, and of what all labels have in common."""
    reader = pypdf.PdfReader(io.BytesIO(pdf))
    pages = [page.get_contents().get_data() for page in reader.pages]
    forms = [
        form.get_object().get_data()
        for form in reader.pages[0]["/Resources"]["/XObject"].values()
    ]
    return pages, forms


@pytest.mark.req("L5")
def test_a_label_differs_from_another_by_the_number_and_its_barcode_only(study):
    """With the number and the modules of the barcode taken out, no byte is left to differ."""
    first, second = (drawn(study, number) for number in ("K1000004", "K9876542"))
    assert drawn(study, "K1000004") == first, "the same label is the same bytes"
    (one,), common = contents(first)
    (other,), same = contents(second)
    assert common == same
    bare = [
        re.sub(rb"[0-9. ]+ re\n?", b"", page).replace(number, b"")
        for page, number in ((one, b"K1000004"), (other, b"K9876542"))
    ]
    assert bare[0] == bare[1]
    assert one.count(b"re") > 100, "there is a barcode"


def test_a_label_says_everything_annex_vi_asks_for(study):
    text = pypdf.PdfReader(io.BytesIO(drawn(study, "K1000004"))).pages[0].extract_text()
    flat = re.sub(r"\s+", "", text)
    sheet = label.Sheet(study, study.supply.label, **STUDY_SHEET)
    letters = [letter for letter, _ in sheet.lines()]
    assert sorted(letters) == list("abcdefghijkl")
    for _, words in sheet.lines():
        for said in (words.en, words.zh):
            assert re.sub(r"\s+", "", said) in flat, said
    assert "K1000004" in flat
    assert "mycophenolatemofetil250mgorplacebo" in flat
    assert "仅供临床试验使用" in flat


def test_ten_labels_stand_on_a_sheet(study):
    pdf = drawn(study, *(f"K{n:07d}" for n in range(21)), single=False)
    assert len(pypdf.PdfReader(io.BytesIO(pdf)).pages) == 3


def test_a_batch_is_described_sealed_and_read_only_by_the_manager(stocked, unblinded):  # noqa: F811
    sue, paul, page = unblinded(SUE), unblinded(PAUL), f"{HOME}/batches"
    assert act(paul, page, "describe", **DESCRIBED).status_code == 403
    past = act(sue, page, "describe", **DESCRIBED | {"expiry": "2026-03-02"})
    assert past.status_code == 422
    assert 'value="LOT-PBO-3"' in past.text, "what was typed is still there"
    assert act(sue, page, "describe", **DESCRIBED | {"lot-2": ""}).status_code == 422
    assert act(sue, page, "describe", **DESCRIBED).status_code == 303
    assert act(sue, page, "describe", **DESCRIBED).status_code == 409
    assert act(sue, page, "register", batch="P-009", site="depot", kits="3").status_code == 303
    assert act(paul, page, "register", batch="P-009", site="PUMCH", kits="3").status_code == 403
    for visitor_ in (sue, paul):
        shown = visitor_.get(page).text
        assert "P-009" in shown
        assert "LOT-" not in shown
    assert act(paul, page, "parts", batch="P-009").status_code == 403
    assert "LOT-PBO-3" in act(sue, page, "parts", batch="P-009").text
    with stocked.database.read() as session:
        acts = session.scalars(select(api.LEDGER.act.c.action)).all()
        raw = str(list(api.LEDGER.acts(session)))
    assert acts.count("batch:read") == 1
    assert not re.search(r"LOT-|MMF|PBO|Placebo", raw)


def test_an_extended_expiry_counts_when_the_label_is_changed(
    database,  # noqa: F811
    stocked,  # noqa: F811
    unblinded,  # noqa: F811
):
    with database.write() as session:
        known = select(Person.password).where(Person.id == PAUL.id).scalar_subquery()
        session.execute(update(Person).where(Person.id == SUE.id).values(password=known))
    sue, paul, page = unblinded(SUE), unblinded(PAUL), f"{HOME}/batches"
    extend = {"batch": "P-001", "expiry": "2030-01-31", "reason": "36-month data",
              "password": PASSWORD}  # fmt: skip
    assert act(paul, page, "extend", **extend).status_code == 403
    assert act(sue, page, "extend", **extend | {"expiry": "2028-12-31"}).status_code == 409
    assert act(sue, page, "extend", **extend | {"password": "guess"}).status_code == 403
    assert act(sue, page, "extend", **extend | {"reason": " "}).status_code == 422
    assert act(sue, page, "extend", **extend).status_code == 303
    with stocked.database.read() as session:
        kits = session.scalars(
            select(Kit.number).where(Kit.site == "PUMCH").order_by(Kit.number)
        ).all()
    assert "60 kits still show an earlier expiry" in paul.get(page).text
    relabel = {"batch": "P-001", "site": "PUMCH"}
    assert (
        act(paul, page, "relabel", **relabel, numbers=f"{kits[0]} {kits[1]}").status_code == 303
    )
    assert expiries(stocked, kits[:3]) == [date(2030, 1, 31)] * 2 + [date(2029, 1, 1)]
    assert act(paul, page, "relabel", **relabel, numbers=kits[0]).status_code == 409
    assert act(paul, page, "relabel", **relabel, numbers="").status_code == 303
    assert set(expiries(stocked, kits)) == {date(2030, 1, 31)}
    assert act(paul, page, "relabel", **relabel, numbers="").status_code == 409
    assert "36-month data" in sue.get(page).text


def expiries(vault, kits):
    with vault.database.read() as session:
        return session.scalars(
            select(Kit.expiry).where(Kit.number.in_(kits)).order_by(Kit.number)
        ).all()


def test_labels_are_the_same_but_for_the_number_and_each_print_is_an_act(stocked, unblinded):  # noqa: F811
    paul = unblinded(PAUL)
    sheet = paul.get(f"{HOME}/labels.pdf?batch=P-001&site=PUMCH")
    assert sheet.data.startswith(b"%PDF-")
    assert paul.get(f"{HOME}/labels.pdf?batch=P-404&site=PUMCH").status_code == 404
    assert paul.get(f"{HOME}/labels.pdf?batch=P-002&site=depot").status_code == 422
    assert unblinded(PETRA).get(f"{HOME}/labels.pdf?batch=P-001&site=PUMCH").status_code == 422
    with stocked.database.read() as session:
        acts = session.scalars(select(api.LEDGER.act.c.action)).all()
    assert acts.count("supply:print") == 1


@pytest.fixture
def two_pharmacists(database, study):  # noqa: F811
    """The trial asks for a second person; Pat is another pharmacist of the site."""
    careful = study.model_copy(
        update={
            "version": "1.1",
            "supply": study.supply.model_copy(update={"second_person": True}),
        }
    )
    with database.write() as session:
        for manager in (DORA, DIRK):
            by = By(manager, NOON, Origin.PAGE, Seeded(b"again"))
            versions.approve(session, by, careful)
        password = session.scalar(select(Person.password).where(Person.id == PAUL.id))
        session.execute(insert(Person).values(
            id=41, username="pat", name="Pat Hu", password=password, locale="en",
            created_at=START,
        ))  # fmt: skip
        session.execute(insert(GrantRow).values(
            person_id=41, study=STUDY, role=Role.PHARMACIST, site="PUMCH", starts_at=START,
        ))  # fmt: skip


def test_a_second_person_of_the_site_checks_the_kit_where_the_study_wants_it(
    stocked,  # noqa: F811
    two_pharmacists,
    visitor,
    unblinded,  # noqa: F811
):
    confirm(visitor(ANNA))
    paul = unblinded(PAUL)
    kit = numbers(paul.get(VISIT).text)[0]
    second = {"second_number": kit, "second_username": "pat", "second_password": PASSWORD}

    def hand_out(**other):
        return act(paul, VISIT, "dispense", number=kit, **second | other)

    assert hand_out(second_number="K0000000").status_code == 422
    assert hand_out(second_password="guess").status_code == 403
    assert hand_out(second_username="nobody").status_code == 403
    same = hand_out(second_username="paul")
    assert same.status_code == 409
    assert "Somebody else must check the kit" in same.text
    assert hand_out(second_username="petra").status_code == 403
    assert hand_out(second_username="anna").status_code == 403
    assert PASSWORD not in same.text
    assert hand_out().status_code == 303
    with stocked.database.read() as session:
        (row,) = session.execute(
            select(DispensationCheck.by_id, DispensationCheck.by_name)
        ).all()
    assert tuple(row) == (41, "Pat Hu")
    assert "Pat Hu" in paul.get(f"{HOME}/accountability.csv?site=PUMCH").text


def test_a_wrong_kit_stops_the_visit_until_it_is_explained(
    stocked,  # noqa: F811
    visitor,
    unblinded,  # noqa: F811
):
    confirm(visitor(ANNA))
    paul, sue, page = unblinded(PAUL), unblinded(SUE), f"{HOME}/incidents"
    right, _ = numbers(paul.get(VISIT).text)
    with stocked.database.read() as session:
        wrong = session.scalar(
            select(Kit.number).where(Kit.state == "available").order_by(Kit.id).limit(1)
        )
    assert "No wrong kit" in paul.get(page).text
    assert act(paul, VISIT, "dispense", number=wrong).status_code == 409
    stopped = act(paul, VISIT, "dispense", number=right)
    assert stopped.status_code == 409
    assert "Incident 1 stops this visit" in stopped.text
    assert 'name="number"' not in paul.get(VISIT).text
    said = {"incident": "1", "site": "PUMCH"}
    assert act(sue, page, "closed", **said, text="x").status_code == 409
    assert act(sue, page, "acknowledged", **said, text="x").status_code == 403
    assert act(paul, page, "acknowledged", **said, text=" ").status_code == 422
    assert act(paul, page, "nothing", **said, text="x").status_code == 422
    assert "No wrong kit" in unblinded(PETRA).get(page).text
    assert (
        act(paul, page, "acknowledged", **said, text="Took the box beside it").status_code
        == 303
    )
    assert act(paul, VISIT, "dispense", number=right).status_code == 303
    assert "Took the box beside it" in sue.get(page).text
    assert act(sue, page, "closed", **said, text="Boxes moved apart").status_code == 303
    assert "✓ closed" in paul.get(page).text
    assert "Incident 1" not in paul.get(VISIT).text
    blinded_ = visitor(ANNA).get(f"/{STUDY}/participants/{CODE}").text
    assert wrong not in blinded_
    assert "ncident" not in blinded_
