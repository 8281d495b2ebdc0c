"""Every exclusion as a rule, at its boundaries."""

import pytest

from tests.protocols.eligible import WOMAN, judged, rule


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
    "found, expected",
    [
        ({"vir.hiv_agab": "POS"}, "Y"), ({"vir.hbsag": "POS"}, "Y"),
        ({"tb.tb_active": "Y"}, "Y"),
        ({"vir.hcv_ab": "POS", "vir.hcv_rna": "NEG"}, "N"),
        ({"vir.hcv_ab": "POS", "vir.hcv_rna": "POS"}, "Y"), ({"vir.hcv_ab": "POS"}, None),
        ({"vir.hcv_ab": "IND", "vir.hcv_rna": "POS"}, "Y"),
        ({"vir.hcv_ab": "IND", "vir.hcv_rna": "NEG"}, "N"),
        ({"vir.hbcab": "POS"}, None), ({"vir.hbcab": "IND"}, None),
        ({"vir.hbcab": "POS", "vir.hbv_dna_result": "TND"}, "N"),
        ({"vir.hbcab": "POS", "vir.hbv_dna_result": "BLQ"}, "N"),
        ({"vir.hbv_dna_result": "VALUE", "vir.hbv_dna": "20", "vir.hbv_dna_lloq": "20"}, "Y"),
        ({"vir.hbv_dna_result": "VALUE", "vir.hbv_dna": "19.9", "vir.hbv_dna_lloq": "20"}, "N"),
        ({"vir.hbv_dna_result": "VALUE", "vir.hbv_dna": "19.9"}, "Y"),
        ({"tb.igra": "POS", "tb.chest_clear": "Y"}, "N"), ({"tb.igra": "POS"}, None),
        ({"tb.igra": "IND"}, None), ({"tb.igra": "POS", "tb.tb_active": "Y"}, "Y"),
        ({"tb.igra": ""}, "N"), ({"vir.hbcab": ""}, None),
    ],
)  # fmt: skip
def test_exclusion_3_follows_the_infection_tests(found, expected):
    assert rule("e3", (), {f"SCR.{path}": text for path, text in found.items()}) == expected


def test_exclusion_3_takes_a_severe_infection_as_answered():
    assert rule("e3", {"active_infection": "Y"}) == "Y"
    assert rule("e3", {"active_infection": ""}) is None


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


@pytest.mark.parametrize(
    "active, consented, expected",
    [
        ("2020-02-29", "2025-02-28", "Y"), ("2020-02-29", "2025-03-01", "N"),
        ("2019-02-28", "2024-02-28", "N"), ("2019-03-01", "2024-02-29", "Y"),
        ("2019-03", "2024-02-29", "Y"), ("2019-02", "2024-02-27", None),
        ("2019-02", "2024-02-29", "N"),
    ],
)  # fmt: skip
def test_60_months_are_complete_by_the_calendar(active, consented, expected):
    around = {"SCR.icf.icf_date": consented}
    assert rule("e4", malignancy("OTHER", active), around) == expected


EGFR = [
    ("200", "M", "62", ("29.51", "31.37", "36.39", "30.52"), "Y"),
    ("185", "M", "62", ("32.29", "34.32", "39.81", "33.61"), "N"),
    ("150", "F", "60", ("30.72", "32.65", "37.88", "34.59"), "N"),
    ("168", "F", "69", ("26.20", "27.85", "32.31", "29.34"), "Y"),
]


@pytest.mark.parametrize("creat, sex, age, expected, excluded", EGFR)
def test_every_equation_is_shown_and_the_chosen_one_decides(
    creat, sex, age, expected, excluded
):
    around = {"latest.lbc.creat": creat, "SCR.dm.sex": sex, "latest.lbc.lb_age": age,
              "latest.lbc.egfr": expected[0]}  # fmt: skip
    derived = judged((), around).derived
    named = ("mdrd175", "mdrd186", "cmdrd", "ma2006")
    assert tuple(derived[f"e11_{name}"] for name in named) == expected
    assert rule("e11_7", (), around) == excluded


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
    "test, lactating, planning, expected",
    [
        ("NEG", "N", "N", "N"), ("POS", "N", "N", "Y"), ("NEG", "Y", "N", "Y"),
        ("NEG", "N", "Y", "Y"), ("", "N", "N", None), ("", "Y", "N", "Y"),
        ("IND", "N", "N", None), ("NEG", "", "N", None),
    ],
)  # fmt: skip
def test_exclusion_10_asks_women_for_pregnancy_lactation_and_plans(
    test, lactating, planning, expected
):
    typed = {"lactating": lactating, "planning": planning}
    assert rule("e10", typed, WOMAN | {"latest.preg.preg_result": test}) == expected


def test_exclusion_10_needs_no_test_where_none_is_possible():
    older = {"SCR.dm.sex": "F", "SCR.dm.childbearing": "N_POSTMENO"}
    assert rule("e10", (), older) == "N"
    assert rule("e10") == "N"


@pytest.mark.parametrize("day, old", [("2024-02-22", True), ("2024-02-23", False)])
def test_a_pregnancy_test_older_than_7_days_cannot_decide_at_baseline(day, old):
    here = WOMAN | {"visit_date": "2024-03-01", "latest.preg.preg_date": day,
                    "latest.preg.preg_result": "NEG"}  # fmt: skip
    typed = {"lactating": "N", "planning": "N"}
    assert ("IE04" in judged(typed, here, visit="BL").rules("preg_date")) is old
    assert rule("e10", typed, here, visit="BL") == (None if old else "N")
    assert rule("e10", typed, here) == "N"


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
    assert rule("e11_1", (), here, visit="BL") == (None if old else "N")
    assert rule("e11_4", (), here, visit="BL") == "N"
