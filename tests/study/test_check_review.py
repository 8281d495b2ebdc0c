import pytest

from ecrf.study import check_review, critical
from ecrf.study.reviewing import Milestone, Rule, Verification
from tests.forms.trial import TRIAL, words

MEANT = words("All is right.")


def told(verification=None, *milestones):
    study = TRIAL.model_copy(
        update={"verification": verification or Verification(), "milestones": milestones}
    )
    return [p.message.in_("en") for p in check_review.problems(study, frozenset())]


@pytest.mark.parametrize(
    "verification, milestones, says",
    [
        (Verification(rules=(Rule(form="vss"),)), (), "no form vss. Did you mean vs?"),
        (Verification(rules=(Rule(visit="W44"),)), (), "no visit W44. Did you mean W4?"),
        (Verification(critical={"vs": ("spb",)}), (), "vs has no item spb. Did you mean sbp?"),
        (Verification(critical={"gr": ("organs.scor",)}), (), "gr has no item organs.scor."),
        (None, (Milestone(id="m", label=MEANT, forms=("dm",)),), "No form of m asks"),
        (None, (Milestone(id="m", label=MEANT, visits=("XX",)),), "no visit XX"),
        (None, (Milestone(id="m", label=MEANT),) * 2, "m is here twice"),
    ],
)
def test_what_plan_and_milestones_name_must_be_there(verification, milestones, says):
    assert any(says in each for each in told(verification, *milestones))


def test_a_sound_plan_and_sound_milestones_are_not_remarked_on():
    plan = Verification(
        rules=(Rule(form="vs", visit="W4"),),
        critical={"vs": ("*",), "gr": ("organs", "organs.score", "LUNG.urgent")},
    )
    start = Milestone(id="start", label=MEANT, visits=("SCR",), forms=("dm",), signed=MEANT)
    assert told(plan, start) == []
    study = TRIAL.model_copy(update={"verification": plan})
    assert critical.keys(study, TRIAL.forms["gr"]) == {
        "LUNG.score", "SKIN.score", "CONST.score", "LUNG.urgent", "SKIN.urgent",
    }  # fmt: skip
