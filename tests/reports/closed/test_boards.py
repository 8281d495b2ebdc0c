"""The tables of a closed report from records and arms, without a database."""

import csv as reader
import io
import json
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecrf.kernel.chance import Seeded
from reports.closed import cells, flat, making, paper, plot
from reports.closed.records import Adverse, End, Record, Shift
from reports.closed.survival import Time

FEVER = Adverse("Fever", 3, True, True)
RASH = Adverse("rash ", 1, False, False)
BASE = ("54", "F", "Y", "6", "1234")
DAY = date(2026, 3, 2)


def record(code, **other):
    shifts = {name: Shift(0, 1) for name in ("WBC", "HGB", "PLAT", "NEUT", "LYM", "ALT", "AST",
                                             "CREAT")}  # fmt: skip
    given = {"baseline": BASE, "first_dose": DAY, "kits": 2, "visits": 3, "shifts": shifts,
             "time": Time(100, False)}  # fmt: skip
    return Record(code, "PUMCH", DAY, **{**given, **other})


RECORDS = (
    record("PUMCH-001", adverse=(FEVER, RASH), time=Time(40, True), relapses=1),
    record("PUMCH-002", treatment=End(date(2026, 3, 11), "COMPLETED"),
           study=End(DAY, "COMPLETED"), adverse=(RASH,)),
    record("PUMCH-003", first_dose=None, kits=0, died=True, broken=True,
           study=End(DAY, "DEATH")),
)  # fmt: skip
ARMS = {"PUMCH-001": "MMF", "PUMCH-002": "PBO", "PUMCH-003": "PBO"}
WHAT = making.Identity(DAY, "f" * 64, 1, "0" * 64, "2026-03-02T04:00:00", "Stan Luo")


def made(study, labels=making.NAMED, arms=ARMS, seed=b"codes"):
    codes = making.codes(study, labels, Seeded(seed))
    return codes, making.report(study, WHAT, RECORDS, arms, codes, b"0" * 16)


def cell(report, key, *labels):
    """Return the cells of the line found by its label, or by those above it."""
    (table,) = [table for table in report["tables"] if table["key"] == key]
    lines = iter(table["lines"])
    for label in labels:
        found = next(line for line in lines if line["label"]["en"] == label)
    return found["cells"]


def test_disposition_counts_everybody_once_by_arm_and_in_all(study):
    _, report = made(study)
    assert [arm["n"] for arm in report["arms"]] == [1, 2]
    assert cell(report, "disposition", "Randomized") == ["1", "2", "3"]
    assert cell(report, "disposition", "Treated") == ["1 (100.0%)", "1 (50.0%)", "2 (66.7%)"]
    assert cell(report, "disposition", "Treatment completed")[1] == "1 (50.0%)"
    assert cell(report, "disposition", "Study left early", "Death")[1] == "1 (50.0%)"
    assert cell(report, "disposition", "Code broken") == ["0 (0.0%)", "1 (50.0%)", "1 (33.3%)"]


def test_adverse_events_count_participants_and_events_apart(study):
    _, report = made(study)
    assert cell(report, "adverse events", "Any adverse event")[2] == "2 (66.7%)"
    assert cell(report, "adverse events", "Any adverse event", "Events") == ["2", "1", "3"]
    assert cell(report, "adverse events", "Serious")[0] == "1 (100.0%)"
    assert cell(report, "adverse events", "Grade 3 or higher")[1] == "0 (0.0%)"
    assert cell(report, "adverse events", "Related to the treatment")[2] == "1 (33.3%)"
    assert cell(report, "adverse events", "Deaths") == ["0 (0.0%)", "1 (50.0%)", "1 (33.3%)"]
    assert cell(report, "terms", "rash") == ["1 (100.0%)", "1 (50.0%)", "2 (66.7%)"]


def test_exposure_and_shifts(study):
    _, report = made(study)
    assert cell(report, "exposure", "Kits handed out") == ["2", "2", "4"]
    assert cell(report, "exposure", "Days of treatment, where ended", "Mean (SD)")[1] == "10.0"
    assert cell(report, "laboratory WBC", "Grade 0 before", "then 1")[2] == "3 (100.0%)"


def test_the_curve_has_steps_and_numbers_at_risk(study):
    _, report = made(study)
    first, second = report["curve"]["arms"]
    assert first["steps"] == [[40, 1, 1, "0.0000"]]
    assert second["steps"] == []
    assert second["at_risk"][0] == 2
    assert cell(report, "relapses", "Participants with an event")[0] == "1 (100.0%)"
    frame = plot.Frame(100, 50, down=True)
    assert plot.line(first, 100, frame) == [(0, 0), (40, 0), (40, 50), (40, 50)]


def test_a_coded_report_names_no_arm_and_the_codes_are_drawn_anew(study):
    drawn = set()
    for seed in range(12):
        codes, report = made(study, making.CODED, seed=bytes([seed]))
        assert sorted(codes) == ["A", "B"]
        assert sorted(codes.values()) == ["MMF", "PBO"]
        drawn.add(tuple(codes.values()))
        text = json.dumps(report)
        assert not any(name in text for name in ("MMF", "PBO", "mycophenolate", "Placebo"))
    assert len(drawn) == 2


def test_a_report_holds_no_participants_code(study):
    _, report = made(study)
    assert "PUMCH-0" not in json.dumps(report)


def test_somebody_without_an_arm_is_not_left_out_silently(study):
    with pytest.raises(ValueError, match="no arm"):
        made(study, arms={"PUMCH-001": "MMF"})


def test_a_study_that_says_nothing_gets_the_parts_that_need_nothing(study):
    bare = study.model_copy(update={"closed": None, "adjudication": None})
    _, report = made(bare)
    assert [table["key"] for table in report["tables"]] == [
        "disposition", "baseline", "exposure",
    ]  # fmt: skip
    assert report["curve"] is None


def test_the_csv_has_every_cell_once(study):
    _, report = made(study)
    lines = list(reader.DictReader(io.StringIO("".join(flat.lines(report)))))
    count = sum(len(line["cells"]) for table in report["tables"] for line in table["lines"])
    tables = {table["key"] for table in report["tables"]}
    assert sum(line["table"] in tables for line in lines) == count
    assert {line["arm"] for line in lines} == {"", "MMF", "PBO", "all"}


@pytest.mark.parametrize("locale", ["en", "zh"])
def test_every_page_of_the_pdf_says_that_it_is_confidential_and_for_whom(study, locale):
    from pypdf import PdfReader

    _, report = made(study)
    taken = paper.Taken(3, "d" * 64, "Stan Luo", "2026-03-02 12:00:00", locale)
    pages = PdfReader(io.BytesIO(paper.draw(report, taken))).pages
    mark = paper.WATERMARK.in_(locale)
    for number, page in enumerate(pages, start=1):
        text = page.extract_text()
        assert text.count(mark) >= 2, "in the head and across the page"
        assert "Stan Luo" in text and "2026-03-02 12:00:00" in text
        assert str(number) in text and "d" * 64 in text


@given(st.lists(st.booleans(), min_size=1, max_size=40))
def test_shares_of_both_arms_add_up(answers):
    done = sum(answers)
    assert cells.share(done, len(answers)).split()[0] == str(done)
    assert cells.share(0, 0) == "0"


def test_numbers_are_rounded_half_up():
    assert cells.mean([Decimal(1), Decimal(2)]) == "1.5 (0.71)"
    assert cells.middle([Decimal("1.25"), Decimal("2.35")]) == "1.800 (1.25 – 2.35)"
    assert cells.mean([]) == "–"
    assert (cells.p_value(0.00001), cells.p_value(0.04999)) == ("<0.0001", "0.0500")
