"""Every inclusion and exclusion as a rule, at its boundaries."""

import pytest

from tests.protocols.trying import study, tried

MET = {
    "SCR.icf.icf_signed": "Y", "SCR.icf.icf_date": "2024-02-15",
    "SCR.dm.age": "50", "SCR.dm.sex": "M", "SCR.dm.childbearing": "NA_MALE",
    "SCR.igh.igg4_dx": "8000", "SCR.igh.igg4_nadir": "1500",
    "SCR.igh.major_organs": "AIP,KIDNEY",
    "ri.ri_max_organ": "1", "ri.ri_max_raw": "1",
    "latest.lbi.igg4": "2400",
    "latest.lbh.hgb": "130", "latest.lbh.neut": "4", "latest.lbh.plat": "200",
    "latest.lbc.alt": "20", "latest.lbc.alt_uln": "50", "latest.lbc.ast": "20",
    "latest.lbc.ast_uln": "40", "latest.lbc.bili": "10", "latest.lbc.bili_uln": "26",
    "latest.lbc.egfr": "87.05",
}  # fmt: skip
TYPED = {
    "ae2019_met": "Y", "rcd_level": "DEFINITE", "no_relapse": "Y",
    "first_proc_date": "2024-02-15", "contraception": "Y", "active_infection": "N",
    "hiv_agab": "NEG", "hcv_ab": "NEG", "hbsag": "NEG", "hbcab": "NEG", "igra": "NEG",
    "tb_active": "N", "malignancy": "N", "e5": "N", "e6": "N", "e8": "N", "e9": "N",
    "excluding_diseases": "NONE",
}  # fmt: skip
WOMAN = {"SCR.dm.sex": "F", "SCR.dm.childbearing": "Y"}
INCLUSIONS = [f"i{n}_rule" for n in range(1, 8)]
EXCLUSIONS = [f"e{n}_rule" for n in range(1, 11)] + [f"e11_{n}_rule" for n in range(1, 8)]


def judged(typed=(), around=(), **more):
    return tried("ie", TYPED | dict(typed), context=MET | dict(around), **more)


def rule(name, typed=(), around=(), **more):
    return judged(typed, around, **more).derived[f"{name}_rule"]


def test_who_meets_everything_is_eligible():
    derived = judged().derived
    assert {derived[each] for each in INCLUSIONS} == {"Y"}
    assert {derived[each] for each in EXCLUSIONS} == {"N"}
    assert derived["eligible"] == "Y"


def test_one_criterion_is_enough_not_to_be_eligible_whatever_else_is_unknown():
    assert judged({"e9": "Y"}).derived["eligible"] == "N"
    assert judged({"e9": "Y", "hiv_agab": ""}).derived["eligible"] == "N"


@pytest.mark.parametrize("lost", sorted(set(TYPED) - {"rcd_level", "ae2019_met", "igra"}))
def test_what_cannot_be_evaluated_leaves_eligibility_unknown(lost):
    assert judged({lost: ""}).derived["eligible"] is None


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
    assert rule("i1", {"ae2019_met": ae2019, "rcd_level": rcd}) == expected


def test_the_level_of_inclusion_1_is_a_parameter():
    typed = {"ae2019_met": "N", "rcd_level": "POSSIBLE"}
    assert rule("i1", typed, params={"elig_rcd_min_level": "POSSIBLE"}) == "Y"
    typed["rcd_level"] = "PROBABLE"
    assert rule("i1", typed, params={"elig_rcd_min_level": "DEFINITE"}) == "N"


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


@pytest.mark.parametrize("organs, expected", [("AIP", "Y"), ("OTHER", "Y"), ("NONE", "N")])
def test_inclusion_4_and_exclusion_2_are_one_fact(organs, expected):
    derived = judged((), {"SCR.igh.major_organs": organs}).derived
    assert derived["i4_rule"] == expected
    assert derived["e2_rule"] == {"Y": "N", "N": "Y"}[expected]


@pytest.mark.parametrize(
    "day, expected", [("2024-02-15", "Y"), ("2024-02-16", "Y"), ("2024-02-14", "N")]
)
def test_inclusion_6_has_consent_before_the_first_procedure(day, expected):
    assert rule("i6", {"first_proc_date": day}) == expected
    assert rule("i6", {"first_proc_date": day}, {"SCR.icf.icf_signed": "N"}) == "N"


def test_inclusion_7_takes_not_applicable_only_from_a_woman_with_a_reason():
    assert rule("i7", {"contraception": "N"}) == "N"
    reason = {"contraception": "NA", "contraception_na": "POSTMENO"}
    assert rule("i7", reason) == "N"
    assert rule("i7", reason, WOMAN) == "Y"
    assert rule("i7", {"contraception": "NA"}, WOMAN) == "N"


@pytest.mark.parametrize(
    "weighted, raw, by_weight, by_raw",
    [("1", "1", "N", "N"), ("2", "1", "Y", "N"), ("2", "2", "Y", "Y")],
)
def test_exclusion_1_counts_the_doubled_score_of_one_organ(weighted, raw, by_weight, by_raw):
    around = {"ri.ri_max_organ": weighted, "ri.ri_max_raw": raw}
    assert rule("e1", (), around) == by_weight
    assert rule("e1", (), around, params={"elig_ri_basis": "raw_per_organ"}) == by_raw


def test_without_a_complete_responder_index_exclusion_1_is_unknown():
    assert rule("e1", (), {"ri.ri_max_organ": ""}) is None


@pytest.mark.parametrize(
    "typed, expected",
    [
        ({"active_infection": "Y"}, "Y"), ({"hiv_agab": "POS"}, "Y"), ({"hbsag": "POS"}, "Y"),
        ({"tb_active": "Y"}, "Y"), ({"hcv_ab": "POS", "hcv_rna": "NEG"}, "N"),
        ({"hcv_ab": "POS", "hcv_rna": "POS"}, "Y"), ({"hcv_ab": "POS"}, None),
        ({"hbcab": "POS"}, None), ({"hbcab": "POS", "hbv_dna_result": "TND"}, "N"),
        ({"hbcab": "POS", "hbv_dna_result": "BLQ"}, "N"),
        ({"hbv_dna": "20", "hbv_dna_lloq": "20"}, "Y"),
        ({"hbv_dna": "19.9", "hbv_dna_lloq": "20"}, "N"),
        ({"igra": "POS", "chest_imaging": "Y"}, "N"), ({"hbcab": ""}, None),
    ],
)  # fmt: skip
def test_exclusion_3_follows_the_infection_tests(typed, expected):
    assert rule("e3", typed) == expected


def malignancy(kind, active, **said):
    said = {"mal_curative": "Y", "mal_recurrence": "N", "mal_ongoing": "N", **said}
    cells = {"mal_type": kind, "mal_active_date": active, **said}
    return {"malignancy": "Y"} | {f"M1.{column}": text for column, text in cells.items()}


@pytest.mark.parametrize(
    "typed, expected",
    [
        (malignancy("OTHER", "2019-02-16"), "Y"), (malignancy("OTHER", "2019-02-15"), "N"),
        (malignancy("AIS_CERVIX", "2023-01-01", mal_tx_date="2023-02-15"), "N"),
        (malignancy("AIS_CERVIX", "2023-01-01", mal_tx_date="2023-02-16"), "Y"),
        (malignancy("BCC_SCC_SKIN", "2024-01-01"), "N"),
        (malignancy("BCC_SCC_SKIN", "2024-01-01", mal_curative="N"), "Y"),
        (malignancy("PROSTATE", "2021-01-01", mal_tx="RP", mal_tx_date="2021-01-15"), "N"),
        (malignancy("PROSTATE", "2021-01-01", mal_tx="RT", mal_tx_date="2021-02-14"), "N"),
        (malignancy("PROSTATE", "2021-01-01", mal_tx="RP", mal_tx_date="2021-02-15"), "Y"),
        (malignancy("PROSTATE", "2021-01-01", mal_tx="OTHER", mal_tx_date="2020-02-15"), "Y"),
        (malignancy("PROSTATE", "2021-01-01", mal_tx="RP", mal_tx_date="2020-02-15",
                    mal_ongoing="Y"), "Y"),
        ({"malignancy": "Y"}, None), (malignancy("OTHER", "2019"), None),
        (malignancy("OTHER", "2020"), "Y"), (malignancy("OTHER", "2018"), "N"),
    ],
)  # fmt: skip
def test_exclusion_4_knows_60_months_and_the_three_exceptions(typed, expected):
    assert rule("e4", typed) == expected


def test_one_excluding_malignancy_among_several_excludes():
    first = malignancy("BCC_SCC_SKIN", "2024-01-01")
    assert rule("e4", first) == "N"
    assert rule("e4", first | {"M2.mal_type": "OTHER", "M2.mal_active_date": "2023"}) == "Y"


@pytest.mark.parametrize("name", ["e5", "e6", "e8", "e9"])
def test_what_rests_on_the_investigator_alone_is_taken_as_answered(name):
    assert rule(name, {name: "Y"}) == "Y"
    assert rule(name, {name: ""}) is None


@pytest.mark.parametrize(
    "chosen, expected", [("NONE", "N"), ("SLE", "Y"), ("CASTLEMAN,RA", "Y"), ("", None)]
)
def test_exclusion_7_follows_the_diseases_named(chosen, expected):
    assert rule("e7", {"excluding_diseases": chosen}) == expected


@pytest.mark.parametrize(
    "typed, expected",
    [
        ({"preg_test": "NEG", "lactating": "N", "planning": "N"}, "N"),
        ({"preg_test": "POS", "lactating": "N", "planning": "N"}, "Y"),
        ({"preg_test": "NEG", "lactating": "Y", "planning": "N"}, "Y"),
        ({"preg_test": "NEG", "lactating": "N", "planning": "Y"}, "Y"),
        ({"lactating": "N", "planning": "N"}, None),
    ],
)
def test_exclusion_10_asks_women_for_pregnancy_lactation_and_plans(typed, expected):
    assert rule("e10", typed, WOMAN) == expected


def test_exclusion_10_needs_no_test_where_none_is_possible():
    older = {"SCR.dm.sex": "F", "SCR.dm.childbearing": "N_POSTMENO"}
    assert rule("e10", {"lactating": "N", "planning": "N"}, older) == "N"
    assert rule("e10") == "N"


def test_a_pregnancy_test_older_than_7_days_is_asked_at_baseline():
    typed = {"preg_test": "NEG", "preg_date": "2024-02-22"}
    here = WOMAN | {"visit_date": "2024-03-01"}
    assert "IE04" in judged(typed, here, visit="BL").rules("preg_date")
    typed["preg_date"] = "2024-02-23"
    assert "IE04" not in judged(typed, here, visit="BL").rules("preg_date")


BOUNDARIES = [
    ("e11_1", {"latest.lbh.hgb": "7.5", "latest.lbh.hgb.unit": "g/dL"}, "N"),
    ("e11_1", {"latest.lbh.hgb": "7.4", "latest.lbh.hgb.unit": "g/dL"}, "Y"),
    ("e11_1", {"latest.lbh.hgb": "75"}, "N"), ("e11_1", {"latest.lbh.hgb": "74.9"}, "Y"),
    ("e11_2", {"latest.lbh.neut": "1.0"}, "N"), ("e11_2", {"latest.lbh.neut": "0.99"}, "Y"),
    ("e11_3", {"latest.lbh.plat": "100"}, "N"), ("e11_3", {"latest.lbh.plat": "99"}, "Y"),
    ("e11_4", {"latest.lbc.alt": "100"}, "N"), ("e11_4", {"latest.lbc.alt": "100.1"}, "Y"),
    ("e11_4", {"latest.lbc.alt": "81", "latest.lbc.alt_uln": "40"}, "Y"),
    ("e11_4", {"latest.lbc.alt": "81", "latest.lbc.alt_uln": "50"}, "N"),
    ("e11_4", {"latest.lbc.alt_uln": ""}, None),
    ("e11_5", {"latest.lbc.ast": "80"}, "N"), ("e11_5", {"latest.lbc.ast": "80.1"}, "Y"),
    ("e11_6", {"latest.lbc.bili": "52"}, "N"), ("e11_6", {"latest.lbc.bili": "52.1"}, "Y"),
    ("e11_6", {"latest.lbc.bili": "3", "latest.lbc.bili.unit": "mg/dL"}, "N"),
    ("e11_6", {"latest.lbc.bili": "3.1", "latest.lbc.bili.unit": "mg/dL"}, "Y"),
    ("e11_7", {"latest.lbc.egfr": "30.00"}, "N"), ("e11_7", {"latest.lbc.egfr": "29.99"}, "Y"),
    ("e11_7", {"latest.lbc.egfr": ""}, None),
]  # fmt: skip


@pytest.mark.parametrize("name, around, expected", BOUNDARIES)
def test_exclusion_11_is_strict_and_looks_at_canonical_units(name, around, expected):
    assert rule(name, (), around) == expected


@pytest.mark.parametrize("day, old", [("2024-02-01", True), ("2024-02-02", False)])
def test_laboratory_results_older_than_28_days_are_asked(day, old):
    here = {"visit_date": "2024-03-01", "latest.lbh.lbdat": day}
    assert ("IE06" in judged((), here, visit="BL").rules("e11_hgb")) is old
