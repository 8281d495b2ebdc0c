"""Two entries are compared by what they mean, item by item."""

from forms.answers import Answer, Given
from forms.double import comparing
from tests.forms.trial import TRIAL

VS = TRIAL.forms["vs"]


def _differing(first, second):
    return [d.key for d in comparing.differences(VS, first, second)]


def test_the_same_value_in_another_unit_or_spelling_is_no_difference():
    first = {"weight": Answer("60.2", "kg", "60.2"), "taken": Answer("1 MAR 2026", "", "X")}
    second = {"weight": Answer("60200", "g", "60.2"), "taken": Answer("2026-03-01", "", "X")}
    assert _differing(first, second) == []


def test_another_value_a_blank_and_another_reason_why_there_is_none_are_differences():
    first = {
        "sbp": Answer("120", "", "120"), "dbp": Answer(missing="ND"),
        "pain": Answer("3", "", "3"),
    }  # fmt: skip
    second = {"sbp": Answer("102", "", "102"), "dbp": Answer(missing="UNK")}
    assert _differing(first, second) == ["sbp", "dbp", "pain"]


def test_computed_items_are_not_compared():
    assert _differing({"gain": Answer("1.0", "", "1.0")}, {}) == []


def test_the_final_answers_are_the_chosen_ones_and_the_first_ones_spelling_elsewhere():
    first = {"weight": Answer("60.2", "kg", "60.2"), "sbp": Answer("120", "", "120")}
    final = comparing.merged(VS, first, {"sbp": Given("102")})
    assert final["sbp"] == Given("102")
    assert final["weight"] == Given("60.2", "kg")
    assert final["pain"].blank
    assert "gain" not in final
