"""The small trial with an item that is answered by a file."""

from ecrf.study import canonical
from ecrf.study.files import FileRule
from ecrf.study.model import Item, ItemType, Section, Words
from tests.forms import trial

ITEM = Item(
    id="scan",
    type=ItemType.FILE,
    label=Words(en="Report", zh="报告"),
    file=FileRule(kinds=("pdf", "png"), megabytes=1),
)
PDF, OTHER = b"%PDF-1.7 the first", b"%PDF-1.7 the second"


def trial_with_file():
    form = trial.TRIAL.forms["vs"]
    changed = form.model_copy(
        update={"sections": (*form.sections, Section(title=None, members=(ITEM,)))}
    )
    changed.__dict__.pop("cells", None)
    forms = {**trial.TRIAL.forms, "vs": changed}
    return canonical.from_canonical(
        canonical.canonical(trial.TRIAL.model_copy(update={"forms": forms}))
    )


def put_in_force(monkeypatch):
    """Have the trial of the tests begin with the item."""
    study = trial_with_file()
    monkeypatch.setattr(trial, "TRIAL", study)
    monkeypatch.setattr(trial, "FINGERPRINT", canonical.fingerprint(study))
    return study
