"""The 2019 ACR/EULAR and the 2020 RCD criteria: every domain, every vector, every boundary."""

import pytest

from tests.protocols.trying import study, tried

EXCLUSIONS = [f"X{n:02}" for n in range(1, 24)]
NO_BIOPSY = {"SCR.igh.bx_done": "N"}
LIMIT = {"SCR.igh.igg4_dx_uln": "1400"}
NONE = {
    "ae_entry_organs": "PANCREAS", "ae_entry_path": "N", "gland_sets": "NONE", "chest": "0",
    "pancbil": "0", "kidney": "0", "retro": "0",
    **{f"{row}.present": "N" for row in EXCLUSIONS},
}  # fmt: skip
HISTOLOGY = {
    "0": {"bx_infiltrate": "N"}, "4": {"bx_infiltrate": "Y"},
    "6": {"bx_infiltrate": "Y", "bx_phlebitis": "Y"},
    "13": {"bx_infiltrate": "Y", "bx_storiform": "Y", "bx_phlebitis": "Y"},
}  # fmt: skip
SERUM = {0: "1400", 4: "1401", 6: "2800", 11: "7001"}


def biopsy(ratio="", cells="", **more):
    said = {"bx_done": "Y", "bx_ratio": ratio, "bx_igg4_hpf": cells, **more}
    return {f"SCR.igh.{item}": text for item, text in said.items()}


def classified(typed=(), around=()):
    context = NO_BIOPSY | LIMIT | {"SCR.igh.igg4_dx": "1000"} | dict(around)
    return tried("aec", NONE | dict(typed), context=context)


def points(domain, typed=(), around=()):
    return classified(typed, around).derived[domain]


@pytest.mark.parametrize(
    "ratio, cells, expected",
    [
        ("71", "50", "14"), ("71", "51", "16"), ("70", "60", "14"), ("40", "30", "7"),
        ("45", "5", "7"), ("38", "9", "0"), ("40", "9", "0"), ("41", "9", "7"),
        ("40", "10", "7"), ("41", "10", "14"), ("70", "51", "14"), ("71", "10", "14"),
        ("71", "9", "7"), ("100", "1000", "16"), ("0", "0", "0"), ("71", "", "7"),
        ("41", "", "7"), ("40", "", "7"), ("", "9", "0"), ("", "10", "7"), ("", "", "0"),
    ],
)  # fmt: skip
def test_immunostaining_scores_the_ratio_and_the_cells(ratio, cells, expected):
    assert points("immuno", (), biopsy(ratio, cells)) == expected


def test_a_biopsy_without_any_stain_scores_nothing_and_is_asked():
    done = classified((), biopsy(bx_infiltrate="Y"))
    assert (done.derived["histo"], done.derived["immuno"]) == ("4", "0")
    assert done.rules("immuno_stain") == {"AEC03"}
    assert not classified().rules("immuno_stain")


def test_without_knowing_of_a_biopsy_its_domains_stay_unknown():
    derived = classified((), {"SCR.igh.bx_done": ""}).derived
    assert derived["histo"] is derived["immuno"] is derived["ae2019_score"] is None


@pytest.mark.parametrize("expected", HISTOLOGY)
def test_histology_is_read_from_the_biopsy(expected):
    assert points("histo", (), biopsy(**HISTOLOGY[expected])) == expected


def test_without_a_dense_infiltrate_fibrosis_scores_nothing():
    assert points("histo", (), biopsy(bx_infiltrate="N", bx_storiform="Y")) == "0"
    assert points("histo", (), biopsy(bx_storiform="Y")) == "0"


@pytest.mark.parametrize(
    "value, unit, expected",
    [
        ("1400", "mg/L", "0"), ("1400.1", "mg/L", "4"), ("2799.9", "mg/L", "4"),
        ("2800", "mg/L", "6"), ("7000", "mg/L", "6"), ("7000.1", "mg/L", "11"),
        ("1.4", "g/L", "0"), ("2.8", "g/L", "6"), ("141", "mg/dL", "4"), ("701", "mg/dL", "11"),
    ],
)  # fmt: skip
def test_serum_igg4_scores_by_the_limit_of_its_laboratory(value, unit, expected):
    around = {"SCR.igh.igg4_dx": value, "SCR.igh.igg4_dx.unit": unit}
    assert points("serum", (), around) == expected
    if unit == "g/L":
        around |= {"SCR.igh.igg4_dx_uln": "140", "SCR.igh.igg4_dx_uln.unit": "mg/dL"}
        assert points("serum", (), around) == expected


def test_where_the_limit_is_unknown_the_report_s_class_is_asked():
    around = {"SCR.igh.igg4_dx_uln": ""}
    assert points("serum", (), around) is None
    assert points("serum", {"serum_stated": "6"}, around) == "6"


@pytest.mark.parametrize(
    "sets, expected",
    [
        ("NONE", "0"), ("LACRIMAL", "6"), ("SUBLINGUAL", "6"), ("PAROTID,SUBMAND", "14"),
        ("LACRIMAL,PAROTID,SUBLINGUAL,SUBMAND", "14"), ("", None),
    ],
)  # fmt: skip
def test_glands_score_by_their_sets(sets, expected):
    assert points("glands", {"gland_sets": sets}) == expected


def scored(histo="0", immuno=("", ""), serum=0, typed=()):
    around = biopsy(*immuno, **HISTOLOGY[histo]) | {"SCR.igh.igg4_dx": SERUM[serum]}
    return classified(typed, around).derived


@pytest.mark.parametrize(
    "domains, total, met",
    [
        ({"histo": "13", "immuno": ("45", "5")}, "20", "Y"),
        ({"serum": 11, "typed": {"gland_sets": "PAROTID"}}, "17", "N"),
        ({"serum": 6, "typed": {"gland_sets": "PAROTID,SUBMAND"}}, "20", "Y"),
        ({"typed": {"pancbil": "19"}}, "19", "N"),
        ({"serum": 4, "typed": {"pancbil": "19"}}, "23", "Y"),
        ({"serum": 11, "typed": {"pancbil": "8"}}, "19", "N"),
        ({}, "0", "N"),
    ],
)
def test_the_vectors_of_the_2019_criteria_come_out(domains, total, met):
    derived = scored(**domains)
    assert (derived["ae2019_score"], derived["ae2019_met"]) == (total, met)


ALL_MOST = {
    "histo": "13", "immuno": ("71", "51"), "serum": 11,
    "typed": {"gland_sets": "PAROTID,SUBMAND", "chest": "10", "pancbil": "19", "kidney": "10",
              "retro": "8"},
}  # fmt: skip


def test_the_most_points_are_101():
    assert scored(**ALL_MOST)["ae2019_score"] == "101"


@pytest.mark.parametrize("row", EXCLUSIONS)
def test_any_exclusion_undoes_any_number_of_points(row):
    most = ALL_MOST | {"typed": ALL_MOST["typed"] | {f"{row}.present": "Y"}}
    derived = scored(**most)
    assert (derived["ae_excluded"], derived["ae2019_met"]) == ("Y", "N")


def test_score_45_with_anca_is_not_classified():
    typed = {"gland_sets": "PAROTID,SUBMAND", "pancbil": "19", "retro": "8", "X05.present": "Y"}
    derived = scored(serum=4, typed=typed)
    assert (derived["ae2019_score"], derived["ae2019_met"]) == ("45", "N")


def test_an_exclusion_never_assessed_counts_as_no_but_a_blank_one_is_unknown():
    typed = ALL_MOST["typed"]
    for said, met in (("NAS", "Y"), ("", None)):
        assert (
            scored(**ALL_MOST | {"typed": typed | {"X12.present": said}})["ae2019_met"] == met
        )


@pytest.mark.parametrize(
    "chosen, path, entry",
    [
        ("KIDNEY", "N", "Y"), ("NONE", "Y", "Y"), ("NONE", "N", "N"), ("", "Y", "Y"),
        ("", "N", None), ("NONE", "", None), ("THYROID,LUNG", "", "Y"),
    ],
)  # fmt: skip
def test_the_entry_criterion_takes_an_organ_or_pathology(chosen, path, entry):
    typed = ALL_MOST["typed"] | {"ae_entry_organs": chosen, "ae_entry_path": path}
    derived = scored(**ALL_MOST | {"typed": typed})
    assert (derived["ae_entry"], derived["ae2019_met"]) == (entry, entry)


def test_what_excludes_only_a_lone_organ_is_asked_beside_others():
    typed = {"X22.present": "Y", "ae_entry_organs": "PANCREAS,KIDNEY,LUNG"}
    assert classified(typed).rules("X22.present") == {"AEC04"}
    assert not classified(typed | {"ae_entry_organs": "PANCREAS,BILEDUCT"}).rules("X22.present")
    typed = {"X23.present": "Y", "ae_entry_organs": "THYROID"}
    assert not classified(typed).rules("X23.present")
    assert classified(typed | {"ae_entry_organs": "LUNG"}).rules("X23.present") == {"AEC05"}


def test_eosinophils_above_3_are_asked_when_not_marked():
    for count, asked in (("3.01", {"AEC08"}), ("3.0", set())):
        assert classified((), {"latest.lbh.eos": count}).rules("X04.present") == asked


def test_every_exclusion_and_domain_says_where_its_wording_comes_from():
    form = study().forms["aec"]
    rows = [row for grid in form.grids.values() for row in grid.rows]
    assert [row.id for row in rows] == EXCLUSIONS
    assert {row.source for row in rows} == {"seen", "unverified"}


def rcd(first, igg4, infiltrate, stain, fibrosis):
    """Return the level; the three pathological answers are Y, N or ND."""
    if {infiltrate, stain, fibrosis} == {"ND"}:
        around = dict(NO_BIOPSY)
    else:
        ratio, cells = {"Y": ("41", "11"), "N": ("40", "30"), "ND": ("", "")}[stain]
        known = {"Y": "Y", "N": "N", "ND": ""}
        around = biopsy(
            ratio, cells, bx_infiltrate=known[infiltrate], bx_fibrosis=known[infiltrate],
            bx_storiform=known[fibrosis],
        )  # fmt: skip
    derived = tried("rcd", {"rcd1": first}, context={**around, "SCR.igh.igg4_dx": igg4}).derived
    assert [derived[f"rcd3{part}"] for part in "abc"] == [infiltrate, stain, fibrosis]
    return derived["rcd_level"]


@pytest.mark.parametrize(
    "given, level",
    [
        (("Y", "1500", "Y", "Y", "N"), "DEFINITE"), (("Y", "1200", "Y", "N", "Y"), "PROBABLE"),
        (("Y", "1500", "ND", "ND", "ND"), "POSSIBLE"),
        (("N", "5000", "Y", "Y", "Y"), "NOT_MET"),
        (("Y", "1350", "N", "N", "N"), "NOT_MET"), (("Y", "1350.1", "N", "N", "N"), "POSSIBLE"),
        (("Y", "1351", "ND", "Y", "Y"), "DEFINITE"),
        (("Y", "1380", "Y", "ND", "N"), "POSSIBLE"),
        (("Y", "1350", "Y", "Y", "Y"), "PROBABLE"), (("", "1500", "Y", "Y", "Y"), None),
        (("Y", "", "Y", "Y", "Y"), None), (("N", "", "ND", "ND", "ND"), "NOT_MET"),
    ],
)  # fmt: skip
def test_the_vectors_of_the_rcd_criteria_come_out(given, level):
    assert rcd(*given) == level


@pytest.mark.parametrize(
    "ratio, cells, expected",
    [
        ("40", "11", "N"), ("41", "10", "N"), ("41", "11", "Y"), ("41", "", "ND"),
        ("", "11", "ND"), ("40", "", "N"), ("", "10", "N"), ("", "", "ND"),
    ],
)  # fmt: skip
def test_3b_needs_more_than_40_percent_and_more_than_10_cells(ratio, cells, expected):
    assert tried("rcd", {}, context=biopsy(ratio, cells)).derived["rcd3b"] == expected


@pytest.mark.parametrize(
    "value, unit, expected",
    [
        ("135", "mg/dL", "N"),
        ("135.1", "mg/dL", "Y"),
        ("1.35", "g/L", "N"),
        ("1.36", "g/L", "Y"),
    ],
)
def test_the_serological_item_looks_at_the_canonical_unit(value, unit, expected):
    around = {"SCR.igh.igg4_dx": value, "SCR.igh.igg4_dx.unit": unit}
    assert tried("rcd", {}, context=around).derived["rcd2"] == expected


def test_1380_mg_per_litre_meets_the_rcd_item_but_not_inclusion_3():
    around = {"SCR.igh.igg4_dx": "1380"}
    assert tried("rcd", {}, context=around).derived["rcd2"] == "Y"
    assert tried("ie", {}, context=around).derived["i3_rule"] == "NOT_MET"


def test_lymph_nodes_as_the_only_organ_are_asked():
    around = {"SCR.igh.organs_ever": "LN"}
    assert tried("rcd", {"rcd1": "Y"}, context=around).rules("rcd1") == {"RCD01"}
    around = {"SCR.igh.organs_ever": "LN,KIDNEY"}
    assert not tried("rcd", {"rcd1": "Y"}, context=around).rules("rcd1")
