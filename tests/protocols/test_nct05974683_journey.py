"""From consent to eligibility over real entries: each form finds what the others say."""

import pytest

from tests.protocols.eligible import TYPED
from tests.protocols.trying import entered, organs, study, tried

DAY = "2024-02-15"
SCREENING = [
    ("icf", {"icf_kind": "INITIAL", "icf_signed": "Y", "icf_date": DAY}),
    ("dm", {"brthdat": "1962-02-10", "sex": "M", "childbearing": "NA_MALE"}),
    ("igh", {"igg4_dx": "8", "igg4_dx.unit": "g/L", "igg4_nadir": "150",
             "igg4_nadir.unit": "mg/dL", "major_organs": "AIP", "bg_is": "Y"}),
    ("ri", organs("PANCREAS 1 S; RPF 0 D")),
    ("lbh", {"lbdat": DAY, "hgb": "7.5", "hgb.unit": "g/dL", "neut": "1.0", "plat": "100"}),
    ("lbc", {"lbdat": DAY, "alt": "100", "alt_uln_typed": "50", "ast": "20",
             "ast_uln_typed": "40", "bili": "10", "bili_uln_typed": "26", "creat": "185"}),
    ("lbi", {"lbdat": DAY, "igg4": "2400", "igg4_uln_typed": "1400"}),
]  # fmt: skip


def eligibility(changed=(), visit="SCR"):
    """Return the eligibility form after screening, with other answers on some of its forms."""
    changed, entries = dict(changed), []
    for form, answers in SCREENING:
        said = answers | changed.get(form, {})
        entries.append(entered(form, said, visit="SCR", order=1, beside=tuple(entries)))
    if visit == "BL":
        entries.append(entered("ri", organs(""), visit="BL", order=10))
    return tried("ie", TYPED, visit=visit, entries=entries)


@pytest.mark.parametrize("visit", ["SCR", "BL"])
def test_a_participant_at_every_limit_is_eligible(visit):
    derived = eligibility(visit=visit).derived
    assert (derived["age_consent"], derived["igg4_now"]) == ("62", "2400")
    assert float(derived["e11_egfr"]) == 32.29
    assert derived["eligible"] == "Y"


def test_baseline_uses_its_own_responder_index():
    assert eligibility(visit="SCR").derived["e1_value"] == "1"
    assert eligibility(visit="BL").derived["e1_value"] == "0"


@pytest.mark.parametrize(
    "form, answers, rule",
    [
        ("dm", {"brthdat": "1953-02-15"}, "i2"), ("igh", {"igg4_dx": "1.4"}, "i3"),
        ("lbi", {"igg4": "2399"}, "i5"), ("igh", {"major_organs": "NONE"}, "i4"),
    ],
)  # fmt: skip
def test_one_unmet_inclusion_shows_through(form, answers, rule):
    derived = eligibility({form: answers}).derived
    assert derived[f"{rule}_rule"] == "N"
    assert derived["eligible"] == "N"


@pytest.mark.parametrize(
    "form, answers, rule",
    [
        ("ri", organs("PANCREAS 1 U S"), "e1"), ("lbh", {"hgb": "7.4"}, "e11_1"),
        ("lbc", {"alt": "100.1"}, "e11_4"), ("lbc", {"creat": "200"}, "e11_7"),
    ],
)  # fmt: skip
def test_one_exclusion_shows_through(form, answers, rule):
    derived = eligibility({form: answers}).derived
    assert derived[f"{rule}_rule"] == "Y"
    assert derived["eligible"] == "N"


def test_a_missing_result_leaves_eligibility_open():
    assert eligibility({"lbh": {"neut": ""}}).derived["eligible"] is None


def test_the_background_immunosuppressant_has_the_levels_of_its_factor():
    factor = next(each for each in study().randomization.factors if each.id == "background")
    codes = study().forms["igh"].cells["bg_is"].question.codes
    assert {level.value for level in factor.levels} == {"Y", "N"}
    assert codes == "ny"
