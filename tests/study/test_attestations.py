"""What signing a form means is part of the definition, like everything else a study says."""

import pytest

from ecrf.kernel.text import say
from ecrf.study.diff import diff
from ecrf.study.model import Words
from tests.forms.trial import TRIAL


@pytest.mark.req("L5")
def test_the_meaning_of_a_signature_is_changed_by_a_version_that_says_so():
    """L5: the text is the form's, whether a form is signed is a choice, a change is told."""
    assert {form.id for form in TRIAL.forms.values() if form.signed} == {"vs"}

    def told(signed):
        form = TRIAL.forms["vs"].model_copy(update={"signed": signed})
        changed = TRIAL.model_copy(update={"forms": {**TRIAL.forms, "vs": form}})
        return [say(found.message, "en") for found in diff(TRIAL, changed)]

    other = Words(en="I was there.", zh="我在场。")
    about = "form vs: meaning of the signature in English I have read these signs."
    assert f"{about} -> I was there." in told(other)
    assert f"{about} removed" in told(None)
