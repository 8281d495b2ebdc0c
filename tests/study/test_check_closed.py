"""What a study says of closed reports is checked against its forms, codes and analytes."""

import pytest

from ecrf.study import check_closed
from ecrf.study.closed import Closed, Dated


def found(study, /, **other):
    rule = study.closed.model_copy(update=other)
    changed = study.model_copy(update={"closed": rule})
    return [(p.spot, str(p.message)) for p in check_closed.problems(changed, frozenset())]


def test_the_shipped_trial_has_no_fault_and_a_study_may_say_nothing(study):
    assert found(study) == []
    bare = study.model_copy(update={"closed": None})
    assert list(check_closed.problems(bare, frozenset())) == []
    empty = study.model_copy(update={"closed": Closed()})
    assert list(check_closed.problems(empty, frozenset())) == []


@pytest.mark.parametrize(
    ("part", "change", "spot", "says"),
    [
        ("baseline", ("SRC.dm.age",), ("baseline", 0), "no visit SRC"),
        ("baseline", ("SCR.dn.age",), ("baseline", 0, "form"), "no form dn"),
        ("baseline", ("SCR.dm.aeg",), ("baseline", 0), "no item aeg"),
        ("baseline", ("SCR.dm.brthdat",), ("baseline", 0), "is of type partial date"),
        (
            "first_dose",
            Dated(form="ex", date="ex_kits"),
            ("first_dose", "date"),
            "of type text",
        ),
        ("death", Dated(form="none", date="x"), ("death", "form"), "no form none"),
        ("laboratory", ("WCB",), ("laboratory", 0), "no analyte WCB"),
    ],
)
def test_what_is_not_there_is_named(study, part, change, spot, says):
    ((where, message),) = found(study, **{part: change})
    assert where == ("closed", *spot)
    assert says in message


@pytest.mark.parametrize(
    ("part", "change", "spot"),
    [
        ("events", {"relatedness": ("MAYBE",)}, ("events", "relatedness", 0)),
        ("study", {"completed": ("DONE",)}, ("study", "completed", 0)),
        ("events", {"grade": "aeterm"}, ("events", "grade")),
        ("treatment", {"reason": "last_dose_date"}, ("treatment", "reason")),
    ],
)
def test_parts_inside_are_checked_too(study, part, change, spot):
    inner = getattr(study.closed, part).model_copy(update=change)
    spots = [where for where, _ in found(study, **{part: inner})]
    assert ("closed", *spot) in spots


def test_nothing_is_said_about_a_form_that_could_not_be_read(study):
    forms = {name: form for name, form in study.forms.items() if name != "ae"}
    changed = study.model_copy(update={"forms": forms})
    assert list(check_closed.problems(changed, frozenset({"ae"}))) == []
    assert list(check_closed.problems(changed, frozenset())) != []
