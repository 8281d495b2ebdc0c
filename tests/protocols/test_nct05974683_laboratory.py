"""Laboratory results of the main trial with the illustrative ranges in force.

Limits of normal by sex and age, flags, grades, alerts, and what the forms ask for.
"""

from dataclasses import replace
from datetime import date

import pytest

from forms.answers import Given
from forms.context import Context
from forms.laboratory import sheet
from forms.laboratory.ranges import by_analyte
from forms.plan import plan
from forms.surroundings import Surroundings
from tests.protocols.trying import study
from tests.protocols.trying import tried as without_ranges

SAMPLE = {"lbdat": "2026-03-01", "lab_id": "Any laboratory"}


def ranges():
    with sheet.illustrative().open(encoding="utf-8", newline="") as lines:
        found = sheet.read(lines, study())
    assert not found.problems
    numbered = [known._replace(id=n) for n, known in enumerate(found.ranges, start=1)]
    assert {known.analyte for known in numbered} == set(study().laboratory.by_id)
    return by_analyte(numbered)


def judged(form, answers, *, sex="F", birth="1980-01-01", randomized=date(2026, 1, 1)):
    around = Surroundings(study(), "W4")
    around.read({"SCR.dm.sex": sex, "SCR.dm.brthdat": birth})
    context = replace(around.context(), randomized_on=randomized, ranges=ranges(), order=10)
    assert isinstance(context, Context)
    given = {key: Given(text) for key, text in {**SAMPLE, **answers}.items()}
    return plan(study(), study().forms[form], {}, given, context)


def value(made, key):
    answer = made.answers.get(key)
    return answer and answer.value


def rules(made):
    return {finding.rule for finding in made.findings}


@pytest.mark.parametrize(
    ("sex", "birth", "item", "text", "uln", "flag"),
    [
        ("F", "1980-01-01", "alt", "41", "40", "H"),
        ("M", "1980-01-01", "alt", "41", "50", "N"),
        ("F", "1976-03-02", "alp", "101", "100", "H"),
        ("F", "1976-03-01", "alp", "101", "135", "N"),
        ("M", "1980-01-01", "bili", "26", "26", "N"),
        ("F", "1980-01-01", "bili", "26", "21", "H"),
    ],
)  # fmt: skip
def test_the_limit_of_normal_follows_sex_and_age(sex, birth, item, text, uln, flag):
    made = judged("lbc", {item: text}, sex=sex, birth=birth)
    assert value(made, f"{item}_uln") == uln
    assert value(made, f"{item.upper()}.flag") == flag


def test_while_no_range_is_loaded_the_limit_on_the_report_is_asked_and_used():
    made = without_ranges("lbc", {"alt": "81", "alt_uln_typed": "40"})
    assert made.derived["alt_uln"] == "40"
    missing = without_ranges("lbc", {"alt": "81"})
    assert ("required", "alt_uln_typed") in missing.found
    assert ("required", "clsig") in missing.found


def test_a_result_out_of_range_asks_for_its_significance_and_that_for_an_adverse_event():
    out = judged("lbh", {"hgb": "99"})
    assert ("required", "HGB.clsig") in {(f.rule, f.item) for f in out.findings}
    assert value(out, "HGB.grade") == "2"
    named = judged("lbh", {"hgb": "99", "HGB.clsig": "CS"})
    asked = {f.item for f in named.findings if f.rule == "required"}
    assert {"HGB.ae", "HGB.toxgr"} <= asked
    assert "HGB.clsig" not in asked
    normal = judged("lbh", {"hgb": "115"})
    assert "HGB.clsig" not in {f.item for f in normal.findings}
    assert value(normal, "HGB.flag") == "N"


@pytest.mark.parametrize(
    ("form", "answers", "raised"),
    [
        ("lbh", {"neut": "1.3"}, set()), ("lbh", {"neut": "1.29"}, {"LBH05"}),
        ("lbh", {"neut": "1.0"}, {"LBH05"}), ("lbh", {"neut": "0.99"}, {"LBH05", "LBH06"}),
        ("lbh", {"plat": "75"}, set()), ("lbh", {"plat": "74"}, {"LBH07"}),
        ("lbc", {"alt": "120"}, set()), ("lbc", {"alt": "120.1"}, {"LBC04"}),
        ("lbc", {"alt": "200"}, {"LBC04"}), ("lbc", {"alt": "200.1"}, {"LBC04", "LBC06"}),
        ("lbc", {"ast": "105"}, set()), ("lbc", {"ast": "105.1"}, {"LBC05"}),
        ("lbc", {"ast": "175.1"}, {"LBC05", "LBC07"}),
        ("lbc", {"alt": "121", "bili": "42", "alp": "90"}, {"LBC04"}),
        ("lbc", {"alt": "121", "bili": "42.1", "alp": "90"}, {"LBC04", "LBC08"}),
        ("lbc", {"alt": "121", "bili": "42.1", "alp": "200"}, {"LBC04"}),
        ("preg", {"preg_done": "Y", "preg_result": "POS"}, {"PREG01"}),
        ("preg", {"preg_done": "Y", "preg_result": "NEG"}, set()),
    ],
)  # fmt: skip
def test_an_alert_is_raised_from_its_very_bound_on(form, answers, raised):
    laboratory = study().laboratory
    given = {k: v for k, v in answers.items() if form != "preg" or k not in SAMPLE}
    if form == "preg":
        context = Context(visit="W4", randomized_on=date(2026, 1, 1))
        typed = {key: Given(text) for key, text in given.items()}
        made = plan(study(), study().forms[form], {}, typed, context)
    else:
        made = judged(form, given)
    assert rules(made) & set(laboratory.alerts_of[form]) == raised


def test_direct_bilirubin_above_the_total_is_refused():
    assert [p.item for p in judged("lbc", {"bili": "10", "bildir": "10.1"}).refusals] == [
        "bildir"
    ]
    assert not judged("lbc", {"bili": "10", "bildir": "10"}).refusals
