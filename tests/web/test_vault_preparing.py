"""The unblinded preparer: one participant, one dose, on its day, at the own site, recorded."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, update

from ecrf.kernel.chance import Seeded
from ecrf.kernel.ledger import By, Origin
from ecrf.study import versions
from ecrf.study.stocking import Preparation
from randomization import api
from randomization.tables import Reveal
from tests.people import ANNA, BO, DIRK, DORA, NOON, PASSWORD, PAUL, PIA, STUDY
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
from tests.web.test_vault_supply import numbers
from visits import dosing
from visits.tables import Visit

LIST = f"/vault/{STUDY}/preparations"
DAY = f"{LIST}/{CODE}/W4"
TODAY = date(2026, 3, 2)


@pytest.fixture
def prepared(database, opened, study, visitor):  # noqa: F811
    """The trial with doses prepared at baseline and week 4; its participant is randomized."""
    rule = Preparation(visits=("BL", "W4"), hours=24)
    supply = study.supply.model_copy(update={"preparation": rule})
    variant = study.model_copy(update={"version": "1.1", "supply": supply})
    with database.write() as session:
        for manager in (DORA, DIRK):
            versions.approve(session, By(manager, NOON, Origin.PAGE, Seeded(b"v")), variant)
    confirm(visitor(ANNA))
    plan_for(database, TODAY)
    return opened


def plan_for(database, day, **other):  # noqa: F811
    with database.write() as session:
        session.execute(
            update(Visit).where(Visit.key == "W4").values(target=day, first=day, **other)
        )
        session.execute(update(Visit).where(Visit.key == "BL").values(target=None))


def seen(vault):
    with vault.database.read() as session:
        return session.execute(
            select(Reveal.participant, Reveal.purpose, Reveal.reason_class, Reveal.by_name)
        ).all()


def test_the_preparer_sees_one_dose_after_the_password_and_it_is_on_the_books(
    prepared,
    unblinded,  # noqa: F811
):
    pia = unblinded(PIA)
    listed = pia.get(LIST).text
    assert CODE in listed
    assert "MMF" not in listed + pia.get(DAY).text
    assert "PBO" not in listed
    assert seen(prepared) == [], "the list and the question open nothing"
    for wrong in ("", "guess"):
        assert pia.post(DAY, {"password": wrong}).status_code == 403
    assert seen(prepared) == []
    shown = pia.post(DAY, {"password": PASSWORD})
    assert shown.status_code == 200
    assert ("MMF" in shown.text) != ("PBO" in shown.text)
    assert shown.headers["Cache-Control"] == "no-store"
    assert [tuple(row) for row in seen(prepared)] == [(CODE, "preparation", "dose", "Pia Mo")]
    assert numbers(shown.text) == [], "kits of another visit are not shown"
    with prepared.database.read() as session:
        actions = session.scalars(select(api.LEDGER.act.c.action)).all()
    assert actions.count("reveal:preparation") == 1
    assert "reveal:code break" not in actions


def test_only_kits_of_the_dose_are_shown(database, prepared, unblinded):  # noqa: F811
    with database.write() as session:
        session.execute(update(Visit).where(Visit.key == "BL").values(target=TODAY))
        session.execute(update(Visit).where(Visit.key == "W4").values(target=None))
    shown = unblinded(PIA).post(f"{LIST}/{CODE}/BL", {"password": PASSWORD})
    assert len(numbers(shown.text)) == 2


@pytest.mark.parametrize("ahead, listed", [(-1, False), (0, True), (1, True), (2, False)])
def test_a_dose_is_there_on_its_day_and_the_hours_before(
    database,  # noqa: F811
    prepared,
    unblinded,  # noqa: F811
    ahead,
    listed,
):
    """It is noon of 2 March: tomorrow begins in 12 hours, the day after in 36."""
    plan_for(database, TODAY + timedelta(days=ahead))
    pia = unblinded(PIA)
    assert (CODE in pia.get(LIST).text) is listed
    status = 200 if listed else 404
    assert pia.get(DAY).status_code == status
    assert pia.post(DAY, {"password": PASSWORD}).status_code == status
    assert len(seen(prepared)) == listed


def test_a_visit_held_counts_by_its_day_and_a_missed_one_never(
    database,  # noqa: F811
    prepared,
    unblinded,  # noqa: F811
):
    pia = unblinded(PIA)
    plan_for(database, TODAY, held_on=TODAY - timedelta(days=1), status="held")
    assert CODE not in pia.get(LIST).text
    plan_for(database, TODAY, held_on=None, status="missed")
    assert CODE not in pia.get(LIST).text


def test_others_and_other_sites_and_other_pages_are_closed(
    prepared,
    visitor,
    unblinded,  # noqa: F811
):
    for actor in (PAUL, BO):
        assert unblinded(actor).get(LIST).status_code == 403
        assert unblinded(actor).post(DAY, {"password": PASSWORD}).status_code == 403
    pia = unblinded(PIA)
    home = f"/vault/{STUDY}"
    pages = ("/", "/stock", "/shipments", "/accountability", "/batches", "/incidents",
             "/returns", "/resupply", f"/participants/{CODE}/BL", "/code-break")  # fmt: skip
    for page in pages:
        assert pia.get(home + page).status_code == 403, page
    assert pia.get(f"{LIST}/BFH-001/W4").status_code == 404
    blinded = visitor(PIA)
    for page in (f"/{STUDY}/", f"/{STUDY}/participants/{CODE}", f"/{STUDY}/exports"):
        assert blinded.get(page).status_code in (403, 404), page
    assert seen(prepared) == []


def test_nothing_is_to_be_prepared_in_a_study_that_says_nothing_of_it(
    database,  # noqa: F811
    opened,  # noqa: F811
    visitor,
    unblinded,  # noqa: F811
):
    confirm(visitor(ANNA))
    plan_for(database, TODAY)
    assert CODE not in unblinded(PIA).get(LIST).text
    assert unblinded(PIA).post(DAY, {"password": PASSWORD}).status_code == 404


def test_no_record_no_answer(prepared, unblinded, monkeypatch):  # noqa: F811
    """When the ledger cannot be written, nothing is opened and nothing is shown."""

    def fail(*_arguments):
        raise RuntimeError("no room on the disk")

    pia = unblinded(PIA)
    monkeypatch.setattr(type(api.LEDGER), "write", fail)
    shown = pia.post(DAY, {"password": PASSWORD})
    assert shown.status_code == 500
    assert "MMF" not in shown.text
    assert "PBO" not in shown.text
    assert seen(prepared) == []


def test_the_hours_count_back_from_the_day_at_the_site():
    zones = {"PUMCH": "Asia/Shanghai"}
    dose = dosing.Dose("PUMCH-001", "PUMCH", "W4", "W4", date(2026, 3, 10))
    begins = datetime(2026, 3, 10, tzinfo=ZoneInfo("Asia/Shanghai"))
    minute = timedelta(minutes=1)
    for at, due in (
        (begins - timedelta(hours=24) - minute, False), (begins - timedelta(hours=24), True),
        (begins + timedelta(days=1) - minute, True), (begins + timedelta(days=1), False),
    ):  # fmt: skip
        assert dosing._now(dose, zones, at, 24) is due
