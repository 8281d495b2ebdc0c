"""Serious events, pregnancy, prohibited medication, samples: what is computed and asked."""

import pytest

from tests.protocols.trying import entered, tried

CONSENT = {"SCR.icf.icf_date": "2024-02-15", "randomized_on": "2024-03-01"}
SERIOUS = {"aeterm": "Pneumonia", "aestdat": "2024-04-01", "aeser": "Y"}


def report(**changed):
    answers = {
        "sae_ae_no": "1",
        "sae_aware": "2024-04-01 10:00",
        "sae_reported": "2024-04-02 10:00",
        "sae_criteria": "HOSPITAL",
    } | changed
    event = entered("ae", SERIOUS, visit="LOG", order=3, context=CONSENT)
    return tried("sae", answers, visit="LOG", context=CONSENT, entries=[event])


@pytest.mark.parametrize(
    ("reported", "hours", "late"),
    [
        ("2024-04-02 10:00", "24.00", "N"),
        ("2024-04-02 10:01", "24.02", "Y"),
        ("2024-04-01 10:00", "0.00", "N"),
        ("2024-04-02 09:59", "23.98", "N"),
    ],
)
def test_a_report_is_late_after_24_hours(reported, hours, late):
    done = report(sae_reported=reported)
    assert done.derived["sae_due"] == "2024-04-02T10:00"
    assert (done.derived["sae_hours"], done.derived["sae_late"]) == (hours, late)
    asked = {"required"} if late == "Y" else set()
    assert done.rules("sae_late_reason") == asked


def test_a_report_before_the_site_was_aware_is_refused():
    assert set(report(sae_reported="2024-04-01 09:59").refused) == {"sae_reported"}


def test_a_report_needs_a_criterion_and_an_event_that_is_serious():
    assert report(sae_criteria="").rules("sae_criteria") == {"required"}
    assert not report().rules("sae_ae_no")
    assert report(sae_ae_no="2").rules("sae_ae_no") == {"SAE04"}


@pytest.mark.parametrize(
    ("rel", "sponsor", "expected", "susar"),
    [
        ("POSSIBLY", "", "UNEXPECTED", "Y"),
        ("NOT RELATED", "PROBABLY", "UNEXPECTED", "Y"),
        ("UNLIKELY", "NOT RELATED", "UNEXPECTED", "N"),
        ("DEFINITELY", "", "EXPECTED", "N"),
        ("", "", "UNEXPECTED", None),
        ("POSSIBLY", "", "", None),
    ],
)
def test_a_susar_is_serious_related_and_unexpected(rel, sponsor, expected, susar):
    done = report(sae_rel=rel, sae_rel_sponsor=sponsor, sae_expected=expected)
    assert done.derived["sae_susar"] == susar


@pytest.mark.parametrize(
    ("criteria", "day"),
    [("HOSPITAL", "2024-04-16"), ("LIFE", "2024-04-08"), ("DEATH,HOSPITAL", "2024-04-08")],
)
def test_a_susar_is_expedited_in_7_or_15_days(criteria, day):
    done = report(sae_rel="POSSIBLY", sae_expected="UNEXPECTED", sae_criteria=criteria)
    assert done.derived["sae_susar_due"] == day


@pytest.mark.parametrize(
    ("period", "delivery"),
    [("2024-03-01", "2024-12-06"), ("2024-02-29", "2024-12-05"), ("2024-03", None)],
)
def test_delivery_is_expected_280_days_after_the_last_period(period, delivery):
    done = tried("pregrep", {"pr_lmp": period, "pr_test_date": "2024-05-01"}, visit="LOG")
    assert done.derived["pr_edd"] == delivery


def medicine(**changed):
    answers = {"cmcat": "OTHER", "cmstdat": "2024-04-01", "cm_special": "NONE"} | changed
    context = CONSENT | {"BL.gc.gc_total": "5"}
    return tried("cm", answers, visit="LOG", context=context)


@pytest.mark.parametrize(
    ("changed", "prohibited"),
    [
        ({}, "N"),
        ({"cm_special": "MPA"}, "Y"),
        ({"cm_special": "LIVE"}, "Y"),
        ({"cm_special": "MPA", "cmstdat": "2024-02-01"}, "N"),
        ({"cm_special": "PPI"}, "N"),
        ({"cmcat": "BIOLOGIC", "cm_for_relapse": "N"}, "Y"),
        ({"cmcat": "BIOLOGIC", "cm_for_relapse": "Y"}, "N"),
    ],
)
def test_prohibited_medication_is_known_by_its_kind(changed, prohibited):
    assert medicine(**changed).derived["cm_prohibited"] == prohibited


@pytest.mark.parametrize(("dose", "rules"), [("5", set()), ("5.1", {"CM10"})])
def test_more_glucocorticoid_than_at_baseline_is_asked(dose, rules):
    steroid = {
        "cmcat": "GC",
        "cmgc": "PREDNISONE",
        "cmdose": dose,
        "cmdosu": "mg",
        "cmroute": "PO",
        "cmdosfrq": "QD",
        "cm_for_relapse": "N",
    }
    done = medicine(**steroid)
    assert done.rules("cmdose") == rules
    assert done.derived["cm_prohibited"] == ("Y" if rules else "N")


def test_what_interacts_is_warned_of_whoever_takes_it():
    assert medicine(cm_special="RIFAMPICIN").rules("cm_special") == {"CM09"}


@pytest.mark.parametrize(
    ("processed", "in_time"), [("2024-03-01 13:00", "Y"), ("2024-03-01 13:01", "N")]
)
def test_a_sample_is_processed_within_four_hours(processed, in_time):
    sample = {
        "SERUM.barcode": "B1",
        "SERUM.collected": "2024-03-01 09:00",
        "SERUM.processed": processed,
    }
    done = tried("bio", {"bio_done": "Y"} | sample)
    assert done.derived["SERUM.in_time"] == in_time
    assert done.rules("SERUM.in_time") == ({"BIO02"} if in_time == "N" else set())


def test_two_tubes_never_have_one_barcode():
    tubes = {"SERUM.barcode": "B1", "PBMC.barcode": "B1"}
    assert set(tried("bio", tubes).refused) == {"SERUM.barcode", "PBMC.barcode"}
    assert not tried("bio", tubes | {"PBMC.barcode": "B2"}).refused


def test_the_corrected_qt_interval_is_fridericias():
    corrected = tried("ecg", {"ecg_done": "Y", "ecg_qt": "400", "ecg_hr": "75"}).derived
    assert corrected["ecg_qtcf"] == "431"
    assert (
        tried("ecg", {"ecg_done": "Y", "ecg_qt": "400", "ecg_hr": "60"}).derived["ecg_qtcf"]
        == "400"
    )


def test_an_image_older_than_three_months_is_asked_at_screening():
    image = {"img_done": "Y", "LUNG.modality": "CT", "LUNG.on": "2024-01-15"}
    at = {"visit": "SCR", "context": {"visit_date": "2024-04-15"}}
    assert tried("img", image, **at).rules("LUNG.on") == {"IMG03"}
    assert not tried("img", image | {"LUNG.on": "2024-01-16"}, **at).rules("LUNG.on")


def test_a_guess_after_the_code_was_broken_is_marked():
    guess = {"blq_i_guess": "UNKNOWN"}
    assert not tried("blq", guess).rules("blq_i_guess")
    broken = tried("blq", guess, context={"unblinded_on": "2024-06-01"})
    assert broken.rules("blq_i_guess") == {"BLQ01"}
