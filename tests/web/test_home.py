import re
from datetime import timedelta

import pytest

from tests import people
from tests.forms.test_progress import ask, fill
from tests.visits import cases
from tests.visits.begun import begin
from tests.visits.cases import day
from tests.visits.trial import STUDY_ID

HOME = f"/{STUDY_ID}/"
ONE = f"/{STUDY_ID}/participants/PUMCH-001"


def titles(answer):
    return re.findall(r"<h2[^>]*>(.*?) <span class=\"ec-quiet\">\((\d+)\)", answer.text)


@pytest.fixture
def running(database, by):
    """The database with the small trial in force; two sites are open, one is not."""
    return begin(database, by)


@pytest.fixture
def trial(running, by):
    """Screened 20 February, randomized two days before today, BL not dated yet."""
    code = cases.enrol(running, by).code
    cases.hold(running, by, code, "SCR", day("2026-02-20"))
    cases.randomize(running, by, code, day("2026-02-28"))
    return running


def test_an_empty_study_says_that_nothing_needs_doing(running, visitor):
    answer = visitor(people.CARL).get(HOME)
    assert titles(answer) == []
    assert "Nothing needs doing now, and no visit opens in the next 14 days." in answer.text


def test_a_coordinator_sees_what_needs_doing_the_most_urgent_first(trial, visitor):
    entry = fill(trial, "PUMCH-001", "SCR", "dm", "draft")
    ask(trial, entry, at=people.NOON - timedelta(days=3))
    answer = visitor(people.CARL).get(HOME)
    assert titles(answer) == [
        ("Overdue", "1"), ("Queries to answer", "1"), ("Forms in progress", "1"),
        ("Visits with forms still missing", "1"),
    ]  # fmt: skip
    assert "The oldest has been waiting since 27-Feb-2026." in answer.text


def test_each_row_leads_to_the_exact_place(trial, visitor):
    ask(trial, fill(trial, "PUMCH-001", "SCR", "vs", "draft"), "note")
    text = visitor(people.CARL).get(HOME).text
    assert f'href="{ONE}/visits/BL">Baseline<' in text
    assert f'href="{ONE}/visits/SCR/vs#note">SCR, VS<' in text
    assert f'href="{ONE}/visits/SCR/vs">Screening, VS<' in text
    assert f'href="{ONE}/visits/SCR">Screening<' in text
    assert "0 of 2 required forms are filled" in text


def test_an_investigator_is_asked_to_sign_and_a_coordinator_is_not(trial, visitor):
    fill(trial, "PUMCH-001", "SCR", "vs")
    assert ("To sign", "1") in titles(visitor(people.ANNA).get(HOME))
    assert "To sign" not in visitor(people.CARL).get(HOME).text


def test_a_monitor_is_shown_answers_to_check_and_no_forms_to_fill(trial, visitor):
    entry = fill(trial, "PUMCH-001", "SCR", "dm", "draft")
    ask(trial, entry, "a", "answered")
    ask(trial, entry, "b", "open")
    found = titles(visitor(people.MONA).get(HOME))
    assert found == [("Overdue", "1"), ("Answered queries to check", "1")]


def test_the_other_site_has_nothing_to_do(trial, visitor):
    ask(trial, fill(trial, "PUMCH-001", "SCR", "dm", "draft"))
    text = visitor(people.BO).get(HOME).text
    assert "Nothing needs doing now" in text
    assert "PUMCH-001" not in text


@pytest.mark.parametrize("count", [5, 50])
def test_today_costs_the_same_statements_however_many_there_are(
    running,
    by,
    visitor,
    statements,
    count,
):
    for _ in range(count):
        code = cases.enrol(running, by).code
        cases.hold(running, by, code, "SCR", day("2026-02-20"))
        ask(running, fill(running, code, "SCR", "dm", "draft"))
    anna = visitor(people.ANNA)
    anna.get(HOME)
    with statements(running) as sent:
        assert ("Forms in progress", str(count)) in titles(anna.get(HOME))
    assert len(sent) == 9
