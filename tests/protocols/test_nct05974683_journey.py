"""From consent to eligibility over real entries: each form finds what the others say."""

import pytest

from tests.protocols.eligible import TYPED
from tests.protocols.trying import entered, organs, study, tried

DAY = "2024-02-15"
SCREENING = [
    ("icf", {"icf_kind": "INITIAL", "icf_signed": "Y", "icf_date": DAY}),
    ("dm", {"brthdat": "1962-02-10", "sex": "M", "childbearing": "NA_MALE"}),
    ("igh", {"igg4_dx": "8", "igg4_dx.unit": "g/L", "igg4_nadir": "150",
             "igg4_nadir.unit": "mg/dL", "major_organs": "AIP", "bg_is": "Y", "bx_done": "Y",
             "bx_infiltrate": "Y", "bx_fibrosis": "Y", "bx_ratio": "41", "bx_igg4_hpf": "11"}),
    ("ri", organs("PANCREAS 1 S; RPF 0 D")),
    ("lbh", {"lbdat": DAY, "hgb": "7.5", "hgb.unit": "g/dL", "neut": "1.0", "plat": "100"}),
    ("lbc", {"lbdat": DAY, "alt": "100", "alt_uln_typed": "50", "ast": "20",
             "ast_uln_typed": "40", "bili": "10", "bili_uln_typed": "26", "creat": "185"}),
    ("lbi", {"lbdat": DAY, "igg4": "2400", "igg4_uln_typed": "1400"}),
    ("aec", {"ae_entry_organs": "NONE", "ae_entry_path": "N"}),
    ("rcd", {"rcd1": "Y"}),
    ("vir", {"hiv_agab": "NEG", "hcv_ab": "NEG", "hbsag": "NEG", "hbcab": "NEG"}),
    ("tb", {"igra": "NEG", "tb_active": "N"}),
]  # fmt: skip


def eligibility(changed=(), visit="SCR", typed=TYPED):
    """Return the eligibility form after screening, with other answers on some of its forms."""
    return tried("ie", typed, visit=visit, entries=screened(changed, visit))


def screened(changed=(), visit="SCR", typed=None):
    """Return the entries of screening; with `typed` its eligibility form, too."""
    changed, entries = dict(changed), []
    for form, answers in SCREENING:
        said = answers | changed.get(form, {})
        entries.append(entered(form, said, visit="SCR", order=1, beside=tuple(entries)))
    if typed is not None:
        entries.append(entered("ie", typed, visit="SCR", order=1, beside=tuple(entries)))
    if visit == "BL":
        entries.append(entered("ri", organs(""), visit="BL", order=10))
    return entries


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
        ("igh", {"bx_ratio": "40"}, "i1"), ("rcd", {"rcd1": "N"}, "i1"),
    ],
)  # fmt: skip
def test_one_unmet_inclusion_shows_through(form, answers, rule):
    derived = eligibility({form: answers}).derived
    assert derived[f"{rule}_rule"] == "NOT_MET"
    assert derived["eligible"] == "N"


@pytest.mark.parametrize(
    "form, answers, rule",
    [
        ("ri", organs("PANCREAS 1 U S"), "e1"), ("lbh", {"hgb": "7.4"}, "e11_1"),
        ("lbc", {"alt": "100.1"}, "e11_4"), ("lbc", {"creat": "200"}, "e11_7"),
        ("vir", {"hbsag": "POS"}, "e3"), ("tb", {"tb_active": "Y"}, "e3"),
    ],
)  # fmt: skip
def test_one_exclusion_shows_through(form, answers, rule):
    derived = eligibility({form: answers}).derived
    assert derived[f"{rule}_rule"] == "MET"
    assert derived["eligible"] == "N"


def test_a_missing_result_leaves_eligibility_open():
    assert eligibility({"lbh": {"neut": ""}}).derived["eligible"] is None


def test_the_background_immunosuppressant_has_the_levels_of_its_factor():
    factor = next(each for each in study().randomization.factors if each.id == "background")
    codes = study().forms["igh"].cells["bg_is"].question.codes
    assert {level.value for level in factor.levels} == {"Y", "N"}
    assert codes == "ny"


OWN = {f"i{n}": "Y" for n in range(1, 8)} | dict.fromkeys(
    ("e1", "e3", "e4", "e7", "e10", *(f"e11_{n}" for n in range(1, 8))), "N"
)


def confirmed(answers, *later, context=None):
    """Return baseline's eligibility form after that of screening was answered whole."""
    entries = [*screened(visit="BL", typed=TYPED | OWN), *later]
    return tried("ie", answers, visit="BL", entries=entries, context=context)


def test_at_baseline_nothing_is_asked_again_unless_something_changed():
    done = confirmed({"facts_changed": "N"})
    assert done.derived["eligible"] == "Y"
    assert done.found == set()


def test_until_it_is_said_whether_facts_changed_they_are_not_evaluable():
    done = confirmed({})
    assert (done.derived["e5_rule"], done.derived["eligible"]) == ("NOT_EVALUABLE", None)
    assert done.rules("facts_changed") == {"required"}


def test_what_changed_since_screening_is_asked_anew_and_decides():
    done = confirmed({"facts_changed": "Y"})
    assert done.rules("e9") == done.rules("no_relapse") == {"required"}
    facts = {key: text for key, text in TYPED.items() if key != "first_proc_date"}
    done = confirmed({"facts_changed": "Y", **facts, "e9": "Y"})
    assert (done.derived["e9_rule"], done.derived["eligible"]) == ("MET", "N")


def blood(visit, order, **changed):
    drawn = {"lbdat": DAY, "hgb": "130", "neut": "4", "plat": "200", **changed}
    return entered("lbh", drawn, visit=visit, order=order)


def test_an_own_answer_is_asked_again_where_the_verdict_changed():
    done = confirmed({"facts_changed": "N"}, blood("BL", 10, hgb="74"))
    assert done.derived["e11_1_rule"] == "MET"
    assert done.rules("e11_1") == {"required"}
    assert not done.rules("e11_2")


def test_the_last_of_two_results_decides():
    worse, better = blood("UNS-1", 5, hgb="74"), blood("BL", 10, hgb="76")
    assert confirmed({"facts_changed": "N"}, worse).derived["e11_1_rule"] == "MET"
    assert confirmed({"facts_changed": "N"}, worse, better).derived["e11_1_rule"] == "NOT_MET"


@pytest.mark.parametrize("retests, asked", [(1, set()), (2, {"IE13"})])
def test_more_than_one_retest_is_asked(retests, asked):
    again = [blood(f"UNS-{n}", 5 + n) for n in range(1, retests + 1)]
    context = {"visit_date": "2024-03-01"}
    done = confirmed({"facts_changed": "N"}, *again, blood("BL", 10), context=context)
    assert done.rules("e11_lbh_date") == asked
