"""What could tell the treatment is warned of, unless it is masked or accepted with a reason."""

import pytest

from ecrf.study import shipped
from ecrf.study.diff import diff
from tests.study import tiny as texts

WORDS = (shipped.SHIPPED / "library" / "unblinding.yaml").read_text()
ITEM = """\
      - id: asked
        type: {type}
        label: {{en: "{en}", zh: {zh}}}
"""


@pytest.fixture
def trial(tiny):
    """The tiny trial with the words of the library, of a drug called mycophenolate."""
    (tiny.library / "unblinding.yaml").write_text(WORDS)
    tiny.change(
        "tiny/study.yaml",
        "en: Active drug, zh: 试验药",
        "en: Mycophenolate mofetil, zh: 吗替麦考酚酯",
    )
    return tiny


def ask(trial, en, zh="问题", type_="decimal", more=""):
    """Add an item to the demographics form."""
    asked = ITEM.format(type=type_, en=en, zh=zh) + more
    trial.change("tiny/forms/dm.yaml", texts.DM, texts.DM + asked)


def warnings(trial):
    found = trial.read().findings
    assert {finding.severity for finding in found} <= {"warning"}, found
    return [finding.message.in_("en") for finding in found]


@pytest.mark.req("L13", "BL-12")
@pytest.mark.parametrize(
    "en, zh, says",
    [
        ("MPA, trough", "谷浓度", "“MPA” tells how much"),
        ("Result", "霉酚酸血药浓度", "tells how much"),
        ("Plasma concentration of the drug", "浓度", "“plasma concentration” tells how much"),
        ("Lot number", "批号", "“lot” may differ between the packs"),
        ("Which", "有效期", "“有效期” may differ between the packs"),
        (
            "Colour of the tablet",
            "颜色",
            "asks what the treatment is like",
        ),
        ("Which treatment do you believe it was?", "猜", "asks for a guess"),
        ("Mycophenolate taken?", "药", "“Mycophenolate” names a treatment"),
        ("Taken?", "是否服用吗替麦考酚酯", "“吗替麦考酚酯” names a treatment"),
    ],
)
def test_an_item_that_could_unblind_is_warned_of_in_either_language(trial, en, zh, says):
    assert warnings(trial) == []
    ask(trial, en, zh)
    assert any(says in told for told in warnings(trial))


@pytest.mark.req("L13")
def test_what_a_treatment_moves_is_looked_for_only_where_that_treatment_is_given(trial):
    ask(trial, "IgG, g/L", "IgG")
    assert warnings(trial) == []
    trial.change("tiny/study.yaml", "Mycophenolate mofetil", "Immunoglobulin")
    assert any("“IgG” tells how much" in told for told in warnings(trial))


@pytest.mark.req("L15")
def test_free_text_about_drugs_is_warned_of_and_other_free_text_is_not(trial):
    ask(trial, "Findings", "所见", "text")
    assert warnings(trial) == []
    trial.change("tiny/forms/dm.yaml", "Findings", "Medication")
    assert any("Free text about “medication”" in told for told in warnings(trial))


def test_words_are_found_whole_and_names_in_capitals_as_written(trial):
    ask(trial, "Slot, allotted, pilots, mpa and IgG4", "编号")
    assert warnings(trial) == []


@pytest.mark.req("L12")
@pytest.mark.parametrize(
    "when, says",
    [
        ('sex == "ACT"', "ACT is the id of an arm"),
        ('random_number < "R5"', "depends on what is in random_number"),
        ('kits == "K1234567"', "depends on what is in kits"),
        ('"K1234567" in kits', "depends on what is in kits"),
        ("number(random_number) > 4", "depends on what is in random_number"),
    ],
)
def test_an_expression_that_names_an_arm_or_reads_a_number_is_warned_of(trial, when, says):
    trial.change("tiny/codes.yaml", "value: M,", "value: ACT,")
    trial.change("tiny/study.yaml", "value: M,", "value: ACT,")
    more = f"        show: {when}\n" if '"' not in when else f"        show: '{when}'\n"
    ask(trial, "Anything", "任意", "text", more)
    assert any(says in told for told in warnings(trial))


@pytest.mark.parametrize("when", ["given(random_number)", "len(kits) > 1", "blank(kits)"])
def test_whether_a_number_is_there_tells_nothing(trial, when):
    ask(trial, "Anything", "任意", "text", f"        show: {when}\n")
    assert warnings(trial) == []


@pytest.mark.req("L12")
def test_a_visit_and_a_message_that_name_a_treatment_are_warned_of(trial):
    trial.change("tiny/schedule.yaml", "en: Week 4", "en: Mycophenolate dose change")
    trial.change("tiny/forms/ie.yaml", "en: High.", "en: High for placebo.")
    told = warnings(trial)
    assert any("“Mycophenolate” names" in one for one in told)
    assert any("“Placebo” names" in one for one in told)


@pytest.mark.parametrize(
    "silence",
    [
        "        blinding: masked\n",
        "        unblinding: {accepted: {en: Asked of all., zh: 均询问。}}\n",
    ],
)
def test_what_is_masked_or_accepted_with_a_reason_is_silent(trial, silence):
    ask(trial, "MPA, trough", "霉酚酸浓度", more=silence)
    assert warnings(trial) == []


@pytest.mark.parametrize("place", ["dm", "dm.asked"])
def test_the_study_may_accept_a_form_or_an_item_with_a_reason(trial, place):
    ask(trial, "MPA, trough", "霉酚酸浓度")
    before = trial.read().study
    accepted = (
        f"unblinding:\n  - {{where: [{place}], why: {{en: Asked of all., zh: 均询问。}}}}\n"
    )
    trial.change("tiny/study.yaml", "params:", f"{accepted}params:")
    assert warnings(trial) == []
    told = [each.message.in_("en") for each in diff(before, trial.read().study)]
    assert any("accepted although it could unblind" in each for each in told)


def test_a_place_that_is_accepted_must_be_there(trial):
    trial.change(
        "tiny/study.yaml", "forms_to_come: {mh: {en: Medical history, zh: 病史}}\n", ""
    )
    trial.change("tiny/schedule.yaml", "  mh: {SCR: R}\n", "")
    accepted = "unblinding:\n  - {where: [dm.sexx], why: {en: Asked of all., zh: 均询问。}}\n"
    trial.change("tiny/study.yaml", "params:", f"{accepted}params:")
    assert [str(f.message) for f in trial.read().findings] == [
        "The study has nothing that is called dm.sexx. Did you mean dm.sex?"
    ]


def test_an_open_label_study_is_not_warned(trial):
    ask(trial, "MPA, trough", "霉酚酸浓度")
    assert warnings(trial)
    trial.change("tiny/study.yaml", "masking: double", "masking: none")
    assert warnings(trial) == []


@pytest.mark.req("L12", "L13", "L15")
def test_the_main_trial_accepts_with_reasons_what_would_be_warned_of():
    study = shipped.load("nct05974683")
    bare = study.model_copy(update={"unblinding": ()})
    from ecrf.study import authored, check_unblinding, yamlfile
    from ecrf.study.shapes import shape

    node = yamlfile.load(shipped.SHIPPED / "library" / "unblinding.yaml").node
    words, _ = shape(node, authored.Vocabulary)
    assert list(check_unblinding.problems(study, words)) == []
    told = list(check_unblinding.problems(bare, words))
    assert len(told) >= 15
    assert {problem.severity for problem in told} == {"warning"}
