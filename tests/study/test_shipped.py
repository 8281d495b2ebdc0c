"""The definitions at hand: the shipped ones, or those of the settings."""

import pytest

from ecrf.kernel.config import Config
from ecrf.kernel.errors import NotFound, Unacceptable
from ecrf.study import shipped
from ecrf.study.canonical import canonical, fingerprint, from_canonical


def test_every_shipped_study_has_no_finding_and_comes_back_exactly():
    assert "nct05974683" in shipped.ids()
    for name in shipped.ids():
        reading = shipped.reading(shipped.folder(None, name))
        assert [str(finding) for finding in reading.findings] == []
        text = canonical(reading.study)
        assert from_canonical(text) == reading.study
        assert canonical(from_canonical(text)) == text
        assert reading.study.id == name


def test_the_settings_may_name_another_folder(tiny):
    config = Config.from_env({"ECRF_PROTOCOLS": str(tiny.root)})
    assert shipped.ids(config) == ("tiny",)
    assert shipped.folder(config, "tiny") == tiny.study
    study = shipped.load("tiny", config)
    assert fingerprint(study) == fingerprint(tiny.read().study)


def test_without_a_library_beside_it_a_study_uses_the_shipped_one(tiny):
    alone = tiny.root / "alone"
    alone.mkdir()
    assert shipped.library(tiny.study) == tiny.library
    assert shipped.library(alone / "tiny") == shipped.SHIPPED / "library"


def test_a_study_that_is_not_there_is_not_found_and_the_near_one_is_named():
    with pytest.raises(NotFound, match="Did you mean nct05974683"):
        shipped.folder(None, "nct0597468")


def test_a_study_with_errors_is_not_loaded_and_every_error_is_named(tiny):
    tiny.change("tiny/forms/dm.yaml", "codes: sex", "codes: sexx")
    with pytest.raises(Unacceptable) as refusal:
        shipped.load("tiny", tiny.root)
    [problem] = refusal.value.problems
    assert problem.item.endswith("tiny/forms/dm.yaml:11:16")


SPARE = """\
form: spare
title: {en: Spare, zh: 备用}
sections:
  - items:
      - {id: one, type: integer, label: {en: One, zh: 一}, limits: {hard: ["2", "1"]}}
      - {id: two, type: integer, label: {en: Two, zh: 二}, derive: onne + 1}
"""


def test_a_form_of_the_library_that_no_study_uses_is_checked_all_the_same(tiny):
    tiny.write("library/forms/spare.yaml", SPARE)
    assert shipped.reading(tiny.study).study is not None
    told = [found.message.in_("en") for found in shipped.shelf(tiny.study).findings]
    assert any("The lower limit 2 is not below the upper 1" in each for each in told)
    assert any("Did you mean one?" in each for each in told)
    assert not any("due at no visit" in each for each in told)


def test_with_its_shelf_a_study_has_the_forms_it_does_not_use(tiny):
    sound = SPARE.replace('["2", "1"]', '["1", "2"]').replace("onne", "one")
    tiny.write("library/forms/spare.yaml", sound)
    found = shipped.shelf(tiny.study)
    assert found.findings == ()
    assert set(found.study.forms) - set(tiny.read().study.forms) == {"spare"}
