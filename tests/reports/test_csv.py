"""CSV that a spreadsheet does not run and a program reads back to the letter."""

import csv as standard
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.writers import csv


def _back(text):
    return [
        [csv.plain(cell) for cell in row]
        for row in standard.reader(io.StringIO(text, newline=""))
    ]


@pytest.mark.req("EX-06")
@given(st.lists(st.lists(st.text(), min_size=2, max_size=5), max_size=5))
def test_whatever_is_written_is_read_back(rows):
    text = "".join(csv.lines(rows))
    assert _back(text) == rows


@given(st.sampled_from("=+-@\t\r＝＋－＠"), st.text())
def test_no_cell_begins_like_a_formula_unless_it_is_a_plain_number(sign, rest):
    cell = csv.safe(sign + rest)
    assert cell.startswith("'") or csv.NUMBER.fullmatch(cell)


@pytest.mark.parametrize("number", ["-1", "-1.5", "0", "12.30"])
def test_plain_numbers_stay_numbers(number):
    assert csv.safe(number) == number


@pytest.mark.parametrize("text", ["-1+1", "-1.5e3", "--1", "-", "+1", "-١", "=1", "@x", "'x"])
def test_what_only_resembles_a_number_is_escaped(text):
    assert csv.safe(text) == f"'{text}"


def test_lines_end_with_lf_and_text_stays_utf_8():
    assert csv.line(["血压", "a,b", 'say "x"', ""]) == '血压,"a,b","say ""x""",\n'
