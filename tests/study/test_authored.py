"""What can be written keeps up with what is kept."""

import pytest

from ecrf.study import authored, model

OTHERWISE = {
    "Grid": {"id": "grid"},
    "Form": {"id": "form"},
    "Section": {"members": "items"},
}
"""What the YAML calls otherwise than the model."""

ELSEWHERE = {"Study": {"codelists", "visits", "matrix", "laboratory"}}
"""What stands in another file."""


@pytest.mark.parametrize(
    "name",
    [
        "Question", "Item", "Grid", "Section", "Check", "Form", "Factor", "Randomization",
        "Supply", "Endpoint", "Study",
    ],
)  # fmt: skip
def test_every_key_of_the_model_can_be_written_and_no_other(name):
    kept = set(getattr(model, name).model_fields) - ELSEWHERE.get(name, set())
    renamed = OTHERWISE.get(name, {})
    assert {renamed.get(key, key) for key in kept} == set(getattr(authored, name).model_fields)


def test_a_visit_is_written_as_it_is_kept():
    assert set(authored.Visit.model_fields) == set(model.VisitPlan.model_fields)
