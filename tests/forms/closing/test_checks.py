"""Gates beside forms and visits: what the study asks for, and what nobody has looked at yet."""

import pytest
from sqlalchemy import insert

from ecrf.kernel import jobs
from ecrf.study import versions
from ecrf.study.reviewing import Milestone, Verification
from forms import gates
from forms.gates import Gate
from forms.laboratory.tables import AlertRow
from tests import people
from tests.forms.test_locking import _gates, _scope, clean  # noqa: F401 (a fixture)
from tests.forms.trial import FINGERPRINT, STUDY_ID, TRIAL, formula, words


@pytest.fixture
def agreed(monkeypatch):
    """Give `agreed(**parts)`: the trial says these parts too."""

    def make(**parts):
        changed = TRIAL.model_copy(update=parts)
        monkeypatch.setitem(versions._KNOWN, FINGERPRINT, changed)

    return make


def _of(desk, kind, **named):
    return [
        (b.visit, b.form, b.text.in_("en")) for b in _gates(desk, **named) if b.kind is kind
    ]


@pytest.mark.req("LK-02")
def test_what_the_plan_wants_verified_blocks_until_it_is(clean, agreed):  # noqa: F811
    """LK-02: source verification done; a study without a plan asks for none."""
    assert _of(clean, Gate.VERIFICATION) == []
    plan = {"default": {"items": "none", "otherwise": "none"}, "rules": [{"form": "dm"}]}
    agreed(verification=Verification.model_validate(plan))
    assert _of(clean, Gate.VERIFICATION) == [
        ("SCR", "dm", "1 item(s) of dm are not verified.".replace("dm", "Demographics"))
    ]


@pytest.mark.req("LK-02")
def test_a_milestone_the_lock_waits_for_blocks_until_it_is_signed(clean, agreed):  # noqa: F811
    """LK-02: all signed; which milestones count is the study's to say."""
    milestone = Milestone(
        id="end", label=words("End"), visits=("SCR",), signed=words("I agree."), lock=True
    )
    agreed(milestones=(milestone.model_copy(update={"lock": False}),))
    assert _of(clean, Gate.SIGNATURE) == []
    agreed(milestones=(milestone,))
    assert _of(clean, Gate.SIGNATURE) == [("SCR", "dm", "Demographics is not signed for End.")]


@pytest.mark.req("LK-02")
def test_alerts_nobody_saw_and_jobs_that_run_block(clean):  # noqa: F811
    """LK-02: nothing that might still write, nothing that nobody has looked at."""
    with clean.database.write() as session:
        session.execute(
            insert(AlertRow).values(
                study=STUDY_ID, site="PUMCH", participant_id=1, entry_id=2, version=1,
                rule="A1", item="sbp", level="high", text_en="Too high.", text_zh="过高。",
                raised_at=people.NOON, comment="",
            )
        )  # fmt: skip
        jobs.ask(session, STUDY_ID, "checks", {}, people.DORA.id, people.NOON)
    (alert,) = _of(clean, Gate.ALERT)
    assert alert[2] == "Nobody has acknowledged the alert: Too high."
    assert [text for *_, text in _of(clean, Gate.JOB)] == [
        "1 job(s) of this study wait or run."
    ]
    assert _of(clean, Gate.ALERT, site="BFH") == []
    assert _of(clean, Gate.JOB, participant="PUMCH-001") == []


@pytest.mark.req("LK-02")
def test_an_event_without_its_report_blocks(clean, agreed, statements):  # noqa: F811
    """LK-02: serious events reconciled; the rule is the study's prompt."""
    rule = {
        "id": "P1", "form": "vs", "opens": "ae", "message": words("Report it."),
        "when": formula('sbp > 110 and not any(row.term == "high" for row in all.ae)'),
    }  # fmt: skip
    prompts = type(TRIAL.consequences).model_validate({"prompts": [rule]})
    agreed(consequences=prompts)
    assert {visit for visit, *_ in _of(clean, Gate.REPORT)} == {"SCR", "BL"}
    (one,) = _of(clean, Gate.REPORT, participant="PUMCH-001", visit="BL")
    assert one[2] == "Vital signs 1 calls for Adverse event, which was not begun."
    with clean.database.read() as session, statements(clean.database) as sent:
        gates.open_ends(session, _scope(session), people.NOON)
    assert len(sent) < 25
