import pytest

from tests.forms import trial
from tests.forms.adjudicating import court


@pytest.fixture
def court_(database, by, draw, monkeypatch):
    """The trial with its event begun, and everybody at hand."""
    monkeypatch.setattr(trial, "TRIAL", court.TRIAL)
    monkeypatch.setattr(trial, "FINGERPRINT", court.FINGERPRINT)
    return court.Court(trial.begin(database, draw), by)
