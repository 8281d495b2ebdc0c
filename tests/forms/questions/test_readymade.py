from ecrf.study import shipped
from ecrf.study.model import Words
from forms.questions import readymade
from forms.questions.readymade import Said

TYPO = Words(en="Corrected.", zh="已更正。")


def test_ready_made_words_are_kept_in_both_languages_with_what_was_added():
    assert readymade.both("Corrected.", "TYPO", TYPO) == Said("Corrected.", "已更正。", "TYPO")
    assert readymade.both("已更正。见病历", "TYPO", TYPO) == Said(
        "Corrected.见病历", "已更正。见病历", "TYPO"
    )


def test_words_that_were_rewritten_are_kept_as_they_were_written():
    assert readymade.both(" I corrected it. ", "TYPO", TYPO) == Said("I corrected it.")
    assert readymade.both("Anything", "", None) == Said("Anything")


def test_the_shipped_study_has_questions_and_answers_ready_in_both_languages():
    study = shipped.load("nct05974683")
    assert "CORRECTED_TYPO" in [code.value for code in readymade.answers(study)]
    source = readymade.questions(study)[0]
    said = readymade.named(source, Words(en="Pulse", zh="脉搏"))
    assert "Pulse" in said.en
    assert "脉搏" in said.zh
    assert "{" not in said.en + said.zh
