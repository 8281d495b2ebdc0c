"""Every rule a study checks answers by: those written as checks, and those that follow from
what is said of an item. Each has an id and a version. Pure.
"""

from collections.abc import Iterator
from typing import NamedTuple

from ecrf.kernel.text import T, Text
from ecrf.study.model import Form, ItemType, Study


class Rule(NamedTuple):
    """One rule. `id` is unique in the study; queries name a generated one by its last part."""

    id: str
    version: str
    form: str
    item: str
    severity: str
    message: Text


def rules(study: Study) -> Iterator[Rule]:
    """Yield every rule, form by form; generated rules have the version of the study."""
    for form in study.forms.values():
        yield from _generated(study, form)
        for check in form.checks:
            yield Rule(
                check.id, str(check.version), form.id, check.item, check.severity, check.message
            )


def _generated(study: Study, form: Form) -> Iterator[Rule]:
    for key, cell in form.cells.items():
        asked, version = cell.question, study.version
        if asked.type is ItemType.NOTE:
            continue
        stem = f"{form.id}.{key}"
        if asked.require is not False:
            message = T("{label}: an answer is required.", label=asked.label)
            yield Rule(f"{stem}.required", version, form.id, key, "soft", message)
        for name, severity, pair in (
            ("hard_limit", "hard", asked.limits.hard),
            ("soft_limit", "soft", asked.limits.soft),
        ):
            if pair is not None:
                high = f"{pair[1]} {asked.unit or ''}".strip()
                message = T(
                    "{label}: from {low} to {high}.", label=asked.label, low=pair[0], high=high
                )
                yield Rule(f"{stem}.{name}", version, form.id, key, severity, message)
        if asked.show is not None and asked.derive is None:
            message = T("{label}: kept, though it no longer applies.", label=asked.label)
            yield Rule(f"{stem}.inapplicable", version, form.id, key, "soft", message)
