"""Answers written flat, `{path: text}`, as `ecrf form try` takes and prints them. Pure.

`item` or `ROW.column` is an answer, `item.unit` its unit, `item.missing` the reason why it is
missing.
"""

from collections.abc import Mapping
from typing import Any

from ecrf.study.model import Form
from forms.answers import Given
from forms.plan import Plan

PARTS = ("unit", "missing")


def given(form: Form, flat: Mapping[str, str]) -> dict[str, Given]:
    """Return what was given for each item of `form`; a key nobody knows stays as it is."""
    found: dict[str, Given] = {}
    for path, text in flat.items():
        key, part = _parted(form, path)
        found[key] = found.get(key, Given(""))._replace(**{part: text})
    return found


def _parted(form: Form, path: str) -> tuple[str, str]:
    key, _, last = path.rpartition(".")
    if path not in form.cells and last in PARTS and key in form.cells:
        return key, last
    return path, "text"


def shown(form: Form, plan: Plan, locale: str) -> dict[str, Any]:
    """Return a plan for printing: canonical answers, computed values, findings."""
    answers: dict[str, str] = {}
    derived: dict[str, str | None] = {}
    for key, cell in form.cells.items():
        answer = plan.answers.get(key)
        if cell.question.derive is not None:
            derived[key] = answer.value if answer else None
        elif answer is not None:
            answers[f"{key}.missing" if answer.missing else key] = (
                answer.missing or answer.value
            )
    findings = [
        {
            "rule": finding.rule,
            "item": finding.item,
            "severity": finding.severity,
            "message": finding.message.in_(locale),
        }
        for finding in plan.findings
    ]
    return {"answers": answers, "derived": derived, "findings": findings}
