"""Every page a person can reach by following links: accessible in both languages, no dead end.

Pages of one kind (the same path but for codes, visits, forms and numbers) are fetched once a
person, in both languages. A browser shows, in English on a wide screen and in Chinese on a
narrow one, those in which there is an element of a shape that no page of their kind showed
before, whoever reached it. The ways in which items are drawn have their own test.
"""

import itertools
import json

import pytest

from ecrf.kernel.access import Right
from ecrf.study import versions
from ecrf.web import nav
from ecrf.web.routes import COOKIE
from forms import entries
from forms import lookup as found_entries
from forms.answers import Given
from tests import once, people
from tests.browser import crawl
from tests.browser.conftest import _apps
from visits import lookup as found_visits
from visits import participants, visits

VIEWS = (("en", 1280), ("zh", 320))
DOUBTFUL = {"vsdat": "2026-03-02", "sbp": "185", "dbp": "80", "pulse": "70", "temp": "36.6"}


@pytest.fixture
def prepared(trial_databases):
    return trial_databases


@pytest.fixture
def site(site, study, by):
    """The shipped trial in force, with a participant who has a visit, a form and a query."""
    with site.database.write() as session:
        fingerprint = versions.in_force(session, study.id)[1]
        code = participants.enrol(session, by(people.ANNA), study, fingerprint, "PUMCH").code
    with site.database.write() as session:
        screening = found_visits.visit(
            session, people.ANNA, study.id, code, "SCR", Right.ENTRY_WRITE
        )
        visits.hold(session, by(people.ANNA), screening, people.NOON.date())
    with site.database.write() as session:
        empty = found_entries.entry(
            session, people.CARL, study.id, code, "SCR", "vs", 1, Right.ENTRY_WRITE, lock=True
        )
        entries.save(
            session, by(people.CARL), empty,
            {item: Given(text) for item, text in DOUBTFUL.items()},
            seen_version=0, reason=None, complete=True,
        )  # fmt: skip
    return site


ROLES = {next(iter(actor.grants)).role: actor for actor in reversed(people.EVERYONE)}
"""The first person of each role: which pages there are for somebody depends on the role."""
PARTS = 4


@pytest.fixture
def apps(site):
    return _apps(site.services, site.vault)


@pytest.fixture
def met(site, apps, by, tmp_path_factory):
    """What everybody met: what is wrong, and the pages a browser has to see; once in a run."""
    return json.loads(once.text(tmp_path_factory, "pages", lambda: _all(site, apps, by)))


def _all(site, apps, by):
    pages = [
        (people.username(actor), page)
        for actor in ROLES.values()
        for page in crawl.crawl(apps, crawl.signed_in(site, by, actor))
    ]
    return json.dumps({
        "kinds": {name: [page.kind for who, page in pages if who == name] for name, _ in pages},
        "wrong": [f"{name}: {fault}" for name, page in pages for fault in page.wrong],
        "shown": [(name, page.path) for name, page in crawl.chosen(pages)],
    })  # fmt: skip


@pytest.fixture
def judge(page, faults, overflow):
    """Give `judge(path, turn)`: what is wrong with a page, one line each, in one view."""

    def look(path, turn):
        locale, width = VIEWS[turn % len(VIEWS)]
        page.set_viewport_size({"width": width, "height": 800})
        response = page.goto(f"{path}?lang={locale}")
        wrong = [f"status {response.status}"] if response.status != 200 else faults()
        wrong += [f"{overflow()} px too wide"] if overflow() > 0 else []
        return [f"{path} {locale} {width}: {fault}" for fault in wrong]

    return look


ROLES = {next(iter(actor.grants)).role: actor for actor in reversed(people.EVERYONE)}
"""The first person of each role: which pages there are for somebody depends on the role."""


def test_every_page_a_person_reaches_answers_in_both_languages(met):
    """Whoever it is: all of their menu and what it leads to, without one dead end."""
    assert met["wrong"] == []
    for actor in ROLES.values():
        menu = {crawl.kind_of(entry.path) for entry in nav.entries(actor, people.STUDY)}
        assert menu <= set(met["kinds"][people.username(actor)])


@pytest.mark.parametrize("part", range(PARTS))
def test_every_page_a_person_reaches_is_accessible(part, met, site, by, page, judge):
    """Wide in English and narrow in Chinese, by turns; a person's first page in both.

    A page of the same shapes is seen with one person.
    """
    actors = {people.username(actor): actor for actor in ROLES.values()}
    wrong = []
    for name, paths in itertools.groupby(met["shown"][part::PARTS], lambda told: told[0]):
        become(page, site, crawl.signed_in(site, by, actors[name]))
        for place, (_, path) in enumerate(paths):
            views = range(len(VIEWS)) if place == 0 else [place % len(VIEWS)]
            wrong += [fault for n in views for fault in judge(path, n)]
    assert not wrong, "\n".join(wrong)


def become(page, site, token):
    """Sit down as the person whose session this is."""
    page.context.clear_cookies()
    page.context.add_cookies([{"name": COOKIE, "value": token, "url": site.url}])


def ways(form):
    """Return the ways in which the form's items are drawn."""
    return {
        (cell.question.type, cell.grid is not None, bool(cell.question.units),
         bool(cell.question.missing), cell.question.derive is not None)
        for cell in form.cells.values()
    }  # fmt: skip


def of_every_way(forms):
    """Return forms, short ones first, that together draw items in every way there is."""
    chosen, drawn = [], set()
    for form in sorted(forms, key=lambda form: len(form.cells)):
        if not ways(form) <= drawn:
            chosen.append(form)
            drawn |= ways(form)
    return [form for n, form in enumerate(chosen) if _adds(form, chosen[n + 1 :])]


def _adds(form, later):
    return not ways(form) <= {way for other in later for way in ways(other)}


def test_items_are_accessible_in_whatever_way_they_are_drawn(page, sign_in, judge, site, study):
    """Forms are made of the same parts: a few of them hold every part there is."""
    sign_in(people.ANNA)
    at = {a.form: a.visit for a in study.matrix if a.visit in ("SCR", "LOG")}
    forms = of_every_way([study.forms[form] for form in at if form in study.forms])
    start = f"/{study.id}/participants/PUMCH-001/visits"
    paths = [f"{start}/{at[form.id]}/{form.id}" for form in forms]
    wrong = [fault for n, path in enumerate(paths) for fault in judge(path, n)]
    assert not wrong, "\n".join(wrong)
