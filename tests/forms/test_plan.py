"""What saving a form would do."""

import time
from datetime import date

import pytest
from hypothesis import given as any_of
from hypothesis import settings
from hypothesis import strategies as st

from ecrf.study.values import days
from forms.answers import Answer, Given
from forms.context import Context, Entered
from forms.plan import Edit, plan
from tests.forms.definition import LBC, RELF, VS, check, form, item, ri, study

STUDY = study()
RI = STUDY.forms["ri"]
AT = Context(visit="BL", visit_key="BL", visit_date=date(2026, 3, 5), order=1)


def planned(form, given, stored=None, at=AT):
    return plan(STUDY, form, stored or {}, {k: Given(*_parts(v)) for k, v in given.items()}, at)


def _parts(given):
    return given if isinstance(given, tuple) else (given,)


def rules(made):
    return {(finding.rule, finding.item) for finding in made.findings}


def values(made):
    return {key: answer.value or answer.missing for key, answer in made.answers.items()}


def filled(rows, score="0", **changes):
    """All rows of the grid with one score and no damage; `changes` by `ROW__column`."""
    given = {}
    for row in rows:
        given[f"{row}.score"] = score
        if row != "CONST":
            given[f"{row}.damage"] = "N"
    return given | {key.replace("__", "."): text for key, text in changes.items()}


ROWS = ("PANCREAS", "SUBMAND", "LN", "KIDNEY", "CONST")


def test_given_answers_are_laid_over_stored_ones():
    stored = {"sbp": Answer("120", "mmHg", "120"), "dbp": Answer("80", "mmHg", "80")}
    made = planned(VS, {"sbp": "130"}, stored)
    assert values(made) == {"sbp": "130", "dbp": "80"}
    assert made.edits == (
        Edit("sbp", Answer("120", "mmHg", "120"), Answer("130", "mmHg", "130")),
    )
    assert made.overwrites


def test_a_first_answer_overwrites_nothing():
    made = planned(VS, {"sbp": "120"})
    assert [edit.old for edit in made.edits] == [None]
    assert not made.overwrites


def test_a_blank_clears_an_answer_and_a_key_left_out_does_not():
    stored = {"sbp": Answer("120", "mmHg", "120"), "dbp": Answer("80", "mmHg", "80")}
    made = planned(VS, {"dbp": ("", "mmHg")}, stored)
    assert made.edits == (Edit("dbp", Answer("80", "mmHg", "80"), None),)
    assert made.overwrites
    assert "dbp" not in made.answers


def test_a_reason_for_missing_is_an_answer():
    made = planned(VS, {"weight": ("", "", "ND")})
    assert made.answers["weight"] == Answer(missing="ND")
    again = planned(VS, {"weight": "70"}, made.answers)
    assert again.overwrites


def test_the_same_text_again_changes_nothing():
    made = planned(LBC, {"creat": ("1,9", "mg/dL")})
    assert made.answers["creat"].value == "167.96"
    assert planned(LBC, {"creat": ("1,9", "mg/dL")}, made.answers).edits == ()


def test_computed_items_are_worked_out_and_their_change_needs_no_reason():
    made = planned(VS, {"smoker": "Y", "packs": "30"})
    assert values(made)["many"] == "Y"
    fewer = planned(
        RI, {"LN.score": "1", "LN.urgent": "N"}, planned(RI, filled(ROWS[:2])).answers
    )
    assert not fewer.overwrites
    total = planned(RI, filled(ROWS))
    assert values(total)["ri_total"] == "0"
    assert values(total)["LN.weight"] == "0"


def test_a_computed_item_reads_across_visits():
    screening = Entered("SCR", "SCR", 0, "vs", 1, {"height": Answer("180", "cm", "180")})
    made = planned(
        VS, {"weight": "81"}, at=Context(visit="BL", visit_key="BL", entries=(screening,))
    )
    assert made.answers["bmi"] == Answer("25.00", "", "25.00")


@pytest.mark.parametrize(
    ("changes", "total", "active", "damage", "most"),
    [
        ({}, "0", "0", "0", "0"),
        (
            {"PANCREAS__score": "2", "PANCREAS__urgent": "Y", "SUBMAND__score": "2"},
            None,
            "2",
            "0",
            None,
        ),
        (
            {
                "PANCREAS__score": "2",
                "PANCREAS__urgent": "Y",
                "SUBMAND__score": "2",
                "SUBMAND__urgent": "N",
            },
            "6",
            "2",
            "0",
            "4",
        ),
        ({"PANCREAS__damage": "Y", "LN__damage": "Y"}, "0", "0", "2", "0"),
        ({"KIDNEY__score": ""}, None, None, "0", None),
    ],
)
def test_the_totals_of_a_grid_are_known_only_when_every_row_is(
    changes, total, active, damage, most
):
    made = values(planned(RI, filled(ROWS, **changes)))
    found = [
        made.get(key) for key in ("ri_total", "ri_active_n", "ri_damage_n", "ri_max_organ")
    ]
    assert found == [total, active, damage, most]


def test_required_answers_are_asked_for_while_they_are_due():
    assert ("required", "sbp") in rules(planned(VS, {}))
    assert ("required", "packs") not in rules(planned(VS, {"smoker": "N"}))
    assert ("required", "packs") in rules(planned(VS, {"smoker": "Y"}))
    made = planned(RI, {"LN.score": "1", "KIDNEY.score": "0"})
    assert ("required", "LN.urgent") in rules(made)
    assert ("required", "KIDNEY.urgent") not in rules(made)
    assert ("required", "CONST.damage") not in rules(made)


def test_soft_limits_are_findings_with_the_unit():
    made = planned(VS, {"sbp": "200"})
    [found] = [f for f in made.findings if f.rule == "soft_limit"]
    assert found.item == "sbp"
    assert found.message.in_("en") == "Sbp: 200 mmHg is unusual. Expected is 90 to 180 mmHg."
    assert made.answers["sbp"].value == "200"


def test_a_computed_value_beyond_its_hard_limits_is_only_asked():
    at = Context(overrides={"SCR.dm.birth": days("1980-01-01"), "SCR.dm.sex": "M"})
    made = planned(LBC, {"creat": "15", "lb_date": "2026-01-01"}, at=at)
    assert ("soft_limit", "egfr") in rules(made)
    assert not made.refusals


def test_soft_checks_are_findings_and_hard_checks_refuse():
    made = planned(VS, {"sbp": "80", "dbp": "90"})
    assert [(r.item, r.message.in_("en")) for r in made.refusals] == [
        ("sbp", "Systolic over diastolic.")
    ]
    before = Entered("SCR", "SCR", 0, "vs", 1, {"weight": Answer("60", "kg", "60")})
    here = Context(visit="BL", visit_key="BL", order=1, entries=(before,))
    assert ("VS02", "weight") in rules(planned(VS, {"weight": "70"}, at=here))
    assert ("VS02", "weight") not in rules(planned(VS, {"weight": "64"}, at=here))
    assert ("VS02", "weight") not in rules(planned(VS, {"weight": "70"}))


def test_a_check_on_a_column_is_asked_in_every_row():
    made = planned(RI, {"LN.score": "3", "KIDNEY.score": "3", "KIDNEY.location": "left"})
    assert {item for rule, item in rules(made) if rule == "RI02"} == {"LN.location"}


def test_a_condition_may_be_a_yes_itself():
    assert ("VS09", "sbp") in {
        (f.rule, f.item)
        for f in plan(
            STUDY,
            form(
                "x",
                item("sbp", "integer"),
                item("odd", "yes/no"),
                checks=(check("VS09", "sbp", "odd"),),
            ),
            {},
            {"odd": Given("Y")},
            AT,
        ).findings
    }


def test_an_answer_that_no_longer_applies_is_kept_and_asked_about():
    stored = planned(VS, {"sbp": "120", "smoker": "Y", "packs": "5"}).answers
    made = planned(VS, {"smoker": "N"}, stored)
    assert made.answers["packs"].value == "5"
    assert ("inapplicable", "packs") in rules(made)
    assert "heavy" not in made.answers


def test_an_answer_where_the_grid_has_no_place_is_not_kept():
    made = planned(RI, {"CONST.damage": "Y"})
    assert ("closed_cell", "CONST.damage") in rules(made)
    assert "CONST.damage" not in made.answers
    assert not made.refusals
    assert ("closed_cell", "CONST.damage") not in rules(planned(RI, {"CONST.damage": ""}))


def test_an_unknown_item_is_refused_with_a_suggestion():
    [refusal] = planned(VS, {"spb": "120"}).refusals
    assert refusal.item == "spb"
    assert "Did you mean sbp?" in refusal.message.in_("en")
    [refusal] = planned(RI, {"PANCRAES.score": "1"}).refusals
    assert "Did you mean PANCREAS.score?" in refusal.message.in_("en")


def test_an_unreadable_answer_is_refused_and_the_stored_one_stays():
    stored = {"sbp": Answer("120", "mmHg", "120")}
    made = planned(VS, {"sbp": "high", "dbp": "80"}, stored)
    assert [refusal.item for refusal in made.refusals] == ["sbp"]
    assert made.answers["sbp"].value == "120"


def test_a_computed_item_cannot_be_typed_otherwise():
    given = {"smoker": "Y", "packs": "30"}
    assert not planned(VS, given | {"heavy": "Y"}).refusals
    [refusal] = planned(VS, given | {"heavy": "N"}).refusals
    assert "Its value is Y" in refusal.message.in_("en")
    [refusal] = planned(VS, {"heavy": "N"}).refusals
    assert "no value yet" in refusal.message.in_("en")


def test_a_computed_number_may_be_typed_without_its_last_zeros():
    screening = Entered("SCR", "SCR", 0, "vs", 1, {"height": Answer("180", "cm", "180")})
    at = Context(visit="BL", visit_key="BL", entries=(screening,))
    assert not planned(VS, {"weight": "81", "bmi": "25"}, at=at).refusals
    assert planned(VS, {"weight": "81", "bmi": "25.1"}, at=at).refusals


def test_answers_of_items_the_form_no_longer_has_are_kept():
    stored = {"old": Answer("x", "", "x"), "sbp": Answer("120", "mmHg", "120")}
    made = planned(VS, {}, stored)
    assert made.answers == stored
    assert made.edits == ()


def test_answers_stand_in_page_order():
    made = planned(VS, {"packs": "30", "smoker": "Y", "sbp": "120"})
    assert list(made.answers) == ["sbp", "smoker", "packs", "many", "heavy"]


def test_the_first_entry_of_a_log_knows_that_it_is_the_first():
    other = Entered("LOG", "LOG", 0, "relf", 1, {"opinion": Answer("1", "", "1")})
    at = Context(visit="LOG", visit_key="LOG", number=2, entries=(other,))
    assert values(planned(RELF, {"pga": "10"}, at=at))["first"] == "N"
    assert values(planned(RELF, {"pga": "10"}))["first"] == "Y"


GIVEN = st.builds(
    Given,
    st.one_of(
        st.text(max_size=6),
        st.sampled_from(
            ["0", "1", "2", "3", "Y", "N", "100", "200", "70.5", "1,5", "2026-03-05", "AIP,LN"]
        ),
    ),
    st.sampled_from(["", "mmHg", "kg", "lb", "mg/dL", "x"]),
    st.sampled_from(["", "", "", "ND", "UNK"]),
)


def keys_of(form):
    return [*form.cells, "CONST.damage", "nonsense", ""]


@pytest.mark.parametrize("name", ["vs", "ri", "lbc", "relf"])
@settings(max_examples=60, deadline=None)
@any_of(data=st.data())
def test_planning_again_changes_nothing(name, data):
    here = STUDY.forms[name]
    some = st.dictionaries(st.sampled_from(keys_of(here)), GIVEN, max_size=8)
    before = plan(STUDY, here, {}, data.draw(some), AT).answers
    given = data.draw(some)
    made = plan(STUDY, here, before, given, AT)
    assert plan(STUDY, here, made.answers, {}, AT).edits == ()
    again = plan(STUDY, here, made.answers, given, AT)
    assert again.edits == ()
    assert again.answers == made.answers
    assert {edit.key for edit in made.edits} <= set(here.cells)
    assert set(made.answers) <= set(here.cells)
    for message in (*made.findings, *made.refusals):
        assert message.message.in_("en")


def test_a_grid_of_27_rows_is_planned_in_a_few_milliseconds():
    rows = tuple(f"R{n}" for n in range(26))
    big = ri(rows)
    here = study(big)
    given = {key: Given(text) for key, text in filled((*rows, "CONST"), "2").items()}
    given |= {f"{row}.urgent": Given("Y") for row in (*rows, "CONST")}
    stored = plan(here, big, {}, given, AT).answers
    best = min(_taken(lambda: plan(here, big, stored, given, AT)) for _ in range(5))
    assert values(plan(here, big, stored, given, AT))["ri_total"] == "108"
    assert best < 0.1, f"{best * 1000:.1f} ms"


def _taken(act):
    start = time.perf_counter()
    act()
    return time.perf_counter() - start
