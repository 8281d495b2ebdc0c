"""The small trial with consequences: a call after the last dose, the end, a deviation."""

from ecrf.study import canonical
from ecrf.study.model import Study
from tests.forms import trial

FOLLOW = {
    "conditions": [
        {"form": "vs", "visits": ["W4"], "when": trial.formula("SCR.dm.sex == 'F'")}
    ],
    "effects": [
        {
            "id": "LAST",
            "form": "vs",
            "when": trial.formula("given(taken)"),
            "does": "last dose",
            "on": trial.formula("taken"),
        },
        {
            "id": "LEFT",
            "form": "vs",
            "when": trial.formula("remark == 'left'"),
            "does": "leave",
        },
        {"id": "ENDED", "form": "vs", "when": trial.formula("remark == 'end'"), "does": "end"},
    ],
    "prompts": [
        {
            "id": "HIGH",
            "form": "vs",
            "opens": "ae",
            "message": trial.words("Report it."),
            "when": trial.formula("sbp > 200 and not any(given(row.term) for row in all.ae)"),
        }
    ],
    "deviations": [
        {
            "id": "DEV",
            "form": "vs",
            "when": trial.formula("sbp > 200"),
            "category": "safety",
            "severity": "major",
            "message": trial.words("Too high."),
        }
    ],
}
PLAIN = trial.TRIAL.model_dump(by_alias=True)
CALL = {
    "id": "SFU",
    "label": trial.words("Call"),
    "anchor": "last dose",
    "day": 28,
    "before": 7,
    "after": 7,
}
STUDY = Study.model_validate(
    PLAIN
    | {"consequences": FOLLOW, "visits": [*PLAIN["visits"][:-1], CALL, PLAIN["visits"][-1]]}
)


def in_force(monkeypatch):
    """Make this the trial that `trial.begin` puts in force."""
    monkeypatch.setattr(trial, "TRIAL", STUDY)
    monkeypatch.setattr(trial, "FINGERPRINT", canonical.fingerprint(STUDY))
