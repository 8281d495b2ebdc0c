"""Run rules of data quality over the sites and forms a person may see, and set aside what is
known to be right.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from ecrf.kernel.access import Actor, Right
from ecrf.kernel.chain import Change
from ecrf.kernel.errors import Conflict, NotAllowed, NotFound
from ecrf.kernel.ledger import LEDGER, Act, By, participant_chain
from ecrf.kernel.text import T, Text
from ecrf.study.expr import ExpressionError, parse
from ecrf.study.model import Expression
from forms.answers import called, value
from forms.context import scope
from forms.following.standing import Standing
from forms.plan import plan
from forms.quality import everyone, own, rules
from forms.quality.rules import Far, Seen
from forms.quality.tables import Exclusion, OwnRule
from forms.tables import Entry
from visits import refusals
from visits.tables import Participant, Visit


class Discrepancy(NamedTuple):
    """Something a rule noticed, and where. `excluded` is why it was set aside, or empty."""

    rule: str
    entry_id: int
    site: str
    participant: str
    visit: str
    form: str
    number: int
    item: str
    label: Text | str
    what: Text | str
    excluded: str


def run(
    session: Session,
    actor: Actor,
    study: str,
    wanted: Collection[str],
    *,
    all_too: bool = False,
) -> Iterator[Discrepancy]:
    """Yield what the rules `wanted` notice, participant by participant; all without any named.

    What was set aside comes only with `all_too`.
    """
    sites = seen_sites(actor, study)
    aside = _aside(session, study)
    mine = [
        (rule, when)
        for rule in own.listing(session, study)
        if (not wanted or rule.code in wanted) and (when := _when(rule)) is not None
    ]
    built = frozenset(rules.RULES) & frozenset(wanted or rules.RULES)
    far = None
    if "E" in built:
        far = rules.outliers(_figures(session, study, sites))
    for whole in everyone.each(session, study, sites):
        for entry, seen in _of_everything(whole.entries, built, mine, far):
            excluded = aside.get((entry.id, seen.item, seen.rule), "")
            if all_too or not excluded:
                yield _found(whole.who, entry, seen, excluded)


def seen_sites(actor: Actor, study: str) -> frozenset[str] | None:
    """Return the sites where the person sees data quality and the entries themselves."""
    held = actor.sites(Right.QUALITY_READ, study)
    read = actor.sites(Right.ENTRY_READ, study)
    if held is None:
        return read
    return held if read is None else held & read


def _of_everything(
    entries: Sequence[Standing],
    built: Collection[str],
    mine: Sequence[tuple[OwnRule, Expression]],
    far: Far | None,
) -> Iterator[tuple[Standing, Seen]]:
    for entry in entries:
        others = [other.entered(other.answers) for other in entries if other.id != entry.id]
        context = replace(entry.context, entries=others)
        sheet = scope(entry.study, entry.form, entry.answers, context)
        if built:
            decided = plan(entry.study, entry.form, entry.answers, {}, context)
            for seen in rules.look(sheet, entry.answers, decided):
                if seen.rule in built:
                    yield entry, seen
        if far is not None:
            yield from ((entry, seen) for seen in _far(entry, far))
        for rule, when in mine:
            cell = entry.form.cells.get(rule.item)
            if rule.form == entry.form.id and sheet.holds(when, cell):
                yield entry, Seen(rule.code, rule.item, rule.text)


def _far(entry: Standing, far: Far) -> Iterator[Seen]:
    for form, item, figure in _numbers(entry):
        if far(form, item, figure):
            yield Seen("E", item, T("{value} is far from the others", value=figure))


def _figures(
    session: Session, study: str, sites: frozenset[str] | None
) -> Iterator[rules.Figure]:
    for whole in everyone.each(session, study, sites):
        for entry in whole.entries:
            yield from _numbers(entry)


def _numbers(entry: Standing) -> Iterator[rules.Figure]:
    for key, answer in entry.answers.items():
        cell = entry.form.cells.get(key)
        if cell is not None and cell.question.type in rules.NUMBERS and answer.value:
            figure = value(cell, answer)
            if isinstance(figure, Decimal):
                yield entry.form.id, key, figure


def _when(rule: OwnRule) -> Expression | None:
    """Return when a stored rule fires; the language may have narrowed since it was made."""
    try:
        return Expression(text=rule.formula, tree=parse(rule.formula))
    except ExpressionError:
        return None


def _found(who: Participant, entry: Standing, seen: Seen, excluded: str) -> Discrepancy:
    cell = entry.form.cells.get(seen.item)
    return Discrepancy(
        seen.rule, entry.id, who.site, who.code, entry.context.visit_key, entry.form.id,
        entry.number, seen.item, called(cell) if cell else seen.item, seen.what, excluded,
    )  # fmt: skip


def _aside(session: Session, study: str) -> Mapping[tuple[int, str, str], str]:
    rows = session.scalars(select(Exclusion).where(Exclusion.study == study))
    return {(row.entry_id, row.item, row.rule): row.reason for row in rows}


def exclude(
    session: Session, by: By, study: str, entry_id: int, item: str, rule: str, reason: str
) -> None:
    """Set a discrepancy aside, saying why."""
    who, act = _place(session, by, study, entry_id)
    why = refusals.require_reason(reason)
    if _one(session, entry_id, item, rule) is not None:
        raise Conflict(T("This was set aside already."))
    known = {one.code for one in own.listing(session, study)} | set(rules.RULES)
    if rule not in known:
        raise NotFound(T("There is no rule {code} here.", code=rule))
    head = LEDGER.head(session, participant_chain(study, who.code))
    session.execute(
        insert(Exclusion).values(
            study=study, entry_id=entry_id, item=item, rule=rule, reason=why, at=by.at,
            by=by.actor.id,
        )
    )  # fmt: skip
    change = Change(f"#{rule} {item}"[:110], None, "excluded")
    done = replace(act, action="quality:exclude", reason=why, changes=[change])
    LEDGER.write(session, by, [(head, done)])


def include(session: Session, by: By, study: str, entry_id: int, item: str, rule: str) -> None:
    """Take a discrepancy back among the others."""
    who, act = _place(session, by, study, entry_id)
    row = _one(session, entry_id, item, rule)
    if row is None:
        raise NotFound(T("This was not set aside."))
    head = LEDGER.head(session, participant_chain(study, who.code))
    session.execute(delete(Exclusion).where(Exclusion.id == row.id))
    change = Change(f"#{rule} {item}"[:110], "excluded", None)
    done = replace(act, action="quality:include", changes=[change])
    LEDGER.write(session, by, [(head, done)])


def _one(session: Session, entry_id: int, item: str, rule: str) -> Exclusion | None:
    return session.scalars(
        select(Exclusion).where(
            Exclusion.entry_id == entry_id, Exclusion.item == item, Exclusion.rule == rule
        )
    ).one_or_none()


def _place(session: Session, by: By, study: str, entry_id: int) -> tuple[Participant, Act]:
    row = session.execute(
        select(Participant, Visit.key, Entry.form, Entry.number)
        .join(Entry, Entry.participant_id == Participant.id)
        .join(Visit, Visit.id == Entry.visit_id)
        .where(Entry.id == entry_id, Participant.study == study)
    ).one_or_none()
    if row is None or not by.actor.may(Right.QUALITY_READ, study, row.Participant.site):
        raise NotFound(T("There is no such entry here."))
    role = by.actor.role_for(Right.QUALITY_MANAGE, study, row.Participant.site)
    if role is None:
        raise NotAllowed(T("Your role does not include this."))
    who = row.Participant
    refs = {"participant": who.code, "visit": row.key, "form": row.form, "number": row.number}
    return who, Act("", role, study, who.site, key=f"quality:{entry_id}", refs=refs)
