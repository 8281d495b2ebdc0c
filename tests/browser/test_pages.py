"""Every page a person can reach by following links: accessible in both languages, no dead end.

Pages of one kind (the same path but for codes, visits, forms and numbers) are visited once a
person, in turn in English on a wide screen and in Chinese on a narrow one. The ways in which
items are drawn have their own test.
"""

import re
from urllib.parse import urlsplit

import pytest
from sqlalchemy import update

from ecrf.kernel.access import Right
from ecrf.kernel.people import Site
from ecrf.study import versions
from forms import entries
from forms import lookup as found_entries
from forms.answers import Given
from tests import people
from visits import lookup as found_visits
from visits import participants, visits

VIEWS = (("en", 1280), ("zh", 320))
MOST_PAGES = 40
DOUBTFUL = {"vsdat": "2026-03-02", "sbp": "185", "dbp": "80", "pulse": "70", "temp": "36.6"}
LEFT_OUT = re.compile(r"/static/|/sign-out|\.(?:zip|pdf|csv|json|ics|txt)$|/download")


@pytest.fixture
def site(site, study, by):
    """The shipped trial in force, with a participant who has a visit, a form and a query."""
    with site.database.write() as session:
        for manager in (people.DORA, people.DIRK):
            fingerprint = versions.approve(session, by(manager), study).fingerprint
        session.execute(update(Site).values(open=True))
    with site.database.write() as session:
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


def kind_of(path):
    """Return the path without what tells one participant, visit or form from another."""
    path = re.sub(r"/[A-Z]{2,8}-\d+", "/CODE", path)
    path = re.sub(r"/visits/[^/]+/[^/]+", "/visits/KEY/FORM", path)
    path = re.sub(r"/visits/[^/]+$", "/visits/KEY", path)
    return re.sub(r"/\d+", "/1", path)


def links(page):
    """Return the paths the page leads to on this site."""
    found = page.locator("a[href]").evaluate_all("all => all.map(a => a.href)")
    here = urlsplit(page.url).netloc
    paths = (urlsplit(link) for link in found)
    return [p.path for p in paths if p.netloc == here and not LEFT_OUT.search(p.path)]


def wander(page):
    """Follow links breadth first: yield each kind of page once, to be shown by the caller."""
    waiting, met = [urlsplit(page.url).path], set()
    while waiting and len(met) < MOST_PAGES:
        path = waiting.pop(0)
        if kind_of(path) in met:
            continue
        met.add(kind_of(path))
        yield path
        waiting.extend(links(page))


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


@pytest.mark.parametrize("actor", ROLES.values(), ids=people.username)
def test_every_page_a_person_reaches_is_accessible(actor, page, sign_in, judge):
    sign_in(actor)
    wrong = [fault for n, path in enumerate(wander(page)) for fault in judge(path, n)]
    assert not wrong, "\n".join(wrong)


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
