"""A check whose item is `GRID.column` is asked for every row that has the column."""

FILE = "tiny/forms/ie.yaml"
ONCE = 'item: PANCREAS.score, when: PANCREAS.score > 2 and param.basis == "raw"'
CASES = 'pass: {PANCREAS.score: "2"}, fail: {PANCREAS.score: "3"}'


def test_the_check_may_name_the_cells_of_its_row(tiny):
    tiny.change(FILE, ONCE, 'item: organs.urgent, when: row.score == 0 and row.urgent == "Y"')
    tiny.change(FILE, CASES, "pass: {row.score: '1'}, fail: {row.score: '0', row.urgent: 'Y'}")
    assert tiny.findings() == []


def test_an_unknown_column_is_told(tiny):
    tiny.change(FILE, ONCE, "item: organs.urgnt, when: PANCREAS.score > 2")
    [told] = tiny.findings()
    assert "The form ie has no item organs.urgnt" in told


def test_an_unknown_cell_of_the_row_is_told(tiny):
    tiny.change(FILE, ONCE, "item: organs.score, when: row.scor > 2")
    [told] = tiny.findings()
    assert "The grid organs has no column scor. Did you mean score?" in told


def test_rows_are_unknown_to_a_check_of_one_item(tiny):
    tiny.change(FILE, ONCE, "item: PANCREAS.score, when: row.score > 2")
    [told] = tiny.findings()
    assert "row is known in the columns of a grid" in told


def test_the_same_row_of_another_entry_may_be_named(tiny):
    when = 'row.score == 1 and previous.ie.row.score == 0 and row.urgent != "Y"'
    tiny.change(FILE, ONCE, f"item: organs.score, when: {when}")
    tiny.change(
        FILE, CASES,
        "pass: {row.score: '1', row.urgent: 'N', previous.ie.PANCREAS.score: '2'}, "
        "fail: {row.score: '1', row.urgent: 'N', previous.ie.PANCREAS.score: '0'}",
    )  # fmt: skip
    assert [told for told in tiny.findings() if "case" not in told] == []


def test_an_unknown_cell_of_the_same_row_of_another_entry_is_told(tiny):
    tiny.change(FILE, ONCE, "item: organs.score, when: previous.ie.row.scor > 2")
    told = [each for each in tiny.findings() if "scor" in each]
    assert "The form ie has no item PANCREAS.scor" in told[0]
