"""Nothing in a dossier's free text tells a treatment or a site, unless somebody says why."""

import json

import pytest

from ecrf.kernel.errors import Unacceptable
from forms.adjudicating import redaction
from forms.adjudicating.redaction import MARK, Decided, Do

KEY = "relf.7.inv_reason"
TEXT = "Since mmf was stopped at PUMCH (PUMCH-007, kit 48213), worse; comma, ammful."


def raw(text=TEXT):
    value = {"value": {"en": text, "zh": text}, "free": KEY}
    line = {"label": {"en": "Reasons", "zh": "依据"}, **value}
    part = {
        "form": "relf",
        "title": {"en": "Relapse", "zh": "复发"},
        "visit": {"en": "Suspected relapse REL-1", "zh": "疑似复发 REL-1"},
        "lines": [line],
        "grids": [],
    }
    return json.dumps({"case": "C-001", "parts": [part]})


@pytest.fixture
def words(study):
    return redaction.terms(study, study.adjudication.dossier, ["PUMCH-007", "48213"])


def test_arms_product_sites_codes_and_kits_are_found_whatever_their_case(words):
    (text,) = redaction.free_texts(raw(), words)
    assert set(text.found) >= {"MMF", "PUMCH", "PUMCH-007", "48213"}
    assert text.usual is Do.CUT
    for leak in ("mycophenolate MOFETIL", "吗替麦考酚酯", "Placebo", "安慰剂", "北京协和医院"):
        assert redaction.found_in(f"a {leak} b", words), leak
    assert not redaction.found_in("comma, ammful, community", words)


def test_what_is_cut_leaves_one_mark_however_long_it_was(words):
    cut = redaction.cut(TEXT, words)
    assert (
        cut == f"Since {MARK} was stopped at {MARK} ({MARK}, kit {MARK}), worse; comma, ammful."
    )


def test_a_word_that_was_found_stays_only_with_a_reason(words):
    texts = redaction.free_texts(raw(), words)
    with pytest.raises(Unacceptable) as refused:
        redaction.require_decided(texts, {KEY: Decided(Do.KEEP)})
    assert refused.value.problems[0].item == KEY
    kept = redaction.require_decided(texts, {KEY: Decided(Do.KEEP, "names no treatment")})
    assert TEXT in redaction.redact(raw(), kept, words)


def test_without_a_decision_words_found_are_cut_and_a_text_can_be_left_out_whole(words):
    usual = redaction.require_decided(redaction.free_texts(raw(), words), {})
    content = redaction.redact(raw(), usual, words)
    assert "mmf was" not in content and "48213" not in content and KEY not in content
    out = redaction.redact(raw(), {KEY: Decided(Do.OUT)}, words)
    assert json.loads(out)["parts"][0]["lines"][0]["value"] == {"en": MARK, "zh": MARK}


def test_no_dossier_of_the_main_trial_names_an_examiner_or_a_laboratory(study):
    rule = study.adjudication.dossier
    telling = {
        f"{form}.{key}"
        for form in rule.forms
        for key in study.forms[form].cells
        if key.endswith(("_assessor", "lab_id", "_lab"))
    }
    assert "pga.pga_assessor" in telling
    assert telling <= set(rule.drop)
