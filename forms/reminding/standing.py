"""Which reminders an entry gives as it stands, and whose answers they look at. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from ecrf.study.expr import loops, paths
from ecrf.study.model import Form, Study
from forms.answers import Answer
from forms.context import Context, scope


class Standing(NamedTuple):
    """A prompt or a clock that holds; only a clock has an end."""

    rule: str
    due_at: datetime | None


def standing(
    study: Study, form: Form, answers: Mapping[str, Answer], context: Context, zone: str
) -> frozenset[Standing]:
    """Return the reminders of an entry; times are those of its site's `zone`."""
    follow = study.consequences
    prompts, clocks = follow.prompts_of(form.id), follow.clocks_of(form.id)
    if not answers or not (prompts or clocks):
        return frozenset()
    sheet = scope(study, form, answers, context)
    found = {
        Standing(rule.id, None)
        for rule in prompts
        if rule.opens in study.forms and sheet.holds(rule.when)
    }
    for clock in clocks:
        due = sheet.evaluate(clock.due)
        if isinstance(due, datetime) and not sheet.holds(clock.done):
            found.add(Standing(clock.id, due.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)))
    return frozenset(found)


_KNOWN: dict[str, Mapping[str, frozenset[str]]] = {}


def readers(study: Study, fingerprint: str) -> Mapping[str, frozenset[str]]:
    """Return, by form, the rules that look at entries of it from another one."""
    if fingerprint not in _KNOWN:
        found: dict[str, set[str]] = {}
        follow = study.consequences
        rules = [(prompt.id, prompt.when) for prompt in follow.prompts]
        rules += [(clock.id, clock.due) for clock in follow.clocks]
        rules += [(clock.id, clock.done) for clock in follow.clocks]
        for rule, expression in rules:
            named = (*paths(expression.tree), *(grid for grid, _ in loops(expression.tree)))
            for part in {part for path in named for part in path.split(".")[:2]}:
                if part in study.forms:
                    found.setdefault(part, set()).add(rule)
        _KNOWN[fingerprint] = {form: frozenset(ids) for form, ids in found.items()}
    return _KNOWN[fingerprint]
