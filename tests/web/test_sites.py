"""The page of sites: who sees it, what a click does, what stays when it is refused."""

import pytest
from sqlalchemy import select

from ecrf.kernel.people import Site
from tests.people import ANNA, DORA
from tests.visits.begun import begin
from tests.visits.trial import STUDY_ID

PAGE = f"/{STUDY_ID}/sites"


@pytest.fixture
def running(database, by):
    """The database with the small trial in force."""
    return begin(database, by)


@pytest.fixture
def dora(running, visitor):
    return visitor(DORA)


def is_open(database, code="PUMCH"):
    with database.read() as session:
        return session.scalar(
            select(Site.open).where(Site.study == STUDY_ID, Site.code == code)
        )


def test_a_site_is_closed_and_opened_from_the_page(dora, running):
    assert "enrolling" in dora.get(PAGE).text
    done = dora.post(f"{PAGE}/PUMCH", {"act": "close", "reason": "All places are taken."})
    assert (done.status_code, done.headers["Location"]) == (303, f"{PAGE}?done=1")
    assert not is_open(running) and is_open(running, "BFH")
    assert "closed to enrolment" in dora.get(PAGE).text
    dora.post(f"{PAGE}/PUMCH", {"act": "open", "reason": "Places again."})
    assert is_open(running)
    assert "closed the site" in dora.get(f"/{STUDY_ID}/ledger").text


def test_what_was_typed_stays_when_somebody_was_faster(dora, running):
    dora.post(f"{PAGE}/PUMCH", {"act": "close", "reason": "First."})
    late = dora.post(f"{PAGE}/PUMCH", {"act": "close", "reason": "All places are taken."})
    assert late.status_code == 409
    assert "closed already" in late.text and 'value="All places are taken."' in late.text


def test_nobody_else_sees_it(running, visitor):
    anna = visitor(ANNA)
    assert anna.get(PAGE).status_code == 403
    assert anna.post(f"{PAGE}/PUMCH", {"act": "close", "reason": "x"}).status_code == 403
    assert is_open(running)
    assert f'href="{PAGE}"' not in anna.get(f"/{STUDY_ID}/").text
