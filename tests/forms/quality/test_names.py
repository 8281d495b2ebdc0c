"""What a rule of data quality may name, and what nobody is shown. Pure."""

from dataclasses import replace

import pytest

from forms.answers import Answer
from forms.context import Context, scope
from forms.plan import plan
from forms.quality import own, rules
from forms.quality.own import Wanted
from tests.forms.trial import TRIAL


@pytest.mark.req("Q2")
def test_an_own_rule_that_names_a_visit_the_study_does_not_have_is_refused():
    """Q2: names of visits, forms and items are checked when the rule is made."""
    sound = Wanted("DQ01", "vs", "sbp", "sbp > SCR.vs.sbp", "Higher than at screening")
    assert own.problems(TRIAL, sound) == []
    for when in ("sbp > SCT.vs.sbp", "sbp > SCR.vx.sbp", "sbp > SCR.vs.sbq"):
        [wrong] = own.problems(TRIAL, replace(sound, when=when))
        assert wrong.item == "when"


@pytest.mark.req("Q5")
def test_a_masked_item_is_in_no_discrepancy():
    """Q5: what a person may not see is found by no rule they run."""
    stored = {"sbp": Answer("900", "", "900")}

    def seen(study):
        form = study.forms["vs"]
        context = Context()
        decided = plan(study, form, stored, {}, context)
        found = rules.look(scope(study, form, stored, context), stored, decided)
        return {one.rule for one in found if one.item == "sbp"}

    form = TRIAL.forms["vs"]
    first, *others = form.sections
    sbp, *more = first.members
    masked = sbp.model_copy(update={"blinding": "masked"})
    hidden = first.model_copy(update={"members": (masked, *more)})
    changed = form.model_copy(update={"sections": (hidden, *others)})
    changed.__dict__.pop("cells", None)
    study = TRIAL.model_copy(update={"forms": {**TRIAL.forms, "vs": changed}})
    assert seen(TRIAL) >= {"C", "D"}
    assert seen(study) == set()
