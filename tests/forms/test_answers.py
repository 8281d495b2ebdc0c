"""How a typed answer becomes a stored one, and what is refused with which words."""

from datetime import date, datetime, time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecrf.kernel.errors import Problem
from ecrf.study.model import Cell
from ecrf.study.values import Days
from forms.answers import EVER, Answer, Given, computed, dump, load, read, value
from tests.forms.definition import column, item, study

STUDY = study()


def cell(kind, **parts):
    return Cell(key="it", question=item("it", kind, label="Item", **parts))


def taken(kind, text, unit="", missing="", /, **parts):
    answer = read(cell(kind, **parts), Given(text, unit, missing), STUDY)
    assert isinstance(answer, Answer), str(answer.message)
    return answer


def refused(kind, text, unit="", missing="", /, **parts):
    problem = read(cell(kind, **parts), Given(text, unit, missing), STUDY)
    assert isinstance(problem, Problem), problem
    assert problem.item == "it"
    message = problem.message.in_("en")
    assert message.startswith("Item: ")
    return message


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("12", "12"),
        ("12.5", "12.5"),
        ("12,5", "12.5"),
        (" 007.50 ", "7.5"),
        ("-0.0", "0"),
        ("+3", "3"),
        (".5", "0.5"),
        ("0,125", "0.125"),
        ("１２．５", "12.5"),
        ("−2", "-2"),
        ("1234567890.123", "1234567890.123"),
    ],
)
def test_a_number_is_kept_as_typed_beside_its_one_canonical_text(text, canonical):
    assert taken("decimal", text) == Answer(text.strip(), "", canonical, "")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("1,234.5", "two ways"),
        ("1.234,5", "two ways"),
        ("1,234", "two ways"),
        ("1,234,567", "two ways"),
        ("1 234", "two ways"),
        ("<5", "comparison"),
        ("≥ 5", "comparison"),
        ("12 mg", "not a number"),
        ("abc", "not a number"),
        ("1e5", "not a number"),
        ("NaN", "not a number"),
        ("Infinity", "not a number"),
        ("0x10", "not a number"),
        ("1_000", "not a number"),
        ("٣", "not a number"),
        ("5.", "not a number"),
        ("--5", "not a number"),
        ("9" * 40, "not a number"),
    ],
)
def test_what_is_no_plain_number_is_refused(text, says):
    assert says in refused("decimal", text)


def test_more_decimals_than_the_item_keeps_are_refused_not_rounded():
    assert taken("decimal", "36.6", places=1).value == "36.6"
    assert "at most 1" in refused("decimal", "36.65", places=1)
    assert "at most 0" in refused("decimal", "36.6", places=0)


def test_a_whole_number_has_no_part():
    assert taken("integer", "36.0").value == "36"
    assert "no whole number" in refused("integer", "36.6")


def test_a_unit_converts_exactly():
    units = {"µmol/L": "1", "mg/dL": "88.4"}
    assert taken("decimal", "1.9", "mg/dL", units=units) == Answer("1.9", "mg/dL", "167.96", "")
    assert taken("decimal", "80", units=units) == Answer("80", "µmol/L", "80", "")
    pounds = taken("decimal", "123456789.123", "lb", units={"kg": "1", "lb": "0.45359237"})
    assert Decimal(pounds.value) == Decimal("123456789.123") * Decimal("0.45359237")


@pytest.mark.parametrize("spelt", ["μmol/L", "umol/l", "µmol / L"])
def test_spellings_of_a_unit_are_one(spelt):
    assert taken("decimal", "80", spelt, units={"µmol/L": "1"}).unit == "µmol/L"


def test_ten_to_the_ninth_may_be_written_with_a_caret():
    assert taken("decimal", "4.2", "10^9/L", units={"10⁹/L": "1"}).unit == "10⁹/L"


def test_places_are_asked_of_the_canonical_unit_only():
    units = {"kg": "1", "lb": "0.45359237"}
    assert taken("decimal", "150.25", "lb", units=units, places=1).unit == "lb"
    assert "at most 1" in refused("decimal", "70.25", "kg", units=units, places=1)


def test_a_unit_the_item_does_not_have_is_refused_with_those_it_has():
    assert "µmol/L, mg/dL" in refused(
        "decimal", "5", "g/L", units={"µmol/L": "1", "mg/dL": "88.4"}
    )
    assert "has no unit" in refused("decimal", "5", "g/L")
    assert "has no unit" in refused("text", "5", "g/L")


def test_hard_limits_are_of_the_canonical_value():
    parts = {"units": {"µmol/L": "1", "mg/dL": "88.4"}, "hard": (15, 2500)}
    assert taken("decimal", "15", **parts).value == "15"
    assert taken("decimal", "0.2", "mg/dL", **parts).value == "17.68"
    assert "from 15 to 2500 µmol/L" in refused("decimal", "2501", **parts)
    assert "mg/dL meant instead of µmol/L" in refused("decimal", "1.9", **parts)


def test_a_visual_scale_runs_from_0_to_100_in_whole_steps():
    assert taken("vas", "100").value == "100"
    assert "from 0 to 100" in refused("vas", "101")
    assert "no whole number" in refused("vas", "5.5")
    assert taken("vas", "6.5", "cm", units={"mm": "1", "cm": "10"}).value == "65"


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-05",
        "2026/3/5",
        "2026.03.05",
        "20260305",
        "05 MAR 2026",
        "05-Mar-2026",
        "5 mar 2026",
        "05MAR2026",
        "2026年3月5日",
        "２０２６-０３-０５",
    ],
)
def test_a_date_is_taken_when_its_parts_are_plain(text):
    assert taken("date", text).value == "2026-03-05"
    assert taken("partial date", text).value == "2026-03-05"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("5/3/26", "two ways"),
        ("05/03/2026", "two ways"),
        ("05-03-2026", "two ways"),
        ("2026-02-30", "does not exist"),
        ("2026-13-01", "does not exist"),
        ("2026-00-01", "does not exist"),
        ("1823-01-01", "does not exist"),
        ("9999-01-01", "does not exist"),
        ("2026-03", "not a whole date"),
        ("UN-MAR-2026", "not a whole date"),
        ("UNK", "not a whole date"),
        ("05 MRZ 2026", "not a date"),
        ("yesterday", "not a date"),
        ("2026-03-05T10:00", "not a date"),
        ("46086", "not a date"),
    ],
)
def test_what_is_no_plain_date_is_refused(text, says):
    assert says in refused("date", text)


@pytest.mark.parametrize(
    ("text", "canonical", "needs"),
    [
        ("UN-MAR-2024", "2024-03", "day"),
        ("2024-03", "2024-03", "day"),
        ("2024-03-UN", "2024-03", "day"),
        ("MAR 2024", "2024-03", "day"),
        ("2024年3月", "2024-03", "day"),
        ("UN-UNK-2024", "2024", "month"),
        ("un unk 2024", "2024", "month"),
        ("2024", "2024", "month"),
        ("2024-UNK-UNK", "2024", "month"),
        ("UN-UNK-UNK", "UNK", "year"),
        ("UNK", "UNK", "year"),
    ],
)
def test_a_partial_date_keeps_what_is_known_as_far_as_the_item_allows(text, canonical, needs):
    parts = ("day", "month", "year")
    for allowed in parts:
        if parts.index(allowed) >= parts.index(needs):
            assert taken("partial date", text, unknown=allowed).value == canonical
        else:
            assert "too much unknown" in refused("partial date", text, unknown=allowed)


@pytest.mark.parametrize("text", ["05-UNK-2024", "UN-MAR-UNK", "2024-UN-05"])
def test_a_small_part_without_the_bigger_one_is_refused(text):
    assert "bigger" in refused("partial date", text, unknown="year")


def test_times_and_moments_are_taken():
    assert taken("time", "8:05").value == "08:05"
    assert taken("time", "23：59").value == "23:59"
    assert taken("datetime", "2026-03-05 8:05").value == "2026-03-05T08:05"
    assert taken("datetime", "05 MAR 2026 08:05").value == "2026-03-05T08:05"
    assert taken("datetime", "2026-03-05T08:05").value == "2026-03-05T08:05"
    assert "no time" in refused("time", "24:00")
    assert "no time" in refused("time", "8.05")
    assert "no time" in refused("datetime", "2026-03-05 25:00")
    assert "both" in refused("datetime", "2026-03-05")
    assert "not a date" in refused("datetime", "soon 10:00")


def test_a_code_must_be_on_the_list():
    assert taken("choice", "f", codes="sex").value == "F"
    assert "M, F" in refused("choice", "X", codes="sex")
    assert taken("yes/no", "y").value == "Y"
    assert "Y, N" in refused("yes/no", "maybe")


def test_several_choices_are_kept_in_the_order_of_the_list():
    assert taken("choices", "RPF, AIP;AIP", codes="organ").value == "AIP,RPF"
    assert "“XX”" in refused("choices", "AIP, XX", codes="organ")
    assert "Possible" in refused("choices", ",", codes="organ")


def test_text_is_composed_and_bounded():
    assert taken("text", "e\u0301té\r\nline").value == "été\nline"
    assert "At most 5" in refused("text", "sixsix", max_length=5)
    assert "no text" in refused("text", "a\x00b")
    assert "no text" in refused("text", "a\ud800b")


def test_a_missing_reason_must_be_allowed():
    assert taken("integer", "", "", "nd", missing=("ND",)) == Answer("", "", "", "ND")
    assert "ND, NA" in refused("integer", "", "", "UNK", missing=("ND", "NA"))
    assert "no missing reason is allowed" in refused("integer", "", "", "ND")
    assert "both" in refused("integer", "5", "", "ND", missing=("ND",))


def test_a_note_takes_no_answer():
    assert "note" in refused("note", "x")


def test_the_message_of_a_cell_names_its_row():
    from tests.forms.definition import ri

    [found] = [c for key, c in ri().cells.items() if key == "PANCREAS.score"]
    problem = read(found, Given("9"), STUDY)
    assert problem.item == "PANCREAS.score"
    assert problem.message.in_("en").startswith("Pancreas: Score: “9”")


@pytest.mark.parametrize(
    ("kind", "canonical", "worth"),
    [
        ("integer", "5", Decimal(5)),
        ("decimal", "5.25", Decimal("5.25")),
        ("date", "2024-03-05", Days.on(date(2024, 3, 5))),
        ("partial date", "2024-02", Days(date(2024, 2, 1), date(2024, 2, 29))),
        ("partial date", "UNK", EVER),
        ("time", "08:05", time(8, 5)),
        ("datetime", "2024-03-05T08:05", datetime.fromisoformat("2024-03-05T08:05")),
        ("choices", "AIP,RPF", ("AIP", "RPF")),
        ("choice", "2", "2"),
        ("yes/no", "Y", "Y"),
        ("text", "x", "x"),
    ],
)
def test_a_canonical_value_is_typed_for_expressions(kind, canonical, worth):
    assert value(cell(kind), Answer("", "", canonical)) == worth
    assert value(cell(kind), Answer(missing="ND")) is None
    assert value(cell(kind), None) is None


@pytest.mark.parametrize(
    ("kind", "parts", "result", "canonical"),
    [
        ("decimal", {"places": 2}, Decimal("87.05315"), "87.05"),
        ("decimal", {"places": 1}, Decimal("0.25"), "0.3"),
        ("decimal", {"places": 1}, Decimal("-0.25"), "-0.3"),
        ("decimal", {"places": 2}, Decimal("26.2"), "26.20"),
        ("decimal", {"places": 1}, Decimal("-0.01"), "0.0"),
        ("decimal", {}, Decimal("1E+3"), "1000"),
        ("decimal", {}, Decimal("26.20"), "26.2"),
        ("integer", {}, Decimal("2.5"), "3"),
        ("yes/no", {}, True, "Y"),
        ("yes/no", {}, False, "N"),
        ("text", {}, True, "Y"),
        ("choice", {"codes": "score"}, Decimal(2), "2"),
        ("date", {}, Days.on(date(2024, 3, 5)), "2024-03-05"),
        ("partial date", {}, Days(date(2024, 2, 1), date(2024, 2, 29)), "2024-02"),
        ("date", {}, datetime.fromisoformat("2024-03-05T08:05"), "2024-03-05"),
        ("choices", {}, ("AIP", "LN"), "AIP,LN"),
        ("time", {}, time(8, 5), "08:05"),
    ],
)
def test_a_computed_value_is_written_canonically(kind, parts, result, canonical):
    assert computed(item("it", kind, **parts), result).value == canonical


@pytest.mark.parametrize(
    ("kind", "result"),
    [
        ("decimal", None),
        ("decimal", "x"),
        ("decimal", Decimal("1e200")),
        ("yes/no", "maybe"),
        ("partial date", Days(date(2024, 2, 3), date(2024, 2, 9))),
        ("date", Decimal(3)),
    ],
)
def test_what_cannot_be_the_answer_is_no_answer(kind, result):
    assert computed(item("it", kind), result) is None


def test_the_document_of_an_entry_leaves_empty_parts_out():
    answers = {"creat": Answer("1,9", "mg/dL", "167.96"), "hgb": Answer(missing="ND")}
    document = dump(answers)
    assert document == {
        "creat": {"text": "1,9", "unit": "mg/dL", "value": "167.96"},
        "hgb": {"missing": "ND"},
    }
    assert load(document) == answers


KINDS = {
    "integer": {"hard": (-1000, 1000), "units": {"a": "1", "b": "0.1"}},
    "decimal": {"places": 3, "units": {"a": "1", "b": "2.54"}},
    "text": {"max_length": 10},
    "date": {},
    "partial date": {"unknown": "year"},
    "time": {},
    "datetime": {},
    "choice": {"codes": "sex"},
    "choices": {"codes": "organ"},
    "yes/no": {},
    "vas": {},
    "note": {},
}
TEXTS = st.one_of(
    st.text(max_size=12),
    st.text(alphabet="0123456789.,-+/ UNKMARJ:T年月日", max_size=16),
    st.dates().map(str),
    st.decimals(-2000, 2000, places=3).map(str),
    st.sampled_from(["Y", "n", "AIP,LN", "M", "05 MAR 2024", "UN-UNK-2024", "10:30"]),
)


@given(
    st.sampled_from(sorted(KINDS)),
    TEXTS.filter(str.strip),
    st.sampled_from(["", "a", "b", "c"]),
)
def test_reading_never_falls_over_and_what_it_takes_is_stable(kind, text, unit):
    place = Cell(key="it", question=column("it", kind, **KINDS[kind]))
    answer = read(place, Given(text, unit), STUDY)
    if isinstance(answer, Problem):
        assert answer.message.in_("en")
        return
    assert read(place, Given(answer.text, answer.unit), STUDY) == answer
    assert value(place, answer) is not None
    if not answer.unit:
        assert read(place, Given(answer.value), STUDY).value == answer.value
