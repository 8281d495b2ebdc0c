import pytest
from werkzeug.datastructures import MultiDict

from forms import html
from forms.answers import Answer, Given
from tests.forms.trial import TRIAL

VS = TRIAL.forms["vs"]


def typed(**fields):
    return html.build(TRIAL, VS, {}, MultiDict(fields))


def test_every_item_that_can_be_typed_has_its_inputs():
    form = html.build(TRIAL, VS, {}, None)
    names = {field.name for field in form}
    assert {"sbp", "sbp.missing", "weight", "weight.unit", "seen_version", "reason"} <= names
    assert not names & {"gain", "sbp.unit", "remark.missing"}


def test_cells_of_a_grid_are_inputs_except_where_the_grid_is_closed():
    form = html.build(TRIAL, TRIAL.forms["gr"], {}, None)
    assert set(form.given()) == {
        "LUNG.score", "LUNG.urgent", "SKIN.score", "SKIN.urgent", "CONST.score",
    }  # fmt: skip


def test_what_was_typed_becomes_what_is_given():
    form = html.build(
        TRIAL, VS, {},
        MultiDict([
            ("weight", "65000"), ("weight.unit", "g"), ("dbp.missing", "ND"),
            ("symptoms", "COUGH"), ("symptoms", "RASH"), ("seen_version", "3"),
            ("reason", "Read again"),
        ]),
    )  # fmt: skip
    given = form.given()
    assert given["weight"] == Given("65000", "g")
    assert given["dbp"] == Given("", "", "ND")
    assert given["symptoms"] == Given("COUGH,RASH")
    assert given["remark"].blank
    assert (form.seen_version, form.reason) == (3, "Read again")
    assert form.validate()


@pytest.mark.parametrize("text", ["", "x", "-1", "1e9", "٣", "9" * 30])
def test_a_version_nobody_can_have_seen_counts_as_never_seen(text):
    assert typed(seen_version=text).seen_version == -1


def test_what_is_wrong_is_said_as_everywhere_and_in_the_order_of_the_page():
    form = typed(remark="x" * 21, sbp="12o", weight="60")
    assert not form.validate()
    told = [(p.item, p.message.in_("en")) for p in form.problems()]
    assert [item for item, _ in told] == ["sbp", "remark"]
    assert told[0][1].startswith("Systolic: “12o” is not a number.")
    assert "（中）" in form.problems()[0].message.in_("zh")


def test_a_text_of_any_length_is_answered_with_a_message():
    form = typed(remark="x" * 100_000)
    assert not form.validate()
    assert "has 100000 characters" in form.problems()[0].message.in_("en")


def test_without_typing_the_inputs_hold_the_stored_answers():
    answers = {
        "weight": Answer("65000", "g", "65"), "sbp": Answer(missing="ND"),
        "symptoms": Answer("rash; cough", "", "COUGH,RASH"),
        "position": Answer("lying", "", "LYING"),
    }  # fmt: skip
    form = html.build(TRIAL, VS, answers, None)
    assert form["weight"].data == "65000"
    assert form["weight.unit"].data == "g"
    assert form["sbp.missing"].data == "ND"
    assert form["symptoms"].data == ["COUGH", "RASH"]
    assert form["position"].data == "LYING"


def test_sending_the_inputs_back_untouched_gives_the_stored_answers():
    answers = {
        "symptoms": Answer("rash; cough", "", "COUGH,RASH"),
        "position": Answer("lying", "", "LYING"), "sbp": Answer("120", "", "120"),
    }  # fmt: skip
    back = [("symptoms", "COUGH"), ("symptoms", "RASH"), ("position", "LYING"), ("sbp", "120")]
    given = html.build(TRIAL, VS, answers, MultiDict(back)).given()
    for key, answer in answers.items():
        assert given[key] == Given(answer.text, answer.unit, answer.missing)
