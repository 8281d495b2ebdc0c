"""Signing in with a real browser: accessible in both languages, wide and narrow."""

from tests.people import ALMA


def test_the_sign_in_page_is_accessible(page, locale, width, faults, overflow):
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"/sign-in?lang={locale}")
    assert page.locator("html").get_attribute("lang") == {"en": "en", "zh": "zh-CN"}[locale]
    assert faults() == []
    assert overflow() <= 0


def test_a_person_signs_in_with_the_keyboard(page):
    page.goto("/sign-in")
    page.keyboard.press("Tab")
    assert page.locator(":focus").get_attribute("class") == "govuk-skip-link"
    page.locator("#username").focus()
    page.keyboard.type("alma")
    page.keyboard.press("Tab")
    page.keyboard.type("a long enough phrase of words")
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/sign-in" not in url)
    assert page.get_by_role("banner").get_by_text("Alma He").is_visible()


def test_the_focus_can_be_seen(page):
    page.goto("/sign-in")
    page.locator("#username").focus()
    outline = page.locator("#username").evaluate("e => getComputedStyle(e).outlineWidth")
    assert outline == "3px"


def test_a_person_signs_in_without_javascript(browser, site):
    context = browser.new_context(base_url=site.url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/sign-in")
    page.locator("#username").fill("alma")
    page.locator("#password").fill("a long enough phrase of words")
    page.locator("form:has(#password) button").click()
    assert page.get_by_role("banner").get_by_text("Alma He").is_visible()
    context.close()


def test_a_wrong_password_is_said_accessibly(page, locale, faults):
    page.goto(f"/sign-in?lang={locale}")
    page.locator("#username").fill("alma")
    page.locator("#password").fill("a wrong password")
    page.locator("form:has(#password) button").click()
    page.get_by_role("alert").wait_for()
    assert page.locator("#username").input_value() == "alma"
    assert page.locator("#password").input_value() == ""
    assert faults() == []


def test_every_target_is_24_pixels_high(page, sign_in):
    sign_in(ALMA)
    targets = page.locator("a:visible, button:visible, input:visible, select:visible")
    shown = targets.and_(page.locator(":not(.govuk-skip-link)")).all()
    heights = [target.bounding_box()["height"] for target in shown]
    assert heights
    assert min(heights) >= 24
