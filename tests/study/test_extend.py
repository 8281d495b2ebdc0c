"""A study's own form on top of one of the library."""

import pytest

EXTENSION = """\
extend: vs
title: {en: Vital signs and more, zh: 生命体征及其他}
add:
  - title: {en: More, zh: 其他}
    items:
      - {id: pulse, type: integer, label: {en: Pulse, zh: 脉搏}}
drop: [dbp, VS01]
change:
  sbp:
    require: false
    limits: {hard: ["60", "280"]}
checks:
  - {id: VS90, item: pulse, when: pulse > 200, message: {en: High., zh: 过高。},
     pass: {pulse: "200"}, fail: {pulse: "201"}}
"""


def test_a_form_is_the_one_of_the_library_with_what_is_said_otherwise(tiny):
    tiny.write("tiny/forms/vs.yaml", EXTENSION)
    reading = tiny.read()
    assert reading.findings == ()
    form = reading.study.forms["vs"]
    assert list(form.cells) == ["sbp", "pulse"]
    assert form.title.en == "Vital signs and more"
    assert [check.id for check in form.checks] == ["VS90"]
    sbp = form.cells["sbp"].question
    assert sbp.require is False
    assert (sbp.limits.soft, [str(limit) for limit in sbp.limits.hard]) == (None, ["60", "280"])
    assert sbp.label.zh == "收缩压"


def test_two_forms_may_extend_the_same_one(tiny):
    tiny.write("tiny/forms/vs.yaml", EXTENSION)
    tiny.write("tiny/forms/vs2.yaml", "extend: vs\nform: vs2\ndrop: [VS01]\n")
    tiny.change("tiny/study.yaml", "[dm, ie, vs, log]", "[dm, ie, vs, vs2, log]")
    tiny.change("tiny/schedule.yaml", "  dm: {SCR: R}", "  dm: {SCR: R}\n  vs2: {SCR: R}")
    reading = tiny.read()
    assert reading.findings == ()
    assert list(reading.study.forms["vs2"].cells) == ["sbp", "dbp"]


def test_rows_columns_and_grids_are_dropped_and_changed_by_name(tiny):
    ie = (tiny.study / "forms" / "ie.yaml").read_text(encoding="utf-8")
    tiny.write("library/forms/ie.yaml", ie)
    tiny.write(
        "tiny/forms/ie.yaml",
        "extend: ie\n"
        "drop: [CONST]\n"
        "change:\n"
        "  PANCREAS: {label: {en: The pancreas, zh: 胰}}\n"
        "  organs.urgent: {require: true}\n"
        "  organs: {label: {en: Sites, zh: 部位}}\n"
        "  IE01: {severity: hard}\n",
    )
    reading = tiny.read()
    assert reading.findings == ()
    form = reading.study.forms["ie"]
    grid = form.grids["organs"]
    assert [(row.id, row.label.en) for row in grid.rows] == [("PANCREAS", "The pancreas")]
    assert grid.columns[1].require is True
    assert grid.label.en == "Sites"
    assert form.checks[0].severity == "hard"


SPOILT = [
    ("extend: vs", "extend: vss", "vs.yaml:1:9: error: There is no file forms/vss.yaml."),
    ("[dbp, VS01]", "[dpb, VS01]", "vs.yaml:7:8: error: The extended form has no dpb. Did you"),
    (
        "  sbp:",
        "  sbpp:",
        "vs.yaml:9:3: error: The extended form has no sbpp. Did you mean sbp?",
    ),
    (
        "require: false",
        "requre: false",
        "vs.yaml:10:5: error: The key requre is not known here.",
    ),
    ("require: false", "require: 3", "vs.yaml:10:14: error: This should be true, false or an"),
    ("require: false", "show: sbpp > 1", "vs.yaml:10:11: error: The form vs has no item sbpp."),
    ("id: pulse", "id: sbp", "vs.yaml:6:14: error: sbp is here twice."),
    ("item: pulse", "item: dbp", "vs.yaml:13:22: error: The form vs has no item dbp."),
    (
        "drop: [dbp, VS01]",
        "drop: [dbp]",
        "library/forms/vs.yaml:17:33: error: The form vs has no",
    ),
    ("drop: [dbp, VS01]", "drop: dbp", "vs.yaml:7:7: error: This should be a list."),
    ("add:", "ad:", "vs.yaml:3:1: error: The key ad is not known here. Did you mean add?"),
    (
        "extend: vs",
        "extend: vs\nform: vx",
        "vs.yaml:2:7: error: The form is called vx, its file",
    ),
]


@pytest.mark.parametrize("old, new, expected", SPOILT)
def test_each_problem_is_told_where_it_is_written(tiny, old, new, expected):
    tiny.write("tiny/forms/vs.yaml", EXTENSION.replace(old, new, 1))
    told = tiny.findings()
    assert any(expected in line for line in told), told


def test_a_form_that_extends_another_cannot_be_extended(tiny):
    tiny.write("library/forms/base.yaml", "extend: vs\n")
    tiny.write("tiny/forms/vs.yaml", "extend: base\n")
    assert tiny.findings() == [
        "tiny/forms/vs.yaml:1:9: error: base extends another form itself."
    ]
