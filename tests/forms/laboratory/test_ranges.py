"""Which range applies, the flag, the grade: pure, with the shipped tables and ranges."""

from datetime import date
from decimal import Decimal

import pytest

from ecrf.study.values import days
from forms.laboratory import ranges
from forms.laboratory.ranges import Range, Reference, Sample
from forms.laboratory.toxicity import Baseline, grade

LONG_AGO, LATER = date(2020, 1, 1), date(2025, 6, 1)
SAMPLE = Sample("PUMCH", "Central lab", "F", days("1976-03-05"), date(2026, 3, 4))


def known(number, low, high, **more):
    plain = {
        "site": "", "laboratory": "", "analyte": "ALT", "sex": "", "age_from": None,
        "age_to": None, "starts_on": LONG_AGO, "source": "laboratory",
    }  # fmt: skip
    bounds = (None if bound is None else Decimal(bound) for bound in (low, high))
    low, high = bounds
    return Range(id=number, low=low, high=high, **{**plain, **more})


def used(*found, sample=SAMPLE):
    applies = ranges.reference(ranges.by_analyte(found), "ALT", sample)
    return applies and applies.id


def test_the_range_closest_to_the_laboratory_counts():
    anywhere, site = known(1, 9, 50), known(2, 9, 45, site="PUMCH")
    laboratory = known(3, 9, 40, site="PUMCH", laboratory="central  LAB")
    assert used(anywhere, site, laboratory) == 3
    assert used(anywhere, site) == 2
    assert used(anywhere, known(4, 1, 2, site="BFH")) == 1
    assert used(known(4, 1, 2, site="BFH")) is None


def test_the_newest_range_that_had_begun_on_the_day_of_the_sample_counts():
    old, new = known(1, 9, 50), known(2, 9, 45, starts_on=LATER)
    assert used(old, new) == 2
    assert used(old, new, sample=SAMPLE._replace(on=date(2025, 5, 31))) == 1
    assert used(old, new, sample=SAMPLE._replace(on=LATER)) == 2
    assert used(new, sample=SAMPLE._replace(on=LONG_AGO)) is None


def test_sex_decides_and_an_unknown_sex_takes_only_what_is_for_both():
    both, woman = known(1, 9, 50), known(2, 7, 40, sex="F")
    assert used(both, woman) == 2
    assert used(both, woman, sample=SAMPLE._replace(sex="M")) == 1
    assert used(woman, sample=SAMPLE._replace(sex="")) is None


@pytest.mark.parametrize(
    ("birth", "number"),
    [
        ("1976-03-04", 2),  # fifty on the very day
        ("1976-03-05", 1),  # forty-nine for one more day
        ("1976", None),  # either
        ("1970", 2),
        ("1976-02-29", 2),
    ],
)
def test_an_age_band_begins_on_the_birthday_and_a_partial_birth_must_be_certain(birth, number):
    young, old = known(1, 35, 100, age_to=50), known(2, 50, 135, age_from=50)
    assert used(young, old, sample=SAMPLE._replace(birth=days(birth))) == number
    assert used(young, old, sample=SAMPLE._replace(birth=None)) is None


@pytest.mark.parametrize(
    ("low", "high", "figure", "flag"),
    [(9, 50, "9", "N"), (9, 50, "8.9", "L"), (9, 50, "50", "N"), (9, 50, "50.1", "H"),
     (None, 26, "0", "N"), (None, 26, "26.01", "H"), (90, None, "89.99", "L"),
     (90, None, "500", "N")],
)  # fmt: skip
def test_a_limit_itself_is_within_the_range(low, high, figure, flag):
    found = known(1, low, high)
    reference = Reference(1, found.low, found.high, LONG_AGO, "", "laboratory")
    assert reference.flag(Decimal(figure)) == flag


def test_a_reference_is_kept_as_text_and_read_back():
    odd = Reference(7, None, Decimal("1.30"), LATER, "A|B lab", "unverified")
    assert ranges.read(odd.text()) == odd._replace(high=Decimal("1.3"))
    assert ranges.read("") is None


LIMITS = {
    "WBC": (3.5, 9.5), "NEUT": (1.8, 6.3), "LYM": (1.1, 3.2), "PLAT": (125, 350),
    "HGB": (115, 150), "ALT": (7, 40), "AST": (13, 35), "ALP": (35, 100), "GGT": (7, 45),
    "BILI": (None, 21), "CREAT": (41, 73), "CK": (40, 200), "LIPASE": (None, 60),
    "AMY": (35, 135), "K": (3.5, 5.3), "ALB": (40, 55), "GLUC": (3.9, 6.1),
}  # fmt: skip


def reference(analyte):
    low, high = (None if b is None else Decimal(str(b)) for b in LIMITS[analyte])
    return Reference(1, low, high, LONG_AGO, "", "unverified")


def proposed(study, analyte, figure, baseline=None):
    limits = reference(analyte)
    before = None if baseline is None else Baseline(Decimal(baseline), limits)
    return grade(study.laboratory.by_id[analyte], Decimal(figure), limits, before)


@pytest.mark.parametrize(
    ("analyte", "values"),
    [
        ("WBC", "3.5:0 3.49:1 3.0:1 2.99:2 2.0:2 1.99:3 1.0:3 0.99:4 12:0"),
        ("NEUT", "1.8:0 1.79:1 1.5:1 1.49:2 1.0:2 0.99:3 0.5:3 0.49:4"),
        ("LYM", "1.1:0 1.09:1 0.8:1 0.79:2 0.5:2 0.49:3 0.2:3 0.19:4"),
        ("PLAT", "125:0 124:1 75:1 74:2 50:2 49:3 25:3 24:4"),
        ("HGB", "115:0 114:1 100:1 99:2 80:2 79:3 20:3"),
        ("ALT", "40:0 40.1:1 120:1 120.1:2 200:2 200.1:3 800:3 800.1:4 5:0"),
        ("AST", "35:0 36:1 105:1 106:2 175:2 176:3 700:3 701:4"),
        ("ALP", "100:0 101:1 250:1 251:2 500:2 501:3 2000:3 2001:4"),
        ("GGT", "45:0 46:1 112.5:1 112.6:2 225:2 226:3 900:3 901:4"),
        ("BILI", "21:0 21.1:1 31.5:1 31.6:2 63:2 63.1:3 210:3 210.1:4"),
        ("CREAT", "73:0 74:1 109.5:1 109.6:2 219:2 219.1:3 438:3 438.1:4"),
        ("CK", "200:0 201:1 500:1 501:2 1000:2 1001:3 2000:3 2001:4"),
        ("LIPASE", "60:0 61:1 90:1 91:2 300:2 301:3"),
        ("AMY", "135:0 136:1 202.5:1 203:2 675:2 676:3"),
        ("K", "3.5:0 5.3:0 3.49:1 3.0:1 2.99:3 2.5:3 2.49:4 5.4:1 5.5:1 5.6:2 6:2 6.1:3 7.1:4"),
        ("ALB", "40:0 39:1 30:1 29:2 20:2 19:3"),
        ("GLUC", "3.9:0 3.8:1 3.0:1 2.99:2 2.2:2 2.19:3 1.7:3 1.69:4"),
    ],
)
def test_a_value_equal_to_a_bound_stays_in_the_milder_grade(study, analyte, values):
    expected = [tuple(part.split(":")) for part in values.split()]
    got = [(figure, str(proposed(study, analyte, figure))) for figure, _ in expected]
    assert got == expected


@pytest.mark.parametrize(
    ("analyte", "baseline", "values"),
    [
        # beyond the limit at baseline: multiples of the baseline count
        ("ALT", "60", "70:0 89.9:0 90:1 180:1 180.1:2 300:2 300.1:3 1200:3 1200.1:4"),
        ("AST", "40", "59:0 60:1 120:1 121:2 200:2 201:3 800:3 801:4"),
        ("ALP", "110", "219:0 220:1 275:1 276:2 550:2 551:3 2200:3 2201:4"),
        ("BILI", "30", "30:0 30.1:1 45:1 45.1:2 90:2 90.1:3 300:3 300.1:4"),
        # within it: multiples of the limit
        ("ALT", "40", "40.1:1 120.1:2"),
        ("BILI", "21", "21.1:1"),
        # creatinine: whichever of limit and baseline is worse
        ("CREAT", "45", "67.5:0 67.6:2 73:2 135:2 135.1:3 219.1:3"),
        ("CREAT", "73", "74:1 109.6:2 219:2 219.1:3 438.1:4"),
    ],
)
def test_a_baseline_out_of_range_changes_what_is_compared(study, analyte, baseline, values):
    expected = [tuple(part.split(":")) for part in values.split()]
    got = [(figure, str(proposed(study, analyte, figure, baseline))) for figure, _ in expected]
    assert got == expected


def test_without_a_range_only_a_value_beyond_the_first_bound_is_graded(study):
    by_id = study.laboratory.by_id
    assert grade(by_id["NEUT"], Decimal("0.99"), None, None) == 3
    assert grade(by_id["NEUT"], Decimal("1.5"), None, None) is None
    assert grade(by_id["ALT"], Decimal(5000), None, None) is None
    assert grade(by_id["IGG4"], Decimal(5000), reference("ALT"), None) is None
