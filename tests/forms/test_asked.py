"""What a form still asks for is what its plan says is missing and surplus."""

import pytest

from ecrf.study.model import ItemType
from forms.answers import Given
from forms.asked import asked
from forms.context import Context
from forms.plan import plan

SAID = {ItemType.YES_NO: "Y", ItemType.DATE: "2026-03-02", ItemType.TEXT: "told"}


def given(form, answer):
    """Return the answer to every yes-or-no question, and all dates and texts."""
    said = SAID | {ItemType.YES_NO: answer}
    return {
        key: Given(said[cell.question.type])
        for key, cell in form.cells.items()
        if cell.question.type in said and cell.question.derive is None
    }


@pytest.mark.parametrize("answer", ["", "Y", "N"])
def test_in_every_form_it_agrees_with_the_plan(study, answer):
    context, both = Context(visit="SCR", visit_key="SCR"), []
    for form in study.forms.values():
        answers = given(form, answer) if answer else {}
        seen = asked(study, form, {}, answers, context)
        findings = [
            one
            for one in plan(study, form, {}, answers, context).findings
            if one.item in form.cells and form.cells[one.item].question.derive is None
        ]
        assert seen.required == {one.item for one in findings if one.rule == "required"}
        assert seen.surplus == {one.item for one in findings if one.rule == "inapplicable"}
        both.append((bool(seen.required), bool(seen.surplus)))
    assert any(required for required, _ in both)
    assert any(surplus for _, surplus in both) == bool(answer)
