"""Two definitions compared, in plain words."""

import pytest
from pydantic import BaseModel

from ecrf.study import laboratory, model, reviewing
from ecrf.study.diff import diff
from ecrf.study.labels import LABELS

ROW = "          - {id: PANCREAS, label: {en: Pancreas, zh: 胰腺}}\n"

CHANGES = [
    (
        "library/forms/vs.yaml",
        '["50", "300"]',
        '["50", "290"]',
        "item sbp of form vs: hard upper limit 300 -> 290",
    ),
    (
        "library/forms/vs.yaml",
        ', soft: ["90", "180"]',
        "",
        "item sbp of form vs: soft lower limit 90 removed",
        "item sbp of form vs: soft upper limit 180 removed",
    ),
    (
        "library/forms/vs.yaml",
        '"7.50061"',
        '"7.5006"',
        "item sbp of form vs: unit factor of kPa 7.50061 -> 7.5006",
    ),
    (
        "library/forms/vs.yaml",
        "zh: 收缩压",
        "zh: 收缩期血压",
        "item sbp of form vs: label in Chinese 收缩压 -> 收缩期血压",
    ),
    (
        "library/forms/vs.yaml",
        "require: true",
        "require: dbp > 1",
        "item sbp of form vs: requirement yes -> dbp > 1",
    ),
    (
        "library/forms/vs.yaml",
        "when: sbp <= dbp, severity: hard",
        "when: not sbp > dbp",
        "check VS01 of form vs: condition sbp <= dbp -> not sbp > dbp",
        "check VS01 of form vs: severity hard -> soft",
    ),
    (
        "tiny/forms/dm.yaml",
        "unknown: month",
        "unknown: month\n        blinding: masked",
        "item birth of form dm: blinding open -> masked",
    ),
    (
        "tiny/forms/dm.yaml",
        "missing: [ND]",
        "show: given(birth)",
        "item sex of form dm: condition to show given(birth) added",
        "item sex of form dm: missing reasons ND removed",
    ),
    ("tiny/forms/ie.yaml", ROW, "", "row PANCREAS of grid organs of form ie: removed"),
    (
        "tiny/forms/ie.yaml",
        "require: row.score >= 1",
        "require: row.score >= 2",
        "column urgent of grid organs of form ie: requirement row.score >= 1 -> row.score >= 2",
    ),
    (
        "tiny/study.yaml",
        "[dm, ie, vs, log]",
        "[ie, dm, vs, log]",
        "the study: the order is now ie, dm, vs, log",
    ),
    ("tiny/study.yaml", "PBO: 1}", "PBO: 2}", "the randomization: share of PBO 1 -> 2"),
    ("tiny/study.yaml", "raw}", "raw, new: x}", "the study: parameter of new x added"),
    (
        "tiny/schedule.yaml",
        "after: 7",
        "after: 9",
        "visit W4: days after the target 7 -> 9",
    ),
    ("tiny/schedule.yaml", "dm: {SCR: R}", "dm: {SCR: R, BL: o}", "form dm at visit BL: added"),
    (
        "tiny/schedule.yaml",
        "UNS: o",
        "UNS: C",
        "form vs at visit UNS: need optional -> conditional",
    ),
    (
        "tiny/codes.yaml",
        "en: Male",
        "en: Man",
        "code M of list sex: label in English Male -> Man",
    ),
]


@pytest.mark.parametrize("file, old, new, expected", [(*row[:3], row[3:]) for row in CHANGES])
def test_a_change_is_said_in_plain_words(tiny, file, old, new, expected):
    before = tiny.read().study
    if old == ROW:
        checks = (tiny.study / "forms" / "ie.yaml").read_text(encoding="utf-8")
        head, _ = checks.split("checks:")
        tiny.write("tiny/forms/ie.yaml", head)
        before = tiny.read().study
    tiny.change(file, old, new)
    after = tiny.read().study
    assert tuple(str(difference.message) for difference in diff(before, after)) == expected


def test_a_study_does_not_differ_from_itself(tiny):
    assert diff(tiny.read().study, tiny.read().study) == ()


def test_what_is_inside_a_new_form_is_not_listed_again(tiny):
    before = tiny.read().study
    tiny.write(
        "tiny/forms/pe.yaml",
        "form: pe\ntitle: {en: A, zh: 甲}\nsections:\n  - items:\n"
        "      - {id: skin, type: text, label: {en: B, zh: 乙}}\n",
    )
    tiny.change("tiny/study.yaml", "vs, log]", "vs, log, pe]")
    tiny.change("tiny/schedule.yaml", "  dm: {SCR: R}", "  dm: {SCR: R}\n  pe: {BL: R}")
    after = tiny.read().study
    assert [(d.form, str(d.message)) for d in diff(before, after)] == [
        ("pe", "form pe at visit BL: added"),
        ("pe", "form pe: added"),
    ]
    assert [str(d.message) for d in diff(after, before)] == [
        "form pe at visit BL: removed",
        "form pe: removed",
    ]


def test_the_form_a_difference_concerns_is_named(tiny):
    before = tiny.read().study
    tiny.change("tiny/forms/dm.yaml", "unknown: month", "unknown: day")
    [difference] = diff(before, tiny.read().study)
    assert difference.form == "dm"


def test_every_part_of_the_model_has_a_name_in_words():
    kinds = [
        kind
        for module in (model, reviewing, laboratory)
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, BaseModel) and kind is not BaseModel
    ]
    inner = {model.Words, model.Limits, model.Unit, model.Expression, model.Cell,
             laboratory.Step}  # fmt: skip
    names = {name for kind in kinds if kind not in inner for name in kind.model_fields}
    assert names <= set(LABELS)
