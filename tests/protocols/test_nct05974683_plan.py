"""The schedule, the matrix and the design of the study, as the dossier states them."""

from datetime import date

import pytest

from ecrf.study import shipped
from ecrf.study.model import ItemType
from tests.protocols.trying import STUDY_ID, study
from visits.schedule import Anchors, spans

WHENEVER = ["SCR", "BL", "W2s", "W4", "W8s", "W12", "W24", "W36", "W52", "ET", "UNS", "REL"]
ALWAYS = {"SCR": "R", "BL": "R", "W4": "R", "W12": "R", "W24": "R", "W36": "R", "W52": "R",
          "ET": "R", "UNS": "o", "REL": "R"}  # fmt: skip
MATRIX = {
    "dm": {"SCR": "R"}, "igh": {"SCR": "R"}, "aec": {"SCR": "R"}, "rcd": {"SCR": "R"},
    "ie": {"SCR": "R", "BL": "R"}, "rand": {"BL": "R"}, "tb": {"SCR": "R"},
    "icf": {"SCR": "R", "W4": "C", "W12": "C", "W24": "C", "W36": "C", "W52": "C", "UNS": "C"},
    "mh": {"SCR": "R", "BL": "C"},
    **dict.fromkeys(("vs", "pe", "ri", "pga", "lbi", "lbx", "ua"), ALWAYS),
    **{form: ALWAYS | {"W2s": "R", "W8s": "R"} for form in ("lbh", "lbc")},
    "hba": {"SCR": "R", "W24": "R", "W52": "R", "ET": "R"},
    "vir": {"SCR": "R", "W24": "C", "W52": "C"},
    "preg": ALWAYS | {"W2s": "C", "W8s": "R", "REL": "C"},
    **{form: {"BL": "R", "W4": "o", "W12": "R", "W24": "R", "W52": "R", "ET": "R", "REL": "R"}
       for form in ("fcm", "bio")},
    "img": {"SCR": "R", "W24": "R", "W52": "R", "ET": "R", "UNS": "C", "REL": "R"},
    "ecg": {"SCR": "o", "W52": "o"},
    "gc": ALWAYS | {"UNS": "R"},
    "ex": {"BL": "R", "W4": "R", "W12": "R", "W24": "R", "W36": "R", "UNS": "C", "REL": "C"},
    "da": {"W4": "R", "W12": "R", "W24": "R", "W36": "R", "W52": "R", "ET": "R", "UNS": "C",
           "REL": "C"},
    **{form: dict.fromkeys(WHENEVER, "E")
       for form in ("cm", "ae", "sae", "pregrep", "dv", "unb", "dth")},
    "idm": dict.fromkeys(WHENEVER[1:], "E"), "blq": {"W52": "R", "ET": "R"},
    "relf": dict.fromkeys(WHENEVER, "E") | {"REL": "R"},
    "eot": {"W52": "R", "ET": "R"},
    "ds": {"SCR": "C", "W52": "R", "ET": "R"},
}  # fmt: skip
LETTERS = {"required": "R", "conditional": "C", "optional": "o", "event": "E"}
FULL = [
    "icf",
    "dm",
    "igh",
    "ie",
    "vs",
    "ri",
    "pga",
    "lbh",
    "lbc",
    "lbi",
    "relf",
    "ae",
    "cm",
    "eot",
    "ds",
]


def test_the_definition_has_no_finding():
    assert shipped.reading(shipped.folder(None, STUDY_ID)).findings == ()


def test_the_matrix_is_that_of_the_dossier():
    found = {}
    for cell in study().matrix:
        if cell.visit in WHENEVER:
            found.setdefault(cell.form, {})[cell.visit] = LETTERS[cell.need]
    assert found == MATRIX


def test_forms_of_the_matrix_are_defined_or_named_as_to_come():
    named = {*study().forms, *study().forms_to_come}
    assert named - {study().adjudication.vote} == {cell.form for cell in study().matrix}
    assert not set(FULL) - set(study().forms)


def test_running_forms_can_be_filled_in_at_the_participant():
    there = {cell.form for cell in study().forms_at("LOG")}
    assert {"ae", "cm", "relf"} <= there
    assert all(study().forms[form].repeating for form in ("ae", "cm", "relf"))


WINDOWS = [
    ("BL", "2024-03-01", "2024-03-01", "2024-03-01"),
    ("W2s", "2024-03-12", "2024-03-15", "2024-03-18"),
    ("W4", "2024-03-22", "2024-03-29", "2024-04-05"),
    ("W8s", "2024-04-19", "2024-04-26", "2024-05-03"),
    ("W12", "2024-05-17", "2024-05-24", "2024-05-31"),
    ("W24", "2024-08-02", "2024-08-16", "2024-08-30"),
    ("W36", "2024-10-25", "2024-11-08", "2024-11-22"),
    ("W52", "2025-02-14", "2025-02-28", "2025-03-14"),
    ("SCR", "2024-02-02", "2024-02-16", "2024-02-29"),
]  # fmt: skip


@pytest.mark.parametrize("visit, first, target, last", WINDOWS)
def test_the_windows_of_the_dossier_come_out(visit, first, target, last):
    placed = spans(study(), Anchors(randomized_on=date(2024, 3, 1)))[visit]
    assert [str(each) for each in (placed.first, placed.target, placed.last)] == [
        first,
        target,
        last,
    ]


def test_safety_visits_are_optional_and_relapse_and_unscheduled_visits_repeat():
    plans = study().visit
    assert [key for key, plan in plans.items() if plan.optional] == ["W2s", "W8s"]
    assert [key for key, plan in plans.items() if plan.repeating] == ["UNS", "REL"]


def test_kits_cover_the_study_and_are_called_alike_for_everyone():
    supply = study().supply
    assert dict(supply.dispense) == {"BL": 2, "W4": 3, "W12": 4, "W24": 4, "W36": 5}
    assert supply.units_per_kit * sum(supply.dispense.values()) >= 2 * 364
    assert "placebo" in supply.product.en


def test_relapses_eligibility_and_the_end_of_study_are_signed():
    signed = {key for key, form in study().forms.items() if form.signed}
    assert signed == {"ie", "relf", "ds", "sae", "dth"} | (signed & {"adj"})


def test_every_laboratory_number_has_units_and_hard_limits():
    for form in ("lbh", "lbc", "lbi", "lbx"):
        for cell in study().forms[form].cells.values():
            question = cell.question
            if question.type is ItemType.DECIMAL and question.derive is None:
                assert question.units, cell.key
                assert question.limits.hard, cell.key
                assert question.sdtm, cell.key


def test_the_rows_of_the_responder_index_await_a_reviewer():
    rows = study().forms["ri"].grids["organs"].rows
    assert len(rows) == 27
    assert {row.source for row in rows} == {"unverified", "design choice"}
