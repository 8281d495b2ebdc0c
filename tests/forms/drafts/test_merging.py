import pytest

from forms.answers import Answer, Given
from forms.drafts.merging import meetings
from tests.forms.trial import TRIAL

VS = TRIAL.forms["vs"]


def number(text, unit=""):
    return Answer(text=text, unit=unit, value=text)


@pytest.mark.parametrize(
    ("was", "theirs", "mine", "met"),
    [
        (number("1"), number("1"), Given("2"), None),
        (number("1"), number("2"), Given("2"), None),
        (number("1"), number("2"), Given("1"), False),
        (number("1"), number("2"), Given("3"), True),
        (number("1"), None, Given("1"), False),
        (number("1"), None, Given("3"), True),
        (None, number("2"), Given(""), False),
        (None, number("2"), Given("3"), True),
        (number("1"), Answer(missing="ND"), Given("", missing="ND"), None),
        (number("1"), Answer(missing="ND"), Given("", missing="UNK"), True),
        (number("1"), number("2"), Given(""), True),
    ],
)
def test_only_what_both_changed_differently_is_asked_about(was, theirs, mine, met):
    found = list(meetings(VS, _one("sbp", was), _one("sbp", theirs), {"sbp": mine}))
    assert [each.clash for each in found] == ([] if met is None else [met])


@pytest.mark.parametrize(("unit", "clashes"), [("", False), ("kg", False), ("g", True)])
def test_a_unit_that_is_not_sent_is_the_usual_one(unit, clashes):
    stored = {"weight": number("60", "kg")}
    now = {"weight": number("61", "kg")}
    (met,) = meetings(VS, stored, now, {"weight": Given("60", unit)})
    assert met.clash is clashes


def test_a_code_is_the_same_however_it_was_typed():
    stored = {"position": Answer(text="lying", value="LYING")}
    now = {"position": Answer(text="SITTING", value="SITTING")}
    (met,) = meetings(VS, stored, now, {"position": Given("LYING")})
    assert not met.clash


def test_what_is_computed_is_nobodys_choice():
    assert list(meetings(VS, {}, {"gain": number("3")}, {})) == []


def _one(key, answer):
    return {} if answer is None else {key: answer}
