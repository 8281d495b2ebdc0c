"""Checking a study as a whole: every spoilt study is told with its place."""

import pytest

from ecrf.study.check import check

SEX = "label: {en: Sex, zh: 性别}"
ITEM = "      - {id: extra, type: text, label: {en: A, zh: 甲}, %s}\n"

NAMES = [
    ("consentd == “Y”", 'consented == "Y"', 'consentd == "Y"', "Did you mean consented?"),
    ("unknown form", 'consented == "Y"', 'iee.total == "Y"', "Did you mean ie?"),
    ("item of a form", 'consented == "Y"', "ie.totall > 1", "Did you mean total?"),
    ("cell of a form", 'consented == "Y"', "ie.PANCREAS.scor > 1", "PANCREAS.score?"),
    ("closed cell", 'consented == "Y"', 'ie.CONST.urgent == "Y"', "no item CONST.urgent"),
    ("visit", 'consented == "Y"', "SRC.ie.total > 1", "Did you mean SCR?"),
    ("no item named", 'consented == "Y"', "SCR.ie > 1", "write SCR.ie.item"),
    ("repeating visit", 'consented == "Y"', "UNS.vs.sbp > 1", "The visit UNS repeats"),
    ("not there then", 'consented == "Y"', "W4.ie.total > 1", "ie is not planned at W4"),
    ("never together", 'consented == "Y"', "given(log.noted)", "write latest.log."),
    ("latest", 'consented == "Y"', "latest.vs.sbpp > 1", "Did you mean sbp?"),
    ("previous", 'consented == "Y"', "previous.vss.sbp > 1", "Did you mean vs?"),
    ("to come", 'consented == "Y"', "given(mh.x)", "mh is named, but not defined yet"),
    ("parameter", 'consented == "Y"', 'param.bases == "raw"', "Did you mean basis?"),
    ("row outside", 'consented == "Y"', "row.score > 1", "row is known in the columns"),
    ("all outside", 'consented == "Y"', "given(all.log.noted)", "for entry in all."),
    ("variable", 'consented == "Y"', "given(visitdate)", "Did you mean visit_date?"),
    ("grid", 'consented == "Y"', "count(row.score >= 1 for row in ie.organ)", "organs?"),
    ("no grid", 'consented == "Y"', "count(row.x >= 1 for row in birth)", "no grid birth"),
    ("column", 'consented == "Y"', "any(row.scor > 1 for row in ie.organs)", "score?"),
    ("entries", 'consented == "Y"', "any(given(e.note) for e in all.log)", "noted?"),
    ("entries of", 'consented == "Y"', "any(given(e.x) for e in all.logs)", "log?"),
    ("code", 'consented == "Y"', 'consented == "y"', "consented is never y. It is one of"),
    ("truth", 'consented == "Y"', "consented == True", "consented is never True"),
    ("codes", 'consented == "Y"', 'sex in ("M", "W")', "sex is never W"),
    ("cell code", 'consented == "Y"', 'ie.PANCREAS.score == "4"', "is never 4"),
    (
        "code of a row",
        'consented == "Y"',
        'any(row.urgent == "yes" for row in SCR.ie.organs)',
        "urgent is never yes. It is one of: Y, N.",
    ),
    ("visit named", 'consented == "Y"', 'visit == "SRC"', "visit is never SRC"),
    ("site named", 'consented == "Y"', 'site == "AAB"', "site is never AAB"),
]


@pytest.mark.parametrize(
    "old, new, expected", [row[1:] for row in NAMES], ids=[r[0] for r in NAMES]
)
def test_a_misspelt_name_in_an_expression_is_told(tiny, old, new, expected):
    tiny.change("tiny/forms/dm.yaml", f"require: {old}", f"require: {new}")
    [told] = tiny.findings()
    assert told.startswith("tiny/forms/dm.yaml:13:18: error: ")
    assert expected in told


SOUND = [
    'given(ie.total) and SCR.ie.eligible == "N"',
    "latest.vs.sbp > 1 or previous.vs.sbp > 1",
    'any(row.score >= 1 for row in ie.organs if row.urgent == "Y")',
    "count(given(e.noted) for e in all.log) > 1",
    'visit == "SCR" and site in ("AAA", "BBB") and given(randomized_on)',
    'years(birth, visit_date) >= 18 and param.basis == "raw"',
    'ie.PANCREAS.score >= 1 and SCR.ie.CONST.score == "3"',
]


@pytest.mark.parametrize("expression", SOUND)
def test_a_name_that_is_known_is_not_told(tiny, expression):
    tiny.change("tiny/forms/dm.yaml", 'require: consented == "Y"', f"require: {expression}")
    assert tiny.findings() == []


SPOILT = [
    ("tiny/forms/dm.yaml", "id: birth", "id: sex", "15:13: error: sex is here twice."),
    (
        "tiny/forms/dm.yaml",
        "id: birth",
        "id: visit",
        "15:13: error: visit means something else",
    ),
    ("tiny/forms/dm.yaml", "id: birth", "id: not", "15:13: error: not means something else"),
    (
        "tiny/forms/dm.yaml",
        "codes: sex",
        "codes: sexx",
        "11:16: error: There is no code list sexx.",
    ),
    (
        "tiny/forms/dm.yaml",
        "        codes: sex\n",
        "",
        "9:9: error: sex offers a choice and needs",
    ),
    ("tiny/forms/dm.yaml", "[ND]", "[ND, NN]", "14:23: error: The code list missing has no"),
    (
        "tiny/forms/dm.yaml",
        SEX,
        f'{SEX}\n        units: {{kg: "1"}}',
        "13:16: error: units does",
    ),
    (
        "tiny/forms/dm.yaml",
        SEX,
        f"{SEX}\n        places: 1",
        "13:17: error: places does not fit",
    ),
    (
        "tiny/forms/dm.yaml",
        SEX,
        f"{SEX}\n        unknown: day",
        "13:18: error: unknown does not",
    ),
    (
        "tiny/forms/dm.yaml",
        SEX,
        f"{SEX}\n        max_length: 9",
        "13:21: error: max_length does",
    ),
    (
        "tiny/forms/dm.yaml",
        "type: partial date",
        "type: note\n        require: true",
        "require does",
    ),
    ("tiny/forms/dm.yaml", SEX, f"{SEX}\n        derive: consented", "nobody can be required"),
    (
        "tiny/forms/ie.yaml",
        "id: CONST",
        "id: PANCREAS",
        "11:18: error: PANCREAS is here twice.",
    ),
    (
        "tiny/forms/ie.yaml",
        "id: CONST",
        "id: total",
        "11:18: error: The row total is called like",
    ),
    ("tiny/forms/ie.yaml", "id: CONST", "id: SCR", "11:18: error: The row SCR is called like"),
    (
        "tiny/forms/ie.yaml",
        "[urgent]",
        "[urgnt]",
        "11:73: error: The grid organs has no column",
    ),
    ("tiny/forms/ie.yaml", "id: urgent", "id: score", "14:17: error: score is here twice."),
    ("tiny/forms/ie.yaml", 'fill: {score: "0"}', 'fill: {scor: "0"}', "18:16: error: The grid"),
    ("tiny/forms/ie.yaml", 'fill: {score: "0"}', 'fill: {score: "9"}', "score has no 9."),
    (
        "tiny/forms/ie.yaml",
        "item: PANCREAS.score",
        "item: PANCREAS.scor",
        "Did you mean PANCREAS.score",
    ),
    (
        "tiny/forms/ie.yaml",
        "row.score >= 1",
        "row.scor >= 1",
        "17:22: error: The grid organs has no",
    ),
    (
        "library/forms/vs.yaml",
        '["90", "180"]',
        '["180", "90"]',
        "The lower limit 180 is not below",
    ),
    (
        "library/forms/vs.yaml",
        '["90", "180"]',
        '["40", "180"]',
        "10:45: error: The soft limits 40",
    ),
    ("library/forms/vs.yaml", 'mmHg: "1"', 'mmHg: "2"', "9:23: error: mmHg is named first"),
    (
        "library/forms/vs.yaml",
        '"7.50061"',
        '"0"',
        "9:33: error: The factor of kPa must be above 0.",
    ),
    ("library/forms/vs.yaml", "id: VS01", "id: IE01", "error: IE01 is here twice."),
    ("tiny/codes.yaml", "value: F", "value: M", "3:13: error: M is here twice."),
    (
        "tiny/schedule.yaml",
        "{SCR: R, BL: R}",
        "{SCR: R, BR: R}",
        "9:16: error: The schedule has no visit BR.",
    ),
    (
        "tiny/schedule.yaml",
        "  dm: {SCR: R}",
        "  dm: {SCR: R}\n  dmm: {SCR: R}",
        "9:3: error: The study has no form dmm.",
    ),
    ("tiny/schedule.yaml", "id: W4", "id: BL", "4:10: error: BL is here twice."),
    ("tiny/schedule.yaml", "id: W4", "id: dm", "4:10: error: dm is a form and a visit."),
    ("tiny/schedule.yaml", "day: 29", "day: 0", "There is no day 0"),
    ("tiny/schedule.yaml", "day: 29", "day: -20", "W4 is listed after SCR, but is not later."),
    (
        "tiny/schedule.yaml",
        "day: 29, before: 7",
        "day: 29, before: 28",
        "4:5: warning: The window of W4",
    ),
    ("tiny/schedule.yaml", "before: 7", "before: -7", "4:61: error: before counts days"),
    (
        "tiny/schedule.yaml",
        "day: 29, before",
        "before",
        "4:5: error: The planned visit W4 needs a day.",
    ),
    ("tiny/schedule.yaml", "kind: log", "kind: log, day: 3", "6:5: error: LOG is not planned"),
    ("tiny/schedule.yaml", "kind: log", "kind: log, within: 3", "within is for event visits"),
    ("tiny/schedule.yaml", "day: 29", "repeating: true, day: 29", "W4 cannot repeat."),
    ("tiny/schedule.yaml", "day: 29", "months: 1, day: 29", "months stands instead of day"),
    (
        "tiny/schedule.yaml",
        "  log: {LOG: E}\n",
        "",
        "warning: The form log is due at no visit.",
    ),
    (
        "tiny/schedule.yaml",
        "  mh: {SCR: R}\n",
        "",
        "16:17: warning: The form mh is due at no visit.",
    ),
    (
        "tiny/study.yaml",
        "forms_to_come: {mh",
        "forms_to_come: {dm",
        "The form dm is defined already.",
    ),
    (
        "tiny/study.yaml",
        "zone: Asia/Urumqi",
        "zone: Asia/Nowhere",
        "There is no time zone Asia/Nowhere.",
    ),
    ("tiny/study.yaml", "code: BBB", "code: AAA", "13:12: error: AAA is here twice."),
    ("tiny/study.yaml", "{id: PBO", "{id: ACT", "10:10: error: ACT is here twice."),
    (
        "tiny/study.yaml",
        "{ACT: 1, PBO: 1}",
        "{ACT: 1, PBX: 1}",
        "19:19: error: The study has no arm PBX.",
    ),
    (
        "tiny/study.yaml",
        "{ACT: 1, PBO: 1}",
        "{ACT: 1}",
        "19:10: error: The arm PBO has no share.",
    ),
    (
        "tiny/study.yaml",
        "{ACT: 1, PBO: 1}",
        "{ACT: 1, PBO: 0}",
        "19:19: error: This must be at least 1.",
    ),
    (
        "tiny/study.yaml",
        "slots_per_stratum: 20",
        "slots_per_stratum: 0",
        "This must be at least 1.",
    ),
    (
        "tiny/study.yaml",
        "  visit: BL",
        "  visit: W4",
        "W4 is the visit of randomization and so on day 1.",
    ),
    ("tiny/study.yaml", "  visit: BL", "  visit: B", "The schedule has no visit B."),
    (
        "tiny/study.yaml",
        "  form: ie",
        "  form: dm",
        "dm decides on eligibility, but nobody signs it.",
    ),
    (
        "tiny/study.yaml",
        "  form: ie",
        "  form: iex",
        "The study has no form iex. Did you mean ie?",
    ),
    ("tiny/study.yaml", "from: SCR.dm.sex", "from: SCR.dm.sexx", "Did you mean sex?"),
    ("tiny/study.yaml", "from: SCR.dm.sex", "from: site", "Levels are named for an expression"),
    ("tiny/study.yaml", "value: F", "value: M", "27:19: error: M is here twice."),
    (
        "tiny/study.yaml",
        "eligible: eligible ==",
        "eligible: eligable ==",
        "Did you mean eligible?",
    ),
    (
        "tiny/study.yaml",
        "consent: SCR.dm.consented",
        "consent: consented",
        "outside every form",
    ),
    (
        "tiny/study.yaml",
        "units_per_kit: 60",
        "units_per_kit: 0",
        "35:18: error: This must be at least",
    ),
    (
        "tiny/study.yaml",
        "{BL: 1, W4: 2}",
        "{BL: 1, W5: 2}",
        "37:21: error: The schedule has no visit W5.",
    ),
    (
        "tiny/study.yaml",
        "{BL: 1, W4: 2}",
        "{BL: 1, W4: 0}",
        "37:21: error: This must be at least 1.",
    ),
]


@pytest.mark.parametrize(
    "file, old, new, expected",
    SPOILT,
    ids=[f"{n}-{row[3][:30]}" for n, row in enumerate(SPOILT)],
)
def test_each_unsound_part_is_told_with_its_place(tiny, file, old, new, expected):
    tiny.change(file, old, new)
    told = tiny.findings()
    assert any(expected in line for line in told), told


CIRCLES = [
    ("derive: total", "ie.total → ie.total"),
    ("derive: 1 + sum(row.score for row in organs) + ie.total", "ie.total → ie.total"),
    ('derive: abs(1)\n        show: eligible == "Y"', "ie.eligible → ie.total → ie.eligible"),
    ('derive: abs(1)\n        show: latest.ie.eligible == "Y"', "ie.eligible → ie.total"),
]


@pytest.mark.parametrize("derive, circle", CIRCLES)
def test_answers_that_follow_from_themselves_are_told(tiny, derive, circle):
    before = 'derive: sum(row.score * (2 if row.urgent == "Y" else 1) for row in organs)'
    tiny.change("tiny/forms/ie.yaml", before, derive)
    tiny.change("tiny/forms/ie.yaml", "require: given(total)", "show: given(total)")
    [told] = tiny.findings()
    assert f"This follows from itself: {circle}" in told


def test_columns_of_a_grid_that_follow_from_each_other_are_told_once(tiny):
    tiny.change("tiny/forms/ie.yaml", "require: row.score >= 1", "show: row.extra >= 1")
    tiny.change(
        "tiny/forms/ie.yaml",
        "          - id: urgent",
        "          - {id: extra, type: integer, label: {en: E, zh: 另}, "
        'derive: row.urgent == "Y"}\n          - id: urgent',
    )
    told = [line for line in tiny.findings() if "follows from itself" in line]
    assert len(told) == 1
    assert "ie.PANCREAS.extra → ie.PANCREAS.urgent → ie.PANCREAS.extra" in told[0]


def test_looking_back_at_an_earlier_visit_is_no_circle(tiny):
    before = 'derive: sum(row.score * (2 if row.urgent == "Y" else 1) for row in organs)'
    tiny.change("tiny/forms/ie.yaml", before, "derive: 1 + previous.ie.total + SCR.ie.total")
    assert tiny.findings() == []


UNBLINDING = [
    ("product: {en: Trial tablets", "product: {en: Active drug tablets", "34:17: error: "),
    ("zh: 试验用药片", "zh: 安慰剂片", "error: This text names one arm"),
    (
        "confirm: {en: Randomize now?",
        "confirm: {en: Give PBO now?",
        "error: This text names one",
    ),
]


@pytest.mark.parametrize("old, new, expected", UNBLINDING)
def test_a_text_that_names_one_arm_is_told(tiny, old, new, expected):
    tiny.change("tiny/study.yaml", old, new)
    [told] = tiny.findings()
    assert expected in told


def test_a_text_may_name_every_arm(tiny):
    tiny.change("tiny/study.yaml", "en: Trial tablets", "en: Active drug or placebo tablets")
    assert tiny.findings() == []


def test_an_open_study_may_name_an_arm(tiny):
    tiny.change("tiny/study.yaml", "masking: double", "masking: none")
    tiny.change("tiny/study.yaml", "en: Trial tablets", "en: Placebo tablets")
    assert tiny.findings() == []


def test_a_path_named_like_an_arm_is_a_warning(tiny):
    tiny.change("tiny/forms/log.yaml", "id: noted", "id: act_noted")
    tiny.change(
        "tiny/forms/dm.yaml",
        'require: consented == "Y"',
        "require: latest.log.act_noted == '1'",
    )
    [told] = tiny.findings()
    assert told.startswith(
        "tiny/forms/dm.yaml:13:18: warning: latest.log.act_noted is named like"
    )
    assert tiny.read().study is not None


def test_an_open_answer_that_looks_at_a_masked_one_is_a_warning(tiny):
    tiny.change(
        "tiny/forms/dm.yaml", "unknown: month", "unknown: month\n        blinding: masked"
    )
    tiny.change("tiny/forms/dm.yaml", 'require: consented == "Y"', "require: given(birth)")
    [told] = tiny.findings()
    assert told.startswith("tiny/forms/dm.yaml:13:18: warning: birth is masked")


def test_a_study_that_was_not_read_from_files_is_checked_by_the_spots_of_the_model(tiny):
    study = tiny.read().study
    assert check(study) == ()
    cut = study.model_copy(update={"sites": (*study.sites, study.sites[0])})
    assert [str(finding) for finding in check(cut)] == [
        "sites/2/code:0:0: error: AAA is here twice."
    ]


@pytest.mark.parametrize("old, new, severity, expected", [
    ("    storage: {en: Keep cool, zh: 阴凉处保存}\n", "", "error", "storage"),
    ("    source: protocol\n", "", "warning", "The label of kits is marked as unverified."),
    ("en: As directed,", "en: As directed with ACT,", "error", "it would unblind"),
    ("  label:\n", "  stocking: {mode: levels, low: 4, high: 4}\n  label:\n", "error",
     "Sets are filled up to more"),
    ("  label:\n", "  preparation: {visits: [W9]}\n  label:\n", "error", "no visit W9"),
])  # fmt: skip
def test_what_is_wrong_with_labels_and_sending_is_told(tiny, old, new, severity, expected):
    tiny.change("tiny/study.yaml", old, new)
    told = [(found.severity, str(found.message)) for found in tiny.read().findings]
    assert any(kind == severity and expected in text for kind, text in told), told
