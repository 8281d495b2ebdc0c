"""Reading YAML: shapes, places, and that nothing stops at the first problem."""

from decimal import Decimal
from pathlib import Path

import pytest

from ecrf.study.model import ItemType, Unit
from ecrf.study.read import read


def test_a_sound_study_has_no_findings_and_is_what_is_written(tiny):
    reading = tiny.read()
    study = reading.study
    assert reading.findings == ()
    assert list(study.forms) == ["dm", "ie", "vs", "log"]
    sbp = study.forms["vs"].cells["sbp"].question
    assert sbp.type is ItemType.INTEGER
    assert sbp.units == (Unit(name="mmHg"), Unit(name="kPa", factor=Decimal("7.50061")))
    assert sbp.limits.hard == (Decimal(50), Decimal(300))
    assert study.forms["dm"].cells["sex"].question.require.text == 'consented == "Y"'
    assert study.forms["log"].repeating


def test_a_grid_has_a_cell_for_every_row_and_column_that_is_not_closed(tiny):
    cells = tiny.read().study.forms["ie"].cells
    assert [key for key in cells if "." in key] == [
        "PANCREAS.score",
        "PANCREAS.urgent",
        "CONST.score",
    ]


def test_the_letters_of_the_matrix_are_needs_in_the_order_of_visits_and_forms(tiny):
    matrix = [(a.visit, a.form, a.need) for a in tiny.read().study.matrix]
    assert matrix[:4] == [
        ("SCR", "dm", "required"),
        ("SCR", "ie", "required"),
        ("SCR", "vs", "required"),
        ("SCR", "mh", "required"),
    ]
    assert ("UNS", "vs", "optional") in matrix
    assert ("LOG", "log", "event") in matrix


def test_only_the_code_lists_the_study_uses_belong_to_it(tiny):
    assert set(tiny.read().study.codelists) == {"ny", "missing", "score", "sex"}


def test_a_code_list_of_the_study_stands_for_the_one_of_the_library(tiny):
    tiny.write(
        "tiny/codes.yaml",
        "sex:\n  - {value: M, label: {en: Man, zh: 男}}\n"
        "  - {value: F, label: {en: Woman, zh: 女}}\n"
        'ny:\n  - {value: "Y", label: {en: Yes!, zh: 是！}}\n'
        '  - {value: "N", label: {en: No!, zh: 否！}}\n',
    )
    assert tiny.read().study.codelists["ny"].label("Y").en == "Yes!"


def test_a_yes_no_item_uses_the_list_ny(tiny):
    assert tiny.read().study.forms["dm"].cells["consented"].question.codes == "ny"


def test_a_form_of_the_folder_stands_for_the_one_of_the_library(tiny):
    tiny.write(
        "tiny/forms/vs.yaml",
        "form: vs\ntitle: {en: Own, zh: 自有}\nsections:\n  - items:\n"
        "      - {id: own, type: text, label: {en: A, zh: 甲}}\n",
    )
    assert list(tiny.read().study.forms["vs"].cells) == ["own"]


@pytest.mark.parametrize("text", ["1.10", '"1.10"', "0.1000000000000000055511151231257827"])
def test_a_number_is_exactly_what_is_written(tiny, text):
    tiny.change("library/forms/vs.yaml", '"7.50061"', text)
    factor = tiny.read().study.forms["vs"].cells["sbp"].question.units[1].factor
    assert str(factor) == text.strip('"')


def test_no_and_yes_and_off_are_plain_text(tiny):
    tiny.change("tiny/study.yaml", "{basis: raw}", "{basis: raw, a: NO, b: off}")
    params = tiny.read().study.params
    assert (params["a"], params["b"]) == ("NO", "off")


def test_a_folded_expression_is_one_expression(tiny):
    tiny.change(
        "tiny/forms/dm.yaml",
        'require: consented == "Y"',
        'require: >\n          consented == "Y"\n          and given(birth)\n',
    )
    require = tiny.read().study.forms["dm"].cells["sex"].question.require
    assert require.text == 'consented == "Y" and given(birth)'


SPOILT = [
    (
        "tiny/study.yaml",
        "registry: NCT00000000",
        "registry: [NCT",
        "error: This is no YAML",
    ),
    (
        "tiny/study.yaml",
        "planned: 10",
        "planned: 10\nplanned: 12",
        "tiny/study.yaml:7:1: error: The key planned is here twice; the first is in line 6.",
    ),
    (
        "tiny/study.yaml",
        "planned: 10",
        'planned: "10"',
        "tiny/study.yaml:6:10: error: This should be a whole number, without quotes.",
    ),
    (
        "tiny/study.yaml",
        'version: "1"',
        "version: 1.0",
        "tiny/study.yaml:2:10: error: This should be text. Write it in quotes.",
    ),
    (
        "tiny/study.yaml",
        "registry: NCT00000000\n",
        "",
        "tiny/study.yaml:1:1: error: registry is missing.",
    ),
    (
        "tiny/study.yaml",
        "masking: double",
        "masking: duble",
        (
            "tiny/study.yaml:7:10: error: duble is not known here. It is one of: "
            "none, single, double, triple, quadruple. Did you mean double?"
        ),
    ),
    (
        "tiny/study.yaml",
        "code: AAA",
        "code: aaa",
        (
            "tiny/study.yaml:12:12: error: “aaa” is not allowed here. "
            "Write 2 to 8 capital letters."
        ),
    ),
    (
        "tiny/study.yaml",
        'consent: SCR.dm.consented == "Y"',
        "consent: SCR.dm.consented ==",
        "tiny/study.yaml:17:10: error: This expression cannot be used: ",
    ),
    (
        "tiny/study.yaml",
        "[dm, ie, vs, log]",
        "[dm, ie, vss, vs, log, dm]",
        "tiny/study.yaml:15:17: error: There is no file forms/vss.yaml. Did you mean vs?",
    ),
    (
        "tiny/study.yaml",
        "[dm, ie, vs, log]",
        "[dm, ie, vs, log, dm]",
        "tiny/study.yaml:15:26: error: The form dm is listed twice.",
    ),
    (
        "tiny/schedule.yaml",
        "dm: {SCR: R}",
        "dm: {SCR: X}",
        "tiny/schedule.yaml:8:13: error: X is not known here. It is one of: R, C, o, E.",
    ),
    (
        "tiny/schedule.yaml",
        "day: 29",
        "dey: 29",
        "tiny/schedule.yaml:4:44: error: The key dey is not known here. Did you mean day?",
    ),
    (
        "tiny/forms/dm.yaml",
        "label: {en: Sex, zh: 性别}",
        "label: {en: Sex}",
        (
            "tiny/forms/dm.yaml:12:16: error: zh is missing: "
            "every text is in English and in Chinese."
        ),
    ),
    (
        "tiny/forms/dm.yaml",
        "label: {en: Sex, zh: 性别}",
        'label: {en: Sex, zh: ""}',
        "tiny/forms/dm.yaml:12:30: error: This text is empty.",
    ),
    (
        "tiny/forms/dm.yaml",
        "label: {en: Sex, zh: 性别}",
        "label: Sex",
        "tiny/forms/dm.yaml:12:16: error: This should be a mapping of keys to values.",
    ),
    (
        "tiny/forms/dm.yaml",
        "        label: {en: Sex, zh: 性别}\n",
        "",
        "tiny/forms/dm.yaml:9:9: error: label is missing.",
    ),
    (
        "tiny/forms/dm.yaml",
        "missing: [ND]",
        "missing: ND",
        "tiny/forms/dm.yaml:14:18: error: This should be a list.",
    ),
    (
        "tiny/forms/dm.yaml",
        "require: true",
        "require: 1",
        "tiny/forms/dm.yaml:8:18: error: This should be true, false or an expression.",
    ),
    (
        "tiny/forms/dm.yaml",
        "type: partial date",
        "type: partialdate",
        "Did you mean partial date?",
    ),
    (
        "tiny/forms/dm.yaml",
        'require: consented == "Y"',
        "require: __import__('os')",
        "tiny/forms/dm.yaml:13:18: error: This expression cannot be used: ",
    ),
    (
        "tiny/forms/dm.yaml",
        "form: dm",
        "form: dmm",
        "tiny/forms/dm.yaml:1:7: error: The form is called dmm, its file dm.yaml.",
    ),
    (
        "tiny/forms/log.yaml",
        "repeating: true",
        'repeating: "yes"',
        "tiny/forms/log.yaml:3:12: error: This should be true or false.",
    ),
    (
        "library/forms/vs.yaml",
        '["50", "300"]',
        '["50"]',
        (
            "library/forms/vs.yaml:10:24: error: "
            "This should be two values: the lowest and the highest allowed."
        ),
    ),
    (
        "library/forms/vs.yaml",
        '["50", "300"]',
        '["50", "a lot"]',
        "library/forms/vs.yaml:10:31: error: This should be a number, such as 0.5 or “0.5”.",
    ),
    (
        "library/codes.yaml",
        "{value: ND,",
        "{value: 0,",
        "library/codes.yaml:5:13: error: This should be text. Write it in quotes.",
    ),
]


@pytest.mark.parametrize(
    "file, old, new, expected",
    SPOILT,
    ids=[f"{n}-{row[2][:20]}" for n, row in enumerate(SPOILT)],
)
def test_each_problem_is_told_with_its_place(tiny, file, old, new, expected):
    tiny.change(file, old, new)
    reading, told = tiny.read(), tiny.findings()
    assert any(expected in line for line in told), told
    assert reading.study is None


def test_one_problem_brings_no_further_ones(tiny):
    tiny.change("tiny/forms/dm.yaml", "type: choice", "type: choise")
    assert len(tiny.findings()) == 1


def test_all_problems_of_all_files_are_told_at_once(tiny):
    tiny.change("tiny/study.yaml", "planned: 10", "planned: ten")
    tiny.change("tiny/schedule.yaml", "dm: {SCR: R}", "dm: {SCR: X, W5: R}")
    tiny.change("tiny/forms/dm.yaml", "label: {en: Sex, zh: 性别}", "label: {en: Sex}")
    tiny.change("tiny/forms/ie.yaml", "given(total)", "given(totl)")
    tiny.change("library/forms/vs.yaml", "sbp <= dbp", "sbp <= dpb")
    files = [line.split(":")[0] for line in tiny.findings()]
    assert files == [
        "library/forms/vs.yaml",
        "tiny/forms/dm.yaml",
        "tiny/forms/ie.yaml",
        "tiny/schedule.yaml",
        "tiny/schedule.yaml",
        "tiny/study.yaml",
    ]


def test_a_sign_that_is_no_text_is_found_where_it_stands_after_chinese_words(tiny):
    tiny.write("tiny/forms/dm.yaml", "form: dm\ntitle: 中文字\x07\n")
    assert tiny.findings()[0].startswith("tiny/forms/dm.yaml:2:11: error: This is no YAML")


def test_a_form_that_cannot_be_read_brings_no_findings_on_those_who_look_at_it(tiny):
    tiny.write("tiny/forms/dm.yaml", "form: [")
    assert [line.split(" error")[0] for line in tiny.findings()] == ["tiny/forms/dm.yaml:2:1:"]


def test_without_a_schedule_the_other_files_are_read_all_the_same(tiny):
    (tiny.study / "schedule.yaml").unlink()
    tiny.change("tiny/forms/dm.yaml", "label: {en: Sex, zh: 性别}", "label: {en: Sex}")
    assert [line.split(":")[0] for line in tiny.findings()] == [
        "tiny/forms/dm.yaml",
        "tiny/schedule.yaml",
    ]


def test_without_a_study_file_every_form_is_read_all_the_same(tiny):
    (tiny.study / "study.yaml").unlink()
    tiny.change("tiny/forms/ie.yaml", "given(total)", "given(total")
    told = tiny.findings()
    assert [line.split(":")[0] for line in told] == ["tiny/forms/ie.yaml", "tiny/study.yaml"]
    assert "The file cannot be read." in told[1]


def test_a_file_that_is_not_utf8_is_told_with_the_place_of_the_odd_byte(tiny):
    path = tiny.study / "forms" / "log.yaml"
    path.write_bytes("form: log\ntitle: {en: N, zh: 记录}\n".encode("gb18030"))
    assert tiny.findings() == ["tiny/forms/log.yaml:2:20: error: The file is not UTF-8 text."]


def test_an_empty_file_is_told(tiny):
    tiny.write("tiny/forms/log.yaml", "# nothing\n")
    assert tiny.findings() == ["tiny/forms/log.yaml:1:1: error: The file is empty."]


@pytest.mark.parametrize(
    "bomb",
    [
        "a: &a [*a]\n",
        "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
        + "".join(
            f"{new}: &{new} [{', '.join([f'*{old}'] * 10)}]\n"
            for old, new in zip("abcdefgh", "bcdefghi", strict=True)
        ),
        "a: " + "[" * 5000 + "\n",
    ],
    ids=["in itself", "billion laughs", "deep"],
)
def test_a_file_made_to_exhaust_the_reader_is_refused(tiny, bomb):
    tiny.write("tiny/forms/log.yaml", bomb)
    assert [line for line in tiny.findings() if line.startswith("tiny/forms/log.yaml")]


def test_a_tag_makes_no_object(tiny):
    tiny.change("tiny/study.yaml", "registry: NCT", "registry: !!python/name:os.system NCT")
    study = tiny.read().study
    assert study is None or study.registry == "NCT00000000"


def test_read_takes_the_library_it_is_given(tiny, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    told = [str(finding) for finding in read(tiny.study, other).findings]
    assert any("There is no file forms/vs.yaml." in line for line in told)


def test_a_form_of_the_folder_that_is_not_listed_is_a_warning(tiny):
    tiny.change("tiny/study.yaml", "[dm, ie, vs, log]", "[dm, ie, vs]")
    tiny.change("tiny/schedule.yaml", "  log: {LOG: E}\n", "")
    assert tiny.findings() == [
        "tiny/forms/log.yaml:1:1: warning: The form log is not listed in study.yaml."
    ]
    assert tiny.read().study is not None


def test_each_file_is_read_once(tiny, monkeypatch):
    tiny.write("tiny/forms/vs.yaml", "extend: vs\n")
    opened = []
    plain = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: opened.append(path) or plain(path))
    tiny.read()
    assert len(opened) == len(set(opened)) == 9
