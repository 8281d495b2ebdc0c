"""The Responder Index of 2012, a form of the library that the shipped study does not use."""

import pytest

from tests.protocols.trying import organs, shelf, study, tried

ROWS = [row.id for row in shelf().forms["ri2012"].grids["organs12"].rows]


def scored(scores, igg4):
    return tried("ri2012", organs(scores, rows=ROWS) | {"igg4_score": igg4})


@pytest.mark.parametrize(
    "scores, igg4, total, without",
    [
        ("", "2", "2", "0"), ("PANCREAS 3 U; SALIV 3", "3", "12", "9"),
        ("BILEDUCT 4 U D", "4", "12", "8"), ("PANCREAS 1; SALIV 1; LN 1", "1", "4", "3"),
        ("; ".join(f"{row} 4 U" for row in ROWS), "4", "132", "128"),
    ],
)  # fmt: skip
def test_the_examples_of_2012_come_out(scores, igg4, total, without):
    derived = scored(scores, igg4).derived
    assert (derived["ri12_total"], derived["ri12_total_noigg4"]) == (total, without)


def test_serum_igg4_is_no_organ():
    assert len(ROWS) == 16
    assert scored("", "4").derived["ri12_max_organ"] == "0"
    assert "ri2012" not in study().forms


def test_a_missing_score_leaves_the_totals_unknown():
    derived = scored("", "").derived
    assert (derived["ri12_total"], derived["ri12_total_noigg4"]) == (None, "0")
    blank = {"PANCREAS.score": "2", "igg4_score": "1"}
    assert tried("ri2012", blank).derived["ri12_total_noigg4"] is None


def test_urgent_with_a_score_of_0_is_refused():
    assert set(scored("SKIN 0 U", "0").refused) == {"SKIN.urgent"}


def test_a_score_of_4_is_taken_here_and_refused_by_the_index_of_2018():
    assert not tried("ri2012", {"SKIN.score": "4"}).refused
    assert set(tried("ri", {"SKIN.score": "4"}).refused) == {"SKIN.score"}
