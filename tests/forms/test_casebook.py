from datetime import date
from typing import NamedTuple

import pytest

from forms import casebook
from forms.casebook import Counts, Standing
from tests.visits.trial import TRIAL

TODAY = date(2026, 4, 1)


class Visit(NamedTuple):
    plan: str = "SCR"
    state: str = "open"
    status: str = "planned"
    first: date | None = None
    due: date | None = None
    asked: str = ""


HELD = Visit(status="held")
FULL = Counts(complete=2, required=2)


@pytest.mark.parametrize(
    ("visit", "counts", "word"),
    [
        (Visit(), Counts(), Standing.NOT_STARTED),
        (Visit(first=date(2026, 4, 8), due=date(2026, 4, 20)), Counts(), Standing.DUE),
        (Visit(first=date(2026, 4, 9), due=date(2026, 4, 20)), Counts(), Standing.NOT_STARTED),
        (Visit(first=date(2026, 3, 1), due=date(2026, 4, 1)), Counts(), Standing.DUE),
        (Visit(first=date(2026, 3, 1), due=date(2026, 3, 31)), Counts(), Standing.OVERDUE),
        (Visit(due=date(2026, 4, 1)), Counts(), Standing.DUE),
        (Visit(status="missed"), Counts(), Standing.MISSED),
        (HELD, Counts(), Standing.IN_PROGRESS),
        (HELD, Counts(complete=1, required=1), Standing.IN_PROGRESS),
        (HELD, FULL, Standing.COMPLETE),
        (HELD, FULL._replace(drafts=1), Standing.IN_PROGRESS),
        (HELD, FULL._replace(answered=1), Standing.ANSWERED),
        (HELD, FULL._replace(queries=1, answered=1), Standing.QUERIES),
        (HELD, FULL._replace(queries=1), Standing.QUERIES),
        (Visit(status="missed"), Counts(queries=1), Standing.QUERIES),
        (Visit(plan="LOG"), Counts(complete=3), Standing.COMPLETE),
        (Visit(plan="LOG"), Counts(drafts=1), Standing.IN_PROGRESS),
    ],
)
def test_the_word_for_a_visit_is_what_most_needs_somebody(visit, counts, word):
    assert casebook.standing(TRIAL, visit, "open", counts, TODAY) is word


@pytest.mark.parametrize(("lock", "word"), [("frozen", "frozen"), ("locked", "locked")])
def test_a_lock_is_said_before_anything_else(lock, word):
    found = casebook.standing(TRIAL, HELD, lock, Counts(queries=3), TODAY)
    assert found == word
    assert casebook.form_standing(lock=lock, status="draft", signed=False, queries=2) == word


@pytest.mark.parametrize(
    ("status", "signed", "queries", "word"),
    [
        (None, False, 0, "not started"),
        ("draft", False, 0, "in progress"),
        ("complete", False, 0, "complete"),
        ("complete", True, 0, "signed"),
        ("complete", True, 1, "has queries"),
        ("not done", False, 0, "not done"),
    ],
)
def test_the_word_for_a_form(status, signed, queries, word):
    found = casebook.form_standing(lock="open", status=status, signed=signed, queries=queries)
    assert found == word


def test_a_form_that_is_not_defined_yet_is_not_missing():
    assert casebook.required(TRIAL, "W4") == ("vs",)
    assert casebook.missing(TRIAL, "W4", Counts(required=1)) == 0
    assert casebook.missing(TRIAL, "SCR", Counts(required=1)) == 1


def test_the_word_for_several_visits_is_the_most_urgent_of_them():
    words = [Standing.COMPLETE, Standing.IN_PROGRESS, Standing.NOT_STARTED]
    assert casebook.worst(words) is Standing.IN_PROGRESS
    assert casebook.worst([]) is Standing.NOT_STARTED
