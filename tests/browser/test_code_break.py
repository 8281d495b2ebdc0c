"""A code break in a real browser: the usual way, and with the main database stopped."""

import re
from contextlib import contextmanager
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import select, update

from ecrf.kernel.chance import Seeded
from ecrf.kernel.db import Database
from ecrf.kernel.ledger import By, Origin
from ecrf.study import strata, versions
from ecrf.web.vault.breaking import carrying, mirroring
from forms.unblinded.tables import CodeBreak
from randomization import api
from randomization.tables import Reveal
from tests import people as cast
from tests.browser.conftest import _apps, _served
from tests.people import ALMA, ANNA, NOON, PASSWORD, STUDY
from visits import participants
from visits.tables import Participant

CODE = "PUMCH-001"
VIEWS = (("en", 1280), ("zh", 320))
WORKER = By(ALMA, NOON, Origin.JOB, Seeded(b"worker"))


@pytest.fixture
def prepared(trial_databases):
    return trial_databases


@pytest.fixture
def randomized(site, study):
    """The shipped trial with one participant whom the vault and the main side know."""
    with site.database.write() as session:
        fingerprint = versions.in_force(session, STUDY)[1]
        anna = By(ANNA, NOON, Origin.PAGE, Seeded(b"enrol"))
        participants.enrol(session, anna, study, fingerprint, "PUMCH")
    by = By(ALMA, NOON, Origin.COMMAND, Seeded(b"ceremony"))
    ratio = tuple(study.randomization.ratio.items())
    names = strata.names(study)
    environment = site.vault.environment
    made = api.Spec(
        study=STUDY, version=1, environment=environment, scheme="permuted_block",
        ratio=ratio, options={"sizes": (4, 6)}, strata=names, slots=12,
    )  # fmt: skip
    api.generate(site.vault, by, made)
    api.publish(site.vault, by, STUDY, 1)
    api.activate(site.vault, by, STUDY, 1)
    contents = {arm: 4 for arm, _ in ratio}
    kits = api.Packing(STUDY, "PUMCH", "P-001", date(2029, 1, 1), contents)
    api.register_kits(site.vault, by, kits)
    here = next(name for name in names if "PUMCH" in name)
    asked = api.Request(STUDY, "PUMCH", CODE, here, "BL", 1, date(2026, 6, 1))
    receipt = api.randomize(site.vault, anna, asked)
    with site.database.write() as session:
        session.execute(
            update(Participant).values(
                status="randomized", random_number=receipt.random_number,
                randomized_on=NOON.date(),
            )
        )  # fmt: skip
    return site


def three_steps(page, faults, overflow, press):
    """Go through the steps by hand, at the address the page is at."""
    page.fill("#code", CODE.lower())
    seen(page, faults, overflow)
    page.click("main button.govuk-button")
    page.locator("[name=why]").first.check()
    page.fill("#reason", "Septic shock")
    page.check("#contacted-N")
    page.fill("#telephone", "+86 10 6915 0000")
    seen(page, faults, overflow)
    page.click("main button.govuk-button")
    page.check("#understood")
    page.fill("#again", CODE)
    if page.locator("#username").count():
        page.fill("#username", cast.username(ANNA))
    page.fill("#password", PASSWORD)
    seen(page, faults, overflow)
    page.click(press)
    arm = page.locator(".ec-arm").inner_text()
    seen(page, faults, overflow)
    return arm


def seen(page, faults, overflow):
    """Judge the page in its view; in the other width it may not be too wide either."""
    assert faults() == []
    view = page.viewport_size
    for width in (view["width"], *(other for _, other in VIEWS if other != view["width"])):
        page.set_viewport_size({**view, "width": width})
        assert overflow() <= 0, width
    page.set_viewport_size(view)


def named(database, column):
    with database.read() as session:
        return session.scalars(select(column)).all()


@pytest.mark.req("BL-06")
@pytest.mark.parametrize(("locale", "width"), VIEWS)
def test_a_code_is_broken_in_three_steps_and_not_shown_again(
    randomized, page, sign_in, faults, overflow, locale, width
):
    page.set_viewport_size({"width": width, "height": 800})
    sign_in(ANNA)
    page.goto(f"/vault/{STUDY}/code-break?lang={locale}")
    arm = three_steps(page, faults, overflow, "button.govuk-button--warning")
    assert re.match(r"(MMF|PBO)[:：]", arm)
    page.reload()
    assert page.locator(".ec-arm").count() == 0
    page.goto(f"/{STUDY}/code-breaks")
    assert CODE in page.locator("main").inner_text()
    assert not re.search(r"\b(MMF|PBO)\b", page.locator("main").inner_text())
    seen(page, faults, overflow)
    assert len(named(randomized.vault.database, Reveal.id)) == 1


@contextmanager
def stopped(site, folder):
    """The same installation with its main database gone, served anew."""
    away = Database(f"sqlite:///{folder / 'moved' / 'away.db'}")
    services = replace(site.services, database=away)
    with _served(_apps(services, site.vault)) as url:
        yield url
    away.dispose()


@pytest.mark.req("BL-07")
@pytest.mark.parametrize(("locale", "width"), VIEWS)
def test_with_the_main_database_stopped_the_code_is_broken_from_the_sign_in_page(
    randomized, page, faults, overflow, locale, width, tmp_path
):
    mirroring.mirror(randomized.database, randomized.vault, WORKER)
    page.set_viewport_size({"width": width, "height": 800})
    with stopped(randomized, tmp_path) as url:
        page.goto(f"{url}/sign-in?lang={locale}")
        page.click('a[href="/vault/code-break"]')
        assert page.url.endswith("/vault/code-break/emergency")
        arm = three_steps(page, faults, overflow, "button.govuk-button--warning")
        page.reload()
        assert page.locator(".ec-arm").count() == 0
    assert re.match(r"(MMF|PBO)[:：]", arm)
    assert len(named(randomized.vault.database, Reveal.id)) == 1
    assert named(randomized.database, CodeBreak.way) == []
    assert carrying.carry(randomized.database, randomized.vault, WORKER) == 1
    assert named(randomized.database, CodeBreak.way) == ["emergency"]
