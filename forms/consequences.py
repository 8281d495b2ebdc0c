"""What a save brings about beside its own answers: windows, the end, deviations, forms asked.

Deciding is pure: it compares what the study's rules say of the answers as they were with what
they say of them now. Carrying out changes rows and writes acts of their own after the act of
the save, on the same chain. A save that brings nothing about asks nothing more.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from sqlalchemy.orm import Session

from ecrf.kernel.access import Role
from ecrf.kernel.chain import Change
from ecrf.kernel.ledger import LEDGER, Act, By, participant_chain
from ecrf.study.consequences import Effect, Prompt
from ecrf.study.expr import Days
from forms import needs
from forms.answers import Answer
from forms.context import Sheet, scope
from forms.lookup import Found
from visits import departures, leaving, visits
from visits.departures import Where
from visits.schedule import Anchors

Answers = Mapping[str, Answer]
DONE = "complete"
ANCHORS = ("last_dose", "last_visit")


class Said(NamedTuple):
    """What the effects of a form say of its answers: dates, and how the participation ends."""

    last_dose: date | None = None
    last_visit: date | None = None
    ends: str = ""


def prompts(found: Found, answers: Answers) -> tuple[Prompt, ...]:
    """Return what a person with these answers before them is led to."""
    rules = found.study.consequences.prompts_of(found.form.id)
    if not rules:
        return ()
    sheet = scope(found.study, found.form, answers, found.context)
    return tuple(
        rule for rule in rules if rule.opens in found.study.forms and sheet.holds(rule.when)
    )


def said(effects: Sequence[Effect], sheet: Sheet) -> Said:
    """Return what the effects of a complete entry say; the first of a kind counts."""
    told = Said()
    for effect in reversed(effects):
        if not sheet.holds(effect.when):
            continue
        if effect.does in ("end", "leave"):
            told = told._replace(ends=effect.does)
        elif effect.does == "last dose":
            told = told._replace(last_dose=_date(effect, sheet))
        else:
            told = told._replace(last_visit=_date(effect, sheet))
    return told


def _date(effect: Effect, sheet: Sheet) -> date | None:
    value = None if effect.on is None else sheet.evaluate(effect.on)
    return value.first if isinstance(value, Days) and value.certain else None


def follow(
    session: Session, by: By, role: Role, found: Found, answers: Answers, status: str
) -> None:
    """Carry out what follows from having saved `answers`, and write down that it did."""
    done = [
        *_effects(session, by, found, answers, status),
        *_departures(session, by, found, answers),
    ]
    asks = needs.follow(session, found, answers)
    done += [("visit:ask", asks)] if asks else []
    acts = [_act(role, found, action, changes) for action, changes in done if changes]
    if acts:
        who = found.participant
        head = LEDGER.head(session, participant_chain(who.study, who.code))
        LEDGER.write(session, by, [(head, act) for act in acts])


Done = tuple[str, Sequence[Change]]


def _effects(
    session: Session, by: By, found: Found, answers: Answers, status: str
) -> Iterator[Done]:
    effects = found.study.consequences.effects_of(found.form.id)
    if not effects:
        return
    before = said(effects, _sheet(found, found.answers)) if found.status == DONE else Said()
    after = said(effects, _sheet(found, answers)) if status == DONE else Said()
    for anchor in ANCHORS:
        old, new = getattr(before, anchor), getattr(after, anchor)
        if old != new:
            yield "visit:place", _placed(session, by, found, anchor, new)
    if before.ends != after.ends:
        yield from _ended(session, found, before.ends, after.ends)


def _placed(
    session: Session, by: By, found: Found, anchor: str, on: date | None
) -> Sequence[Change]:
    who, study = found.participant, found.study
    if on is None:
        return leaving.unplace(session, who, study, anchor.replace("_", " "))
    return visits.fix(session, by, who, study, Anchors(**{anchor: on}))


def _ended(session: Session, found: Found, before: str, after: str) -> Iterator[Done]:
    who, study = found.participant, found.study
    if before:
        yield "participant:come-back", leaving.come_back(session, who, study)
    if after:
        entirely = after == "leave"
        yield "participant:end", leaving.leave(session, who, study, entirely=entirely)


def _departures(session: Session, by: By, found: Found, answers: Answers) -> Iterator[Done]:
    """Judge the entry by the rules of its form, when one of them holds now or did before."""
    rules = found.study.consequences.deviations_of(found.form.id)
    if not rules:
        return
    now, before = _sheet(found, answers), _sheet(found, found.answers)
    held = [rule for rule in rules if now.holds(rule.when)]
    if held or (found.entry and any(before.holds(rule.when) for rule in rules)):
        where = Where(found.participant.id, found.visit.id, found.form.id, found.number)
        yield "deviation:judge", departures.judge(session, by, where, held)


def _sheet(found: Found, answers: Answers) -> Sheet:
    return scope(found.study, found.form, answers, found.context)


def _act(role: Role, found: Found, action: str, changes: Sequence[Change]) -> Act:
    who = found.participant
    refs = {
        "participant": who.code, "visit": found.visit.key, "form": found.form.id,
        "number": found.number,
    }  # fmt: skip
    return Act(
        action, role, who.study, who.site, key=f"participant:{who.id}", refs=refs,
        changes=changes,
    )  # fmt: skip
