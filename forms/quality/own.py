"""The data manager's own rules: made, changed, retired; each step an act of the study."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from ecrf.kernel.access import Right, Role
from ecrf.kernel.chain import Change
from ecrf.kernel.errors import NotAllowed, NotFound, Problem, Unacceptable
from ecrf.kernel.ledger import LEDGER, Act, By, study_chain
from ecrf.kernel.text import Message, T, Text
from ecrf.study.expr import ExpressionError, loops, parse, paths
from ecrf.study.model import Study
from ecrf.study.references import Names, Rows, column_of
from ecrf.study.spelling import suggest
from forms.quality.tables import OwnRule

COLUMNS = ("code", "form", "item", "when", "text")
MOST = 500


@dataclass(frozen=True, slots=True)
class Wanted:
    """A rule as somebody wants it: `when` it is true at `item` of `form`, `text` is listed."""

    code: str
    form: str
    item: str
    when: str
    text: str


def listing(session: Session, study: str, *, retired: bool = False) -> Sequence[OwnRule]:
    """Return the rules of a study by their code."""
    wanted = select(OwnRule).where(OwnRule.study == study).order_by(OwnRule.code)
    return session.scalars(
        wanted if retired else wanted.where(OwnRule.retired_at.is_(None))
    ).all()


def problems(study: Study, wanted: Wanted) -> list[Problem]:
    """Return what is wrong with a rule: unknown names, or an expression that cannot be read."""
    found = []
    sound = wanted.code.isascii() and wanted.code.replace("_", "").isalnum()
    if not sound or len(wanted.code) > 20:
        found.append(Problem("code", T("A code is of letters and digits, such as DQ01.")))
    if not wanted.text.strip() or len(wanted.text) > 400:
        found.append(Problem("text", T("Say in up to 400 signs what is to be looked at.")))
    form = study.forms.get(wanted.form)
    if form is None:
        message = T("The study has no form {form}.", form=wanted.form)
        return [*found, Problem("form", suggest(message, wanted.form, study.forms))]
    if wanted.item not in form.cells:
        message = T("The form {form} has no item {name}.", form=form.id, name=wanted.item)
        found.append(Problem("item", suggest(message, wanted.item, form.cells)))
    found += [Problem("when", text) for text in _odd(study, wanted)]
    return found


def _odd(study: Study, wanted: Wanted) -> list[Text]:
    if len(wanted.when) > 1000:
        return [T("An expression has at most 1,000 signs.")]
    try:
        tree = parse(wanted.when)
    except ExpressionError as error:
        return [T("This expression cannot be used: {reason}.", reason=str(error))]
    names, here = Names(study), study.forms[wanted.form]
    found = [names.answer(path, here, None) for path in sorted(paths(tree))]
    odd: list[Text] = [one for one in found if isinstance(one, Message)]
    for path, column in sorted(loops(tree)):
        rows = names.rows(path, here)
        inside = column_of(rows, column) if isinstance(rows, Rows) and column else rows
        if isinstance(inside, Message):
            odd.append(inside)
    return odd


def put(session: Session, by: By, study: Study, wanted: Wanted) -> None:
    """Make a rule, or change the one of that code."""
    wrong = problems(study, wanted)
    if wrong:
        raise Unacceptable(T("The rule cannot be used."), wrong)
    _put(session, by, study, [wanted])


def put_file(session: Session, by: By, study: Study, text: str) -> int:
    """Take rules from a CSV file with a heading; with one bad line nothing is taken."""
    lines = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    if not lines or len(lines) > MOST or not set(COLUMNS) <= set(lines[0]):
        raise Unacceptable(
            T("The file needs the columns {names} and up to {n} lines.",
              names=", ".join(COLUMNS), n=MOST)
        )  # fmt: skip
    rules = [Wanted(**{name: (line[name] or "").strip() for name in COLUMNS}) for line in lines]
    wrong = [
        Problem(f"{n}.{p.item}", T("line {n}: {message}", n=n, message=p.message))
        for n, rule in enumerate(rules, start=2)
        for p in problems(study, rule)
    ]
    if wrong:
        raise Unacceptable(T("Nothing was taken: {n} line(s) are wrong.", n=len(wrong)), wrong)
    _put(session, by, study, rules)
    return len(rules)


def _put(session: Session, by: By, study: Study, rules: Sequence[Wanted]) -> None:
    role = _role(by, study.id)
    head = LEDGER.head(session, study_chain(study.id))
    known = {rule.code: rule for rule in listing(session, study.id, retired=True)}
    acts = []
    for wanted in rules:
        old = known.get(wanted.code)
        values = {
            "form": wanted.form, "item": wanted.item, "formula": wanted.when,
            "text": wanted.text, "retired_at": None,
        }  # fmt: skip
        if old is None:
            session.execute(
                insert(OwnRule).values(
                    study=study.id,
                    code=wanted.code,
                    made_at=by.at,
                    made_by=by.actor.id,
                    **values,
                )
            )
        else:
            session.execute(
                update(OwnRule)
                .where(OwnRule.id == old.id)
                .values(version=OwnRule.version + 1, **values)
            )
        act = Act(
            "quality:rule", role, study.id, key=f"quality:{study.id}/{wanted.code}",
            refs={"rule": wanted.code, "version": old.version + 1 if old else 1},
            changes=[Change(wanted.code, old and said(old), _told(wanted))],
        )  # fmt: skip
        acts.append((head, act))
    LEDGER.write(session, by, acts)


def retire(session: Session, by: By, study: str, code: str) -> None:
    """Run a rule no more; it is kept with its history."""
    role = _role(by, study)
    rule = next((one for one in listing(session, study) if one.code == code), None)
    if rule is None:
        raise NotFound(T("There is no rule {code} here.", code=code))
    session.execute(update(OwnRule).where(OwnRule.id == rule.id).values(retired_at=by.at))
    act = Act(
        "quality:retire", role, study, key=f"quality:{study}/{code}", refs={"rule": code},
        changes=[Change(code, said(rule), None)],
    )  # fmt: skip
    LEDGER.record(session, by, study_chain(study), act)


def _role(by: By, study: str) -> Role:
    role = by.actor.role_for(Right.QUALITY_MANAGE, study)
    if role is None:
        raise NotAllowed(T("Your role does not include this."))
    return role


def _told(wanted: Wanted) -> Mapping[str, str]:
    return {name: getattr(wanted, name) for name in COLUMNS if name != "code"}


def said(rule: OwnRule) -> Mapping[str, str]:
    """Return a rule as the ledger keeps it."""
    return {"form": rule.form, "item": rule.item, "when": rule.formula, "text": rule.text}
