"""Filling in forms with a real browser: by keyboard, without a script, wide and narrow."""

import pytest

from tests import people
from tests.forms.conftest import Desk
from tests.forms.trial import STUDY_ID, begin

VISIT = f"/{STUDY_ID}/participants/PUMCH-001/visits/BL"
VS, GR = f"{VISIT}/vs", f"{VISIT}/gr"
QUERIES = f"/{STUDY_ID}/queries"
SAVE = ".ec-actions [name=act][value=complete]"


@pytest.fixture
def site(site, draw):
    begin(site.database, draw)
    return site


@pytest.fixture
def desk(site, by):
    return Desk(site.database, by)


@pytest.fixture
def shown(page, sign_in, desk):
    """The vital signs with a doubtful answer, open in Carl's browser."""
    desk.save({"sbp": "200", "weight": "61", "symptoms": "COUGH"}, complete=True)
    sign_in(people.CARL)
    page.goto(VS)
    return page


PAGES = (VS, GR, f"{VS}/1/history", f"{VS}/1/history?item=sbp", QUERIES, f"{QUERIES}/1")
VIEWS = (("en", 1280), ("zh", 320))


@pytest.mark.parametrize(("locale", "width"), VIEWS)
def test_a_form_its_history_and_its_queries_are_accessible(
    shown, locale, width, faults, overflow
):
    shown.set_viewport_size({"width": width, "height": 800})
    for path in PAGES:
        shown.goto(f"{path}{'&' if '?' in path else '?'}lang={locale}")
        assert faults() == []
        assert overflow() <= 0


def test_a_refused_form_is_accessible_and_leads_to_the_error(shown, faults):
    shown.fill("#sbp", "12o")
    shown.click(SAVE)
    shown.wait_for_selector("#sbp-error")
    assert faults() == []
    assert shown.evaluate("document.activeElement.className") == "govuk-error-summary"
    shown.click(".govuk-error-summary a[href='#sbp']")
    assert shown.evaluate("document.activeElement.id") == "sbp"


def test_a_change_is_explained_and_saved_by_keyboard(shown, faults):
    shown.fill("#sbp", "120")
    shown.keyboard.press("Alt+s")
    shown.wait_for_selector(".ec-reason")
    assert faults() == []
    shown.locator("#reason-transcription").check()
    shown.locator("button", has_text="Save with this reason").press("Enter")
    shown.wait_for_url(lambda url: "done=1" in url)
    assert shown.locator(".ec-finding").count() == 0


def test_a_doubtful_answer_is_shown_before_it_is_saved(shown):
    shown.goto(f"{VISIT}/vs")
    shown.fill("#weight", "70")
    shown.fill("#sbp", "85")
    shown.locator("#dbp").focus()
    shown.wait_for_selector("text=85 is unusual")


def test_the_total_follows_the_cells(shown):
    shown.goto(GR)
    shown.select_option("[name='LUNG.score']", "3")
    shown.select_option("[name='LUNG.urgent']", "Y")
    shown.click("button[name=fill]")
    assert shown.locator("[name='SKIN.score']").input_value() == "0"
    shown.locator("#total", has_text="6").wait_for()
    shown.click(SAVE)
    shown.wait_for_url(lambda url: "done=1" in url)
    assert shown.locator("#total").inner_text().strip() == "6"


def test_a_slider_stands_at_nothing_until_it_is_moved(shown):
    slider = shown.locator("input[type=range]")
    assert "ec-slider--unset" in slider.get_attribute("class")
    assert shown.locator("#pain").input_value() == ""
    slider.fill("37")
    assert shown.locator("#pain").input_value() == "37"
    assert "ec-slider--unset" not in slider.get_attribute("class")


def test_leaving_with_something_typed_is_asked_about(shown):
    asked = []
    shown.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    shown.locator("#remark").focus()
    shown.keyboard.type("typed")
    shown.goto(f"/{STUDY_ID}/queries")
    assert asked == ["beforeunload"]


def test_enter_in_a_box_does_not_send_the_form(shown):
    shown.locator("#remark").focus()
    shown.keyboard.type("typed")
    shown.keyboard.press("Enter")
    assert shown.locator("#remark").input_value() == "typed"
    assert "done=1" not in shown.url


def test_a_visit_is_entered_without_javascript(browser, site):
    context = browser.new_context(base_url=site.url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/sign-in")
    page.locator("#username").fill("carl")
    page.locator("#password").fill(people.PASSWORD)
    page.locator("form:has(#password) button").click()
    page.goto(GR)
    page.select_option("[name='LUNG.score']", "2")
    page.click("button[name=fill]")
    assert page.locator("[name='LUNG.score']").input_value() == "2"
    assert page.locator("[name='SKIN.score']").input_value() == "0"
    page.select_option("[name='LUNG.urgent']", "N")
    page.click(SAVE)
    assert page.locator("#total").inner_text().strip() == "2"
    page.select_option("[name='LUNG.score']", "1")
    page.click(SAVE)
    page.check("#reason-source")
    page.click("button:has-text('Save with this reason')")
    assert page.locator("#total").inner_text().strip() == "1"
    context.close()


def test_dates_are_typed_short_and_what_is_odd_is_said_at_once(shown):
    for typed, written in (("t", "2026-03-02"), ("v", "2026-03-01"), ("-1", "2026-03-01")):
        shown.fill("#taken", typed)
        shown.locator("#remark").focus()
        assert shown.locator("#taken").input_value() == written
    shown.fill("#taken", "5 MAR 2026")
    shown.locator("#remark").focus()
    shown.locator("[data-canonical=taken]", has_text="= 2026-03-05").wait_for()
    shown.fill("#taken", "5/3/26")
    shown.locator("#remark").focus()
    shown.wait_for_selector("text=can be read in two ways")
