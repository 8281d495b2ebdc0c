"""`ecrf form try` prints what saving answers would do."""

import json

import pytest
from click.testing import CliRunner

from ecrf.cli import main
from tests.cli.tried import write


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return write(tmp_path_factory.mktemp("studies") / "tried")


@pytest.fixture
def run(study, tmp_path):
    def tried(form, answers, *options, context=None):
        if context is not None:
            path = tmp_path / "context.json"
            path.write_text(json.dumps(context), encoding="utf-8")
            options = (*options, "--context", str(path))
        text = answers if isinstance(answers, str | bytes) else json.dumps(answers)
        return CliRunner().invoke(
            main, ["form", "try", str(study), form, "-", *options], input=text
        )

    return tried


@pytest.fixture
def result(run):
    def printed(form, answers, *options, context=None):
        done = run(form, answers, *options, context=context)
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    return printed


@pytest.fixture
def odd(run):
    def said(form, answers, *options, context=None):
        done = run(form, answers, *options, context=context)
        assert done.exit_code == 2, done.output
        assert done.stdout == ""
        return done.stderr

    return said


def test_answers_come_back_in_canonical_form(result):
    found = result("chem", {"creat": "1,90", "creat.unit": "mg/dL", "lbdat": "05 MAR 2026"})
    assert found["answers"] == {"creat": "167.96", "lbdat": "2026-03-05"}
    assert found["derived"] == {"egfr": None, "rise": "0"}


@pytest.mark.parametrize(
    ("creatinine", "age", "sex", "egfr"),
    [
        ("80", "55", "M", "87.05"),
        ("62", "48", "F", "89.11"),
        ("88.4", "50", "F", "58.69"),
        ("200", "62", "M", "29.51"),
        ("168", "69", "F", "26.20"),
    ],
)
def test_sex_and_age_stand_for_demographics_that_are_not_at_hand(
    result, creatinine, age, sex, egfr
):
    found = result("chem", {"creat": creatinine}, "--age", age, "--sex", sex)
    assert found["derived"]["egfr"] == egfr


def test_a_birth_date_at_hand_counts_before_the_age(result):
    known = {"SCR.dm.brthdat": "1971-01-01", "SCR.dm.sex": "M"}
    answers = {"creat": "80", "lbdat": "2026-03-05"}
    assert result("chem", answers, "--age", "20", context=known)["derived"]["egfr"] == "87.05"


def test_the_age_of_the_form_itself_is_stated_too(result):
    assert result("dm", {}, "--age", "55")["derived"] == {"age": "55"}
    found = result("dm", {"brthdat": "1971"}, context={"visit_date": "2026-06-30"})
    assert found["derived"] == {"age": None}


def test_findings_name_their_rule_item_and_severity(result):
    [found] = result("vs", {"sbp": "200"})["findings"]
    assert found["rule"] == "soft_limit"
    assert found["item"] == "sbp"
    assert found["severity"] == "soft"
    assert "90 to 180 mmHg" in found["message"]


def test_a_missing_reason_comes_back_as_such(result):
    assert result("vs", {"sbp.missing": "nd"})["answers"] == {"sbp.missing": "ND"}


def test_cells_of_a_grid_are_named_by_row_and_column(result):
    found = result("organs", {"PANCREAS.score": "2", "CONST.score": 1, "CONST.damage": "Y"})
    assert found["answers"] == {"PANCREAS.score": "2", "CONST.score": "1"}
    assert found["derived"] == {"total": "3"}
    assert [f["rule"] for f in found["findings"]] == ["closed_cell"]


def test_numbers_and_truths_of_json_are_taken_as_text(result):
    found = result("vs", '{"sbp": 120, "weight": 70.50, "fasting": true, "dbp": null}')
    assert found["answers"] == {"sbp": "120", "weight": "70.5", "fasting": "Y"}


def test_the_context_answers_paths_elsewhere(result):
    known = {"previous.vs.weight": "70", "site": "AAA"}
    derived = result("vs", {"sbp": "120", "weight": "65"}, context=known)["derived"]
    assert derived == {"fallen": "5", "where": "AAA"}


def test_a_form_of_the_context_is_not_the_previous_one(result):
    derived = result("vs", {"sbp": "120", "weight": "65"}, context={"vs.weight": "70"})[
        "derived"
    ]
    assert derived["fallen"] is None


def test_a_unit_is_given_in_the_context_too(result):
    known = {"SCR.chem.creat": "1", "SCR.chem.creat.unit": "mg/dL"}
    derived = result("chem", {"creat": "100"}, "--visit", "W4", context=known)["derived"]
    assert derived["rise"] == "11.6"


@pytest.mark.parametrize("visit", ["BL", "UNS-2"])
def test_the_visit_may_be_any_of_the_schedule(result, visit):
    assert result("vs", {"sbp": "120"}, "--visit", visit)["answers"] == {"sbp": "120"}


@pytest.mark.parametrize(
    ("form", "answers", "options", "says"),
    [
        ("vs", {"sbp": "high"}, [], "“high” is not a number"),
        ("vs", {"sbp": "400"}, [], "from 50 to 300 mmHg"),
        ("vs", {"sbp": "80", "dbp": "90"}, [], "sbp: Odd."),
        ("vs", {"spb": "80"}, [], "Did you mean sbp?"),
        ("vs", {"sbp": "80", "sbp.unit": "bar"}, [], "mmHg, kPa"),
        ("vs", {"sbp": "80", "sbp.missing": "ND"}, [], "both"),
        ("vs", {"fallen": "5"}, [], "computed"),
        ("vs", {"sbp": {"text": "80"}}, [], "“sbp” must be a text"),
        ("vs", {"sbp": True}, [], "“sbp” must be a text"),
        ("vs", {"sbp": [["1"]]}, [], "“sbp” must be a text"),
        ("vs", '{"sbp": "80", "sbp": "81"}', [], "“sbp” is given twice"),
        ("vs", '{"sbp": NaN}', [], "“NaN” is not a number"),
        ("vs", "[]", [], "one flat object"),
        ("vs", '"x"', [], "one flat object"),
        ("vs", "{", [], "is no JSON"),
        ("vs", "[" * 100000, [], "is no JSON"),
        ("vs", b"\xff", [], "is no JSON"),
        ("chem", {"lbdat": "5/3/26"}, [], "two ways"),
        ("vz", {}, [], "dm, vs, chem"),
        ("mh", {}, [], "not defined yet"),
        ("vs", {}, ["--visit", "W5"], "SCR, BL, W4, UNS"),
        ("vs", {}, ["--visit", "W4-1"], "no visit W4-1"),
        ("chem", {}, ["--sex", "X"], "M, F"),
        ("chem", {}, ["--age", "old"], "--age"),
    ],
)
def test_what_would_be_refused_ends_the_command_with_the_odd_part_named(
    odd, form, answers, options, says
):
    assert says in odd(form, answers, *options)


@pytest.mark.parametrize(
    ("context", "says"),
    [
        ({"SCR.dm.sexx": "F"}, "Did you mean dm.sex?"),
        ({"SCR.dm.sex": "X"}, "SCR.dm.sex"),
        ({"visit_date": "soon"}, "visit_date"),
        ({"nonsense": "1"}, "nonsense"),
    ],
)
def test_an_odd_context_is_refused(odd, context, says):
    assert says in odd("chem", {}, context=context)


def test_a_study_that_is_not_at_hand_is_named():
    done = CliRunner().invoke(main, ["form", "try", "nct0", "vs", "-"], input="{}")
    assert done.exit_code == 2
    assert "nct0" in done.stderr


def test_a_definition_with_errors_is_not_tried(study, tmp_path):
    broken = write(tmp_path / "broken")
    form = broken / "forms" / "vs.yaml"
    form.write_text(form.read_text(encoding="utf-8").replace("sbp <= dbp", "sbp <= dpb"))
    done = CliRunner().invoke(main, ["form", "try", str(broken), "vs", "-"], input="{}")
    assert done.exit_code == 2
    assert "vs.yaml" in done.stderr


def test_the_help_says_how_sex_and_age_are_used():
    done = CliRunner().invoke(main, ["form", "try", "--help"])
    assert done.exit_code == 0
    assert "--age" in done.stdout
    assert "last part is sex or age" in " ".join(done.stdout.split())


def test_results_are_judged_by_the_ranges_given(tmp_path):
    """By a table of ranges with sex and age, or by limits in the context."""
    results = {"lbdat": "2026-03-02", "lab_id": "Central", "alt": "41"}
    answers, table = tmp_path / "answers.json", tmp_path / "ranges.csv"
    answers.write_text(json.dumps(results), encoding="utf-8")
    table.write_text(
        "laboratory,site,analyte,sex,age_from,age_to,starts_on,low,high,unit,source\n"
        ",,ALT,F,18,60,2020-01-01,7,40,U/L,laboratory\n"
        ",,ALT,F,60,,2020-01-01,7,45,U/L,laboratory\n",
        encoding="utf-8",
    )
    context = tmp_path / "context.json"
    context.write_text(json.dumps({"range.ALT.high": "13"}), encoding="utf-8")

    def flag(*more):
        done = CliRunner().invoke(
            main, ["form", "try", "nct05974683", "lbc", str(answers), *more]
        )
        assert done.exit_code == 0, done.output
        derived = json.loads(done.stdout)["derived"]
        return derived["ALT.flag"], derived["ALT.grade"]

    by_table = ("--ranges", str(table), "--sex", "F", "--age")
    assert flag() == (None, None)
    assert flag(*by_table, "40") == ("H", "1")
    assert flag(*by_table, "60") == ("N", "0")
    assert flag("--context", str(context)) == ("H", "2")
