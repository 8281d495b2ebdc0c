"""Background therapy, trial treatment and its count: the vectors of the dossier."""

import pytest

from tests.protocols.trying import entered, tried

RANDOMIZED = {"randomized_on": "2024-03-01"}


def taking(*rows, day="2024-03-29", **more):
    """Return the answers of the background therapy with (drug, dose, route, how often)."""
    answers = {"gcdat": day, "gc_taken": "Y" if rows else "N", "im_taken": "N"}
    for n, (drug, dose, route, often) in enumerate(rows, 1):
        answers |= {
            f"GC{n}.drug": drug,
            f"GC{n}.dose": dose,
            f"GC{n}.route": route,
            f"GC{n}.often": often,
            f"GC{n}.since": "2024-03-01",
        }
    return answers | more


@pytest.mark.parametrize(
    ("drug", "dose", "often", "expected"),
    [
        ("PREDNISONE", "7.5", "QD", "7.5"),
        ("METHYLPREDNISOLONE", "6", "QD", "7.5"),
        ("TRIAMCINOLONE", "4", "QD", "5"),
        ("HYDROCORTISONE", "30", "QD", "7.5"),
        ("CORTISONE", "25", "QD", "5"),
        ("DEXAMETHASONE", "1.5", "QD", "10"),
        ("BETAMETHASONE", "0.75", "QD", "5"),
        ("DEFLAZACORT", "6", "QD", "5"),
        ("METHYLPREDNISOLONE", "8", "BID", "20"),
        ("DEXAMETHASONE", "0.75", "QOD", "2.5"),
        ("HYDROCORTISONE", "10", "BID", "5"),
        ("PREDNISONE", "10", "QOD", "5"),
        ("PREDNISONE", "35", "QW", "5"),
    ],
)
def test_a_dose_has_its_prednisone_equivalent(drug, dose, often, expected):
    derived = tried("gc", taking((drug, dose, "PO", often))).derived
    assert float(derived["GC1.pred_eq"]) == pytest.approx(float(expected), abs=1e-12)
    assert float(derived["gc_shown"]) == float(expected)


def test_another_equal_dose_of_betamethasone_is_a_parameter():
    other = {"params": {"gc_betamethasone_equal": "0.6"}}
    derived = tried("gc", taking(("BETAMETHASONE", "0.6", "PO", "QD")), **other).derived
    assert float(derived["gc_total"]) == 5


def test_three_infusions_of_a_gram_are_3750_mg():
    pulse = taking(("METHYLPREDNISOLONE", "1000", "IV", "QD"))
    pulse |= {"GC1.until": "2024-03-03"}
    derived = tried("gc", pulse).derived
    assert float(derived["GC1.total"]) == 3750
    assert float(derived["gc_cumulative"]) == 3750
    assert float(derived["gc_total"] or 0) == 0


def test_the_drugs_of_a_day_add_up_and_what_is_not_systemic_is_left_out():
    both = taking(
        ("PREDNISONE", "5", "PO", "QD"),
        ("HYDROCORTISONE", "10", "PO", "BID"),
        ("BETAMETHASONE", "9", "INH", "QD"),
    )
    done = tried("gc", both)
    assert float(done.derived["gc_total"]) == 10
    assert done.rules("GC3.route") == {"GC05"}


def test_a_dose_without_a_route_leaves_the_total_unknown():
    answers = taking(("PREDNISONE", "5", "", "QD"))
    assert tried("gc", answers).derived["gc_total"] is None


def test_mycophenolate_in_the_background_is_asked_about():
    answers = taking(**{"im_taken": "Y", "IM1.name": "MMF"})
    assert "GC08" in tried("gc", answers).rules("IM1.name")
    assert "GC08" not in tried("gc", answers | {"IM1.name": "MTX"}).rules("IM1.name")


def counted(dispensed, returned, days, hold="0", lost="0", **more):
    last = {28: "2024-03-28", 84: "2024-05-23"}[days]
    answers = {
        "da_date": last,
        "da_dispensed": dispensed,
        "da_returned": returned,
        "da_lost": lost,
        "da_first": "2024-03-01",
        "da_last": last,
        "da_hold": hold,
    }
    return tried("da", answers, visit="W4", context=RANDOMIZED, **more)


@pytest.mark.parametrize(
    ("count", "taken", "expected", "percent", "flag"),
    [
        (("60", "8", 28), "52", "56", "92.86", "OK"),
        (("240", "60", 84), "180", "168", "107.14", "OK"),
        (("60", "20", 28), "40", "56", "71.43", "LOW"),
        (("60", "20", 28, "7"), "40", "42", "95.24", "OK"),
        (("200", "68", 84, "29"), "132", "110", "120.00", "OK"),
        (("200", "67", 84, "29"), "133", "110", "120.91", "HIGH"),
        (("60", "16", 28, "0", "4"), "40", "56", "71.43", "LOW"),
    ],
)
def test_compliance_is_what_was_taken_of_what_was_due(count, taken, expected, percent, flag):
    derived = counted(*count).derived
    assert (derived["da_taken"], derived["da_expected"]) == (taken, expected)
    assert (derived["da_compliance"], derived["da_flag"]) == (percent, flag)


def test_exactly_80_percent_is_enough():
    assert counted("50", "10", 28, "3").derived["da_flag"] == "OK"
    assert counted("50", "11", 28, "3").derived["da_flag"] == "LOW"


def test_more_cannot_come_back_than_was_dispensed():
    assert set(counted("60", "61", 28).refused) == {"da_returned"}
    assert not counted("60", "60", 28).refused
    assert set(counted("60", "50", 28, "0", "11").refused) == {"da_lost"}


def test_lost_units_need_a_comment():
    assert counted("60", "8", 28, "0", "1").rules("da_lost_comment") == {"required"}
    assert not counted("60", "8", 28).rules("da_lost_comment")


def test_compliance_so_far_divides_the_sums_and_is_no_mean():
    nothing = {
        "da_date": "2024-03-14",
        "da_dispensed": "60",
        "da_returned": "60",
        "da_lost": "0",
        "da_first": "2024-03-01",
        "da_last": "2024-03-14",
        "da_hold": "0",
    }
    before = entered("da", nothing, visit="UNS", order=1, context=RANDOMIZED)
    derived = counted("60", "4", 28, entries=[before]).derived
    assert derived["da_compliance"] == "100.00"
    assert derived["da_overall"] == "66.67"


def test_a_count_that_differs_from_the_records_is_asked():
    known = {"context": RANDOMIZED | {"previous.ex.ex_units": "120"}}
    answers = {"da_dispensed": "60"}
    assert tried("da", answers, visit="W4", **known).rules("da_dispensed") == {"DA06"}
    assert not tried("da", {"da_dispensed": "120"}, visit="W4", **known).rules("da_dispensed")


def test_dispensing_and_randomization_show_what_the_system_knows():
    known = RANDOMIZED | {"random_number": "R-1042", "kits": "K7,K9", "site": "BFH"}
    given = tried("ex", {"ex_dispensed": "Y"}, visit="BL", context=known).derived
    assert (given["ex_kits"], given["ex_kits_n"], given["ex_units"]) == ("K7,K9", "2", "120")
    shown = tried("rand", {"rand_confirmed": "Y"}, context=known).derived
    assert (shown["rand_number"], shown["rand_date"]) == ("R-1042", "2024-03-01")


def test_nobody_confirms_a_randomization_that_has_not_happened():
    assert set(tried("rand", {"rand_confirmed": "Y"}).refused) == {"rand_confirmed"}


def change(action, day, number=1):
    answers = {"idm_action": action, "idm_date": day, "idm_reason": "RELAPSE"}
    return entered("idm", answers, visit="LOG", order=5, number=number, context=RANDOMIZED)


@pytest.mark.parametrize(
    ("day", "gap", "rules"), [("2024-05-29", "28", set()), ("2024-05-30", "29", {"IDM01"})]
)
def test_an_interruption_lasts_28_days_at_most(day, gap, rules):
    resumed = {"idm_action": "RESUMED", "idm_date": day, "idm_reason": "RELAPSE"}
    earlier = [change("INTERRUPTED", "2024-05-01")]
    done = tried(
        "idm", resumed, visit="LOG", entries=earlier, context=RANDOMIZED | {"entry_number": "2"}
    )
    assert done.derived["idm_gap"] == gap
    assert done.rules("idm_gap") == rules
