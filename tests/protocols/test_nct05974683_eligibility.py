"""Eligibility as a whole, and every inclusion as a rule at its boundaries."""

import pytest

from tests.protocols.eligible import MET, TYPED, judged, rule
from tests.protocols.trying import study, tried

INCLUSIONS = [f"i{n}_rule" for n in range(1, 8)]
EXCLUSIONS = [f"e{n}_rule" for n in range(1, 11)] + [f"e11_{n}_rule" for n in range(1, 8)]


def test_who_meets_everything_is_eligible():
    derived = judged().derived
    assert {derived[each] for each in INCLUSIONS} == {"MET"}
    assert {derived[each] for each in EXCLUSIONS} == {"NOT_MET"}
    assert (derived["inclusions"], derived["exclusions"]) == ("MET", "NOT_MET")
    assert derived["eligible"] == "Y"


def test_one_criterion_is_enough_not_to_be_eligible_whatever_else_is_unknown():
    assert judged({"e9": "Y"}).derived["eligible"] == "N"
    assert judged({"e9": "Y", "no_relapse": ""}).derived["eligible"] == "N"


NEEDLESS = {
    "SCR.aec.ae2019_met", "SCR.rcd.rcd_level", "SCR.dm.sex", "SCR.tb.igra", "ri.ri_max_raw",
}  # fmt: skip


@pytest.mark.parametrize("lost", sorted({*TYPED, *MET} - NEEDLESS))
def test_what_cannot_be_evaluated_leaves_eligibility_unknown(lost):
    left = judged({lost: ""} if lost in TYPED else {}, {} if lost in TYPED else {lost: ""})
    assert left.derived["eligible"] is None
    assert "NOT_EVALUABLE" in (left.derived["inclusions"], left.derived["exclusions"])


def test_the_form_is_signed_and_decides_the_randomization():
    design = study().randomization
    assert study().forms["ie"].signed
    assert (design.visit, design.form, design.slots_per_stratum) == ("BL", "ie", 120)
    assert dict(design.ratio) == {"MMF": 1, "PBO": 1}


@pytest.mark.parametrize("name", [f"i{n}" for n in range(1, 8)])
def test_an_answer_that_differs_from_its_inclusion_rule_is_asked(name):
    assert f"IE_{name.upper()}" in judged({name: "N"}).rules(name)
    assert not judged({name: "Y"}).rules(name)


@pytest.mark.parametrize(
    "name", ["e1", "e3", "e4", "e7", "e10", *(f"e11_{n}" for n in range(1, 8))]
)
def test_an_answer_that_differs_from_its_exclusion_rule_is_asked(name):
    assert f"IE_{name.upper()}" in judged({name: "Y"}).rules(name)
    assert not judged({name: "N"}).rules(name)


@pytest.mark.parametrize(
    "ae2019, rcd, expected",
    [
        ("Y", "NOT_MET", "Y"), ("Y", "", "Y"), ("N", "DEFINITE", "Y"), ("N", "PROBABLE", "Y"),
        ("N", "POSSIBLE", "N"), ("N", "NOT_MET", "N"), ("N", "", None), ("", "NOT_MET", None),
        ("", "PROBABLE", "Y"),
    ],
)  # fmt: skip
def test_inclusion_1_takes_either_criteria(ae2019, rcd, expected):
    around = {"SCR.aec.ae2019_met": ae2019, "SCR.rcd.rcd_level": rcd}
    assert rule("i1", (), around) == expected


def test_the_level_of_inclusion_1_is_a_parameter():
    around = {"SCR.aec.ae2019_met": "N", "SCR.rcd.rcd_level": "POSSIBLE"}
    assert rule("i1", (), around, params={"elig_rcd_min_level": "POSSIBLE"}) == "Y"
    assert "IE01" in judged((), around).rules("rcd_level")
    around["SCR.rcd.rcd_level"] = "PROBABLE"
    assert rule("i1", (), around, params={"elig_rcd_min_level": "DEFINITE"}) == "N"


@pytest.mark.parametrize("age, expected", [("17", "N"), ("18", "Y"), ("70", "Y"), ("71", "N")])
def test_inclusion_2_takes_both_ends(age, expected):
    assert rule("i2", around={"SCR.dm.age": age}) == expected


@pytest.mark.parametrize(
    "born, age",
    [("1953-02-16", "70"), ("1953-02-15", "71"), ("2006-02-15", "18"), ("2006-02-16", "17")],
)
def test_a_person_is_70_until_the_day_before_the_71st_birthday(born, age):
    context = {"SCR.icf.icf_date": "2024-02-15"}
    assert tried("dm", {"brthdat": born}, context=context).derived["age"] == age


@pytest.mark.parametrize(
    "born, consented, age",
    [
        ("2006-02-28", "2024-02-28", "18"), ("2006-03-01", "2024-02-29", "17"),
        ("2004-02-29", "2022-02-28", "17"), ("2004-02-29", "2022-03-01", "18"),
        ("1952-02-29", "2023-02-28", "70"), ("1952-02-29", "2023-03-01", "71"),
        ("1952-02-29", "2024-02-29", "72"), ("1953-01-01", "2023-12-31", "70"),
    ],
)  # fmt: skip
def test_who_was_born_on_29_february_is_a_year_older_on_1_march(born, consented, age):
    context = {"SCR.icf.icf_date": consented}
    assert tried("dm", {"brthdat": born}, context=context).derived["age"] == age


def test_with_the_year_of_birth_alone_the_stated_age_counts():
    context = {"SCR.icf.icf_date": "2024-02-15"}
    done = tried("dm", {"brthdat": "1970"}, context=context)
    assert done.derived["age"] is None
    assert "DM04" in done.rules("age_stated")
    stated = tried("dm", {"brthdat": "1970", "age_stated": "53"}, context=context)
    assert stated.derived["age"] == "53"


@pytest.mark.parametrize("text, expected", [("1400", "N"), ("1400.1", "Y"), ("1380", "N")])
def test_inclusion_3_is_above_1400_mg_per_litre(text, expected):
    assert rule("i3", around={"SCR.igh.igg4_dx": text}) == expected


def test_inclusion_3_looks_at_the_canonical_unit():
    around = {"SCR.igh.igg4_dx": "1.4", "SCR.igh.igg4_dx.unit": "g/L"}
    assert rule("i3", around=around) == "N"
    around = {"SCR.igh.igg4_dx": "141", "SCR.igh.igg4_dx.unit": "mg/dL"}
    assert rule("i3", around=around) == "Y"


READINGS = [
    ("8000", "1500", "2400", "YYNN"), ("8000", "1500", "2000", "NYNN"),
    ("8000", "1500", "1950", "NYNN"), ("5000", "900", "1400", "NYNN"),
    ("2000", "500", "650", "YYNN"), ("2000", "500", "2600", "YYYY"),
    ("2000", "700", "700", "NNNN"),
]  # fmt: skip


@pytest.mark.parametrize("base, nadir, now, expected", READINGS)
def test_the_four_readings_of_inclusion_5_are_shown_and_the_chosen_one_decides(
    base, nadir, now, expected
):
    around = {"SCR.igh.igg4_dx": base, "SCR.igh.igg4_nadir": nadir, "latest.lbi.igg4": now}
    derived = judged((), around).derived
    assert "".join(derived[f"i5_p{n}"] for n in range(1, 5)) == expected
    for n, answer in enumerate(expected, start=1):
        assert rule("i5", (), around, params={"elig_igg4_rule": f"P{n}"}) == answer
    assert rule("i5", {"no_relapse": "N"}, around) == "N"


def test_the_percentages_of_inclusion_5_are_shown():
    derived = judged().derived
    shown = [derived[f"i5_{each}"] for each in ("pct_dx", "pct_nadir", "rise_nadir", "rise_dx")]
    assert [float(each) for each in shown] == [30.0, 160.0, 60.0, 11.3]


def test_a_current_igg4_within_the_normal_range_is_asked():
    around = {"SCR.igh.igg4_dx": "2000", "SCR.igh.igg4_nadir": "500", "latest.lbi.igg4": "650"}
    found = judged((), around | {"latest.lbi.igg4_uln": "1400"}).rules("igg4_now")
    assert "IE02" in found


def test_a_current_igg4_is_compared_in_the_canonical_unit():
    around = {"SCR.igh.igg4_dx": "8", "SCR.igh.igg4_dx.unit": "g/L",
              "SCR.igh.igg4_nadir": "150", "SCR.igh.igg4_nadir.unit": "mg/dL"}  # fmt: skip
    for now, unit, met in (("240", "mg/dL", "Y"), ("2.4", "g/L", "Y"), ("2.399", "g/L", "N")):
        here = around | {"latest.lbi.igg4": now, "latest.lbi.igg4.unit": unit}
        assert rule("i5", (), here) == met


def test_a_current_igg4_not_dated_after_the_lowest_is_asked():
    around = {"SCR.igh.igg4_nadir_date": "2024-01-10", "latest.lbi.lbdat": "2024-01-10"}
    assert "IE12" in judged((), around).rules("igg4_now_date")
    around["latest.lbi.lbdat"] = "2024-01-11"
    assert "IE12" not in judged((), around).rules("igg4_now_date")


@pytest.mark.parametrize("organs, expected", [("AIP", "Y"), ("OTHER", "Y"), ("NONE", "N")])
def test_inclusion_4_and_exclusion_2_are_one_fact(organs, expected):
    derived = judged((), {"SCR.igh.major_organs": organs}).derived
    met = {"Y": "MET", "N": "NOT_MET"}
    assert derived["i4_rule"] == met[expected]
    assert derived["e2_rule"] == {"MET": "NOT_MET", "NOT_MET": "MET"}[derived["i4_rule"]]


@pytest.mark.parametrize(
    "day, expected", [("2024-02-15", "Y"), ("2024-02-16", "Y"), ("2024-02-14", "N")]
)
def test_inclusion_6_has_consent_before_the_first_procedure(day, expected):
    assert rule("i6", {"first_proc_date": day}) == expected
    assert rule("i6", {"first_proc_date": day}, {"SCR.icf.icf_signed": "N"}) == "N"


@pytest.mark.parametrize(
    "childbearing, answer, expected",
    [
        ("NA_MALE", "Y", "Y"), ("NA_MALE", "N", "N"), ("NA_MALE", "", None), ("Y", "Y", "Y"),
        ("Y", "N", "N"), ("Y", "", None), ("N_POSTMENO", "", "Y"), ("N_SURGICAL", "", "Y"),
    ],
)  # fmt: skip
def test_inclusion_7_asks_everybody_but_women_who_cannot_conceive(
    childbearing, answer, expected
):
    around = {"SCR.dm.childbearing": childbearing}
    done = judged({"contraception": answer}, around)
    assert rule("i7", {"contraception": answer}, around) == expected
    assert ("required" in done.rules("contraception")) is (expected is None)
