"""Hands on the keyboard, text that is never lost, and the second person at one form."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from ecrf.kernel.people import SignIn
from forms.drafts.tables import Draft
from forms.tables import Entry
from tests import people
from tests.forms.conftest import Desk
from tests.forms.trial import STUDY_ID, begin

VISIT = f"/{STUDY_ID}/participants/PUMCH-001/visits/BL"
VS, GR = f"{VISIT}/vs", f"{VISIT}/gr"
KEPT = "[data-kept]:has-text('kept')"


@pytest.fixture
def site(site, draw):
    begin(site.database, draw)
    return site


@pytest.fixture
def desk(site, by):
    return Desk(site.database, by)


@pytest.fixture
def shown(page, sign_in):
    """The empty vital signs, open in Carl's browser."""
    sign_in(people.CARL)
    page.goto(VS)
    return page


def at(page):
    return page.evaluate("document.activeElement.name || document.activeElement.innerText")


def reach(page, name):
    """Press Tab until the control of this name has the focus."""
    for _ in range(80):
        if at(page) == name:
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{name} cannot be reached by Tab")


def type_in(page, answers):
    for name, text in answers.items():
        reach(page, name)
        page.keyboard.type(text)


def stored(site):
    with site.database.read() as session:
        return {
            row.form: (row.status, {k: a.get("value") for k, a in row.answers.items()})
            for row in session.scalars(select(Entry))
        }


@pytest.mark.req("F2")
def test_a_whole_visit_is_entered_by_keyboard_only(page, sign_in, site):
    """From the matrix to the last form of the visit without touching a mouse."""
    sign_in(people.CARL)
    page.goto(f"/{STUDY_ID}/participants")
    reach(page, "PUMCH-001")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{VISIT}")
    reach(page, "Vital signs")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{VS}")
    type_in(page, {"sbp": "120", "dbp": "80", "weight": "61,5"})
    reach(page, "position")
    page.keyboard.type("L")
    reach(page, "symptoms")
    page.keyboard.press("Space")
    type_in(page, {"taken": "v", "begin": "UN MAR 2024"})
    reach(page, "remark")
    page.keyboard.press("Alt+s")
    page.locator(".ec-done").wait_for()
    page.keyboard.press("Alt+n")
    page.wait_for_url(f"**{GR}")
    type_in(page, {"LUNG.score": "2", "LUNG.urgent": "Y"})
    for name in ("SKIN.score", "CONST.score"):
        type_in(page, {name: "0"})
    page.keyboard.press("Alt+s")
    page.locator(".ec-done").wait_for()
    kept = stored(site)
    assert kept["vs"] == (
        "complete",
        {"sbp": "120", "dbp": "80", "weight": "61.5", "position": "LYING",
         "symptoms": "COUGH", "begin": "2024-03", "taken": "2026-03-01"},
    )  # fmt: skip
    assert kept["gr"][0] == "complete"
    assert kept["gr"][1]["total"] == "4"


def test_what_is_typed_survives_a_crash_and_the_end_of_the_session(shown, site, sign_in):
    shown.fill("#remark", "half a sen")
    shown.locator(KEPT).wait_for()
    shown.on("dialog", lambda dialog: dialog.accept())
    shown.reload()
    assert shown.locator("#remark").input_value() == "half a sen"
    assert shown.locator(".ec-kept").is_visible()
    with site.database.write() as session:
        session.execute(update(SignIn).values(seen_at=people.NOON - timedelta(hours=1)))
    shown.fill("#remark", "half a sentence")
    shown.click(".ec-actions [value=draft]")
    shown.locator("#username").fill("carl")
    shown.locator("#password").fill(people.PASSWORD)
    shown.locator("form:has(#password) button").click()
    shown.get_by_role("button", name="Send it now").click()
    shown.locator(".ec-done").wait_for()
    assert stored(site)["vs"][1] == {"remark": "half a sentence"}
    with site.database.read() as session:
        assert not session.scalars(select(Draft).where(Draft.typed.is_not(None))).all()


@pytest.mark.req("F2")
def test_leaving_what_is_typed_can_save_it_discard_it_or_stay(shown, site, faults):
    """F2: leaving a changed form asks, with three ways out."""
    shown.fill("#remark", "typed")
    dialog = shown.locator("#ec-guard")
    shown.get_by_role("link", name="Queries").first.click()
    assert dialog.is_visible()
    assert faults() == []
    dialog.get_by_role("button", name="Stay here").click()
    assert shown.locator("#remark").input_value() == "typed"
    shown.get_by_role("link", name="Queries").first.click()
    dialog.get_by_role("button", name="Save and go on").click()
    shown.wait_for_url("**/queries")
    assert stored(site)["vs"] == ("draft", {"remark": "typed"})
    shown.goto(VS)
    shown.fill("#remark", "other")
    shown.locator(KEPT).wait_for()
    shown.get_by_role("link", name="Queries").first.click()
    dialog.get_by_role("button", name="Discard it").click()
    shown.wait_for_url("**/queries")
    shown.goto(VS)
    assert shown.locator("#remark").input_value() == "typed"
    assert shown.locator(".ec-kept").count() == 0


def test_history_opens_above_the_form_and_keys_can_be_switched_off(shown, desk, faults):
    desk.save({"sbp": "200"})
    desk.save({"sbp": "120"}, reason="Read again")
    shown.goto(VS)
    shown.locator("#sbp").focus()
    shown.keyboard.press("Alt+h")
    above = shown.locator("#ec-history")
    above.get_by_text("Read again").wait_for()
    assert faults() == []
    shown.keyboard.press("Escape")
    assert not above.is_visible()
    shown.locator("main").focus()
    shown.keyboard.press("?")
    listed = shown.locator("#ec-keys")
    assert listed.is_visible()
    listed.locator("#ec-keys-on").uncheck()
    listed.get_by_role("button", name="Close").click()
    shown.locator("main").focus()
    shown.keyboard.press("?")
    assert not listed.is_visible()


def test_both_versions_are_laid_side_by_side(shown, desk, faults, overflow, site):
    desk.save({"sbp": "120", "weight": "60"})
    shown.goto(VS)
    desk.save({"sbp": "122", "weight": "61"}, actor=people.ANNA, reason="Read again")
    shown.fill("#sbp", "125")
    shown.fill("#remark", "mine")
    shown.click(".ec-actions [value=draft]")
    shown.locator("#conflict").wait_for()
    assert faults() == []
    shown.set_viewport_size({"width": 320, "height": 800})
    assert overflow() <= 0
    shown.check("[id='take:sbp-mine']")
    shown.check("#reason-source")
    shown.click(".ec-actions [value=draft]")
    shown.locator(".ec-done").wait_for()
    assert stored(site)["vs"][1] == {"sbp": "125", "weight": "61", "remark": "mine"}
