"""The main job from nothing to a verified package, by clicking what people click."""

import subprocess
import sys
import zipfile
from datetime import date

import pytest

from ecrf.study import strata
from randomization import api
from reports import verify
from tests import people
from tests.browser import hands
from tests.people import STUDY

CODE = "PUMCH-001"
ONE = f"/{STUDY}/participants/{CODE}"


@pytest.fixture
def prepared(trial_databases):
    return trial_databases


@pytest.fixture
def site(site, study, by):
    """The shipped trial in force at open sites, its list active, kits of both arms at PUMCH."""
    ratio = tuple(study.randomization.ratio.items())
    spec = api.Spec(
        study=STUDY, version=1, environment="training", scheme="permuted_block", ratio=ratio,
        options={"sizes": (4, 6)}, strata=strata.names(study), slots=20,
    )  # fmt: skip
    api.generate(site.vault, by(people.ALMA), spec)
    api.publish(site.vault, by(people.ALMA), STUDY, 1)
    api.activate(site.vault, by(people.ALMA), STUDY, 1)
    packing = api.Packing(STUDY, "PUMCH", "P-001", date(2029, 1, 1), {a: 8 for a, _ in ratio})
    api.register_kits(site.vault, by(people.ALMA), packing)
    return site


def enrol(page):
    page.get_by_role("link", name="Enrol a participant").click()
    page.get_by_role("button", name="Enrol").click()
    assert f"{CODE} is enrolled." in page.locator(".ec-done").inner_text()


def sign(page):
    first = page.locator("#username")
    if first.count():
        first.fill("anna")
    page.fill("#password", people.PASSWORD)
    page.get_by_role("button", name="Sign as Anna Li").click()
    page.get_by_text("Anna Li (site investigator)").wait_for()


def screen(page):
    hands.link(page, "Screening")
    hands.hold(page, hands.DAY)
    for form, answers in hands.SCREENING.items():
        hands.link(page, form)
        hands.fill(page, answers)
        hands.saved(page)
        assert page.locator(".govuk-error-summary").count() == 0
        hands.link(page, "Screening")
    assert page.get_by_role("row", name="Chemistry").count() == 1


def baseline(page):
    """Fill the two forms of baseline that the decision rests on; the second is signed."""
    page.goto(ONE)
    hands.link(page, "Baseline / randomization")
    hands.hold(page, "t")
    hands.link(page, "IgG4-RD Responder Index (2018)")
    hands.fill(page, {"ridat": "v", "ri_ref_date": hands.DAY})
    hands.score(page, "PANCREAS 1; SUBMAND 1")
    hands.saved(page)
    assert page.locator(".ec-finding").count() == 0
    hands.link(page, "Baseline / randomization")
    hands.link(page, "Eligibility")
    hands.fill(page, hands.ELIGIBLE)
    hands.saved(page)
    assert page.locator("#eligible").inner_text().strip() == "Yes"


def randomize(page, faults):
    page.goto(f"{ONE}/randomize")
    assert page.get_by_role("button", name="Randomize now").count() == 0
    page.get_by_role("link", name="Open the form").click()
    sign(page)
    page.goto(ONE)
    hands.link(page, "Randomize")
    assert faults() == []
    page.fill("#code", CODE.lower())
    page.fill("#password", people.PASSWORD)
    page.get_by_role("button", name="Randomize now").click()
    page.get_by_text(f"{CODE} is randomized.").wait_for()
    return page.locator("dd .ec-code").all_inner_texts()


def dispense(page, number, kits, faults):
    page.get_by_role("link", name=CODE).click()
    assert number in page.locator("main").inner_text()
    assert page.locator(".ec-arm").inner_text().split(":")[0] in ("MMF", "PBO")
    assert faults() == []
    page.fill("[name=number]", "K0000001")
    page.locator("main button").click()
    page.locator(".govuk-error-summary").wait_for()
    for kit in kits:
        page.fill("[name=number]", kit)
        page.locator("main button").click()
        page.get_by_role("row", name=kit).get_by_text("dispensed").wait_for()
    page.get_by_role("link", name="To be dispensed").first.click()
    assert CODE not in page.locator("main").inner_text()


def week_4(page):
    page.goto(ONE)
    hands.link(page, "Week 4")
    page.fill("#held_on", "2026-03-30")
    page.get_by_role("button", name="Save the date").click()
    page.get_by_text("lies in the future").first.wait_for()
    hands.hold(page, "t")
    assert "21 day(s) before the window" in page.locator("main").inner_text()
    hands.link(page, "Vital signs")
    hands.fill(page, {"vsdat": "v", "sbp": "128", "dbp": "78", "pulse": "72", "temp": "41,5"})
    hands.saved(page)
    assert page.locator(".ec-finding").count() > 0


def relapse(page):
    page.goto(ONE)
    hands.link(page, "Add: Relapse")
    hands.fill(page, hands.RELAPSE)
    hands.save(page)
    page.get_by_text("Serology alone is not a relapse").first.wait_for()
    assert page.input_value('[name="inv_reason"]') == "IgG4 doubled"
    assert page.input_value('[name="PANCREAS.lab_value"]') == "5.2 g/L"
    assert page.input_value('[name="rel_igg4.unit"]') == "g/L"
    hands.fill(page, hands.IMAGING)
    hands.saved(page)
    assert not page.get_by_text("Complete the Responder Index").count()
    sign(page)


def answer(page, faults):
    """Answer the first query of the list."""
    page.get_by_role("link", name="Queries", exact=True).click()
    page.locator("main td a").first.click()
    assert faults() == []
    page.fill("#query-text", "As in the source document.")
    page.get_by_role("button", name="answer").click()
    page.get_by_text("Carl Wu answered").wait_for()


def break_code(page, faults):
    page.goto(ONE)
    hands.link(page, "Emergency: break the code")
    page.fill("#code", CODE)
    page.get_by_role("button", name="Continue").click()
    page.locator("[name=why]").first.check()
    page.fill("#reason", "Sepsis")
    page.get_by_role("button", name="Continue").click()
    for password in ("not my password", people.PASSWORD):
        page.check("#understood")
        page.fill("#again", CODE)
        page.fill("#password", password)
        page.get_by_role("button", name="Break the code now").click()
    page.get_by_role("heading", name=f"The code of {CODE} is broken").wait_for()
    assert page.locator(".ec-arm").inner_text().split(":")[0] in ("MMF", "PBO")
    assert faults() == []
    hands.link(page, f"Participant {CODE}")
    assert page.get_by_text("Code broken").count() == 1


def test_a_participant_goes_from_consent_to_relapse(page, sign_in, faults):
    sign_in(people.ANNA)
    enrol(page)
    screen(page)
    baseline(page)
    number, *kits = randomize(page, faults)
    hands.leave(page)
    sign_in(people.PAUL)
    dispense(page, number, kits, faults)
    hands.leave(page)
    sign_in(people.ANNA)
    week_4(page)
    relapse(page)
    hands.leave(page)
    sign_in(people.CARL)
    answer(page, faults)
    hands.leave(page)
    sign_in(people.ANNA)
    break_code(page, faults)
    hands.leave(page)
    sign_in(people.AUDREY)
    page.goto(f"/{STUDY}/ledger?participant={CODE}")
    told = page.locator("main").inner_text()
    for act in ("enrolled", "form signed", "randomized", "kits given", "code broken"):
        assert act in told


EXAMPLES = {
    "": (0, 0, 0, 0, 0),
    "PANCREAS 2 U S; SUBMAND 2 S": (6, 2, 1, 0, 2),
    "KIDNEY 3 U D S; BILEDUCT 3 S; LACRIMAL 2 S": (11, 3, 1, 1, 3),
    "RPF 2 S; AORTA 2 U; CONST 2 S": (8, 3, 1, 0, 2),
}


def test_worked_examples_of_the_responder_index_are_totalled_while_typing(page, sign_in):
    sign_in(people.ANNA)
    enrol(page)
    hands.link(page, "Screening")
    hands.hold(page, hands.DAY)
    hands.link(page, "IgG4-RD Responder Index (2018)")
    assert page.locator('[name="PANCREAS.score"] option').nth(1).inner_text().startswith("0 · ")
    for organs, counts in EXAMPLES.items():
        page.goto(f"{ONE}/visits/SCR/ri")
        hands.forget(page)
        hands.score(page, organs)
        for name, count in zip(hands.RI_COUNTS, counts, strict=True):
            page.locator(f"#{name}").get_by_text(str(count), exact=True).wait_for()
        assert not page.evaluate(
            "[...document.querySelectorAll('[name$=\".damage\"]')].some(cell => !cell.value)"
        )
        page.once("dialog", lambda dialog: dialog.accept())


def test_a_participant_is_enrolled_and_a_visit_dated_by_keyboard_alone(page):
    page.goto("/sign-in")
    press(page, "#username")
    page.keyboard.type("anna")
    press(page, "#password")
    page.keyboard.type(people.PASSWORD)
    page.keyboard.press("Enter")
    press(page, "text=Enrol a participant")
    page.keyboard.press("Enter")
    press(page, "main button")
    page.keyboard.press("Enter")
    press(page, "th >> text=Screening")
    page.keyboard.press("Enter")
    press(page, "#held_on")
    page.keyboard.type("-1")
    page.keyboard.press("Enter")
    page.locator(".ec-done").wait_for()
    assert page.get_by_text("01-Mar-2026").count() == 1


def press(page, selector):
    """Press Tab until the control has the focus; it must be seen that it has."""
    wanted = page.locator(selector)
    wanted.wait_for()
    for _ in range(60):
        if wanted.evaluate("control => control === document.activeElement"):
            break
        page.keyboard.press("Tab")
    assert wanted.evaluate("control => control.matches(':focus-visible')")


def test_dates_have_the_width_of_a_date_and_grids_scroll_alone(page, sign_in, overflow):
    sign_in(people.ANNA)
    enrol(page)
    hands.link(page, "Add: Relapse")
    assert page.locator("#rel_aware_date").bounding_box()["width"] < 300
    assert page.locator(".ec-grid").bounding_box()["width"] > page.viewport_size["width"]
    assert overflow() <= 0


def lock(page, act, reason):
    page.fill("#reason", reason)
    page.fill("#password", people.PASSWORD)
    page.get_by_role("button", name=f"{act}: {CODE}").click()
    page.locator(".ec-done").wait_for()


def test_a_participant_is_locked_and_a_package_is_made_and_verified(
    page, sign_in, faults, tmp_path
):
    sign_in(people.ANNA)
    enrol(page)
    hands.leave(page)
    sign_in(people.DORA)
    page.goto(ONE)
    hands.link(page, "Freeze and lock")
    page.get_by_role("link", name=CODE, exact=True).click()
    hands.leave(page)
    sign_in(people.ANNA)
    page.goto(ONE)
    page.get_by_text("The participant fails the screening").click()
    page.fill("#reason", "Declined")
    page.get_by_role("button", name="Screening failed").click()
    page.locator(".ec-done").wait_for()
    hands.leave(page)
    sign_in(people.DORA)
    page.goto(f"/{STUDY}/locks?participant={CODE}")
    page.fill("#reason", "Cleaned")
    page.fill("#password", "not my password")
    page.get_by_role("button", name=f"Freeze: {CODE}").click()
    page.locator("#password-error").wait_for()
    assert page.input_value("#reason") == "Cleaned"
    lock(page, "Freeze", "Cleaned")
    lock(page, "Lock", "Final")
    assert "Nothing can be changed." in page.locator("main").inner_text()
    assert faults() == []
    package = export(page, tmp_path)
    assert faults() == []
    assert not verify.verify(str(package)).faults
    checked_alone(package, tmp_path)


def export(page, folder):
    """Make a package, check it on the page, and return where its download was put."""
    page.get_by_role("link", name="Exports").click()
    page.get_by_role("button", name="Make the package").click()
    with page.expect_download() as caught:
        page.locator("main th a").click()
    page.get_by_role("link", name="Check now").click()
    page.get_by_text("is good:").wait_for()
    path = folder / caught.value.suggested_filename
    caught.value.save_as(path)
    return path


def checked_alone(package, folder):
    """Have the verifier inside the package judge it, far from this program."""
    with zipfile.ZipFile(package) as opened:
        opened.extract("verify.py", folder)
    done = subprocess.run(
        [sys.executable, "-I", folder / "verify.py", package], check=False,
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("Good:")


def test_nobody_of_the_unblinded_side_gets_a_blinded_role(page, sign_in, faults):
    sign_in(people.ALMA)
    page.goto(f"/{STUDY}/people")
    page.fill("#give-username", "paul")
    page.select_option("#give-role", "site investigator")
    page.select_option("#give-site", "PUMCH")
    page.fill("#give-reason", "Holiday cover")
    page.get_by_role("button", name="Give the role").click()
    page.get_by_text("on the other side of the blind").wait_for()
    assert page.input_value("#give-reason") == "Holiday cover"
    assert faults() == []
    page.fill("#give-username", "carl")
    page.get_by_role("button", name="Give the role").click()
    page.locator(".ec-done").wait_for()
    assert page.get_by_role("row", name="carl").count() == 2
