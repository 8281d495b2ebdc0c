"""Adverse events, medication, relapses and the end of the study, with what is refused."""

import pytest

from tests.protocols.trying import entered, tried

CONSENT = {"SCR.icf.icf_date": "2024-02-15", "randomized_on": "2024-03-01"}
AE = {"aeterm": "Nausea", "aestdat": "2024-03-10", "aeongo": "N", "aeendat": "2024-03-12",
      "aetoxgr": "1", "aeout": "RECOVERED/RESOLVED", "aeser": "N"}  # fmt: skip


def event(**changed):
    return tried("ae", AE | changed, visit="LOG", context=CONSENT)


def test_a_plain_event_is_taken():
    done = event()
    assert not done.refused
    assert not {rule for rule, _ in done.found} - {"required"}
    assert done.derived["aetrtem"] == "Y"


@pytest.mark.parametrize(
    "grade, outcome, item",
    [
        ("5", "FATAL", None),
        ("5", "UNKNOWN", "aetoxgr"),
        ("4", "FATAL", "aeout"),
        ("5", "", None),
    ],
)
def test_grade_5_and_fatal_go_together(grade, outcome, item):
    assert set(event(aetoxgr=grade, aeout=outcome).refused) == ({item} if item else set())


def test_an_event_does_not_end_before_it_starts():
    assert set(event(aeendat="2024-03-09").refused) == {"aeendat"}
    assert not event(aeendat="2024-03-10").refused
    assert not event(aestdat="2024-03", aeendat="2024-03-09").refused
    assert event(aestdat="2024-04", aeendat="2024-03-09").refused


def test_an_ongoing_event_has_no_end():
    assert set(event(aeongo="Y", aeout="NOT RECOVERED/NOT RESOLVED").refused) == {"aeendat"}
    assert not event(aeongo="Y", aeendat="", aeout="NOT RECOVERED/NOT RESOLVED").refused


def test_an_event_does_not_start_before_consent():
    assert set(event(aestdat="2024-02-14").refused) == {"aestdat"}
    assert not event(aestdat="2024-02-15").refused
    assert not event(aestdat="2024-02").refused
    assert event(aestdat="2024-01").refused


def test_an_event_before_randomization_is_not_treatment_emergent():
    assert event(aestdat="2024-02-29").derived["aetrtem"] == "N"
    assert event(aestdat="2024-03-01").derived["aetrtem"] == "Y"
    assert event(aestdat="2024").derived["aetrtem"] is None


def test_a_recovered_event_needs_its_end_and_a_serious_one_its_criteria():
    assert event(aeendat="").rules("aeendat") == {"required"}
    assert event(aeser="Y").rules("aeser_crit") == {"required"}
    assert not event(aeser="Y", aeser_crit="HOSPITAL").rules("aeser_crit")
    assert event(aetoxgr="4").rules("aeser") == {"AE08"}


DOSES = [
    ("METHYLPREDNISOLONE", "8", "mg", "BID", "20"),
    ("DEXAMETHASONE", "0.75", "mg", "QOD", "2.5"),
    ("HYDROCORTISONE", "10", "mg", "BID", "5"), ("PREDNISONE", "10", "mg", "QOD", "5"),
    ("PREDNISONE", "7.5", "mg", "QD", "7.5"), ("METHYLPREDNISOLONE", "6", "mg", "QD", "7.5"),
    ("TRIAMCINOLONE", "4", "mg", "QD", "5"), ("HYDROCORTISONE", "30", "mg", "QD", "7.5"),
    ("CORTISONE", "25", "mg", "QD", "5"), ("DEXAMETHASONE", "1.5", "mg", "QD", "10"),
    ("BETAMETHASONE", "0.75", "mg", "QD", "5"), ("DEFLAZACORT", "6", "mg", "QD", "5"),
    ("METHYLPREDNISOLONE", "1", "g", "QD", "1250"), ("PREDNISONE", "35", "mg", "QW", "5"),
]  # fmt: skip


@pytest.mark.parametrize("drug, dose, unit, often, expected", DOSES)
def test_glucocorticoids_are_converted_to_prednisone(drug, dose, unit, often, expected):
    answers = {"cmcat": "GC", "cmgc": drug, "cmdose": dose, "cmdosu": unit, "cmdosfrq": often}
    taken = tried("cm", answers | {"cmroute": "PO"}, visit="LOG").derived
    assert float(taken["cm_pred_eq"]) == float(expected)
    inhaled = tried("cm", answers | {"cmroute": "INH"}, visit="LOG")
    assert inhaled.derived["cm_pred_eq"] is None
    assert "CM04" in inhaled.rules("cmroute")


def test_background_therapy_uses_the_same_conversion():
    answers = {"gcdat": "2024-03-29", "gc_taken": "Y", "GC1.drug": "METHYLPREDNISOLONE",
               "GC1.dose": "8", "GC1.often": "BID", "GC1.route": "PO"}  # fmt: skip
    assert float(tried("gc", answers).derived["gc_total"]) == 20
    assert float(tried("gc", {"gc_taken": "N"}).derived["gc_total"]) == 0
    rising = tried("gc", answers, visit="W4", context={"previous.gc.gc_total": "17.5"})
    assert "GC01" in rising.rules("gc_total")


def test_a_medication_does_not_stop_before_it_starts():
    dates = {"cmstdat": "2024-03-10", "cmongo": "N", "cmendat": "2024-03-09"}
    assert set(tried("cm", dates, visit="LOG").refused) == {"cmendat"}
    assert tried("cm", dates | {"cmongo": "Y", "cmendat": "2024-03-11"}, visit="LOG").refused


RELAPSE = {
    "rel_onset_date": "2024-07", "rel_aware_date": "2024-08-01",
    "rel_assess_date": "2024-08-03",
    "PANCREAS.involve": "RECUR", "PANCREAS.evid_symptom": "N", "PANCREAS.evid_exam": "N",
    "PANCREAS.evid_imaging": "Y", "PANCREAS.modality": "CT", "PANCREAS.img_date": "2024-08-02",
    "PANCREAS.img_finding": "ENLARGED", "PANCREAS.evid_lab": "N", "PANCREAS.evid_biopsy": "N",
    "alt_dx": "Y", "inv_opinion": "1", "tx_needed": "Y", "rel_txstart_date": "2024-08-05",
    "tx_type": "GC_INCREASE", "imp_action": "CONTINUE", "unblind_needed": "N",
}  # fmt: skip
BESIDE = CONSENT | {"ri.ri_total": "6", "ri.ri_urgent_n": "1", "pga.pga_mm": "45"}
SEROLOGY = {"PANCREAS.evid_imaging": "N", "PANCREAS.modality": "", "PANCREAS.img_date": "",
            "PANCREAS.img_finding": "", "PANCREAS.evid_lab": "Y"}  # fmt: skip


def relapse(changed=(), beside=()):
    answers = {key: text for key, text in (RELAPSE | dict(changed)).items() if text}
    return tried("relf", answers, visit="REL-1", context=BESIDE | dict(beside))


def test_a_complete_relapse_is_taken_without_a_question():
    done = relapse()
    assert not done.refused
    assert not done.found
    assert done.derived["flare_date"] == "2024-08-05"
    assert done.derived["flare_untreated"] == "N"
    assert (done.derived["rel_ri_total"], done.derived["rel_pga"]) == ("6", "45")
    assert done.derived["severity"] == "MAJOR"


def test_without_an_urgent_organ_a_relapse_is_minor():
    assert relapse(beside={"ri.ri_urgent_n": "0"}).derived["severity"] == "MINOR"
    assert relapse(beside={"ri.ri_urgent_n": ""}).derived["severity"] is None


@pytest.mark.parametrize("analyte", ["", "IGG4", "IGG", "IGE", "COMPLEMENT"])
@pytest.mark.parametrize("opinion", ["1", "2"])
def test_serology_alone_is_refused_as_a_relapse(opinion, analyte):
    changed = SEROLOGY | {"PANCREAS.lab_analyte": analyte, "inv_opinion": opinion}
    assert set(relapse(changed).refused) == {"inv_opinion"}


@pytest.mark.parametrize("opinion", ["3", "4"])
def test_serology_alone_may_be_followed_up_or_dismissed(opinion):
    assert not relapse(
        SEROLOGY | {"PANCREAS.lab_analyte": "IGG4", "inv_opinion": opinion}
    ).refused


@pytest.mark.parametrize(
    "evidence",
    [
        {"PANCREAS.lab_analyte": "PANCREAS"},
        *({f"PANCREAS.evid_{kind}": "Y"} for kind in ("symptom", "exam", "biopsy")),
    ],
)
def test_any_evidence_that_is_not_serology_carries_a_relapse(evidence):
    assert not relapse(SEROLOGY | {"PANCREAS.lab_analyte": "IGG4"} | evidence).refused


def test_a_relapse_without_any_evidence_is_refused():
    organ = {key: "" for key in RELAPSE if key.startswith("PANCREAS.")}
    assert set(relapse(organ).refused) == {"inv_opinion"}


@pytest.mark.parametrize("alt_dx", ["N", "PENDING"])
def test_a_relapse_is_definite_only_when_other_diagnoses_are_excluded(alt_dx):
    assert set(relapse({"alt_dx": alt_dx}).refused) == {"inv_opinion"}
    probable = relapse({"alt_dx": alt_dx, "inv_opinion": "2"})
    assert not probable.refused
    assert probable.rules("inv_opinion") == {"REL11"}


@pytest.mark.parametrize(
    "changed, rule, item",
    [
        ({"rel_onset_date": "2024-08-02"}, "REL03", "rel_aware_date"),
        ({"rel_assess_date": "2024-07-31"}, "REL04", "rel_assess_date"),
        ({"rel_txstart_date": "2024-06-30"}, "REL05", "rel_txstart_date"),
        (
            {"rel_txstart_date": "2024-03-01", "rel_onset_date": "2024-02"},
            "REL06",
            "rel_txstart_date",
        ),
    ],
)
def test_dates_of_a_relapse_out_of_order_are_asked(changed, rule, item):
    assert rule in relapse(changed).rules(item)


def test_an_onset_of_which_nothing_is_known_is_taken():
    done = relapse({"rel_onset_date": "UNK"})
    assert not done.refused
    assert not done.found


def test_an_untreated_flare_is_dated_by_its_assessment():
    changed = {
        "tx_needed": "N",
        "rel_txstart_date": "",
        "tx_type": "",
        "untreated_reason": "mild",
    }
    done = relapse(changed)
    assert done.derived["flare_date"] == "2024-08-03"
    assert done.derived["flare_untreated"] == "Y"
    assert not done.found


def test_a_treated_relapse_needs_the_start_of_its_treatment():
    done = relapse({"rel_txstart_date": ""})
    assert done.rules("rel_txstart_date") == {"required"}
    assert done.derived["flare_date"] is None


def test_a_relapse_asks_for_the_responder_index_and_pga_of_its_visit():
    done = relapse(beside={"ri.ri_total": "", "pga.pga_mm": ""})
    assert done.rules("rel_ri_total") == {"REL08"}
    assert done.rules("rel_pga") == {"REL09"}


def flare(day, opinion="1", number=1):
    changed = {"rel_txstart_date": day, "inv_opinion": opinion, "rel_onset_date": "UNK"}
    answers = RELAPSE | changed
    return entered("relf", answers, visit="REL", order=7, number=number, context=BESIDE)


def ended(entries=(), visit="W52", context=CONSENT):
    done = tried("ds", {}, visit=visit, context=context, entries=entries)
    return done.derived["relapse52"], done.derived["first_flare_date"]


def test_relapse52_is_yes_up_to_study_day_379_and_no_after_it():
    assert ended([flare("2025-03-14")]) == ("Y", "2025-03-14")
    assert ended([flare("2025-03-15")]) == ("N", None)


def test_relapse52_is_no_when_week_52_was_reached_without_a_relapse():
    assert ended() == ("N", None)
    assert ended([flare("2024-08-05", opinion="3")]) == ("N", None)


def test_relapse52_is_unknown_when_week_52_was_not_reached():
    assert ended(visit="ET") == (None, None)
    assert ended([flare("2024-08-05", opinion="2")], visit="ET") == ("Y", "2024-08-05")


def test_relapse52_counts_the_first_of_several_relapses():
    entries = [flare("2024-09-05"), flare("2024-08-05", number=2)]
    assert ended(entries) == ("Y", "2024-08-05")


def test_an_early_lost_participant_needs_three_attempts():
    lost = {"dsdecod": "LOST TO FOLLOW-UP", "contact_attempts": "2"}
    assert tried("ds", lost, visit="ET").rules("contact_attempts") == {"DS02"}
    done = tried("ds", lost | {"contact_attempts": "3"}, visit="ET")
    assert not done.rules("contact_attempts")


def test_the_last_dose_is_not_before_the_first():
    doses = {"first_dose_date": "2024-03-02", "last_dose_date": "2024-03-01"}
    assert set(tried("eot", doses, context=CONSENT).refused) == {"last_dose_date"}
    assert tried("eot", {"first_dose_date": "2024-02-29"}, context=CONSENT).refused


@pytest.mark.parametrize(
    ("before", "now", "asked"),
    [("1", "2", True), ("0", "3", True), ("2", "3", True), ("2", "2", False), ("3", "2", False),
     ("0", "1", False)],
)  # fmt: skip
def test_a_relapse_is_asked_for_only_when_an_organ_rises_to_two_or_more(before, now, asked):
    context = {"previous.ri.PANCREAS.score": before}
    found = tried("ri", {"PANCREAS.score": now}, visit="W12", context=context)
    assert ("required" in found.rules("relapse_suspected")) is asked
