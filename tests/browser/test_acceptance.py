"""A doubt, a signature and a relapse, each from its beginning to its end, by clicking."""

from datetime import date

import pytest
from sqlalchemy import update

from ecrf.kernel.access import Right
from ecrf.study import versions
from tests import people
from tests.browser import hands
from tests.people import STUDY
from visits import lookup, participants, visits
from visits.tables import Participant

CODE = "PUMCH-001"
ONE = f"/{STUDY}/participants/{CODE}"
VITALS = {"vsdat": "v", "sbp": "212", "dbp": "80", "pulse": "70", "temp": "36.6", "resp": "16"}
VOTE = {
    "adj_flare": "Y", "adj_organs": "PANCREAS", "adj_criteria_met": "IMAGING",
    "adj_date_agreed": "Y", "adj_confidence": "HIGH", "adj_rationale": "New on imaging.",
}  # fmt: skip


@pytest.fixture
def prepared(trial_databases):
    return trial_databases


@pytest.fixture
def site(site, study, by):
    """The shipped trial with one randomized participant whose screening has its date."""
    with site.database.write() as session:
        fingerprint = versions.in_force(session, STUDY)[1]
        participants.enrol(session, by(people.ANNA), study, fingerprint, "PUMCH")
        session.execute(
            update(Participant).values(status="randomized", randomized_on=date(2026, 2, 25))
        )
    with site.database.write() as session:
        screening = lookup.visit(session, people.ANNA, STUDY, CODE, "SCR", Right.ENTRY_WRITE)
        visits.hold(session, by(people.ANNA), screening, people.NOON.date())
    return site


@pytest.fixture
def become(page, sign_in):
    """Give `become(actor)`: that person sits down; who was here before stays signed in."""
    sessions, here = {}, []

    def change(actor):
        if here:
            sessions[here.pop()] = page.context.cookies()
        page.context.clear_cookies()
        if actor in sessions:
            page.context.add_cookies(sessions[actor])
        else:
            sign_in(actor)
        here.append(actor)

    return change


def click(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def done(page, name):
    """Press a button and wait until the page says that it is done."""
    click(page, name)
    page.locator(".ec-done").wait_for()


def asked(page, words):
    """Open the query on the form that says these words."""
    page.locator(".ec-flag", has_text=words).click()
    page.locator("#query-text").wait_for()


def test_a_wrong_value_is_queried_answered_corrected_and_closed(page, become):
    become(people.CARL)
    page.goto(f"{ONE}/visits/SCR/vs")
    hands.fill(page, VITALS)
    hands.saved(page)
    asked(page, "212 mmHg is unusual")
    page.fill("#sbp", "122")
    page.fill("#query-text", "Misread: 122 in the source.")
    done(page, "Save and answer")
    assert page.get_by_text("Closed by itself").count() == 1
    become(people.DORA)
    page.goto(f"{ONE}/visits/SCR/vs/1/ask?item=pulse")
    page.fill("#query-text", "Is the pulse right?")
    done(page, "Ask")
    become(people.CARL)
    page.goto(f"/{STUDY}/queries")
    line = page.get_by_role("row", name="Is the pulse right?")
    assert "Vital signs" in line.inner_text()
    line.get_by_role("link").first.click()
    page.fill("#pulse", "72")
    page.fill("#query-text", "72: corrected.")
    done(page, "Save and answer")
    become(people.DORA)
    page.goto(f"/{STUDY}/queries?status=answered&tick=1")
    click(page, "Close the ticked ones …")
    page.fill("#query-text", "Agrees with the source.")
    done(page, "Close the ticked ones")
    assert page.get_by_text("Closed: 1").count() == 1
    page.goto(f"{ONE}/visits/SCR/vs/1/history?item=pulse")
    assert "72: corrected." in page.locator("main").inner_text()


def report(page):
    """Anna reports the relapse and signs; Mona verifies it."""
    page.goto(ONE)
    hands.link(page, "Add: Relapse")
    hands.fill(page, hands.RELAPSE | hands.IMAGING)
    hands.saved(page)
    sign(page)


def sign(page):
    if page.locator("#username").count():
        page.fill("#username", "anna")
    page.fill("#password", people.PASSWORD)
    click(page, "Sign as Anna Li")
    page.locator(".ec-status--signed").first.wait_for()


def test_a_relapse_is_signed_verified_changed_signed_again_adjudicated_and_locked(
    page, become, faults
):
    become(people.ANNA)
    report(page)
    form = page.url.partition("?")[0]
    become(people.MONA)
    page.goto(form)
    page.get_by_role("button", name="Verify all remaining").click()
    page.locator(".ec-done").wait_for()
    become(people.ANNA)
    page.goto(form)
    hands.put(page, "inv_reason", "IgG4 doubled, new lesion")
    hands.save(page)
    page.locator("#reason-source").check()
    done(page, "Save with this reason")
    assert page.locator(".ec-signature s").inner_text().startswith("Anna Li")
    assert page.get_by_role("row", name="IgG4 doubled IgG4 doubled, new lesion").count() == 1
    assert faults() == []
    sign(page)
    become(people.MONA)
    page.goto(form)
    assert page.get_by_text("Changed since verified").count() > 0
    page.get_by_role("button", name="Verify all remaining").click()
    page.locator(".ec-done").wait_for()
    adjudicate(page, become)
    lock(page, form)


def adjudicate(page, become):
    """From the dossier over two votes that do not agree to the chair and the endpoint."""
    case, mine = f"/{STUDY}/cases/1", f"/{STUDY}/adjudication/1"
    become(people.DORA)
    page.goto(case)
    for step in ("Assemble the dossier", "Complete the dossier"):
        done(page, step)
    for person in ("Adam Qian", "Eve Tang"):
        page.get_by_label(person).check()
    done(page, "Give the case")
    no = {"adj_flare": "N", "adj_confidence": "HIGH", "adj_rationale": "No lesion."}
    for person, ballot in ((people.ADAM, VOTE), (people.EVE, no)):
        become(person)
        page.goto(mine)
        assert CODE not in page.locator("main").inner_text()
        vote(page, ballot)
    become(people.DORA)
    page.goto(case)
    done(page, "Give the case to the chair")
    become(people.CORA)
    page.goto(mine)
    vote(page, VOTE)
    become(people.DORA)
    page.goto(f"/{STUDY}/endpoints")
    line = page.get_by_role("row", name=CODE)
    assert line.get_by_role("cell", name="Yes", exact=True).count() == 2
    assert "C-001" in line.inner_text()


def vote(page, ballot):
    hands.fill(page, ballot)
    page.fill("#password", people.PASSWORD)
    done(page, "Save and sign")


def lock(page, form):
    page.goto(form)
    hands.link(page, "Freeze and lock")
    page.fill("#reason", "Adjudicated")
    page.fill("#password", people.PASSWORD)
    page.locator("button[name=act][value=lock]").click()
    page.locator(".ec-done").wait_for()
    page.goto(form)
    assert page.locator(".ec-status--locked").count() > 0
