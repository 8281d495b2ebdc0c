"""Decide what entries would be, once a change elsewhere has come to them. Pure.

An entry is planned again with nothing given: only what is computed can change. What it
changes may be read by others in turn, so that a chain is followed until nothing moves. The
earliest visit comes first, which settles what looks back in one round.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from ecrf.kernel.text import T
from forms.answers import Answer, called
from forms.context import Context, Entered
from forms.finding import Finding
from forms.following.dependants import touched
from forms.following.standing import Standing
from forms.plan import Edit, Plan, plan

ROUNDS = 16
"""Circles are refused by the check of a study; this bounds what slips through."""


class Outcome(NamedTuple):
    """What an entry would be; `edits` are counted from what is stored."""

    entry: Standing
    decided: Plan
    edits: tuple[Edit, ...]
    findings: tuple[Finding, ...]


def settle(
    entries: Sequence[Standing],
    forms: Collection[str] | None,
    laid: Mapping[int, Mapping[str, Answer]] | None = None,
) -> list[Outcome]:
    """Return the outcome of every entry planned again, beginning with those of `forms`.

    None for the forms is all of them. `laid` has entries planned from other answers than they
    hold, such as results that ask for their range anew.
    """
    now = {entry.id: entry.answers for entry in entries} | dict(laid or {})
    plans: dict[int, Plan] = {}
    waiting = {e.id for e in entries if forms is None or e.form.id in forms} | set(laid or ())
    for _ in range(ROUNDS):
        reached: set[int] = set()
        for entry in entries:
            if entry.id not in waiting:
                continue
            decided = plan(
                entry.study, entry.form, now[entry.id], {}, beside(entry, entries, now)
            )
            plans[entry.id] = decided
            if decided.edits and not entry.locked:
                reached |= _readers(entry, entries, now[entry.id], decided)
                now[entry.id] = decided.answers
        if not reached:
            break
        waiting = reached
    return [_outcome(entry, plans[entry.id]) for entry in entries if entry.id in plans]


def before(entry: Standing, entries: Sequence[Standing]) -> Plan:
    """Return what planning the entry said before the change."""
    then = {other.id: other.was for other in entries}
    study, form = entry.origin or (entry.study, entry.form)
    return plan(study, form, entry.was, {}, beside(entry, entries, then))


def _outcome(entry: Standing, decided: Plan) -> Outcome:
    cells = entry.form.cells
    edits = tuple(
        Edit(key, entry.answers.get(key), decided.answers.get(key))
        for key in cells
        if entry.answers.get(key) != decided.answers.get(key)
    )
    if not entry.locked:
        return Outcome(entry, decided, edits, (*decided.findings, *decided.broken))
    return Outcome(entry, decided, edits, tuple(_outdated(entry, edit) for edit in edits))


def _outdated(entry: Standing, edit: Edit) -> Finding:
    message = T(
        "{item}: computed anew it would be {new}. The form is locked and shows {old}.",
        item=called(entry.form.cells[edit.key]), new=_said(edit.new), old=_said(edit.old),
    )  # fmt: skip
    return Finding("outdated", edit.key, message)


def _said(answer: Answer | None) -> str:
    return answer.value or answer.missing if answer else "–"


def _readers(
    entry: Standing, entries: Sequence[Standing], was: Mapping[str, Answer], decided: Plan
) -> set[int]:
    begun = bool(was) == bool(decided.answers)
    keys = [edit.key for edit in decided.edits] if begun else None
    forms = touched(entry.study, entry.protocol, entry.form.id, keys)
    return {other.id for other in entries if other.form.id in forms}


def beside(
    entry: Standing, entries: Sequence[Standing], now: Mapping[int, Mapping[str, Answer]]
) -> Context:
    """Return the context of an entry with the answers `now` of the others."""
    others: list[Entered] = [
        other.entered(now[other.id]) for other in entries if other.id != entry.id
    ]
    return replace(entry.context, entries=others)
