"""Clocks and prompts: where they are shown, how they run, when they go."""

from datetime import UTC, datetime, timedelta

import pytest

from ecrf.study import canonical
from ecrf.study.model import Study
from ecrf.web.countdown import countdown
from tests import people
from tests.forms import consequent, trial
from tests.forms.conftest import desk as desk  # noqa: PLC0414
from tests.forms.conftest import running as running  # noqa: PLC0414

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("minutes", "said", "late"),
    [
        (312, "5 h 12 min left", False),
        (0, "0 h 0 min left", False),
        (-180, "3 h 0 min late", True),
        (-1, "0 h 1 min late", True),
        (2879, "47 h 59 min left", False),
        (2880, "2 d 0 h left", False),
    ],
)
def test_a_countdown_says_how_long_is_left_or_how_late_it_is(minutes, said, late):
    found = countdown(NOON + timedelta(minutes=minutes), NOON)
    assert (found.said.in_("en"), found.late) == (said, late)


CLOCK = {
    "id": "CLOCK", "form": "vs", "message": trial.words("Tell the sponsor."),
    "due": trial.formula("add_hours(remark, 24)"), "done": trial.formula("sbp > 0"),
}  # fmt: skip
FOLLOW = {**consequent.FOLLOW, "clocks": [CLOCK], "effects": [], "deviations": []}


@pytest.fixture
def clocked(monkeypatch):
    study = Study.model_validate(consequent.PLAIN | {"consequences": FOLLOW})
    monkeypatch.setattr(trial, "TRIAL", study)
    monkeypatch.setattr(trial, "FINGERPRINT", canonical.fingerprint(study))


def test_a_clock_runs_on_today_the_visit_and_the_form_until_it_is_done(clocked, desk, visitor):
    """It is noon at the site when the clock began an hour ago."""
    desk.save({"remark": "2026-03-02T11:00"})
    entry = f"/{trial.STUDY_ID}/participants/PUMCH-001/visits/BL/vs"
    carl = visitor(people.CARL)
    pages = [
        f"/{trial.STUDY_ID}/",
        entry,
        entry.removesuffix("/vs"),
        entry.partition("/visits")[0],
    ]
    for page in pages:
        assert "23 h 0 min left" in carl.get(page).text, page
    assert "min left" not in visitor(people.BO).get(pages[0]).text
    desk.save({"remark": "2026-03-01T05:00"}, reason="Typing error")
    assert "7 h 0 min late" in carl.get(pages[0]).text
    desk.save({"sbp": "120"})
    assert all("min late" not in carl.get(page).text for page in pages)


def test_a_prompt_stands_on_today_until_the_form_it_opens_is_filled_in(clocked, desk, visitor):
    desk.save({"sbp": "210", "dbp": "80"})
    carl = visitor(people.CARL)
    home = f"/{trial.STUDY_ID}/"
    assert "Report it." in carl.get(home).text
    assert "Report it." not in visitor(people.MONA).get(home).text
    desk.save({"term": "Crisis"}, visit="LOG", form="ae")
    assert "Report it." not in carl.get(home).text
    desk.save({"term": ""}, visit="LOG", form="ae", reason="It was none")
    assert "Report it." in carl.get(home).text
