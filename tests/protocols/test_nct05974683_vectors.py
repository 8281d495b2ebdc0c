"""The worked examples and boundaries: Responder Index, eGFR, laboratory, vital signs."""

import pytest

from tests.protocols.trying import ROWS, entered, organs, tried

SITES = [row for row in ROWS if not row.startswith("OTHER")]
COUNTS = ("ri_total", "ri_active_n", "ri_urgent_n", "ri_damage_n", "ri_sympt_n")

EXAMPLES = {
    "A": ("", (0, 0, 0, 0, 0)),
    "B": ("PANCREAS 2 U S; SUBMAND 2 S", (6, 2, 1, 0, 2)),
    "C": ("PANCREAS 1; SUBMAND 1; LN 1", (3, 3, 0, 0, 0)),
    "D": ("KIDNEY 3 U D S; BILEDUCT 3 S; LACRIMAL 2 S", (11, 3, 1, 1, 3)),
    "E": ("PANCREAS 0 D; RPF 0 D", (0, 0, 0, 2, 0)),
    "F": ("RPF 2 S; AORTA 2 U; CONST 2 S", (8, 3, 1, 0, 2)),
    "G": ("BILEDUCT 1 U S", (2, 1, 1, 0, 1)),
    "H": ("; ".join(f"{row} 3 U" for row in SITES), (150, 25, 25, 0, 0)),
    "I": ("; ".join(f"{row} 3 U" for row in ROWS), (162, 27, 27, 0, 0)),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_worked_examples_of_the_responder_index_come_out(name):
    scores, expected = EXAMPLES[name]
    done = tried("ri", organs(scores))
    assert not done.refused
    assert tuple(int(done.derived[count]) for count in COUNTS) == expected


def test_the_grid_has_27_rows_and_no_damage_of_constitutional_symptoms():
    done = tried("ri", organs("", rest="0") | {"CONST.damage": "Y"})
    assert ("closed_cell", "CONST.damage") in done.found
    assert done.derived["ri_damage_n"] == "0"


def test_example_j_a_missing_score_leaves_the_totals_unknown():
    answers = organs("PANCREAS 2 U S")
    del answers["SKIN.score"]
    done = tried("ri", answers)
    for unknown in ("ri_total", "ri_active_n", "ri_urgent_n", "ri_max_organ", "ri_max_raw"):
        assert done.derived[unknown] is None
    assert done.derived["ri_sympt_n"] == "1"
    assert done.rules("SKIN.score") == {"required"}


def test_a_missing_urgent_of_a_scored_organ_leaves_the_total_unknown():
    answers = organs("PANCREAS 2")
    del answers["PANCREAS.urgent"]
    done = tried("ri", answers)
    assert done.derived["ri_total"] is None
    assert done.derived["ri_max_organ"] is None
    assert done.derived["ri_max_raw"] == "2"
    assert done.rules("PANCREAS.urgent") == {"required"}


@pytest.mark.parametrize(
    "scores, weighted, raw",
    [
        ("PANCREAS 1; SUBMAND 1; LN 1", "1", "1"),
        ("BILEDUCT 1 U S", "2", "1"),
        ("KIDNEY 3 U", "6", "3"),
    ],
)
def test_the_highest_organ_is_known_before_and_after_doubling(scores, weighted, raw):
    derived = tried("ri", organs(scores)).derived
    assert (derived["ri_max_organ"], derived["ri_max_raw"]) == (weighted, raw)


def test_urgent_with_a_score_of_0_is_refused_where_it_stands():
    done = tried("ri", organs("SKIN 0 U"))
    assert set(done.refused) == {"SKIN.urgent"}


def test_urgent_although_improved_is_asked():
    assert tried("ri", organs("LIVER 1 U")).rules("LIVER.urgent") == {"RI02"}
    assert not tried("ri", organs("LIVER 2 U")).rules("LIVER.urgent")


def test_damage_that_disappears_is_asked():
    before = {"previous.ri.KIDNEY.damage": "Y", "previous.ri.RPF.damage": "N"}
    done = tried("ri", organs(""), context=before)
    assert done.rules("KIDNEY.damage") == {"RI05"}
    assert not done.rules("RPF.damage")


@pytest.mark.parametrize(
    "before, now, asked",
    [("0", "1", {"RI09"}), ("1", "1", set()), ("2", "1", set()), ("3", "0", set()),
     ("0", "2", {"RI10"}), ("0", "3", set()), ("2", "2", set()), ("", "1", set())],
)  # fmt: skip
def test_a_score_that_does_not_follow_from_the_one_before_is_asked(before, now, asked):
    context = {"previous.ri.LIVER.score": before, "SCR.igh.bg_gc": "Y"}
    scores = f"LIVER {now}; SKIN {now}"
    done = tried("ri", organs(scores), visit="W4", context=context)
    assert done.rules("LIVER.score") == asked
    assert not done.rules("SKIN.score")


def test_the_row_of_the_assessment_before_is_found_in_its_entry():
    earlier = entered("ri", organs("KIDNEY 0 D; LIVER 0"), visit="BL", order=1)
    done = tried("ri", organs("LIVER 1"), visit="W4", entries=[earlier])
    assert done.rules("KIDNEY.damage") == {"RI05"}
    assert done.rules("LIVER.score") == {"RI09"}
    assert not done.rules("SKIN.score")


@pytest.mark.parametrize("row", ["ORBIT", "OTHSALIV", "OTHENT", "OTHER1", "OTHER2"])
def test_rows_with_a_dagger_need_a_location_when_scored(row):
    assert f"RI06_{row}" in tried("ri", organs(f"{row} 2")).rules(f"{row}.location")
    named = tried("ri", organs(f"{row} 2") | {f"{row}.location": "left"})
    assert not named.rules(f"{row}.location")
    assert not tried("ri", organs(f"{row} 0 D")).rules(f"{row}.location")


def test_lymph_nodes_need_their_sites_when_scored():
    assert tried("ri", organs("LN 1")).rules("ln_sites") == {"required"}
    assert not tried("ri", organs("")).rules("ln_sites")


EGFR = [
    ("80", "µmol/L", 55, "M", "87.05", "92.53", "107.34", "96.61"),
    ("62", "µmol/L", 48, "F", "89.11", "94.71", "109.88", "107.11"),
    ("88.4", "µmol/L", 50, "M", "79.09", "84.07", "97.52", "86.88"),
    ("1.0", "mg/dL", 50, "M", "79.09", "84.07", "97.52", "86.88"),
    ("88.4", "umol/L", 50, "F", "58.69", "62.38", "72.36", "68.64"),
    ("150", "µmol/L", 60, "F", "30.72", "32.65", "37.88", "34.59"),
    ("185", "µmol/L", 62, "M", "32.29", "34.32", "39.81", "33.61"),
    ("200", "µmol/L", 62, "M", "29.51", "31.37", "36.39", "30.52"),
    ("168", "µmol/L", 69, "F", "26.20", "27.85", "32.31", "29.34"),
]


@pytest.mark.parametrize("creat, unit, age, sex, mdrd, mdrd186, chinese, ma2006", EGFR)
def test_egfr_of_the_table_comes_out(creat, unit, age, sex, mdrd, mdrd186, chinese, ma2006):
    answers = {"creat": creat, "creat.unit": unit}
    named = {"MDRD175": mdrd, "MDRD186": mdrd186, "CMDRD": chinese, "MA2006": ma2006}
    for equation, expected in named.items():
        params = {"elig_egfr_equation": equation}
        derived = tried("lbc", answers, sex=sex, age=age, params=params).derived
        assert float(derived["egfr"]) == float(expected)
        assert derived["egfr_equation"] == equation


@pytest.mark.parametrize("day, age", [("2024-02-29", "54"), ("2024-03-01", "55")])
def test_the_age_of_egfr_is_in_completed_years_at_the_sample(day, age):
    context = {"SCR.dm.brthdat": "1969-03-01", "SCR.dm.sex": "M", "SCR.dm.age": "40"}
    derived = tried("lbc", {"creat": "80", "lbdat": day}, context=context).derived
    assert derived["lb_age"] == age


def test_creatinine_in_the_wrong_unit_is_refused_with_the_right_one():
    done = tried("lbc", {"creat": "1.9"})
    assert "mg/dL" in done.refused["creat"]
    assert not tried("lbc", {"creat": "1.9", "creat.unit": "mg/dL"}).refused


@pytest.mark.parametrize(
    "form, item, text, unit, canonical",
    [
        ("lbh", "hgb", "7.5", "g/dL", "75"), ("lbh", "hct", "41", "%", "0.41"),
        ("lbh", "wbc", "5.1", "10^3/uL", "5.1"), ("lbh", "plat", "100", "10^9/L", "100"),
        ("lbc", "bili", "1", "mg/dL", "17.104"), ("lbc", "urea", "14", "mg/dL as BUN", "4.998"),
        ("lbc", "urate", "5", "mg/dL", "297.4"), ("lbc", "alt", "1", "µkat/L", "60"),
        ("lbc", "ca", "10", "mg/dL", "2.495"), ("lbc", "gluc", "100", "mg/dL", "5.55"),
        ("lbi", "igg4", "1.4", "g/L", "1400"), ("lbi", "igg4", "140", "mg/dL", "1400"),
        ("lbi", "igg", "1200", "mg/dL", "12"), ("lbi", "ige", "60", "IU/mL", "60"),
        ("lbx", "crp", "0.5", "mg/dL", "5"), ("ua", "upcr", "1000", "mg/g", "113"),
    ],
)  # fmt: skip
def test_units_are_converted_exactly(form, item, text, unit, canonical):
    assert tried(form, {item: text, f"{item}.unit": unit}).answers[item] == canonical


def test_direct_bilirubin_above_total_is_refused():
    assert set(tried("lbc", {"bili": "10", "bildir": "10.1"}).refused) == {"bildir"}
    assert not tried("lbc", {"bili": "10", "bildir": "10"}).refused


def test_results_that_do_not_go_together_are_asked():
    differential = {"neutle": "60", "lymle": "30", "monole": "3", "eosle": "1", "basole": "0.9"}
    assert "LBH01" in tried("lbh", differential).rules("neutle")
    assert not tried("lbh", differential | {"basole": "1"}).rules("neutle")
    counted = {"wbc": "10", "neutle": "50"}
    assert "LBH02" in tried("lbh", counted | {"neut": "5.51"}).rules("neut")
    assert "LBH02" not in tried("lbh", counted | {"neut": "5.5"}).rules("neut")
    assert "LBH03" in tried("lbh", {"hgb": "100", "hct": "0.361"}).rules("hct")
    assert "LBH03" not in tried("lbh", {"hgb": "100", "hct": "0.36"}).rules("hct")
    classes = {"igg1": "7000", "igg2": "3000", "igg3": "500", "igg4": "2501"}
    assert "LBI01" in tried("lbi", classes | {"igg": "10"}).rules("igg")
    assert "LBI01" not in tried("lbi", classes | {"igg4": "2500", "igg": "10"}).rules("igg")


def test_the_share_of_igg4_in_igg_is_computed():
    derived = tried("lbi", {"igg4": "2400", "igg": "16.2"}).derived
    assert derived["igg4_igg_ratio"] == "14.81"


def test_low_neutrophils_alert_only_after_randomization():
    after = {"randomized_on": "2024-03-01"}
    assert tried("lbh", {"neut": "1.29"}, context=after).rules("neut") == {"LBH05"}
    assert tried("lbh", {"neut": "0.99"}, context=after).rules("neut") >= {"LBH05", "LBH06"}
    assert not tried("lbh", {"neut": "1.3"}, context=after).rules("neut")
    assert not tried("lbh", {"neut": "1.29"}).rules("neut")


VITALS = [
    ("sbp", "50", "300", "90", "180", "1"), ("dbp", "20", "200", "50", "110", "1"),
    ("pulse", "20", "250", "45", "130", "1"), ("temp", "33.0", "43.0", "35.5", "38.0", "0.1"),
    ("resp", "4", "80", "10", "30", "1"),
]  # fmt: skip


@pytest.mark.parametrize("item, low, high, soft_low, soft_high, step", VITALS)
def test_vital_signs_are_refused_beyond_the_hard_and_asked_beyond_the_soft_limits(
    item, low, high, soft_low, soft_high, step
):
    places = 1 if "." in step else 0

    def beside(value, sign):
        return f"{float(value) + sign * float(step):.{places}f}"

    for inside in (low, high):
        assert not tried("vs", {item: inside}).refused
    for beyond in (beside(low, -1), beside(high, 1)):
        assert set(tried("vs", {item: beyond}).refused) == {item}
    for usual in (soft_low, soft_high):
        assert not tried("vs", {item: usual}).rules(item)
    for unusual in (beside(soft_low, -1), beside(soft_high, 1)):
        assert tried("vs", {item: unusual}).rules(item) == {"soft_limit"}


@pytest.mark.parametrize(
    "item, low, high", [("weight", 25, 250), ("height", 100, 230), ("spo2", 50, 100)]
)
def test_weight_height_and_saturation_have_hard_limits(item, low, high):
    assert not tried("vs", {item: str(low)}).refused
    assert not tried("vs", {item: str(high)}).refused
    assert tried("vs", {item: str(low - 1)}).refused
    assert tried("vs", {item: str(high + 1)}).refused


def test_systolic_pressure_must_be_above_diastolic():
    assert set(tried("vs", {"sbp": "100", "dbp": "100"}).refused) == {"sbp"}
    assert not tried("vs", {"sbp": "101", "dbp": "100"}).refused


def test_weight_has_one_decimal_and_a_change_of_more_than_a_tenth_is_asked():
    assert tried("vs", {"weight": "62.55"}).refused
    before = {"previous.vs.weight": "60"}
    assert "VS02" in tried("vs", {"weight": "66.1"}, context=before).rules("weight")
    assert not tried("vs", {"weight": "66"}, context=before).rules("weight")
    assert not tried("vs", {"weight": "54"}, context=before).rules("weight")


def test_bmi_uses_the_height_of_screening():
    assert tried("vs", {"weight": "62", "height": "168"}).derived["bmi"] == "21.97"
    later = tried("vs", {"weight": "62"}, visit="W4", context={"SCR.vs.height": "168"})
    assert later.derived["bmi"] == "21.97"
    assert not later.rules("height")


def test_pga_runs_from_0_to_100_and_a_paper_scale_in_cm_is_converted():
    assert tried("pga", {"pga_mm": "0"}).answers["pga_mm"] == "0"
    assert tried("pga", {"pga_mm": "4.5", "pga_mm.unit": "cm"}).answers["pga_mm"] == "45"
    assert tried("pga", {"pga_mm": "101"}).refused
    assert tried("pga", {"pga_mm": "-1"}).refused
    assert tried("pga", {}).rules("pga_mm") == {"required"}
